package media

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/mediatest"
)

// bothWays makes preview and thumbnail of a JPEG as planes, and as rows of its full
// size to pictures of the same size.
func bothWays(t *testing.T, data []byte, s Settings) (planes, rows [2]*image.RGBA) {
	t.Helper()
	head, err := inspect(data, format{name: formatJPEG}, s)
	if err != nil {
		t.Fatal(err)
	}
	if !head.film.planar() {
		t.Fatal("not read as planes")
	}
	colours, _ := colours(head)
	large, small, damage, err := fromPlanes(t.Context(), head, colours, s)
	if err != nil || damage != nil {
		t.Fatal(err, damage)
	}
	planes = [2]*image.RGBA{pixelsOf(upright(large, head.orientation)), pixelsOf(upright(small, head.orientation))}

	s.Preview.Side = max(large.Y.Width, large.Y.Height)
	if head, err = inspect(data, format{name: formatJPEG}, s); err != nil {
		t.Fatal(err)
	}
	head.eighths, head.decoder = 8, head.film.at(8)
	large, small, damage, err = fromRows(t.Context(), head, colours, s)
	if err != nil || damage != nil {
		t.Fatal(err, damage)
	}
	large = previewColours(upright(large, head.orientation), format{name: formatJPEG})
	return planes, [2]*image.RGBA{pixelsOf(large), pixelsOf(upright(small, head.orientation))}
}

// psnr is how like two pictures are, in dB, over what both have.
func psnr(a, b *image.RGBA) float64 {
	w, h := min(a.Rect.Dx(), b.Rect.Dx()), min(a.Rect.Dy(), b.Rect.Dy())
	sum := 0.0
	for y := range h {
		p, q := a.Pix[y*a.Stride:][:4*w], b.Pix[y*b.Stride:][:4*w]
		for i := range p {
			d := float64(p[i]) - float64(q[i])
			sum += d * d
		}
	}
	return 10 * math.Log10(255*255/max(sum/float64(3*w*h), 1e-9))
}

func checkBothWays(t *testing.T, name string, data []byte, s Settings, least float64) {
	t.Helper()
	planes, rows := bothWays(t, data, s)
	for i, what := range []string{"preview", "thumbnail"} {
		a, b := planes[i], rows[i]
		if d := a.Rect.Max.Sub(b.Rect.Max); max(d.X, -d.X, d.Y, -d.Y) > 1-i {
			t.Errorf("%s: the %s is %v in planes, and %v in rows", name, what, a.Rect.Max, b.Rect.Max)
		}
		if db := psnr(a, b); db < least {
			t.Errorf("%s: the %s is %.1f dB like that of rows, want at least %.0f", name, what, db, least)
		}
	}
}

// A photo looks the same whether it is made of planes or of rows.
func TestBothWaysOnPhotos(t *testing.T) {
	withoutRace(t)
	s := Default()
	s.MaxBytes = 25 * mega
	for _, name := range mediatest.PhotosIn(t, "camera") {
		if strings.HasSuffix(name, ".jpg") {
			checkBothWays(t, name, mediatest.Photo(t, name), s, 38)
		}
	}
}

// snapshot is a picture like a photo: soft shades of colour, edges of brightness, grain.
func snapshot(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	state := uint32(1)
	for y := range height {
		for x := range width {
			state = state*1664525 + 1013904223
			u, v := float64(x)/float64(width), float64(y)/float64(height)
			light := 110 + 50*math.Sin(5*u+3*v) + float64(state>>24)/32
			if math.Hypot(u-0.5, v-0.4) < 0.2 {
				light -= 40
			}
			o := img.Pix[img.PixOffset(x, y):]
			o[0], o[1], o[2], o[3] = uint8(light*(1.1-0.2*v)), uint8(light), uint8(light*(0.7+0.3*u)), 255
		}
	}
	return img
}

func TestBothWaysInEverySampling(t *testing.T) {
	withoutRace(t)
	s := Default()
	s.Preview.Side, s.Thumbnail.Side = 200, 40
	for size, orientations := range map[image.Point][]int{
		{131, 128}: {1, 2, 3, 4, 5, 6, 7, 8}, {410, 300}: {1}, {301, 403}: {6}, {520, 90}: {3}, {230, 229}: {7}, {1609, 1201}: {8},
	} {
		if raceEnabled && size.X > 300 {
			continue
		}
		img := snapshot(size.X, size.Y)
		for sampling, covers := range samplings() {
			data := jpegOf(t, planesOf(img, covers), covers)
			for _, o := range orientations {
				checkBothWays(t, fmt.Sprint(sampling, size, " turned ", o), turnedJPEG(data, o), s, 38)
			}
		}
	}
}

