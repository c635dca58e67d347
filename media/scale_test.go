package media

import (
	"context"
	"errors"
	"image"
	"image/color"
	"slices"
	"testing"
)

func TestFit(t *testing.T) {
	for _, row := range []struct{ w, h, side, wantW, wantH int }{
		{4032, 3024, 2048, 2048, 1536},
		{3024, 4032, 2048, 1536, 2048},
		{2048, 100, 2048, 2048, 100},
		{30, 20, 2048, 30, 20},
		{60_000, 1, 2048, 2048, 1},
		{1, 60_000, 2048, 1, 2048},
		{2049, 2049, 2048, 2048, 2048},
		{3, 2, 1, 1, 1},
	} {
		if got := fit(row.w, row.h, row.side); got != image.Pt(row.wantW, row.wantH) {
			t.Errorf("%d x %d in %d: got %v, want %d x %d", row.w, row.h, row.side, got, row.wantW, row.wantH)
		}
	}
}

func TestUnscaledStaysAsItIs(t *testing.T) {
	want := noise(37, 23)
	got, err := shrink(t.Context(), sheetOf(want), 100)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Pix, want.Pix) {
		t.Error("a picture that fits came back changed")
	}
}

func TestOneColourStaysOneColour(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 301, 97))
	for i := 0; i < len(img.Pix); i += 4 {
		copy(img.Pix[i:], []byte{255, 1, 130, 255})
	}
	for _, side := range []int{300, 299, 150, 99, 7, 1} {
		got, err := shrink(t.Context(), sheetOf(img), side)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(got.Pix); i += 4 {
			if !slices.Equal(got.Pix[i:i+4], []byte{255, 1, 130, 255}) {
				t.Fatalf("side %d: got %v", side, got.Pix[i:i+4])
			}
		}
	}
}

// Fine lines become their average, and not a pattern of their own.
func TestFineLinesDoNotAlias(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 600, 600))
	for y := range 600 {
		for x := range 600 {
			v := uint8(255 * ((x ^ y) & 1))
			img.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
	got, err := shrink(t.Context(), sheetOf(img), 130)
	if err != nil {
		t.Fatal(err)
	}
	for y := 3; y < 127; y++ {
		for x := 3; x < 127; x++ {
			if v := got.RGBAAt(x, y).R; v < 124 || v > 132 {
				t.Fatalf("at %d, %d: got %d, want about 128", x, y, v)
			}
		}
	}
}

// An edge stays where it is: half a pixel to the side would show.
func TestNothingMoves(t *testing.T) {
	const w, h = 400, 96
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{uint8(255 * x / (w - 1)), uint8(255 * y / (h - 1)), 0, 255})
		}
	}
	got, err := shrink(t.Context(), sheetOf(img), 100)
	if err != nil {
		t.Fatal(err)
	}
	for x := 3; x < 97; x++ {
		want := (float64(x)+0.5)*4 - 0.5
		if d := float64(got.RGBAAt(x, 12).R) - 255*want/(w-1); d > 1 || d < -1 {
			t.Errorf("column %d is %.1f off", x, d)
		}
	}
}

// What is mirrored and shrunk is what is shrunk and mirrored: turning may come
// last.
func TestShrinkingIsSymmetric(t *testing.T) {
	img := noise(101, 67)
	for o := 2; o <= 8; o++ {
		for _, middle := range []bool{false, true} {
			first := make2(t, upright(img, o), middle)
			last := upright(make2(t, img, middle), o)
			for i := range first.Pix {
				if d := int(first.Pix[i]) - int(last.Pix[i]); d > 1 || d < -1 {
					t.Fatalf("orientation %d, middle %v: byte %d is %d and %d", o, middle, i, first.Pix[i], last.Pix[i])
				}
			}
		}
	}
}

func make2(t *testing.T, img *image.RGBA, middle bool) *image.RGBA {
	t.Helper()
	f := shrink
	if middle {
		f = shrinkMiddle
	}
	out, err := f(t.Context(), sheetOf(img), 30)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestShrinkMiddle(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 300, 100))
	for y := range 100 {
		for x := range 300 {
			c := color.RGBA{255, 0, 0, 255}
			if x >= 100 && x < 200 {
				c = color.RGBA{0, 255, 0, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	for _, turned := range []*image.RGBA{img, upright(img, 6)} {
		got := make2(t, turned, true)
		if got.Rect != image.Rect(0, 0, 30, 30) {
			t.Fatalf("got %v, want 30 x 30", got.Rect)
		}
		for _, at := range []image.Point{{2, 2}, {27, 2}, {2, 27}, {27, 27}, {15, 15}} {
			checkColour(t, got, at, color.RGBA{0, 255, 0, 255})
		}
	}
	small, err := shrinkMiddle(t.Context(), sheetOf(scene(50, 20)), 240)
	if err != nil || small.Rect != image.Rect(0, 0, 20, 20) {
		t.Errorf("got %v and %v, want 20 x 20: never enlarged", small.Rect, err)
	}
}

func TestThumbnailSource(t *testing.T) {
	original := sheet{width: 8000, height: 1000}
	if got := thumbnailSource(original, image.NewRGBA(image.Rect(0, 0, 2048, 256)), 240); got.width != 8000 {
		t.Error("a thumbnail was cut from a preview hardly larger than itself")
	}
	if got := thumbnailSource(original, image.NewRGBA(image.Rect(0, 0, 2048, 960)), 240); got.width != 2048 {
		t.Error("a thumbnail was cut from the original though the preview is large enough")
	}
}

func TestScaleEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	src := sheetOf(scene(100, 100))
	read := 0
	src.row = func([]uint16, int) {
		if read++; read == 10 {
			cancel()
		}
	}
	if _, err := shrink(ctx, src, 10); !errors.Is(err, context.Canceled) || read != 10 {
		t.Errorf("got %v after %d rows, want context.Canceled after 10", err, read)
	}
}
