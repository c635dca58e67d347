package media

import (
	"bytes"
	"context"
	"errors"
	"image"
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
		{"at less quality", noise(240, 240), 45_000, false},
		{"smaller", noise(240, 240), 10_000, true},
		{"much smaller", noise(500, 300), minTarget, true},
		{"a pixel", scene(1, 1), minTarget, false},
		{"a line", noise(2048, 1), minTarget, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			target := Target{MaxBytes: row.limit, Side: 2048}
			p, err := encode(t.Context(), row.img, target, jpeg.Halved)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(target); err != nil {
				t.Error(err)
			}
			if shrunk := p.Width < row.img.Rect.Dx(); shrunk != row.shrinks {
				t.Errorf("got %d x %d, want it smaller: %v", p.Width, p.Height, row.shrinks)
			}
			again, err := encode(t.Context(), row.img, target, jpeg.Halved)
			if err != nil || !bytes.Equal(again.Data, p.Data) {
				t.Errorf("the same picture gave other bytes the second time (%v)", err)
			}
		})
	}
}

// Of the qualities that fit, the best is taken.
func TestBestWithin(t *testing.T) {
	img := noise(100, 100)
	for _, quality := range []int{worstQuality, worstQuality + 1, 63, bestQuality - 1, bestQuality} {
		want, err := encodeAt(t.Context(), img, quality, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bestWithin(t.Context(), img, want.size)
		if err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("quality %d: got %d bytes and %v, want %d", quality, got.size, err, want.size)
		}
	}
	worst, err := encodeAt(t.Context(), img, worstQuality, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	got, err := bestWithin(t.Context(), img, worst.size-1)
	if err != nil || got.fits() || got.size != worst.size || got.Len() > worst.size-1 {
		t.Errorf("got %d bytes, %d kept, and %v; want the worst, known not to fit", got.size, got.Len(), err)
	}
}

func TestEncodeEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := encode(ctx, scene(8, 8), Default().Preview, jpeg.Halved); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