func TestBothWaysInGray(t *testing.T) {
	s := Default()
	s.Preview.Side, s.Thumbnail.Side = 200, 40
	for _, size := range []image.Point{{410, 300}, {131, 128}, {30, 20}} {
		img := snapshot(size.X, size.Y)
		gray := image.NewGray(img.Rect)
		for i := range gray.Pix {
			gray.Pix[i] = img.Pix[4*i+1]
		}
		data := makeJPEG(t, gray)
		checkBothWays(t, fmt.Sprint(size), data, s, 38)
		checkBothWays(t, fmt.Sprint(size, " with a profile"), withSegments(data, profileSegment("GRAY")), s, 38)
	}
}

// A picture in another profile is converted before it is made smaller in planes, and
// after it in rows.
func TestBothWaysWithAProfile(t *testing.T) {
	s := Default()
	s.Preview.Side, s.Thumbnail.Side = 200, 40
	for sampling, covers := range samplings() {
		data := jpegOf(t, planesOf(snapshot(410, 300), covers), covers)
		checkBothWays(t, sampling, withSegments(data, profileSegment("RGB ")), s, 38)
	}
}

func profileSegment(space string) []byte {
	return segment(0xe2, append([]byte(profilePrefix+"\x01\x01"), linearProfile(space)...))
}

// Every size there is, from a pixel on. The colour is the same all over: that of the few
// samples of so small a picture is spread in another way in rows. Of the last column that
// is decoded there may be only an eighth, which moves the others of so few.
func TestBothWaysOfEverySize(t *testing.T) {
	s := Default()
	s.Preview.Side, s.Thumbnail.Side = 24, 8
	for width := 1; width <= 40; width++ {
		heights := []int{1, 2, 7, 8, 9, 16, 17, 39}
		if raceEnabled {
			heights = heights[:3]
		}
		for _, height := range heights {
			for sampling, covers := range samplings() {
				data := turnedJPEG(jpegOf(t, planesOf(tinted(width, height), covers), covers), 1+width%8)
				checkBothWays(t, fmt.Sprint(sampling, " ", width, "x", height), data, s, 35)
			}
		}
	}
}

// tinted is brightness that rises to the right and down, in one colour.
func tinted(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			v := slopeAt(float64(x)/float64(width), float64(y)/float64(height))
			img.SetRGBA(x, y, color.RGBA{v + 15, v, v - 20, 255})
		}
	}
	return img
}

// What is read in rows is decoded no larger than is needed either, where it is a JPEG.
func TestRowsOfAScaledJPEG(t *testing.T) {
	s := Default()
	s.Preview.Side, s.Thumbnail.Side = 120, 24
	img := snapshot(320, 240)
	rgb := &jpeg.Planes{Y: jpeg.NewPlane(320, 240), Cb: jpeg.NewPlane(320, 240), Cr: jpeg.NewPlane(320, 240)}
	for i := range rgb.Y.Pix {
		rgb.Y.Pix[i], rgb.Cb.Pix[i], rgb.Cr.Pix[i] = img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2]
	}
	adobe := segment(jpeg.APP14, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), 0)) // red, green and blue
	for name, data := range map[string][]byte{
		"RGB":  withSegments(jpegOf(t, rgb, full()), adobe),
		"CMYK": mediatest.Photo(t, "icc/cmyk-vipsdefault.jpg"),
	} {
		prints := func(n int) [2]*image.RGBA {
			head, err := inspect(data, format{name: formatJPEG}, s)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 && (head.film.planar() || head.eighths == 8) {
				t.Fatalf("%s: planar %v at %d eighths, want rows of less", name, head.film.planar(), head.eighths)
			}
			if n > 0 {
				head.eighths, head.decoder = n, head.film.at(n)
			}
			colours, _ := colours(head)
			large, small, damage, err := fromRows(t.Context(), head, colours, s)
			if err != nil || damage != nil {
				t.Fatal(err, damage)
			}
			return [2]*image.RGBA{pixelsOf(large), pixelsOf(small)}
		}
		scaled := prints(0)
		s.Preview.Side = scaled[0].Rect.Dx()
		for i, whole := range prints(8) {
			if db := psnr(scaled[i], whole); db < 38 || scaled[i].Rect != whole.Rect {
				t.Errorf("%s: picture %d is %v and %.1f dB like %v of its full size, want 38 at least", name, i, scaled[i].Rect.Max, db, whole.Rect.Max)
			}
		}
		s.Preview.Side = 120
	}
}
