package media

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/mediatest"
)

// seeds adds the smaller sample photos whose names end so, where they are; fuzzing
// is slow with large ones.
func seeds(f *testing.F, prefix string, endings ...string) {
	f.Helper()
	if !mediatest.HavePhotos() {
		f.Log("without seeds from the sample photos, which are not here")
		return
	}
	for _, folder := range []string{"gif", "hostile", "icc", "jpeg", "png", "webp"} {
		for _, name := range mediatest.PhotosIn(f, folder) {
			data := mediatest.Photo(f, name)
			if len(data) <= 16<<10 && slices.Contains(endings, strings.TrimPrefix(filepath.Ext(name), ".")) {
				f.Add(bytes.TrimPrefix(data, []byte(prefix)))
			}
		}
	}
}

// withoutRace skips what takes long under the race detector and starts no
// goroutine that it could watch. CI runs the tests of this folder without it too.
func withoutRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("SKIPPED under the race detector: run go test without -race too")
	}
}

// verdict returns "ready" or the reason, and checks what holds for both.
func verdict(t *testing.T, data []byte, s Settings) (string, *Developed) {
	t.Helper()
	got, err := Develop(t.Context(), data, s, nil)
	if r, ok := errors.AsType[*Rejection](err); ok {
		if r.Detail == "" || r.Source.Bytes != int64(len(data)) {
			t.Errorf("rejection %q with detail %q and %d bytes, want a detail and %d bytes", r.Reason, r.Detail, r.Source.Bytes, len(data))
		}
		return string(r.Reason), nil
	}
	if err != nil {
		t.Fatalf("a fault, not a verdict: %v", err)
	}
	checkDeveloped(t, got, s)
	return "ready", got
}

func TestExpectedVerdicts(t *testing.T) {
	s := Default()
	if raceEnabled {
		s.MaxMemory = 256 * mega // the largest takes half a minute otherwise
	}
	var expected map[string][]string
	if err := json.Unmarshal(mediatest.Photo(t, "expected.json"), &expected); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(mediatest.PhotosIn(t, "hostile"), mediatest.PhotosIn(t, "png")) {
		t.Run(name, func(t *testing.T) {
			want := expected[name]
			if got, _ := verdict(t, mediatest.Photo(t, name), s); !slices.Contains(want, got) {
				t.Errorf("got %s, want one of %v", got, want)
			}
		})
	}
}

