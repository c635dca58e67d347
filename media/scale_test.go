package media

import (
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/icc"
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
	got := shrunk(t, want, 100)
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
		got := shrunk(t, img, side)
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
	got := shrunk(t, img, 130)
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
	got := shrunk(t, img, 100)
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
			first := make2(t, turnedRGBA(img, o), middle)
			last := turnedRGBA(make2(t, img, middle), o)
			for i := range first.Pix {
				if d := int(first.Pix[i]) - int(last.Pix[i]); d > 1 || d < -1 {
					t.Fatalf("orientation %d, middle %v: byte %d is %d and %d", o, middle, i, first.Pix[i], last.Pix[i])
				}
			}
		}
	}
}

// make2 is a preview, or a thumbnail, of 30 pixels.
func make2(t *testing.T, img *image.RGBA, thumbnail bool) *image.RGBA {
	t.Helper()
	s := Default()
	s.Preview.Side, s.Thumbnail.Side = 30, 30
	src := sheetOf(img)
	large, small := reducers(src, icc.SRGB(), fit(src.width, src.height, s.Preview.Side), s.Thumbnail.Side)
	if thumbnail {
		large = small
	}
	return reduced(t, src, large)
}

// shrunk is a picture made smaller as previews are.
func shrunk(t *testing.T, img *image.RGBA, side int) *image.RGBA {
	t.Helper()
	s := Default()
	s.Preview.Side = side
	src := sheetOf(img)
	large, _ := reducers(src, icc.SRGB(), fit(src.width, src.height, s.Preview.Side), s.Thumbnail.Side)
	return reduced(t, src, large)
}

// reduced is what a reducer makes, before it becomes planes.
func reduced(t *testing.T, src sheet, r *reducer) *image.RGBA {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, r.planes.Y.Width, r.planes.Y.Height))
	pix, convert := img.Pix, r.convert
	r.convert = func(dst []uint8, src []uint16) {
		for convert(dst, src); len(dst) > 0; dst, pix = dst[3:], pix[4:] {
			pix[0], pix[1], pix[2], pix[3] = dst[0], dst[1], dst[2], 255
		}
	}
	if damage, err := reduce(t.Context(), src, false, r); err != nil || damage != nil {
		t.Fatal(err, damage)
	}
	return img
}

// sheetOf is a sheet of red, green and blue.
func sheetOf(img *image.RGBA) sheet {
	s, y := sheet{width: img.Rect.Dx(), height: img.Rect.Dy(), channels: 3, end: img.Rect.Dy()}, -1
	s.next = func(ctx context.Context, dst []uint16) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if y++; y == s.height {
			return io.EOF
		}
		pix := img.Pix[y*img.Stride:]
		for x := range s.width {
			dst[3*x], dst[3*x+1], dst[3*x+2] = wide(pix[4*x]), wide(pix[4*x+1]), wide(pix[4*x+2])
		}
		return nil
	}
	return s
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
	for _, turned := range []*image.RGBA{img, turnedRGBA(img, 6)} {
		got := make2(t, turned, true)
		if got.Rect != image.Rect(0, 0, 30, 30) {
			t.Fatalf("got %v, want 30 x 30", got.Rect)
		}
		for _, at := range []image.Point{{2, 2}, {27, 2}, {2, 27}, {27, 27}, {15, 15}} {
			checkColour(t, got, at, color.RGBA{0, 255, 0, 255})
		}
	}
	if small := make2(t, scene(50, 20), true); small.Rect != image.Rect(0, 0, 20, 20) {
		t.Errorf("got %v, want 20 x 20: never enlarged", small.Rect)
	}
}

func TestScaleEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	src := sheetOf(scene(100, 100))
	next, read := src.next, 0
	src.next = func(ctx context.Context, dst []uint16) error {
		if read++; read == 10 {
			cancel()
		}
		return next(ctx, dst)
	}
	if _, _, _, err := shrink(ctx, src, icc.SRGB(), image.Pt(100, 100), Default()); !errors.Is(err, context.Canceled) || read != 10 {
		t.Errorf("got %v after %d rows, want context.Canceled after 10", err, read)
	}
}

