package media

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/mediatest"
)

// speckled is noise in two colours, which every format writes in many bytes.
func speckled(width, height int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.RGBA{90, 10, 10, 255}, color.RGBA{10, 10, 90, 255}})
	for i, v := range noise(width, height).Pix {
		if i%4 == 0 {
			img.Pix[i/4] = v >> 7
		}
	}
	return img
}

// many are the formats of which a part can be shown, all of one picture.
func many(t *testing.T) map[string][]byte {
	t.Helper()
	img := speckled(256, 256)
	full := image.NewRGBA(img.Rect) // compress/flate gives away 32 kB only at once
	draw.Draw(full, img.Rect, noise(256, 256), image.Point{}, draw.Src)
	for i := range full.Pix {
		if i%4 != 3 {
			full.Pix[i] /= 2
		}
	}
	return map[string][]byte{
		"JPEG": makeJPEG(t, img), "PNG": makePNG(t, full), "GIF": makeGIF(t, img.Rect.Max, img),
	}
}

// A file that breaks off is corrupt, and may be shown where half of it is there
// and the operator wants that: with its missing part white, and marked.
func TestCutOff(t *testing.T) {
	hide := Default()
	hide.Thumbnail.Side = 48
	show := hide
	show.ShowDamaged = true
	for name, whole := range many(t) {
		for percent, shown := range map[int]bool{30: false, 45: false, 60: true, 95: true} {
			cut := whole[:len(whole)*percent/100]
			_, err := Develop(t.Context(), cut, hide, nil)
			if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != Corrupt || !r.CutOff {
				t.Errorf("%s, %d %%: got %+v, want it corrupt and cut off", name, percent, err)
			}
			d, err := Develop(t.Context(), cut, show, nil)
			if !shown {
				if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != Corrupt || !r.CutOff || !strings.Contains(r.Detail, "less than half") {
					t.Errorf("%s, %d %%, to be shown: got %+v, want it corrupt, cut off and less than half", name, percent, err)
				}
				continue
			}
			if err != nil || d.Damage == "" || !d.CutOff {
				t.Fatalf("%s, %d %%, to be shown: got %v, want a damaged picture that is cut off", name, percent, err)
			}
			checkDeveloped(t, d, show)
			checkBrokenOff(t, name, d, percent)
		}
	}
}

// checkBrokenOff looks for the white paper behind the last row that was there.
func checkBrokenOff(t *testing.T, name string, d *Developed, percent int) {
	t.Helper()
	img := decoded(t, d.Preview)
	for y := range d.Preview.Height {
		white := color.GrayModel.Convert(img.At(128, y)).(color.Gray).Y > 200
		if at := 100 * y / d.Preview.Height; at < percent-15 && white || at > percent+12 && !white {
			t.Fatalf("%s, %d %%: row %d is white: %v", name, percent, y, white)
		}
	}
}

