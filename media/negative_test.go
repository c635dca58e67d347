package media

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

// samplings are how many pixels share a sample of colour in the samplings that there
// are: 4:4:4, 4:2:2, 4:4:0, 4:2:0, 4:1:1, 4:1:0, and some that nobody writes.
func samplings() map[string]image.Point {
	return map[string]image.Point{
		"4:4:4": {1, 1}, "4:2:2": {2, 1}, "4:4:0": {1, 2}, "4:2:0": {2, 2}, "4:1:1": {4, 1}, "4:1:0": {4, 2}, "1x4": {1, 4}, "2x4": {2, 4}, "4x4": {4, 4},
	}
}

// slopes is a picture in which brightness and colour rise evenly, to the right and
// down: whatever is moved shows.
func slopes(width, height float64, covers image.Point) *negative {
	n := &negative{covers: covers, width: width, height: height}
	w, h := int(math.Ceil(width)), int(math.Ceil(height))
	plane := func(covers image.Point) jpeg.Plane {
		p := jpeg.NewPlane(ceilDiv(w, covers.X), ceilDiv(h, covers.Y))
		for y := range p.Height {
			for x := range p.Width {
				p.Row(y)[x] = slopeAt((float64(x)+0.5)*float64(covers.X)/width, (float64(y)+0.5)*float64(covers.Y)/height)
			}
		}
		return p
	}
	n.Y, n.Cb, n.Cr = plane(full()), plane(covers), plane(covers)
	return n
}

// slopeAt is the slope at a part of the width and of the height.
func slopeAt(x, y float64) byte { return byte(math.Round(20 + 130*x + 90*y)) }

// Nothing moves when a picture is resized, and no colour beside its brightness: a sample
// is at the middle of what it covers, whatever the sampling.
func TestNothingMovesInPlanes(t *testing.T) {
	withoutRace(t)
	for name, covers := range samplings() {
		for _, size := range [][2]float64{{400, 300}, {401, 299}, {400.5, 299.125}, {64, 64}} {
			for _, part := range []float64{1, 0.97, 0.8, 0.5, 0.3} {
				for _, to := range []image.Point{full(), half()} {
					n := slopes(size[0], size[1], covers)
					want := image.Pt(int(math.Ceil(size[0]*part)), int(math.Ceil(size[1]*part)))
					got := n.resized(want, to)
					if got.Y.Width != want.X || got.Y.Height != want.Y || got.Cb.Width != ceilDiv(want.X, to.X) || got.Cr.Height != ceilDiv(want.Y, to.Y) {
						t.Fatalf("%s of %v to %v: got %d x %d and colours of %d x %d", name, size, want, got.Y.Width, got.Y.Height, got.Cb.Width, got.Cb.Height)
					}
					width, height := size[0], size[1]
					if part < 1 {
						width, height = float64(want.X), float64(want.Y) // in samples of the result
					}
					checkSlope(t, fmt.Sprint(name, size, want, "Y"), &got.Y, full(), width, height)
					checkSlope(t, fmt.Sprint(name, size, want, "Cb", to), &got.Cb, to, width, height)
				}
			}
		}
	}
}

// checkSlope leaves out the edges, beyond which there is nothing to go on: three samples of
// a plane that is made up to four times as large.
func checkSlope(t *testing.T, name string, p *jpeg.Plane, covers image.Point, width, height float64) {
	t.Helper()
	const edge = 12
	for y := edge; y < p.Height-edge; y++ {
		for x := edge; x < p.Width-edge; x++ {
			want := slopeAt((float64(x)+0.5)*float64(covers.X)/width, (float64(y)+0.5)*float64(covers.Y)/height)
			if d := int(p.Row(y)[x]) - int(want); d > 1 || d < -1 {
				t.Fatalf("%s: at %d, %d of %d x %d: got %d, want %d", name, x, y, p.Width, p.Height, p.Row(y)[x], want)
			}
		}
	}
}

// What is right already is the same memory, and what is not is left as it was.
func TestPlanesAreNotCopied(t *testing.T) {
	n := negativeOf(noise(40, 30), half())
	got := n.resized(image.Pt(40, 30), half())
	if &got.Y.Pix[0] != &n.Y.Pix[0] || &got.Cb.Pix[0] != &n.Cb.Pix[0] {
		t.Error("planes that were right were copied")
	}
	n = negativeOf(noise(40, 30), full())
	before := negativeOf(noise(40, 30), full())
	n.resized(image.Pt(40, 30), half())
	n.resized(image.Pt(20, 15), half())
	if string(n.Cb.Pix) != string(before.Cb.Pix) || string(n.Y.Pix) != string(before.Y.Pix) {
		t.Error("planes were changed where others were made of them")
	}
}

// A picture of ours that is made smaller keeps its sampling.
func TestShrinkPlanes(t *testing.T) {
	red := color.RGBA{200, 30, 40, 255}
	img := image.NewRGBA(image.Rect(0, 0, 41, 31))
	for i := range 41 * 31 {
		img.SetRGBA(i%41, i/41, red)
	}
	for _, covers := range []image.Point{full(), half()} {
		for _, side := range []int{40, 20, 3, 1} {
			got := shrinkPlanes(planesOf(img, covers), side)
			want := fit(41, 31, side)
			if got.Y.Width != want.X || got.Y.Height != want.Y || got.Cb.Width != ceilDiv(want.X, covers.X) || got.Cr.Height != ceilDiv(want.Y, covers.Y) {
				t.Errorf("%v to %d: got %d x %d with colours of %d x %d", covers, side, got.Y.Width, got.Y.Height, got.Cb.Width, got.Cr.Height)
			}
			checkColour(t, pixelsOf(got), image.Pt(want.X-1, want.Y-1), red)
		}
	}
	gray := shrinkPlanes(&jpeg.Planes{Y: planesOf(img, full()).Y}, 10)
	if !gray.Gray() || gray.Y.Width != 10 || gray.Y.Row(3)[4] != lumaOf(200, 30, 40) {
		t.Errorf("gray: got %+v", gray)
	}
}

// A sample of colour of which the picture has only a part is shown as one of which it
// has all: a picture is the same beside the edge at which it was cut.
func TestLastColourIsWhole(t *testing.T) {
	colours := func(size, covers, to image.Point) jpeg.Plane {
		n := negativeOf(image.NewRGBA(image.Rectangle{Max: size}), covers)
		clear(n.Cb.Pix)
		n.Cb.Pix[len(n.Cb.Pix)-1] = 200
		return n.resized(size, to).Cb
	}
	for cut := 401; cut < 404; cut++ {
		for _, to := range []image.Point{full(), half()} {
			whole, across := colours(image.Pt(404, 1), image.Pt(4, 1), to), colours(image.Pt(cut, 1), image.Pt(4, 1), to)
			tall, down := colours(image.Pt(1, 404), image.Pt(1, 4), to), colours(image.Pt(1, cut), image.Pt(1, 4), to)
			x, y := across.Width-1, down.Height-1
			if got, want := across.Row(0)[x], whole.Row(0)[x]; got != want || want < 100 {
				t.Errorf("%d wide, %v: the last column is %d, want %d", cut, to, got, want)
			}
			if got, want := down.Row(y)[0], tall.Row(y)[0]; got != want || want < 100 {
				t.Errorf("%d high, %v: the last row is %d, want %d", cut, to, got, want)
			}
		}
	}
}
