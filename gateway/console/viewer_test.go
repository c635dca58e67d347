package console_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

// shots is a conversation with photos of 2000 by 1000 pixels, and one between them
// that was rejected.
func shots(t *testing.T) (*consoletest.Gateway, string) {
	g := consoletest.New(t, ben(), eva())
	var said []consoletest.Message
	for i := range 4 {
		said = append(said, consoletest.Message{Text: fmt.Sprint("shot ", i+1), Photos: []consoletest.Photo{consoletest.Ready(i+1, 2000, 1000)}})
		if i == 1 {
			said = append(said, consoletest.Message{Photos: []consoletest.Photo{consoletest.Rejected(90, "corrupt", consoletest.Source{}, 0)}})
		}
	}
	return g, g.Given("ben", "Ana", said...)
}

// box is where the photo lies: left, top, width and height on the stage.
func box(p *consoletest.Page) (at [4]float64) {
	list := p.Eval(`(() => {
		const s = document.querySelector('#stage').getBoundingClientRect();
		const r = document.querySelector('.sheet').getBoundingClientRect();
		return [r.left - s.left, r.top - s.top, r.width, r.height, s.width, s.height];
	})()`).([]any)
	for i := range at {
		at[i] = list[i].(float64)
	}
	return at
}

func near(a, b float64) bool { return math.Abs(a-b) < 2 }

