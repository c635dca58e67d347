package media

import (
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

func TestSniff(t *testing.T) {
	img := scene(8, 8)
	rows := []struct {
		name, data, format, mediaType, words string
	}{
		{"a JPEG", string(makeJPEG(t, img)), formatJPEG, "image/jpeg", ""},
		{"a PNG", string(makePNG(t, img)), formatPNG, "image/png", ""},
		{"a GIF", string(makeGIF(t, image.Pt(8, 8), frame(image.Rect(0, 0, 8, 8), color.White))), formatGIF, "image/gif", ""},
		{"a PDF", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "", "application/pdf", "a PDF (application/pdf)"},
		{"nothing", "", "", "", "an empty file"},
		{"a web page", "<!DOCTYPE html><html><body>hi</body></html>", "", "text/html", "a web page (text/html)"},
		{"a drawing", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`, "", "image/svg+xml", "an SVG drawing"},
		{"HEIC", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "", "image/heic", "a HEIC photo (image/heic); send it as a JPEG"},
		{"TIFF", "II*\x00\x08\x00\x00\x00\x00\x00", "", "image/tiff", "another kind of picture (image/tiff)"},
		{"a GIF of no known version", "GIF90a\x08\x00\x08\x00\x00\x00\x00;", "", "", ""},
		{"a PNG with line ends changed", strings.Replace(string(makePNG(t, img)), "\r\n", "\n", 1), "", "", "no known kind of file"},
		{"JPEG, arithmetic", string(jpegHeader(0xc9, 8, 8, 0x11)), "", "image/jpeg", "arithmetic coding"},
		{"JPEG, lossless", string(jpegHeader(0xc3, 8, 8, 0x11)), "", "image/jpeg", "lossless"},
		{"JPEG, hierarchical", string(jpegHeader(0xc5, 8, 8, 0x11)), "", "image/jpeg", "hierarchical"},
		{"JPEG, two components", string(jpegHeader(0xc0, 8, 8, 0x11, 0x11)), "", "image/jpeg", "2 components"},
		{"JPEG, sampling that does not divide", string(jpegHeader(0xc0, 8, 8, 0x31, 0x21, 0x11)), "", "image/jpeg", "sampling"},
		{"JPEG, impossible sampling", string(jpegHeader(0xc0, 8, 8, 0x51, 0x11, 0x11)), "", "image/jpeg", "sampling"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f, err := sniff([]byte(row.data), Default().Formats)
			if f.name != row.format {
				t.Errorf("got format %q, want %q", f.name, row.format)
			}
			if row.mediaType != "" && f.mediaType != row.mediaType {
				t.Errorf("got %q, want %q", f.mediaType, row.mediaType)
			}
			if row.format != "" {
				if err != nil {
					t.Errorf("got %v, want it accepted", err)
				}
				return
			}
			if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != UnsupportedType || !strings.Contains(r.Detail, row.words) {
				t.Errorf("got %v, want unsupported_type with %q", err, row.words)
			}
		})
	}
}

// Every sampling that our decoder refuses has to be refused by name here, or it
// would be called damaged.
func TestSamplingAgreesWithTheDecoder(t *testing.T) {
	step := 1
	if raceEnabled {
		step = 3
	}
	for y := 0; y < 256; y += step {
		for c := range 256 {
			data := jpegHeader(jpeg.SOF0, 16, 16, byte(y), byte(c), byte(c))
			_, err := jpeg.NewDecoder(append(data, scan(1, 0, 63, 0)...))
			if odd := oddJPEG(data) != ""; odd != (err != nil) {
				t.Fatalf("sampling %#x and %#x: named odd %v, the decoder says %v", y, c, odd, err)
			}
		}
	}
}

// What cannot be sent either is no advice.
func TestAdvice(t *testing.T) {
	heic := []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")
	for formats, want := range map[string]string{
		"jpeg,png": "a HEIC photo (image/heic); send it as a JPEG; accepted are jpeg, png",
		"png":      "a HEIC photo (image/heic); accepted are png",
	} {
		_, err := sniff(heic, strings.Split(formats, ","))
		if r, ok := errors.AsType[*Rejection](err); !ok || r.Detail != want {
			t.Errorf("%s: got %v, want %q", formats, err, want)
		}
	}
}

func TestFormatsAreSwitchedOff(t *testing.T) {
	s := Default()
	s.Formats = []string{formatPNG}
	_, err := Develop(t.Context(), makeJPEG(t, scene(8, 8)), s, nil)
	if r, ok := errors.AsType[*Rejection](err); !ok || r.Detail != "a JPEG (image/jpeg); accepted are png" || r.Source.Type != "image/jpeg" {
		t.Errorf("got %v, want a JPEG refused by name", err)
	}
}
