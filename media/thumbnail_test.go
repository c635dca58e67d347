package media

import (
	"context"
	"errors"
	"image"
	"testing"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/mediatest"
)

// small is the thumbnail of a photo that was decoded as it is.
func small(t *testing.T, n *negative, side int) *image.RGBA {
	t.Helper()
	got, err := n.thumbnail(t.Context(), image.Pt(n.Y.Width, n.Y.Height), side)
	if err != nil {
		t.Fatal(err)
	}
	return pixelsOf(got)
}

// A thumbnail of planes is what one of rows is, whether it is made of pixels or of boxes.
func TestThumbnailOfPlanes(t *testing.T) {
	withoutRace(t)
	for name, covers := range samplings() {
		for _, size := range []image.Point{{30, 30}, {37, 29}, {29, 37}, {61, 62}, {119, 130}, {121, 119}, {123, 124}, {200, 187}, {201, 507}, {507, 201}, {641, 643}} {
			n := negativeOf(grainy(size.X, size.Y, 20), covers)
			s := Default()
			s.Thumbnail.Side = 30
			src := sheetOf(n.pixels())
			_, rows := reducers(src, icc.SRGB(), size, s.Thumbnail.Side)
			want := reduced(t, src, rows)
			got := small(t, n, 30)
			if got.Rect != want.Rect {
				t.Fatalf("%s, %v: got %v, want %v", name, size, got.Rect, want.Rect)
			}
			// The steps between samples of colour are smooth in one of them only.
			least := 38.0
			if step := min(size.X, size.Y) / 30; max(covers.X, covers.Y) > step {
				least = 24
			}
			if db := psnr(got, want); db < least {
				t.Errorf("%s, %v: got %.1f dB, want at least %.0f", name, size, db, least)
			}
		}
	}
}

// Gray is gray, whether it is made of pixels or of boxes.
func TestThumbnailOfGrayPlanes(t *testing.T) {
	for _, size := range []image.Point{{29, 20}, {61, 90}, {301, 190}} {
		n := negativeOf(grainy(size.X, size.Y, 60), full())
		n.Cb, n.Cr = jpeg.Plane{}, jpeg.Plane{}
		s := Default()
		s.Thumbnail.Side = 30
		src := sheetOf(n.pixels())
		_, rows := reducers(src, icc.SRGB(), size, s.Thumbnail.Side)
		planes, err := n.thumbnail(t.Context(), size, 30)
		if err != nil || !planes.Gray() {
			t.Fatalf("got %+v, %v, want it gray", planes, err)
		}
		if db := psnr(pixelsOf(planes), reduced(t, src, rows)); db < 45 {
			t.Errorf("%v: got %.1f dB, want at least 45", size, db)
		}
	}
}

// Half the light is 188 of 255 in sRGB, whatever the sampling of the colours, and where
// boxes are averaged too.
func TestThumbnailOfPlanesIsNotDarker(t *testing.T) {
	withoutRace(t)
	for name, at := range map[string]func(x, y int) int{
		"columns": func(x, _ int) int { return x }, "rows": func(_, y int) int { return y }, "both": func(x, y int) int { return x ^ y },
		"wide columns": func(x, _ int) int { return x / 2 },
	} {
		for _, side := range []int{100, 300, 331, 1000} {
			for sampling, covers := range samplings() {
				got := small(t, negativeOf(lines(side, at), covers), 30)
				for y := 1; y < 29; y++ {
					for x := 1; x < 29; x++ {
						if v := got.RGBAAt(x, y).R; v < 182 || v > 194 {
							t.Fatalf("%s of %d, %s: at %d, %d: got %d, want about 188", name, side, sampling, x, y, v)
						}
					}
				}
			}
		}
	}
}

// A thumbnail that is not scaled is made of the picture's own pixels.
func TestUnscaledThumbnailOfPlanes(t *testing.T) {
	n := negativeOf(noise(29, 20), full())
	got, err := n.thumbnail(t.Context(), image.Pt(29, 20), 30)
	if err != nil || got.Y.Width != 20 || got.Y.Height != 20 {
		t.Fatalf("got %+v, %v; want 20 x 20", got, err)
	}
	img, want := pixelsOf(got), n.pixels()
	for y := range 20 {
		for x := range 20 {
			a, b := img.RGBAAt(x, y), want.RGBAAt(x+4, y)
			if apart(a.R, b.R) > 2 || apart(a.G, b.G) > 2 || apart(a.B, b.B) > 2 {
				t.Fatalf("at %d, %d: got %v, want %v", x, y, a, b)
			}
		}
	}
}

func apart(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

func TestThumbnailEndsWithTheContext(t *testing.T) {
	ctx := &mediatest.Countdown{Context: t.Context(), Left: 10}
	if _, err := negativeOf(noise(200, 200), half()).thumbnail(ctx, image.Pt(200, 200), 30); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func BenchmarkThumbnail(b *testing.B) {
	for name, covers := range map[string]image.Point{"4:2:0": half(), "4:4:4": full()} {
		b.Run(name, func(b *testing.B) {
			n := negativeOf(scene(2016, 1512), covers)
			for b.Loop() {
				if _, err := n.thumbnail(b.Context(), image.Pt(4032, 3024), 240); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
