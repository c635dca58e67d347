package jpeg

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"
)

// byTheBook is ITU-T T.871, 7, before it is rounded.
func byTheBook(r, g, b float64) [3]float64 {
	y := 0.299*r + 0.587*g + 0.114*b
	return [3]float64{y, min((b-y)/1.772+128, 255), min((r-y)/1.402+128, 255)}
}

// isRounded tells whether a sample is the nearest whole number; weights of 16 bits
// may miss by a hundredth.
func isRounded(got byte, want float64) bool { return math.Abs(float64(got)-want) < 0.51 }

func TestFromRGBAOfEveryColour(t *testing.T) {
	img := paint(256, 256, func(x, y int) (r, g, b uint8) { return uint8(x), uint8(y), uint8(3*x + 5*y) })
	p := FromRGBA(img, Full)
	for y := range 256 {
		for x := range 256 {
			c := img.RGBAAt(x, y)
			want := byTheBook(float64(c.R), float64(c.G), float64(c.B))
			for i, plane := range []*Plane{&p.Y, &p.Cb, &p.Cr} {
				if got := plane.Row(y)[x]; !isRounded(got, want[i]) {
					t.Errorf("%v, plane %d: got %d, want %.2f", c, i, got, want[i])
				}
			}
		}
	}
}

func TestFromRGBAKeepsGray(t *testing.T) {
	bySampling(t, func(t *testing.T, s Sampling) {
		p := FromRGBA(paint(256, 3, func(x, _ int) (r, g, b uint8) { return uint8(x), uint8(x), uint8(x) }), s)
		for x := range 256 {
			if got := p.Y.Row(2)[x]; got != byte(x) {
				t.Errorf("gray %d became %d", x, got)
			}
		}
		if !p.Cb.isGray() || !p.Cr.isGray() {
			t.Error("gray became coloured")
		}
	})
}

// Half of the colours are averages of four pixels, or of those that there are.
func TestFromRGBAAverages(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {2, 2}, {3, 1}, {1, 4}, {5, 3}, {16, 9}} {
		img := paintNoise(size.X, size.Y)
		p := FromRGBA(img, Halved)
		if p.Cb.Width != (size.X+1)/2 || p.Cr.Height != (size.Y+1)/2 || p.Y.Width != size.X {
			t.Errorf("%v: got %d x %d colours", size, p.Cb.Width, p.Cr.Height)
		}
		for y := range p.Cb.Height {
			for x := range p.Cb.Width {
				var sum [3]float64
				for i := range 4 {
					c := img.RGBAAt(min(2*x+i%2, size.X-1), min(2*y+i/2, size.Y-1))
					for j, v := range []uint8{c.R, c.G, c.B} {
						sum[j] += float64(v) / 4
					}
				}
				want := byTheBook(sum[0], sum[1], sum[2])
				if cb, cr := p.Cb.Row(y)[x], p.Cr.Row(y)[x]; !isRounded(cb, want[1]) || !isRounded(cr, want[2]) {
					t.Errorf("%v at %d, %d: got %d and %d, want %.2f and %.2f", size, x, y, cb, cr, want[1], want[2])
				}
			}
		}
	}
}

// A picture cut from a larger one has rows that do not lie side by side. Alpha
// does not count.
func TestFromRGBAOfACut(t *testing.T) {
	whole := paintScene(64, 48)
	cut := whole.SubImage(image.Rect(9, 7, 9+31, 7+22)).(*image.RGBA)
	alone := image.NewRGBA(image.Rect(0, 0, 31, 22))
	draw.Draw(alone, alone.Rect, cut, cut.Rect.Min, draw.Src)
	c := alone.RGBAAt(3, 3)
	alone.SetRGBA(3, 3, color.RGBA{c.R, c.G, c.B, 0})
	bySampling(t, func(t *testing.T, s Sampling) {
		if !bytes.Equal(Encode(FromRGBA(cut, s), 90), Encode(FromRGBA(alone, s), 90)) {
			t.Error("a cut and its copy made two files")
		}
	})
}
