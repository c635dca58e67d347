package media

import (
	"encoding/binary"
	"image"
	"image/color"
	"reflect"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/mediatest"
)

func TestReadOrientation(t *testing.T) {
	good := exif(binary.LittleEndian, exifShort, 1, 6)
	huge := slices.Clone(good)
	huge[8], huge[9] = 0xff, 0xff
	loop := slices.Clone(good)
	copy(loop[len(loop)-4:], []byte{8, 0, 0, 0})
	far := slices.Clone(good)
	copy(far[4:], []byte{0xff, 0xff, 0xff, 0xff})
	rows := []struct {
		name string
		data []byte
		want int
	}{
		{"little end first", good, 6},
		{"big end first", exif(binary.BigEndian, exifShort, 1, 8), 8},
		{"with its prefix", append([]byte(exifPrefix), good...), 6},
		{"as a long", exif(binary.BigEndian, exifLong, 1, 3), 3},
		{"a loop of directories", loop, 6},
		{"a count beyond the data", huge, 6},
		{"0", exif(binary.BigEndian, exifShort, 1, 0), 0},
		{"9", exif(binary.BigEndian, exifShort, 1, 9), 0},
		{"65535", exif(binary.LittleEndian, exifShort, 1, 65535), 0},
		{"a long of 65537", exif(binary.BigEndian, exifLong, 1, 65537), 0},
		{"two values", exif(binary.BigEndian, exifShort, 2, 6), 0},
		{"a text", exif(binary.BigEndian, 2, 1, 6), 0},
		{"a directory beyond the data", far, 0},
		{"cut in the entry", good[:16], 0},
		{"no byte order", []byte("XX*\x00\x08\x00\x00\x00\x00\x00"), 0},
		{"nothing", nil, 0},
	}
	for _, row := range rows {
		if got := readOrientation(row.data); got != row.want {
			t.Errorf("%s: got %d, want %d", row.name, got, row.want)
		}
	}
}

// stored returns a picture as a camera would store it with that orientation.
// It is the other way round than upright, and written after the words of the
// EXIF standard: where the stored first row and column belong.
func stored(img *image.RGBA, orientation int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	size := image.Pt(w, h)
	if orientation >= 5 {
		size = image.Pt(h, w)
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for row := range size.Y {
		for col := range size.X {
			var x, y int
			switch orientation {
			case 1: // top, left
				x, y = col, row
			case 2: // top, right
				x, y = w-1-col, row
			case 3: // bottom, right
				x, y = w-1-col, h-1-row
			case 4: // bottom, left
				x, y = col, h-1-row
			case 5: // left, top
				x, y = row, col
			case 6: // right, top
				x, y = w-1-row, col
			case 7: // right, bottom
				x, y = w-1-row, h-1-col
			case 8: // left, bottom
				x, y = row, h-1-col
			}
			out.SetRGBA(col, row, img.RGBAAt(x, y))
		}
	}
	return out
}

// turnedRGBA is what upright makes, written after the words of the standard again.
func turnedRGBA(img *image.RGBA, orientation int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	size := image.Pt(w, h)
	if orientation >= 5 {
		size = image.Pt(h, w)
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			sx, sy := origin(orientation, image.Pt(x, y), image.Pt(w-1, h-1))
			out.SetRGBA(x, y, img.RGBAAt(sx, sy))
		}
	}
	return out
}

// origin returns where the stored picture, whose last pixel is last, has the
// pixel at p of the upright one. EXIF names the orientations by where the first
// row and column of what is stored belong (Exif 2.3, 4.6.4 A).
func origin(orientation int, p, last image.Point) (x, y int) {
	switch orientation {
	case 2: // mirrored left to right
		return last.X - p.X, p.Y
	case 3: // upside down
		return last.X - p.X, last.Y - p.Y
	case 4: // mirrored top to bottom
		return p.X, last.Y - p.Y
	case 5: // first row is the left side
		return p.Y, p.X
	case 6: // first row is the right side
		return p.Y, last.Y - p.X
	case 7: // first row is the right side, from below
		return last.X - p.Y, last.Y - p.X
	case 8: // first row is the left side, from below
		return last.X - p.Y, p.X
	}
	return p.X, p.Y
}

func TestUpright(t *testing.T) {
	for _, size := range []image.Point{{5, 3}, {1, 1}, {1, 70}, {70, 1}, {33, 65}, {64, 32}, {31, 40}} {
		img := noise(size.X, size.Y)
		want := planesOf(img, full())
		for o := 1; o <= 8; o++ {
			got := upright(planesOf(stored(img, o), full()), o)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%v, orientation %d: got %v, want %v", size, o, got, want)
			}
			gray := upright(&jpeg.Planes{Y: planesOf(stored(img, o), full()).Y}, o)
			if !gray.Gray() || !reflect.DeepEqual(gray.Y, want.Y) {
				t.Errorf("%v in gray, orientation %d: got %v, want %v", size, o, gray.Y, want.Y)
			}
		}
	}
}

