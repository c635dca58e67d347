package media

import (
	"bytes"
	stdjpeg "image/jpeg"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

// What the segments may be is tested where they are written.
func TestCheck(t *testing.T) {
	target := Target{MaxBytes: 30_000, Side: 240}
	p, err := encode(t.Context(), planesOf(scene(240, 160), half()), target)
	if err != nil {
		t.Fatal(err)
	}
	good := p.Data
	rows := []struct {
		name   string
		change func(p *Picture)
		want   string
	}{
		{"as it was made", func(*Picture) {}, ""},
		{"too many bytes", func(p *Picture) { p.Data = append(slices.Clone(good), make([]byte, 30_000)...) }, "the limit is 30000"},
		{"too wide", func(p *Picture) { p.Width = 241 }, "the limit is 240"},
		{"no height", func(p *Picture) { p.Height = 0 }, "240 x 0"},
		{"another width", func(p *Picture) { p.Width = 239 }, "not 239 x 160"},
		{"another height", func(p *Picture) { p.Height = 161 }, "not 240 x 161"},
		{"empty", func(p *Picture) { p.Data = nil }, "not a JPEG"},
		{"another kind", func(p *Picture) { p.Data = []byte("GIF89a") }, "not a JPEG"},
		{"a byte behind the end", func(p *Picture) { p.Data = append(slices.Clone(good), 0) }, "end marker"},
		{"EXIF", func(p *Picture) { p.Data = withSegments(good, segment(jpeg.APP1, []byte(exifPrefix))) }, "0xe1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			changed := p
			row.change(&changed)
			err := changed.Check(target)
			if row.want == "" && err != nil {
				t.Errorf("got %v, want no error", err)
			}
			if row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
		})
	}
}

// No bit of the header can be another, but where a code gives a symbol another
// word, or where the sampling is that of another picture of ours.
func TestCheckSeesEveryChangeOfTheHeader(t *testing.T) {
	target := Target{MaxBytes: 30_000, Side: 240}
	p, err := encode(t.Context(), planesOf(scene(240, 160), half()), target)
	if err != nil {
		t.Fatal(err)
	}
	codes := bytes.Index(p.Data, []byte{0xff, jpeg.DHT}) + 4
	scan := bytes.Index(p.Data, []byte{0xff, jpeg.SOS})
	sampling := bytes.Index(p.Data, []byte{0xff, jpeg.SOF0}) + 11
	for at := range scan + 14 {
		if at >= codes && at < scan || at == sampling {
			continue
		}
		for bit := range 8 {
			bad := p
			bad.Data = slices.Clone(p.Data)
			bad.Data[at] ^= 1 << bit
			if bad.Check(target) == nil {
				t.Errorf("byte %d as %#x passes", at, bad.Data[at])
			}
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(jpeg.Encode(planesOf(scene(8, 8), full()), 90))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := Picture{Data: data, Width: 8, Height: 8}
		if p.Check(Default().Preview) != nil {
			return
		}
		c, err := stdjpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.Width != 8 || c.Height != 8 || !bytes.HasSuffix(data, []byte{0xff, jpeg.EOI}) {
			t.Errorf("passed, but a decoder says %+v and %v", c, err)
		}
	})
}
