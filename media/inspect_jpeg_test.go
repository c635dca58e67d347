package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

func judge(data []byte) (*header, error) {
	f := identify(data)
	return inspect(data, f, Default())
}

// progressive is a progressive JPEG of one component with the given scans.
func progressive(width, height uint16, scans ...[]byte) []byte {
	return slices.Concat(jpegHeader(jpeg.SOF2, width, height, 0x11), slices.Concat(scans...), []byte{0xff, jpeg.EOI})
}

func repeat(b []byte, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = b
	}
	return all
}

func TestInspectJPEG(t *testing.T) {
	whole := makeJPEG(t, scene(64, 48))
	dc := scan(1, 0, 0, 0)
	junk := segment(jpeg.COM, make([]byte, 100))
	rows := []struct {
		name   string
		data   []byte
		reason Reason
		words  string
	}{
		{"whole", whole, "", ""},
		{"bytes behind the end", append(slices.Clone(whole), "PK\x03\x04 and more"...), "", ""},
		{"fill bytes", slices.Concat(whole[:2], []byte{0xff, 0xff, 0xff}, whole[2:]), "", ""},
		{"two starts", slices.Concat(whole[:2], whole), Corrupt, "second start"},
		{"junk between segments", slices.Concat(whole[:136], []byte("junk"), whole[136:]), "", ""},
		{"a hundred million pixels", progressive(10_000, 10_000, dc), "", ""},
		{"one row more", jpegHeader(jpeg.SOF0, 10_000, 10_001, 0x11), TooManyPixels, "100,010,000; the limit is 100,000,000"},
		{"the largest there is", jpegHeader(jpeg.SOF0, 65_535, 65_535, 0x22, 0x11, 0x11), TooManyPixels, "4,294 million"},
		{"a hundred scans", progressive(8, 8, repeat(dc, 100)...), "", ""},
		{"one scan more", progressive(8, 8, repeat(dc, 101)...), TooComplex, "101 scans; the limit is 100"},
		{"ten scans of fifty million", progressive(10_000, 5_000, repeat(dc, 20)...), "", ""},
		{"one scan more of fifty million", progressive(10_000, 5_000, repeat(dc, 21)...), TooComplex, "1,050 million"},
		{"progressive, a hundred million pixels", progressive(10_000, 10_000, dc), "", ""},
		{"too many segments", withSegments(whole, repeat(junk, maxParts+1)...), TooComplex, "more than 50,000 parts"},
		{"many segments", withSegments(whole, repeat(junk, 1000)...), "", ""},
		{"no height", jpegHeader(jpeg.SOF0, 8, 0, 0x11), Corrupt, "8 x 0 pixels"},
		{"two frames", slices.Concat(jpegHeader(jpeg.SOF0, 8, 8, 0x11), jpegHeader(jpeg.SOF0, 8, 8, 0x11)[2:]), Corrupt, "second frame"},
		{"a scan before the frame", slices.Concat([]byte{0xff, jpeg.SOI}, dc), Corrupt, "before the frame"},
		{"a scan of no component", progressive(8, 8, scan(9, 0, 0, 0)), Corrupt, "no component"},
		{"no scan for a component", slices.Concat(jpegHeader(jpeg.SOF2, 8, 8, 0x11, 0x11, 0x11), dc, []byte{0xff, jpeg.EOI}), Corrupt, "cut off"},
		{"cut off before the frame", whole[:20], Corrupt, "cut off"},
		{"without its end, whole otherwise", whole[:len(whole)-2], "", ""},
		{"without its end, and another behind it", slices.Concat(withoutEnd(whole), whole), "", ""},
		{"without half its end", whole[:len(whole)-1], "", ""},
		{"progressive and without its end", withoutEnd(progressive(8, 8, dc, scan(1, 1, 63, 0))), "", ""},
		{"progressive, ends before all bits came", withoutEnd(progressive(8, 8, dc, scan(1, 1, 63, 1))), Corrupt, "cut off"},
		{"progressive, ends before all coefficients came", withoutEnd(progressive(8, 8, dc, scan(1, 1, 5, 0))), Corrupt, "cut off"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := judge(row.data)
			checkVerdict(t, err, row.reason, row.words)
		})
	}
}

// The walk counts whatever the decoder would read: nothing between two scans may
// end the one and not the other.
func TestNothingHidesScans(t *testing.T) {
	dc := scan(1, 0, 0, 0)
	for name, between := range map[string][]byte{
		"a second start":    {0xff, jpeg.SOI},
		"an unknown marker": segment(0x02, nil),
		"a second frame":    jpegHeader(jpeg.SOF2, 8, 8, 0x11)[2:],
		"a broken scan":     scan(9, 0, 0, 0),
		"no height":         segment(jpeg.DNL, []byte{0, 8}),
	} {
		data := progressive(8, 8, slices.Concat([][]byte{dc, between}, repeat(dc, 100))...)
		_, err := judge(data)
		if !isRejected(err, TooComplex) {
			t.Errorf("%s before a hundred scans: got %v, want too_complex", name, err)
		}
	}
}