// Colours that two by two pixels share are those of the pixels that come to share one:
// where an odd line is mirrored, these had two.
func TestUprightColours(t *testing.T) {
	for _, size := range []image.Point{{5, 3}, {1, 1}, {1, 70}, {70, 1}, {33, 65}, {64, 32}, {31, 40}, {40, 31}} {
		for o := 1; o <= 8; o++ {
			src := planesOf(noise(size.X, size.Y), half())
			got := upright(src, o)
			for y := range got.Cb.Height {
				for x := range got.Cb.Width {
					var cb, cr, count int
					for _, at := range []image.Point{{2 * x, 2 * y}, {2*x + 1, 2 * y}, {2 * x, 2*y + 1}, {2*x + 1, 2*y + 1}} {
						if at.In(image.Rect(0, 0, got.Y.Width, got.Y.Height)) {
							sx, sy := origin(o, at, size.Sub(image.Pt(1, 1)))
							cb, cr, count = cb+int(src.Cb.Row(sy / 2)[sx/2]), cr+int(src.Cr.Row(sy / 2)[sx/2]), count+1
						}
					}
					wantB, wantR := byte((cb+count/2)/count), byte((cr+count/2)/count)
					if got.Cb.Row(y)[x] != wantB || got.Cr.Row(y)[x] != wantR {
						t.Fatalf("%v, orientation %d: colour at %d, %d is %d and %d, want %d and %d", size, o, x, y, got.Cb.Row(y)[x], got.Cr.Row(y)[x], wantB, wantR)
					}
				}
			}
		}
	}
}

// The orientation is applied wherever a format has it.
func TestDevelopTurns(t *testing.T) {
	img := scene(64, 32)
	corners := map[image.Point]color.RGBA{
		{2, 2}: img.RGBAAt(2, 2), {61, 2}: img.RGBAAt(61, 2), {2, 29}: img.RGBAAt(2, 29), {61, 29}: img.RGBAAt(61, 29),
	}
	for o := 1; o <= 8; o++ {
		s := stored(img, o)
		big := exif(binary.BigEndian, exifShort, 1, uint32(o))
		files := map[string][]byte{
			"JPEG": turnedJPEG(makeJPEG(t, s), o),
			"PNG":  withChunks(makePNG(t, s), chunk("eXIf", big)),
			"the second EXIF, after one without sense": withSegments(turnedJPEG(makeJPEG(t, s), o),
				segment(jpeg.APP1, append([]byte(exifPrefix), exif(binary.BigEndian, exifShort, 1, 9)...))),
			"the first of two": withSegments(turnedJPEG(makeJPEG(t, s), o%8+1),
				segment(jpeg.APP1, append([]byte(exifPrefix), big...))),
		}
		for name, data := range files {
			d, err := Develop(t.Context(), data, Default(), nil)
			if err != nil {
				t.Fatalf("%s %d: %v", name, o, err)
			}
			if d.Source.Width != 64 || d.Source.Height != 32 || d.Preview.Width != 64 || d.Preview.Height != 32 || d.Thumbnail.Width != 32 {
				t.Errorf("%s %d: source %+v, preview %d x %d, want 64 x 32", name, o, d.Source, d.Preview.Width, d.Preview.Height)
			}
			for at, want := range corners {
				checkColour(t, decoded(t, d.Preview), at, want)
			}
		}
	}
}

// Chunks of a WebP stand in any order, and its EXIF begins with a prefix or not.
func TestWebPTurns(t *testing.T) {
	plain := mediatest.Photo(t, "webp/imagers-simple.webp")
	picture := [][]byte{plain[12:]}
	s := Default()
	s.Formats = []string{formatWebP}
	_, want := verdict(t, plain, s)
	upside := decoded(t, want.Preview)
	size := image.Pt(want.Preview.Width, want.Preview.Height)
	for o := 1; o <= 8; o++ {
		data := exif(binary.BigEndian, exifShort, 1, uint32(o))
		if o%2 == 0 {
			data = append([]byte(exifPrefix), data...)
		}
		_, d := verdict(t, makeWebP(canvas(0, size.X, size.Y), picture, riffChunk("EXIF", data)), s)
		if d == nil {
			t.Fatalf("orientation %d: rejected", o)
		}
		got := decoded(t, d.Preview)
		for _, at := range []image.Point{{9, 9}, {d.Preview.Width - 10, 9}, {9, d.Preview.Height - 10}} {
			x, y := origin(o, at, size.Sub(image.Pt(1, 1)))
			checkColour(t, got, at, color.RGBAModel.Convert(upside.At(x, y)).(color.RGBA))
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add(exif(binary.BigEndian, exifShort, 1, 6))
	f.Add(append([]byte(exifPrefix), exif(binary.LittleEndian, exifLong, 1, 6)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := readOrientation(data); o < 0 || o > 8 {
			t.Errorf("got %d, want 0 to 8", o)
		}
	})
}

func BenchmarkUpright(b *testing.B) {
	planes := planesOf(scene(2016, 1512), half())
	for b.Loop() {
		upright(planes, 6)
	}
}
