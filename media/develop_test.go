package media

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/mediatest"
)

// checkDeveloped checks what is promised of every pair of pictures.
func checkDeveloped(t *testing.T, d *Developed, s Settings) {
	t.Helper()
	if err := d.Preview.Check(s.Preview); err != nil {
		t.Errorf("preview: %v", err)
	}
	if err := d.Thumbnail.Check(s.Thumbnail); err != nil {
		t.Errorf("thumbnail: %v", err)
	}
	if d.Thumbnail.Width != d.Thumbnail.Height {
		t.Errorf("thumbnail is %d x %d, want a square", d.Thumbnail.Width, d.Thumbnail.Height)
	}
	for _, p := range []Picture{d.Preview, d.Thumbnail} {
		scanPicture(t, p.Data)
		if b := decoded(t, p).Bounds(); b.Dx() != p.Width || b.Dy() != p.Height {
			t.Errorf("the picture is %v, want %d x %d", b, p.Width, p.Height)
		}
	}
	if d.Preview.Width > d.Source.Width || d.Preview.Height > d.Source.Height {
		t.Errorf("preview of %d x %d enlarged to %d x %d", d.Source.Width, d.Source.Height, d.Preview.Width, d.Preview.Height)
	}
}

// scanPicture looks for anything but a picture in a JPEG, and shares nothing with
// the code that writes or checks it: only tables, one frame and one scan, and not
// a byte behind the end.
func scanPicture(t *testing.T, data []byte) {
	t.Helper()
	if !bytes.HasPrefix(data, []byte("\xff\xd8")) {
		t.Fatalf("the picture begins with %x", data[:min(2, len(data))])
	}
	rest := data[2:]
	for len(rest) >= 4 && rest[0] == 0xff && rest[1] != 0xda {
		switch rest[1] {
		case 0xc0, 0xc4, 0xdb:
		default:
			t.Fatalf("segment %#x in the picture", rest[1])
		}
		rest = rest[min(len(rest), 2+int(rest[2])<<8+int(rest[3])):]
	}
	if len(rest) < 4 || rest[0] != 0xff {
		t.Fatal("no scan in the picture")
	}
	end := bytes.Index(rest, []byte("\xff\xd9"))
	for i := range end {
		if i > 1 && rest[i] == 0xff && rest[i+1] != 0 {
			t.Fatalf("marker %#x in the scan", rest[i+1])
		}
	}
	if end+2 != len(rest) {
		t.Fatalf("the picture's end is at %d of %d", end, len(rest))
	}
}

// canaries is what a photo may carry that nobody must see.
var canaries = []string{"CANARY-ARTIST", "CANARY-GPS", "CANARY-XMP", "CANARY-COMMENT", "CANARY-ICC", "CANARY-TAIL", "CANARY-THUMB"}

// loaded is a JPEG with everything in it that people do not know they send.
func loaded(t testing.TB, width, height, orientation int) []byte {
	t.Helper()
	data := turnedJPEG(makeJPEG(t, scene(width, height)), orientation)
	data = withSegments(data,
		segment(jpeg.APP0, []byte("JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00CANARY-THUMB")),
		segment(jpeg.APP1, []byte("http://ns.adobe.com/xap/1.0/\x00CANARY-XMP")),
		segment(0xe2, []byte("ICC_PROFILE\x00\x01\x01CANARY-ICC")),
		segment(0xed, []byte("Photoshop 3.0\x00CANARY-ARTIST")),
		segment(0xe5, []byte("CANARY-GPS")),
		segment(jpeg.COM, []byte("CANARY-COMMENT")),
	)
	return append(data, "CANARY-TAIL"...)
}

func TestNothingIsLeft(t *testing.T) {
	s := Default()
	for o := 1; o <= 8; o += 5 {
		got, d := verdict(t, loaded(t, 400, 300, o), s)
		if got != "ready" {
			t.Fatalf("got %s, want ready", got)
		}
		checkNothingLeft(t, d, canaries)
	}
}

