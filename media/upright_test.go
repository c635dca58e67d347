package media

import (
	"encoding/binary"
	"image"
	"image/color"
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

func TestUpright(t *testing.T) {
	want := scene(5, 3)
	for o := 1; o <= 8; o++ {
		got := upright(stored(want, o), o)
		if got.Rect != want.Rect || !slices.Equal(got.Pix, want.Pix) {
			t.Errorf("orientation %d: got %v of %v, want %v", o, got.Pix, got.Rect, want.Pix)
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