func TestFolderVerdicts(t *testing.T) {
	for folder, want := range map[string]string{"icc": "ready", "heic": "unsupported_type", "webp": "unsupported_type"} {
		for _, name := range mediatest.PhotosIn(t, folder) {
			if got, _ := verdict(t, mediatest.Photo(t, name), Default()); got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
	}
}

// Every JPEG and GIF there is developed, but for these.
func TestOddPhotos(t *testing.T) {
	withoutRace(t)
	odd := map[string]string{
		"jpeg/ljt-monkey12.jpg":        "unsupported_type", // 12 bits
		"jpeg/ljt-testimgari.jpg":      "unsupported_type", // arithmetic coding
		"jpeg/pil-hopper_bad_exif.jpg": "corrupt",          // no valid Huffman code, says image/jpeg
		"gif/pil-dispose_bgnd.gif":     "animated",
		"gif/pil-no_palette.gif":       "animated",
		"gif/pil-zero_width.gif":       "corrupt",
	}
	for _, name := range slices.Concat(mediatest.PhotosIn(t, "jpeg"), mediatest.PhotosIn(t, "gif")) {
		want := cmp.Or(odd[name], "ready")
		if got, _ := verdict(t, mediatest.Photo(t, name), Default()); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestCameraPhotos(t *testing.T) {
	withoutRace(t)
	s := Default()
	s.MaxBytes = 25 * mega
	for _, name := range mediatest.PhotosIn(t, "camera") {
		if got, _ := verdict(t, mediatest.Photo(t, name), s); got != "ready" {
			t.Errorf("%s: got %s, want ready", name, got)
		}
	}
}

// Each family shows the same scene, stored in eight ways; the pictures have
// their number written in the middle, which is left out.
func TestOrientationFamilies(t *testing.T) {
	withoutRace(t)
	s := Default()
	s.Preview.Side = 256
	s.Thumbnail.Side = 48
	for _, family := range []string{"Landscape", "Portrait"} {
		_, truth := verdict(t, mediatest.Photo(t, "orientation/"+family+"_1.jpg"), s)
		for o := range 9 {
			name := fmt.Sprintf("orientation/%s_%d.jpg", family, o)
			got, d := verdict(t, mediatest.Photo(t, name), s)
			if got != "ready" {
				t.Fatalf("%s: got %s, want ready", name, got)
			}
			if diff := meanDifference(t, d.Preview, truth.Preview); diff > 6 {
				t.Errorf("%s: preview differs by %.1f from the upright truth, want at most 6", name, diff)
			}
			if diff := meanDifference(t, d.Thumbnail, truth.Thumbnail); diff > 6 {
				t.Errorf("%s: thumbnail differs by %.1f from the upright truth, want at most 6", name, diff)
			}
		}
	}
}

// meanDifference compares the luma of two pictures, but for their middle.
func meanDifference(t *testing.T, a, b Picture) float64 {
	t.Helper()
	if a.Width != b.Width || a.Height != b.Height {
		t.Fatalf("got %d x %d pixels, want %d x %d", a.Width, a.Height, b.Width, b.Height)
	}
	x, y := decoded(t, a).(*image.YCbCr), decoded(t, b).(*image.YCbCr)
	middle := image.Rect(a.Width*2/5, a.Height*2/5, a.Width*3/5, a.Height*3/5)
	sum, n := 0.0, 0.0
	for row := range a.Height {
		for col := range a.Width {
			if !image.Pt(col, row).In(middle) {
				sum += math.Abs(float64(x.Y[x.YOffset(col, row)]) - float64(y.Y[y.YOffset(col, row)]))
				n++
			}
		}
	}
	return sum / n
}

// What was hidden in these files is in none of the pictures.
func TestNothingIsLeftOfHostilePhotos(t *testing.T) {
	words := []string{
		"Exif", "http", "xmp", "Photoshop", "8BIM", "ICC_PROFILE", "JFIF", "Adobe", "GPS", "Copyright", "<script", "<?php", "PK\x03\x04", "ftyp", "mdat", "IHDR",
	}
	words = append(words, canaries...)
	little := Default()
	little.Preview.Side, little.Thumbnail.Side = 300, 60
	for _, name := range []string{
		"jpeg-pii-artist-copyright-xmp-iptc.jpg", "gif-zip-polyglot.gif", "jpeg-jpeg-appended.jpg", "jpeg-mp4-appended.jpg", "jpeg-zip-appended.jpg",
		"jpeg-script-in-com.jpg", "png-php-in-text.png", "png-tail-after-iend.png", "jpeg-exif-thumb-differs.jpg", "jpeg-app-2600kb-junk.jpg", "jpeg-icc-garbage.jpg",
	} {
		got, d := verdict(t, mediatest.Photo(t, "hostile/"+name), little)
		if got != "ready" {
			t.Errorf("%s: got %s, want ready", name, got)
			continue
		}
		checkNothingLeft(t, d, words)
	}
}

// Broken EXIF changes nothing, and of two the first counts.
func TestHostileOrientations(t *testing.T) {
	little := Default()
	little.Preview.Side, little.Thumbnail.Side = 300, 60
	for name, turned := range map[string]bool{
		"jpeg-exif-orientation-0.jpg": false, "jpeg-exif-orientation-9.jpg": false, "jpeg-exif-orientation-255.jpg": false,
		"jpeg-exif-orientation-65535.jpg": false, "jpeg-two-exif-o6-then-o3.jpg": true,
	} {
		_, d := verdict(t, mediatest.Photo(t, "hostile/"+name), little)
		if d == nil || (d.Source.Height > d.Source.Width) != turned {
			t.Errorf("%s: want it turned: %v", name, turned)
		}
	}
}

// patches is what icc/expected.json says: 24 flat patches of 64 pixels, six in a
// row, with their sRGB numbers, and how far lcms is off for each file.
type patches struct {
	SRGB [][3]int       `json:"srgb"`
	Err  map[string]int `json:"lcms_roundtrip_max_err"`
}

// The colours of a photo are those of its profile, to within two steps of 255 of
// what lcms makes of it, and to within twelve for inks.
func TestColours(t *testing.T) {
	withoutRace(t)
	var want patches
	if err := json.Unmarshal(mediatest.Photo(t, "icc/expected.json"), &want); err != nil {
		t.Fatal(err)
	}
	for name, lcms := range want.Err {
		got, d := verdict(t, mediatest.Photo(t, "icc/"+name), Default())
		if got != "ready" {
			t.Errorf("%s: got %s, want ready", name, got)
			continue
		}
		most := lcms + 2
		if strings.HasPrefix(name, "cmyk") {
			most = lcms + 12
		}
		off := want.off(decoded(t, d.Preview))
		t.Logf("%s: off by %d, lcms by %d", name, off, lcms)
		if off > most {
			t.Errorf("%s: off by %d, want at most %d", name, off, most)
		}
		if d.Profile != ProfileConverted && !strings.HasPrefix(name, "untagged") {
			t.Errorf("%s: profile %q, want it converted", name, d.Profile)
		}
	}
}

// off is the largest difference in the middle of any patch.
func (p patches) off(img image.Image) int {
	most := 0
	for i, srgb := range p.SRGB {
		for y := range 16 {
			for x := range 16 {
				c := color.RGBAModel.Convert(img.At(64*(i%6)+24+x, 64*(i/6)+24+y)).(color.RGBA)
				for k, v := range []uint8{c.R, c.G, c.B} {
					d := int(v) - srgb[k]
					most = max(most, d, -d)
				}
			}
		}
	}
	return most
}

// The letters say RED in ink, in Adobe's way: brightness and colour for three of
// the inks, and all of them the wrong way round.
func TestInksTheRightWayRound(t *testing.T) {
	_, d := verdict(t, mediatest.Photo(t, "jpeg/pil-pil_sample_cmyk.jpg"), Default())
	img := decoded(t, d.Preview)
	checkColour(t, img, image.Pt(2, 2), color.RGBA{235, 45, 52, 255})
	checkColour(t, img, image.Pt(50, 90), color.RGBA{34, 32, 36, 255})

	whole := mediatest.Photo(t, "jpeg/go-video-001.cmyk.jpeg")
	i := bytes.Index(whole, []byte{0xff, jpeg.APP14})
	without := slices.Concat(whole[:i], whole[i+16:])
	_, want := verdict(t, whole, Default())
	_, got := verdict(t, without, Default())
	if got == nil || !bytes.Equal(got.Preview.Data, want.Preview.Data) {
		t.Error("inks without Adobe's segment are not what they are with it")
	}
}
