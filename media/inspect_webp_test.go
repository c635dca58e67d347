package media

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
	"testing"

	"golang.org/x/image/webp"

	"github.com/lightlock/lightlock/media/mediatest"
)

// makeWebP makes a WebP of chunks.
func makeWebP(chunks ...[][]byte) []byte {
	body := slices.Concat(slices.Concat(chunks...)...)
	return slices.Concat(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)+4)), []byte("WEBP"), body)
}

// lossless is the header of a lossless picture, without its data.
func lossless(width, height uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0x2f}, (width-1)|(height-1)<<14)
}

func canvas(flags byte, width, height int) [][]byte {
	body := make([]byte, 10)
	body[0] = flags
	putLE24(body[4:], width-1)
	putLE24(body[7:], height-1)
	return riffChunk("VP8X", body)
}

func TestInspectWebP(t *testing.T) {
	picture := riffChunk("VP8L", lossless(8, 8))
	rows := []struct {
		name   string
		data   []byte
		reason Reason
		words  string
	}{
		{"whole", makeWebP(picture), "", ""},
		{"with a canvas", makeWebP(canvas(webpAlpha, 8, 8), picture), "", ""},
		{"bytes behind the end", append(makeWebP(picture), "more"...), "", ""},
		{"a flag for an animation", makeWebP(canvas(webpAnimation, 8, 8), picture), Animated, "still"},
		{"an animation without its flag", makeWebP(canvas(0, 8, 8), riffChunk("ANIM", make([]byte, 6))), Animated, "still"},
		{"nothing in it", makeWebP(), Corrupt, "no picture"},
		{"cut off", makeWebP(picture)[:20], Corrupt, "cut off"},
		{"a canvas of another size", makeWebP(canvas(0, 9, 8), picture), Corrupt, "fill"},
		{"a broken picture", makeWebP(riffChunk("VP8 ", make([]byte, 10))), Corrupt, "header"},
		{"too many pixels", makeWebP(riffChunk("VP8L", lossless(16_384, 16_384))), TooManyPixels, "16,384 x 16,384"},
		{"a canvas with too many pixels", makeWebP(canvas(0, 1<<24, 1<<24)), TooManyPixels, "16,777,216"},
		{"too many chunks", makeWebP(slices.Concat(repeat2(riffChunk("XMP ", nil), maxParts)...), picture), TooComplex, "parts"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := judge(row.data)
			checkVerdict(t, err, row.reason, row.words)
		})
	}
}

func repeat2(c [][]byte, n int) [][][]byte {
	all := make([][][]byte, n)
	for i := range all {
		all[i] = c
	}
	return all
}

func TestWebPWhereSwitchedOn(t *testing.T) {
	s := Default()
	s.Formats = append(s.Formats, formatWebP)
	for name, want := range map[string]string{
		"webp/imagers-anim.webp": "animated", "webp/imagers-lossy_alpha.webp": "ready", "webp/imagers-simple.webp": "ready",
		"webp/imagers-simple_xmp.webp": "ready", "webp/pil-hopper_orientation_6.webp": "ready",
	} {
		if got, _ := verdict(t, mediatest.Photo(t, name), s); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// The alpha of the lossy kind is a picture of its own, and its profile a chunk.
func TestWebPAlphaAndProfile(t *testing.T) {
	whole := mediatest.Photo(t, "webp/imagers-lossy_alpha.webp")
	img, err := webp.Decode(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	s := Default()
	s.Formats = []string{formatWebP}
	s.Preview.Side = maxSide
	_, d := verdict(t, whole, s)
	preview := decoded(t, d.Preview)
	holes := 0
	for y := 8; y < img.Bounds().Dy()-8; y += 8 {
		for x := 8; x < img.Bounds().Dx()-8; x += 8 {
			if block := image.Rect(x-8, y-8, x+8, y+8); transparent(img, block) {
				checkColour(t, preview, image.Pt(x, y), color.RGBA{255, 255, 255, 255})
				holes++
			}
		}
	}
	if holes == 0 {
		t.Error("nothing in the photo is transparent")
	}

	plain := mediatest.Photo(t, "webp/imagers-simple.webp")
	_, d = verdict(t, makeWebP(riffChunk("ICCP", linearProfile("RGB ")), [][]byte{plain[12:]}), s)
	if d == nil || d.Profile != ProfileConverted {
		t.Error("the profile was not converted")
	}
}

func transparent(img image.Image, r image.Rectangle) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if _, _, _, a := img.At(x, y).RGBA(); a != 0 {
				return false
			}
		}
	}
	return true
}

func FuzzInspectWebP(f *testing.F) {
	f.Add(makeWebP(canvas(0, 8, 8), riffChunk("VP8L", lossless(8, 8)))[8:])
	seeds(f, "", "webp")
	f.Fuzz(func(t *testing.T, data []byte) {
		checkWalk(t, slices.Concat([]byte("RIFF\xff\xff\xff\x00WEBP"), data))
	})
}