// checkNothingLeft looks for words in both pictures. Check has found already
// that there is no segment for them.
func checkNothingLeft(t *testing.T, d *Developed, words []string) {
	t.Helper()
	for _, w := range words {
		if bytes.Contains(d.Preview.Data, []byte(w)) || bytes.Contains(d.Thumbnail.Data, []byte(w)) {
			t.Errorf("%q is left in a picture", w)
		}
	}
}

func TestDevelopIsDeterministic(t *testing.T) {
	data := loaded(t, 500, 300, 6)
	first, err := Develop(t.Context(), data, Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Develop(t.Context(), slices.Clone(data), Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(first, second) {
		t.Error("the same bytes were developed differently")
	}
}

func TestDevelopLeavesTheOriginalAlone(t *testing.T) {
	for name, data := range map[string][]byte{
		"JPEG": loaded(t, 60, 40, 6), "PNG": makePNG(t, scene(60, 40)),
		"GIF": makeGIF(t, image.Pt(60, 40), frame(image.Rect(10, 10, 20, 20), color.White)),
	} {
		before := slices.Clone(data)
		if _, err := Develop(t.Context(), data, Default(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(data, before) {
			t.Errorf("%s: the original was changed", name)
		}
	}
}

func TestDevelopSizes(t *testing.T) {
	for _, row := range []struct {
		name               string
		img                image.Image
		preview, thumbnail int
	}{
		{"large", scene(2100, 300), 2048, 240},
		{"smaller than a preview", scene(300, 280), 300, 240},
		{"smaller than a thumbnail", scene(32, 20), 32, 20},
		{"a line", scene(6000, 1), 2048, 1},
		{"a pixel", scene(1, 1), 1, 1},
	} {
		got, d := verdict(t, makePNG(t, row.img), Default())
		if got != "ready" {
			t.Fatalf("%s: got %s, want ready", row.name, got)
		}
		if d.Preview.Width != row.preview || d.Thumbnail.Width != row.thumbnail {
			t.Errorf("%s: got preview %d and thumbnail %d wide, want %d and %d",
				row.name, d.Preview.Width, d.Thumbnail.Width, row.preview, row.thumbnail)
		}
	}
}

// Screenshots keep the colour of every pixel, and so does every thumbnail.
func TestSamplingOfEachFormat(t *testing.T) {
	img := scene(64, 48)
	red := color.RGBA{255, 0, 0, 255}
	for name, row := range map[string]struct {
		data []byte
		want image.YCbCrSubsampleRatio
	}{
		"JPEG": {makeJPEG(t, img), image.YCbCrSubsampleRatio420},
		"PNG":  {makePNG(t, img), image.YCbCrSubsampleRatio444},
		"GIF":  {makeGIF(t, image.Pt(64, 48), frame(image.Rect(0, 0, 64, 48), red)), image.YCbCrSubsampleRatio444},
		"WebP": {mediatest.Photo(t, "webp/imagers-simple.webp"), image.YCbCrSubsampleRatio420},
	} {
		s := Default()
		s.Formats = append(s.Formats, formatWebP)
		_, d := verdict(t, row.data, s)
		if d == nil {
			t.Fatalf("%s: rejected", name)
		}
		if got := decoded(t, d.Preview).(*image.YCbCr).SubsampleRatio; got != row.want {
			t.Errorf("%s: preview has %v, want %v", name, got, row.want)
		}
		if got := decoded(t, d.Thumbnail).(*image.YCbCr).SubsampleRatio; got != image.YCbCrSubsampleRatio444 {
			t.Errorf("%s: thumbnail has %v, want 4:4:4", name, got)
		}
	}
}

func TestDevelopJudgesTheSize(t *testing.T) {
	data := makeJPEG(t, scene(8, 8))
	s := Default()
	s.MaxBytes = int64(len(data))
	if _, err := Develop(t.Context(), data, s, nil); err != nil {
		t.Errorf("exactly the limit: got %v, want it developed", err)
	}
	s.MaxBytes--
	if _, err := Develop(t.Context(), data, s, nil); !isRejected(err, TooLarge) {
		t.Errorf("one byte more: got %v, want too_large", err)
	}
}

func TestRejectionKnowsWhatWasLearnt(t *testing.T) {
	data := turnedJPEG(jpegHeader(jpeg.SOF0, 20_000, 10_000, 0x11), 6)
	_, err := Develop(t.Context(), data, Default(), nil)
	r, ok := errors.AsType[*Rejection](err)
	want := Source{Type: "image/jpeg", Bytes: int64(len(data)), Width: 10_000, Height: 20_000}
	if !ok || r.Reason != TooManyPixels || r.Source != want {
		t.Errorf("got %+v, want too_many_pixels of %+v", err, want)
	}
}

// Whenever the context ends, the answer is that it ended, and no verdict.
func TestDevelopEndsWithTheContext(t *testing.T) {
	for name, data := range map[string][]byte{
		"JPEG": makeJPEG(t, noise(60, 40)), "PNG": makePNG(t, noise(60, 40)),
		"GIF": makeGIF(t, image.Pt(60, 40), frame(image.Rect(0, 0, 60, 40), color.White)),
	} {
		asked := func(n int) (int, error) {
			ctx := &mediatest.Countdown{Context: t.Context(), Left: n}
			_, err := Develop(ctx, data, Default(), nil)
			return n - ctx.Left, err
		}
		all, err := asked(1 << 40)
		if err != nil || all < 40 {
			t.Fatalf("%s: asked %d times, %v; want it asked for every row and no error", name, all, err)
		}
		for n := range all {
			if _, err := asked(n); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%s: ended at question %d of %d: got %v, want the context's error", name, n, all, err)
			}
		}
	}
}

func FuzzDevelop(f *testing.F) {
	f.Add(loaded(f, 20, 16, 6))
	f.Add(makePNG(f, scene(20, 16)))
	f.Add(makeGIF(f, image.Pt(20, 16), frame(image.Rect(2, 2, 9, 9), color.White)))
	f.Add(progressive(16, 16, scan(1, 0, 0, 0)))
	seeds(f, "", "jpg", "jpeg", "png", "gif", "webp")
	s := Default()
	s.Formats = append(s.Formats, formatWebP)
	s.MaxPixels = 1 << 16
	s.Preview = Target{MaxBytes: 8 << 10, Side: 64}
	s.Thumbnail = Target{MaxBytes: 4 << 10, Side: 16}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, s.ShowDamaged = range []bool{false, true} {
			d, err := Develop(t.Context(), data, s, nil)
			if _, ok := errors.AsType[*Rejection](err); err != nil && !ok {
				t.Fatalf("a fault, not a verdict: %v", err)
			}
			if err == nil {
				checkDeveloped(t, d, s)
			}
			if err == nil && !s.ShowDamaged && d.Damage != "" {
				t.Errorf("damaged and shown: %s", d.Damage)
			}
		}
	})
}

// BenchmarkDevelop12MP is a photo as phones take them, made here: gradients and
// noise, 4032 x 3024 pixels, lying on its side.
func BenchmarkDevelop12MP(b *testing.B) {
	img := scene(4032, 3024)
	grain := noise(4032, 3024)
	for i := range img.Pix {
		img.Pix[i] = uint8((7*int(img.Pix[i]) + int(grain.Pix[i])) / 8)
	}
	data := turnedJPEG(makeJPEG(b, img), 6)
	s := Default()
	s.MaxBytes = int64(len(data))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Develop(b.Context(), data, s, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPrints is all but the encoding of camera photos.
func BenchmarkPrints(b *testing.B) {
	s := Default()
	s.MaxBytes = 25 * mega
	for _, name := range mediatest.PhotosIn(b, "camera") {
		if !strings.HasSuffix(name, ".jpg") {
			continue
		}
		b.Run(name, func(b *testing.B) {
			data := mediatest.Photo(b, name)
			for b.Loop() {
				head, err := inspect(data, format{name: formatJPEG}, s)
				if err != nil {
					b.Fatal(err)
				}
				colours, _ := colours(head)
				large, small, _, err := fromPlanes(b.Context(), head, colours, s)
				if err != nil {
					b.Fatal(err)
				}
				upright(large, head.orientation)
				upright(small, head.orientation)
			}
		})
	}
}
