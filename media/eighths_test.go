package media

import (
	"image"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

func TestEighths(t *testing.T) {
	for _, row := range []struct {
		name            string
		photo           image.Point
		side, thumbnail int
		want            int
		preview         image.Point
	}{
		{"12 megapixels", image.Pt(4032, 3024), 2048, 240, 4, image.Pt(2016, 1512)},
		{"12 megapixels, upright", image.Pt(3024, 4032), 2048, 240, 4, image.Pt(1512, 2016)},
		{"24 megapixels, between two scales", image.Pt(5712, 4284), 2048, 240, 4, image.Pt(2048, 1536)},
		{"48 megapixels", image.Pt(8064, 6048), 2048, 240, 2, image.Pt(2016, 1512)},
		{"8 megapixels", image.Pt(3264, 2448), 2048, 240, 5, image.Pt(2040, 1530)},
		{"exactly the side", image.Pt(4096, 3072), 2048, 240, 4, image.Pt(2048, 1536)},
		{"a sixteenth less", image.Pt(3840, 2160), 2048, 240, 4, image.Pt(1920, 1080)},
		{"a pixel more than a sixteenth", image.Pt(3838, 2160), 2048, 240, 6, image.Pt(2048, 1153)},
		{"a pixel above the side", image.Pt(4097, 3072), 2048, 240, 5, image.Pt(2048, 1536)},
		{"hardly larger", image.Pt(2049, 1000), 2048, 240, 8, image.Pt(2048, 1000)},
		{"as large", image.Pt(2048, 2048), 2048, 240, 8, image.Pt(2048, 2048)},
		{"smaller", image.Pt(1000, 700), 2048, 240, 8, image.Pt(1000, 700)},
		{"a pixel", image.Pt(1, 1), 2048, 240, 8, image.Pt(1, 1)},
		{"the widest, whose thumbnail needs 240 rows", image.Pt(65_535, 1500), 2048, 240, 2, image.Pt(2048, 47)},
		{"a panorama, whose thumbnail needs 240 rows", image.Pt(12_000, 800), 2048, 240, 3, image.Pt(2048, 137)},
		{"a line, whose thumbnail needs it", image.Pt(60_000, 1), 2048, 240, 8, image.Pt(2048, 1)},
		{"a preview of one pixel", image.Pt(4000, 3000), 1, 1, 1, image.Pt(1, 1)},
		{"a thumbnail that needs all rows", image.Pt(4000, 3000), 100, 3000, 8, image.Pt(100, 75)},
		{"a preview of three", image.Pt(4, 4), 3, 1, 6, image.Pt(3, 3)},
	} {
		s := Default()
		s.Preview.Side, s.Thumbnail.Side = row.side, row.thumbnail
		head := &header{eighths: eighths(row.photo, s)}
		head.setSize(row.photo.X, row.photo.Y)
		if got := head.previewSize(s); head.eighths != row.want || got != row.preview {
			t.Errorf("%s, %v: got %d eighths and a preview of %v, want %d and %v", row.name, row.photo, head.eighths, got, row.want, row.preview)
		}
	}
}

// Whatever the photo, the preview is within its side and, but for the smaller, at most
// a sixteenth under it; and what is decoded is enough for both pictures.
func TestEighthsAreEnough(t *testing.T) {
	for _, side := range []int{1, 2, 3, 7, 100, 255, 2048, 8192} {
		for _, thumbnail := range []int{1, 48, 240, 300} {
			s := Default()
			s.Preview.Side, s.Thumbnail.Side = side, thumbnail
			for length := 1; length < 66_000; length += 1 + length/37 {
				for _, other := range []int{1, length/7 + 1, length} {
					head := &header{eighths: eighths(image.Pt(length, other), s)}
					head.setSize(length, other)
					n, size := head.eighths, head.previewSize(s)
					decoded, small := scaled(length, n), min(thumbnail, other)
					if size.X > side || size.Y > side || size.X > decoded || 16*size.X < 15*min(side, length) || other*n/8 < small {
						t.Fatalf("%d x %d for %d and %d: %d eighths, preview %v", length, other, side, thumbnail, n, size)
					}
				}
			}
		}
	}
}

// What is reckoned is what is made, of planes and of rows.
func TestPreviewSizes(t *testing.T) {
	s := Default()
	s.Preview.Side, s.Thumbnail.Side = 60, 16
	for length := 57; length < 330; length += 7 {
		for _, size := range []image.Point{{length, length/3 + 1}, {length/2 + 1, length}, {length, 18}} {
			img := scene(size.X, size.Y)
			ordinary := makeJPEG(t, img)
			for name, data := range map[string][]byte{
				"PNG": makePNG(t, img), "JPEG": ordinary, "JPEG, turned": turnedJPEG(ordinary, 6),
				"JPEG of red, green and blue": withSegments(ordinary, segment(jpeg.APP14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00"))),
			} {
				d, err := Develop(t.Context(), data, s, nil)
				head, err2 := inspect(data, identify(data), s)
				if err != nil || err2 != nil {
					t.Fatal(name, size, err, err2)
				}
				want := head.previewSize(s)
				if reckoned, _ := sizes(head, s); reckoned != want {
					t.Errorf("%s, %v: reckoned for %v, want %v", name, size, reckoned, want)
				}
				if head.orientation == 6 {
					want.X, want.Y = want.Y, want.X
				}
				if got := image.Pt(d.Preview.Width, d.Preview.Height); got != want {
					t.Errorf("%s, %v: the preview is %v, want %v", name, size, got, want)
				}
			}
		}
	}
}
