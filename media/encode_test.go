package media

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

func TestEncodeKeepsToItsBytes(t *testing.T) {
	rows := []struct {
		name    string
		img     *image.RGBA
		limit   int
		shrinks bool
	}{
		{"at the best quality", scene(240, 240), 30_000, false},
		{"at less quality", noise(240, 240), 60_000, false},
		{"smaller", noise(240, 240), 10_000, true},
		{"much smaller", noise(500, 300), minTarget, true},
		{"a pixel", scene(1, 1), minTarget, false},
		{"a line", noise(2048, 1), minTarget, true},
	}
	for _, row := range rows {
		for _, covers := range []image.Point{full(), half()} {
			t.Run(row.name, func(t *testing.T) {
				target := Target{MaxBytes: row.limit, Side: 2048}
				p, err := encode(t.Context(), planesOf(row.img, covers), target)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Check(target); err != nil {
					t.Error(err)
				}
				if shrunk := p.Width < row.img.Rect.Dx(); shrunk != row.shrinks {
					t.Errorf("got %d x %d, want it smaller: %v", p.Width, p.Height, row.shrinks)
				}
				again, err := encode(t.Context(), planesOf(row.img, covers), target)
				if err != nil || !bytes.Equal(again.Data, p.Data) {
					t.Errorf("the same picture gave other bytes the second time (%v)", err)
				}
			})
		}
	}
}

// The best quality is the one to begin with, and the worst is used before a
// picture is shrunken.
func TestQualities(t *testing.T) {
	img := planesOf(noise(120, 80), full())
	for _, row := range []struct {
		name   string
		limit  int
		want   []byte
		shrink bool
	}{
		{"much room", 1 << 20, jpeg.Encode(img, 90), false},
		{"exactly the best", len(jpeg.Encode(img, 90)), jpeg.Encode(img, 90), false},
		{"exactly the worst", len(jpeg.Encode(img, 40)), jpeg.Encode(img, 40), false},
		{"less than the worst", len(jpeg.Encode(img, 40)) - 1, nil, true},
	} {
		p, err := encode(t.Context(), img, Target{MaxBytes: row.limit, Side: 120})
		if err != nil {
			t.Fatal(err)
		}
		if row.want != nil && !bytes.Equal(p.Data, row.want) {
			t.Errorf("%s: got %d bytes, want %d of another quality", row.name, len(p.Data), len(row.want))
		}
		if (p.Width < 120) != row.shrink {
			t.Errorf("%s: got it %d wide; want it smaller: %v", row.name, p.Width, row.shrink)
		}
	}
}

// grainy is between a scene and noise, as photos are.
func grainy(width, height, grain int) *image.RGBA {
	img, other := scene(width, height), noise(width, height)
	for i := range img.Pix {
		if i%4 < 3 {
			img.Pix[i] = uint8(min(max(int(img.Pix[i])+(int(other.Pix[i])-128)*grain/128, 0), 255))
		}
	}
	return img
}

// stripes is a pattern that shrinking makes plain.
func stripes(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{uint8(255 * (x / 2 % 2)), uint8(255 * (y / 3 % 2)), 90, 255})
		}
	}
	return img
}

func TestEncodeUsesItsBytes(t *testing.T) {
	withoutRace(t)
	rows := map[string]*image.RGBA{
		"noise":       noise(400, 300),
		"much grain":  grainy(400, 300, 60),
		"some grain":  grainy(400, 300, 12),
		"high":        grainy(100, 700, 30),
		"fine lines":  stripes(400, 300),
		"plain edges": scene(400, 300),
	}
	for name, img := range rows {
		planes := planesOf(img, half())
		most := len(jpeg.Encode(planes, bestQuality))
		for limit := most - 1; limit >= minTarget; limit = limit * 2 / 3 {
			f := fitting{planes: planes, limit: limit}
			p, err := f.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Data) > limit || len(p.Data) < limit*85/100 {
				t.Errorf("%s in %d: got %d bytes, %d x %d, want 85 %% at least", name, limit, len(p.Data), p.Width, p.Height)
			}
			if f.shrinks > 2 {
				t.Errorf("%s in %d: shrunken %d times, want twice at most", name, limit, f.shrinks)
			}
		}
	}
}

func TestEncodeOfWhatCannotFit(t *testing.T) {
	if p, err := encode(t.Context(), planesOf(noise(20, 20), full()), Target{MaxBytes: 100, Side: 20}); err == nil {
		t.Errorf("got %d bytes, want an error: no JPEG has 100", len(p.Data))
	}
}

func TestEncodeEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := encode(ctx, planesOf(scene(8, 8), half()), Default().Preview); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
