package consoletest

import (
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Pointer moves the mouse there, in pixels of the window, as all points here are.
func (p *Page) Pointer(x, y float64) {
	p.t.Helper()
	p.do(chromedp.MouseEvent("mouseMoved", x, y))
}

// ClickAt clicks at a point.
func (p *Page) ClickAt(x, y float64) { p.t.Helper(); p.do(chromedp.MouseClickXY(x, y)) }

// DoubleClick clicks twice at a point.
func (p *Page) DoubleClick(x, y float64) {
	p.t.Helper()
	p.do(chromedp.MouseClickXY(x, y), chromedp.MouseClickXY(x, y, chromedp.ClickCount(2)))
}

// Drag drags from one point to another.
func (p *Page) Drag(fromX, fromY, toX, toY float64) {
	p.t.Helper()
	p.do(chromedp.DragAndDropXY(fromX, fromY, toX, toY))
}

// nothing is a distance that the protocol does not take for absent, as it does 0.
const nothing = 1e-9

// Wheel turns the wheel at a point; a negative distance is away from oneself.
func (p *Page) Wheel(x, y, distance float64) {
	p.t.Helper()
	p.call(input.DispatchMouseEventParams{Type: "mouseWheel", X: x, Y: y, DeltaX: nothing, DeltaY: distance})
}

func (p *Page) call(event input.DispatchMouseEventParams) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, event); err != nil {
		p.t.Fatal(err)
	}
}

// touchSteps is in how many moves a finger goes from one point to another.
const touchSteps = 5

// Swipe draws a finger from one point to another.
func (p *Page) Swipe(fromX, fromY, toX, toY float64) {
	p.t.Helper()
	p.touch("touchStart", [2]float64{fromX, fromY})
	for i := 1; i <= touchSteps; i++ {
		part := float64(i) / touchSteps
		p.touch("touchMove", [2]float64{fromX + part*(toX-fromX), fromY + part*(toY-fromY)})
	}
	p.touch("touchEnd")
}

// Pinch moves two fingers around a point from one distance to another.
func (p *Page) Pinch(x, y, from, to float64) {
	p.t.Helper()
	for i := range touchSteps + 1 {
		half := (from + float64(i)/touchSteps*(to-from)) / 2
		kind := input.DispatchTouchEventTypeTouchMove
		if i == 0 {
			kind = input.DispatchTouchEventTypeTouchStart
		}
		p.touch(kind, [2]float64{x - half, y}, [2]float64{x + half, y})
	}
	p.touch("touchEnd")
}

func (p *Page) touch(kind input.DispatchTouchEventType, points ...[2]float64) {
	p.t.Helper()
	params := input.DispatchTouchEventParams{Type: kind, TouchPoints: []*input.TouchPoint{}}
	for i, at := range points {
		id := float64(i + 1)
		params.TouchPoints = append(params.TouchPoints, &input.TouchPoint{X: at[0], Y: at[1], ID: &id})
	}
	if _, err := chromedp.Call(p.ctx, input.DispatchTouchEvent, params); err != nil {
		p.t.Fatal(err)
	}
}