// lines are black and white by turns, a pixel each, across, down or both ways.
func lines(side int, at func(x, y int) int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			v := uint8(255 * (at(x, y) & 1))
			img.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
	return img
}

// Half the light is 188 of 255 in sRGB (IEC 61966-2-1), and not 128: a thumbnail
// of fine lines is as bright as the lines are from afar.
func TestThumbnailIsNotDarker(t *testing.T) {
	for name, at := range map[string]func(x, y int) int{
		"columns": func(x, _ int) int { return x }, "rows": func(_, y int) int { return y }, "both": func(x, y int) int { return x ^ y },
	} {
		for _, side := range []int{300, 331, 1000} {
			got := make2(t, lines(side, at), true)
			for y := 1; y < 29; y++ {
				for x := 1; x < 29; x++ {
					if v := got.RGBAAt(x, y).R; v < 184 || v > 192 {
						t.Fatalf("%s of %d: at %d, %d: got %d, want about 188", name, side, x, y, v)
					}
				}
			}
		}
	}
}

func TestLanczos(t *testing.T) {
	sinc := func(x float64) float64 { return math.Sin(math.Pi*x) / (math.Pi * x) }
	for i := range 30_001 {
		x, want := float64(i)/10_000, 1.0
		if i > 0 {
			want = sinc(x) * sinc(x/3)
		}
		for _, x := range []float64{x, -x} {
			if got := lanczos(x); math.Abs(got-want) > 1e-7 {
				t.Fatalf("at %g: got %g, want %g", x, got, want)
			}
		}
	}
}

// The taps of a line are in order, whatever its length: rows come only once.
func TestTapsAreInOrder(t *testing.T) {
	for _, total := range []int{1, 2, 3, 30, 31, 61, 100, 2049, 65_535} {
		for _, n := range []int{1, 2, 7, 29, 30, 240, 2048} {
			if n > total {
				continue
			}
			all := fine().taps(0, float64(total), float64(total), n)
			for i, tap := range all {
				sum := int64(0)
				for _, w := range tap.weights {
					sum += w
				}
				if sum != one || tap.first < 0 || tap.end() > total {
					t.Fatalf("%d to %d: tap %d is %d to %d and sums up to %d", total, n, i, tap.first, tap.end(), sum)
				}
				if i > 0 && (tap.first < all[i-1].first || tap.end() < all[i-1].end()) {
					t.Fatalf("%d to %d: tap %d is %d to %d, the one before %d to %d", total, n, i, tap.first, tap.end(), all[i-1].first, all[i-1].end())
				}
			}
		}
	}
}

// A thumbnail that is not scaled is made of the picture's own pixels.
func TestUnscaledThumbnailIsACut(t *testing.T) {
	img := noise(29, 20)
	got := make2(t, img, true)
	for y := range 20 {
		if want := img.Pix[y*img.Stride+4*4:][:4*20]; !slices.Equal(got.Pix[y*got.Stride:][:4*20], want) {
			t.Fatalf("row %d: got %v, want %v", y, got.Pix[y*got.Stride:][:8], want[:8])
		}
	}
}

// A thumbnail is put together of averages first. They lie where they belong, also
// where the picture is no multiple of them.
func TestThumbnailDoesNotMove(t *testing.T) {
	for _, side := range []int{1200, 1213, 1207} {
		img := image.NewRGBA(image.Rect(0, 0, side, side))
		for y := range side {
			for x := range side {
				img.SetRGBA(x, y, color.RGBA{uint8(255 * x / (side - 1)), uint8(255 * y / (side - 1)), 0, 255})
			}
		}
		got := make2(t, img, true)
		for i := 3; i < 27; i++ {
			want := 255 * (float64(i) + 0.5) / 30
			for name, v := range map[string]uint8{"column": got.RGBAAt(i, 15).R, "row": got.RGBAAt(15, i).G} {
				if d := float64(v) - want; d > 1.5 || d < -1.5 {
					t.Errorf("%d to 30: %s %d is %d, want about %.1f", side, name, i, v, want)
				}
			}
		}
	}
}