func withoutEnd(data []byte) []byte { return data[:len(data)-2] }

func checkVerdict(t *testing.T, err error, reason Reason, words string) {
	t.Helper()
	if reason == "" {
		if err != nil {
			t.Errorf("got %v, want no verdict against it", err)
		}
		return
	}
	if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != reason || !strings.Contains(r.Detail, words) {
		t.Errorf("got %v, want %s with %q", err, reason, words)
	}
}

// A cut anywhere is either seen, or has cost nothing but the end marker.
func TestCutJPEGIsNeverShownInPart(t *testing.T) {
	whole := makeJPEG(t, noise(24, 16))
	for end := range len(whole) - 2 {
		if _, err := Develop(t.Context(), whole[:end], Default(), nil); !isRejected(err, Corrupt) && !isRejected(err, UnsupportedType) {
			t.Fatalf("cut to %d of %d bytes: got %v, want a rejection", end, len(whole), err)
		}
	}
	d, err := Develop(t.Context(), withoutEnd(whole), Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Develop(t.Context(), whole, Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.Preview.Data, want.Preview.Data) {
		t.Error("the picture without its end marker is not the picture")
	}
}

// What stands behind the first scan says nothing: decoders have begun by then.
func TestJPEGSegmentsBehindTheScan(t *testing.T) {
	whole := makeJPEG(t, scene(24, 16))
	adobe := segment(jpeg.APP14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00"))
	turned := segment(jpeg.APP1, append([]byte(exifPrefix), exif(binary.BigEndian, exifShort, 1, 6)...))
	want, err := Develop(t.Context(), whole, Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Develop(t.Context(), slices.Concat(withoutEnd(whole), adobe, turned, []byte{0xff, jpeg.EOI}), Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Preview.Data, want.Preview.Data) {
		t.Error("segments behind the picture changed it")
	}
}

// What the samples stand for is said by two segments, or by the names of the
// components.
func TestJPEGIsLuma(t *testing.T) {
	jfif := segment(jpeg.APP0, []byte("JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"))
	adobe := func(transform byte) []byte {
		return segment(jpeg.APP14, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), transform))
	}
	rows := []struct {
		name       string
		components string
		segments   [][]byte
		want       bool
	}{
		{"gray", "\x01", nil, false},
		{"no word about it", "\x01\x02\x03", nil, true},
		{"JFIF", "\x01\x02\x03", [][]byte{jfif}, true},
		{"JFIF and Adobe", "\x01\x02\x03", [][]byte{jfif, adobe(0)}, true},
		{"Adobe RGB", "\x01\x02\x03", [][]byte{adobe(0)}, false},
		{"Adobe YCC", "\x01\x02\x03", [][]byte{adobe(1)}, true},
		{"named RGB", "RGB", nil, false},
		{"named RGB, with a JFIF", "RGB", [][]byte{jfif}, true},
		{"inks", "\x01\x02\x03\x04", nil, false},
		{"Adobe's inks", "\x01\x02\x03\x04", [][]byte{adobe(0)}, false},
		{"Adobe's inks as luma", "\x01\x02\x03\x04", [][]byte{adobe(2)}, true},
		{"Adobe's inks as something else", "\x01\x02\x03\x04", [][]byte{adobe(1)}, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := &jpegWalk{head: &header{}, adobe: -1}
			for _, id := range []byte(row.components) {
				w.frame.Components = append(w.frame.Components, jpeg.Component{ID: id, H: 1, V: 1})
			}
			for _, s := range row.segments {
				w.Segments = jpeg.Segments{Data: slices.Concat([]byte{0xff, jpeg.SOI}, s), Pos: 2}
				if !w.Next() {
					t.Fatal("no segment")
				}
				w.application()
			}
			if got := w.luma(); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func FuzzInspectJPEG(f *testing.F) {
	f.Add(makeJPEG(f, scene(8, 8)))
	f.Add(progressive(8, 8, scan(1, 0, 0, 0)))
	f.Add(turnedJPEG(makeJPEG(f, scene(8, 8)), 6))
	seeds(f, "\xff\xd8\xff", "jpg", "jpeg")
	f.Fuzz(func(t *testing.T, data []byte) { checkWalk(t, append([]byte("\xff\xd8\xff"), data...)) })
}

// checkWalk checks what is promised of every walk over any bytes: it ends, and
// what it accepts makes sense.
func checkWalk(t *testing.T, data []byte) {
	head, err := judge(data)
	if _, ok := errors.AsType[*Rejection](err); err != nil && !ok {
		t.Errorf("a fault, not a verdict: %v", err)
	}
	if err == nil && (head.width < 1 || head.height < 1 || head.orientation < 1 || head.orientation > 8 || head.memory < 1 || head.decoder == nil || head.channels < 1) {
		t.Errorf("accepted with %d x %d pixels, orientation %d, %d bytes", head.width, head.height, head.orientation, head.memory)
	}
}
