package icc

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// embedded takes the profile out of a JPEG (ICC.1, B.4) or a PNG (PNG, 11.3.2.3).
func embedded(t testing.TB, file []byte) []byte {
	t.Helper()
	if bytes.HasPrefix(file, []byte("\x89PNG")) {
		return embeddedPNG(t, file)
	}
	var profile []byte
	for at := 2; at+4 <= len(file) && file[at] == 0xff && file[at+1] != 0xda; {
		n := int(binary.BigEndian.Uint16(file[at+2:]))
		body := file[at+4 : at+2+n]
		if file[at+1] == 0xe2 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")) {
			profile = append(profile, body[14:]...)
		}
		at += 2 + n
	}
	return profile
}

func embeddedPNG(t testing.TB, file []byte) []byte {
	t.Helper()
	for at := 8; at+12 <= len(file); {
		n := int(binary.BigEndian.Uint32(file[at:]))
		if string(file[at+4:at+8]) == "iCCP" {
			_, deflated, _ := bytes.Cut(file[at+8:at+8+n], []byte{0, 0})
			r, err := zlib.NewReader(bytes.NewReader(deflated))
			if err != nil {
				t.Fatal(err)
			}
			profile, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return profile
		}
		at += 12 + n
	}
	return nil
}

// deviceValues are those of a pixel.
func deviceValues(img image.Image, x, y int) []uint16 {
	if inks, ok := img.(*image.CMYK); ok {
		c := inks.CMYKAt(x, y)
		return []uint16{uint16(c.C) * 257, uint16(c.M) * 257, uint16(c.Y) * 257, uint16(c.K) * 257}
	}
	if _, ok := img.(*image.YCbCr); ok {
		// In whole bytes, rounded, as the file's allowance was found with.
		r, g, b, _ := img.At(x, y).RGBA()
		return []uint16{uint16((r + 128) / 257 * 257), uint16((g + 128) / 257 * 257), uint16((b + 128) / 257 * 257)}
	}
	c := color.NRGBA64Model.Convert(img.At(x, y)).(color.NRGBA64)
	return []uint16{c.R, c.G, c.B}
}

// The patches of every file come out as they went in, as near as lcms brings
// them, and a code.
func TestPatches(t *testing.T) {
	dir := filepath.Join(mediatest.Photos(t), "icc")
	var expected struct {
		SRGB    [][3]int       `json:"srgb"`
		Allowed map[string]int `json:"lcms_roundtrip_max_err"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	for name, lcms := range expected.Allowed {
		file, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		tr := SRGB()
		if profile := embedded(t, file); profile != nil {
			if tr, err = Parse(profile); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
		}
		img, _, err := image.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		worst, got := 0, make([]uint8, 3)
		for i, want := range expected.SRGB {
			tr.Convert(got, deviceValues(img, i%6*64+32, i/6*64+32))
			for j := range got {
				worst = max(worst, apart(got[j], want[j]))
			}
		}
		t.Logf("%s: largest error %d, lcms %d", name, worst, lcms)
		allowed := lcms + 1
		if tr.Channels() == 4 {
			// lcms goes by a coarser table of its own; without that it is 2 more.
			allowed = lcms + 2
		}
		if worst > allowed {
			t.Errorf("%s: the largest error is %d, want at most %d", name, worst, allowed)
		}
	}
}