// What is missing of a picture is where its last rows belong once it is upright.
func TestCutOffAndTurned(t *testing.T) {
	show := Default()
	show.ShowDamaged = true
	whole := many(t)["JPEG"]
	cut := turnedJPEG(whole[:len(whole)*3/4], 6) // the last row belongs to the left
	d, err := Develop(t.Context(), cut, show, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Picture{d.Preview, d.Thumbnail} {
		img := decoded(t, p)
		checkColour(t, img, image.Pt(p.Width/16, p.Height/2), color.RGBA{255, 255, 255, 255})
		if right := color.GrayModel.Convert(img.At(p.Width*3/4, p.Height/2)).(color.Gray).Y; right > 200 {
			t.Errorf("the right side is white: %d", right)
		}
	}
}

// What lacks only its end is whole, and so is what is not.
func TestOnlyTheEndIsMissing(t *testing.T) {
	for _, showDamaged := range []bool{false, true} {
		s := Default()
		s.Thumbnail.Side = 48
		s.ShowDamaged = showDamaged
		for name, whole := range many(t) {
			end := map[string]int{"JPEG": 2, "PNG": 12, "GIF": 1}[name]
			want, err := Develop(t.Context(), whole, s, nil)
			if err != nil {
				t.Fatal(name, err)
			}
			got, err := Develop(t.Context(), whole[:len(whole)-end], s, nil)
			if err != nil || got.Damage != "" || got.CutOff || !bytes.Equal(got.Preview.Data, want.Preview.Data) {
				t.Errorf("%s without its last %d bytes: got %v, want the same picture", name, end, err)
			}
		}
	}
}

// A file may be damaged without being cut off: another fetch will not help.
func TestDamagedWithin(t *testing.T) {
	show := Default()
	show.ShowDamaged = true
	whole := makePNG(t, speckled(256, 256)) // a single IDAT
	start := bytes.Index(whole, []byte("IDAT")) + 4
	end := len(whole) - 16
	data := whole[start:end]
	wrongSum := func(percent int) []byte {
		at := len(data) * percent / 100
		bad := chunk("IDAT", data[at:])
		bad[len(bad)-1] ^= 1
		return slices.Concat(whole[:start-8], chunk("IDAT", data[:at]), bad, chunk("IEND", nil))
	}
	for percent, s := range map[int]Settings{25: show, 75: Default()} {
		_, err := Develop(t.Context(), wrongSum(percent), s, nil)
		r, ok := errors.AsType[*Rejection](err)
		if !ok || r.Reason != Corrupt || r.CutOff || !strings.Contains(r.Detail, "checksum") {
			t.Errorf("%d %%: got %+v, want it corrupt for its checksum and not cut off", percent, err)
		}
	}
	d, err := Develop(t.Context(), wrongSum(75), show, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.CutOff || !strings.Contains(d.Damage, "checksum") {
		t.Errorf("to be shown: damage is %q, cut off %v; want it the checksum", d.Damage, d.CutOff)
	}
}

// Half of a picture is half of what the file holds of it: the screen around a
// GIF's frame was not in the file.
func TestHalfOfAFrame(t *testing.T) {
	show := Default()
	show.ShowDamaged = true
	img := speckled(256, 64)
	img.Rect = img.Rect.Add(image.Pt(0, 192))
	whole := makeGIF(t, image.Pt(256, 256), img)
	for percent, shown := range map[int]bool{30: false, 80: true} {
		_, err := Develop(t.Context(), whole[:len(whole)*percent/100], show, nil)
		if shown != (err == nil) || err != nil && !isRejected(err, Corrupt) {
			t.Errorf("%d %%: got %v, want it shown: %v", percent, err, shown)
		}
	}
}

// Of a WebP nothing is shown that is not whole.
func TestCutWebP(t *testing.T) {
	whole := mediatest.Photo(t, "webp/imagers-simple.webp")
	s := Default()
	s.Formats, s.ShowDamaged = []string{formatWebP}, true
	_, err := Develop(t.Context(), whole[:len(whole)*9/10], s, nil)
	if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != Corrupt || !r.CutOff {
		t.Errorf("got %+v, want it corrupt and cut off", err)
	}
}

// A picture that is decoded at less than its size breaks off as one that is not: what
// is there of it is shown, and the rest is white.
func TestCutOffAndScaled(t *testing.T) {
	hide := Default()
	hide.Preview.Side, hide.Thumbnail.Side = 40, 16
	show := hide
	show.ShowDamaged = true
	for _, name := range []string{"jpeg/go-video-001.q50.420.jpeg", "jpeg/go-video-001.q50.420.progressive.jpeg"} {
		data := mediatest.Photo(t, name)
		if head, err := inspect(data, identify(data), show); err != nil || head.eighths >= 8 || head.film.covers != half() {
			t.Fatalf("%s: got %v, want it in 4:2:0 and decoded smaller", name, err)
		}
		whole, err := Develop(t.Context(), data, show, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		scans := bytes.Split(data, []byte{0xff, jpeg.SOS}) // the first has all averages
		for percent, shown := range map[int]bool{30: false, 75: true} {
			cut := data[:len(scans[0])+len(scans[1])*percent/100]
			if _, err := Develop(t.Context(), cut, hide, nil); !isRejected(err, Corrupt) {
				t.Errorf("%s, %d %%: got %v, want it corrupt", name, percent, err)
			}
			d, err := Develop(t.Context(), cut, show, nil)
			if !shown {
				if !isRejected(err, Corrupt) || !strings.Contains(err.Error(), "less than half") {
					t.Errorf("%s, %d %%, to be shown: got %v, want it corrupt and less than half", name, percent, err)
				}
				continue
			}
			if err != nil || d.Damage == "" || !d.CutOff {
				t.Fatalf("%s, %d %%, to be shown: got %v, want a damaged picture that is cut off", name, percent, err)
			}
			checkDeveloped(t, d, show)
			checkRest(t, name, decoded(t, d.Preview), decoded(t, whole.Preview), percent)
		}
	}
}

// checkRest compares with the whole what is there for sure, which may be coarse, and
// looks for white paper where surely nothing is.
func checkRest(t *testing.T, name string, got, whole image.Image, percent int) {
	t.Helper()
	size := whole.Bounds().Max
	for y := range size.Y {
		at, off, white := 100*y/size.Y, 0, true
		for x := range size.X {
			a, b := color.GrayModel.Convert(got.At(x, y)).(color.Gray).Y, color.GrayModel.Convert(whole.At(x, y)).(color.Gray).Y
			off, white = off+max(int(a)-int(b), int(b)-int(a)), white && a > 245
		}
		if at < percent-20 && off > 30*size.X || at > percent+15 && !white {
			t.Fatalf("%s, %d %%: row %d of %d is %d off, white: %v", name, percent, y, size.Y, off/size.X, white)
		}
	}
}

// BenchmarkFromRows is all but the encoding of a PNG of 12 megapixels.
func BenchmarkFromRows(b *testing.B) {
	s := Default()
	s.MaxBytes = 100 * mega
	data := makePNG(b, scene(4032, 3024))
	for b.Loop() {
		head, err := inspect(data, format{name: formatPNG}, s)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, _, err := fromRows(b.Context(), head, plainColours(head.channels), s); err != nil {
			b.Fatal(err)
		}
	}
}