func TestViewerKeys(t *testing.T) {
	t.Parallel()
	g, id := shots(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#messages", "shot 4")
	p.Await("document.querySelectorAll('.thumb img').length === 4")
	p.Press("p") // the newest
	p.AwaitFocus("#viewer-heading")
	p.AwaitText("#viewer-place", "4 of 4")
	p.AwaitText("#viewer-caption", "shot 4")
	p.Press("ArrowRight") // there is no wrapping
	p.AwaitText("#viewer-place", "4 of 4")
	p.Press("Home")
	p.AwaitText("#viewer-place", "1 of 4")
	p.AwaitText("[role=status].unseen", "Photo 1 of 4. shot 1")
	p.Press("ArrowLeft")
	p.AwaitText("#viewer-place", "1 of 4")
	p.Press("ArrowRight", "ArrowRight") // over the rejected one
	p.AwaitText("#viewer-place", "3 of 4")
	p.Await("document.querySelector('#stage .preview')")
	if got, want := p.Eval("location.pathname"), "/c/"+id+"/photo/"+consoletest.Ready(3, 1, 1).ID; got != want {
		t.Errorf("the address is %v, want %s", got, want)
	}

	p.AwaitText("#zoom-level", "Fit")
	fit := box(p)
	if !near(fit[2], 1280) {
		t.Errorf("at fit it is %v wide, want the stage's 1280", fit[2])
	}
	for _, want := range []string{"100 %", "150 %", "200 %", "300 %", "400 %", "400 %"} {
		p.Press("+")
		p.AwaitText("#zoom-level", want)
	}
	p.Press("-")
	p.AwaitText("#zoom-level", "300 %")
	p.Press("1")
	p.AwaitText("#zoom-level", "100 %")
	before := box(p)
	if !near(before[2], 2000) {
		t.Errorf("at 100 %% it is %v wide, want 2000", before[2])
	}
	p.Press("Shift+ArrowRight")
	if after := box(p); !near(before[0]-after[0], 80) {
		t.Errorf("a pan to the right moved it from %v to %v", before[0], after[0])
	}
	p.Press("0", "r")
	turned := box(p)
	if turned[3] <= turned[2] {
		t.Errorf("turned it is %v by %v, want upright", turned[2], turned[3])
	}
	p.Press("ArrowRight", "ArrowLeft") // the turn stays until reload
	p.AwaitText("#viewer-place", "3 of 4")
	if again := box(p); again != turned {
		t.Errorf("the turn was forgotten: %v, was %v", again, turned)
	}
	p.Press("R")
	p.Await("document.querySelector('.sheet').getBoundingClientRect().width > 1200")
	p.Press("Escape")
	p.AwaitNone("#viewer")
	p.AwaitFocus(".photo[data-id='" + consoletest.Ready(3, 1, 1).ID + "'] .thumb")
	p.Press("Escape")
	p.AwaitFocus(".row")
}

func TestViewerHasAnAddress(t *testing.T) {
	t.Parallel()
	g, id := shots(t)
	photo := consoletest.Ready(2, 1, 1).ID
	p := signedIn(t, g, "ben", "/c/"+id+"/photo/"+photo)
	p.AwaitText("#viewer-place", "2 of 4")
	p.Press("Escape")
	p.AwaitNone("#viewer")
	p.Await(fmt.Sprintf("location.pathname === %q", "/c/"+id))
	p.Click(".photo[data-id='" + photo + "'] .thumb")
	p.AwaitText("#viewer-place", "2 of 4")
	p.Back()
	p.AwaitNone("#viewer")
	p.Await(fmt.Sprintf("location.pathname === %q", "/c/"+id))
	// One that is not to be seen, or was never there, leads to the conversation.
	e := signedIn(t, g, "eva", "/c/"+id+"/photo/"+photo)
	e.AwaitText("#instead", "With Ben")
	e.Await(fmt.Sprintf("location.pathname === %q", "/c/"+id))
	e.AwaitNone("#viewer")
}

func TestViewerByPointer(t *testing.T) {
	t.Parallel()
	g, id := shots(t)
	p := signedIn(t, g, "ben", "/c/"+id+"/photo/"+consoletest.Ready(1, 1, 1).ID)
	p.Await("document.querySelector('#stage .preview')")
	p.DoubleClick(320, 400)
	p.AwaitText("#zoom-level", "100 %")
	at := box(p)
	// What lay below the pointer still does: a quarter of the width.
	if got := (320 - at[0]) / at[2]; math.Abs(got-.25) > .01 {
		t.Errorf("the double click enlarged around %.2f of the width, want .25", got)
	}
	p.Drag(640, 400, 540, 380)
	if after := box(p); !near(at[0]-after[0], 100) || !near(at[1]-after[1], 20) {
		t.Errorf("a drag by 100, 20 moved it from %v to %v", at, after)
	}
	before := box(p)
	p.ClickAt(840, 400)
	p.Await(fmt.Sprintf("Math.abs(document.querySelector('.sheet').getBoundingClientRect().left - %v) < 2", before[0]-200))
	p.Wheel(640, 400, -100)
	p.AwaitText("#zoom-level", "150 %")
	p.Wheel(640, 400, 100)
	p.Wheel(640, 400, 100)
	p.AwaitText("#zoom-level", "Fit")
	p.Click("[data-do=right]")
	p.Click("[data-do=next]")
	p.AwaitText("#viewer-place", "2 of 4")
	p.Click("[data-do=close]")
	p.AwaitNone("#viewer")
}

func TestViewerByTouch(t *testing.T) {
	t.Parallel()
	g, id := shots(t)
	p := blank(t, g)
	p.Phone()
	p.SignIn(g.Session("ben"))
	p.Go("/c/" + id + "/photo/" + consoletest.Ready(2, 1, 1).ID)
	p.Await("document.querySelector('#stage .preview')")
	p.Swipe(300, 400, 80, 410)
	p.AwaitText("#viewer-place", "3 of 4")
	p.Swipe(80, 400, 300, 390)
	p.AwaitText("#viewer-place", "2 of 4")
	p.Pinch(200, 400, 40, 160)
	p.Await("document.querySelector('#stage').classList.contains('large')")
	p.Swipe(300, 400, 80, 410) // pans now
	p.AwaitText("#viewer-place", "2 of 4")
	p.Click("#zoom-level")
	p.AwaitText("#zoom-level", "Fit")
	p.Swipe(200, 300, 205, 500)
	p.AwaitNone("#viewer")
}
