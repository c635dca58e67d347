package media

import (
	"bytes"
	stdjpeg "image/jpeg"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

func TestCheck(t *testing.T) {
	target := Target{MaxBytes: 30_000, Side: 240}
	p, err := encode(t.Context(), scene(240, 160), target, jpeg.Halved)
	if err != nil {
		t.Fatal(err)
	}
	good := p.Data
	sof := bytes.Index(good, []byte{0xff, jpeg.SOF0})
	end := len(good) - 2
	insert := func(at int, what []byte) []byte { return slices.Insert(slices.Clone(good), at, what...) }
	change := func(at int, to byte) []byte {
		b := slices.Clone(good)
		b[at] = to
		return b
	}
	rows := []struct {
		name   string
		change func(p *Picture)
		want   string
	}{
		{"as it was made", func(*Picture) {}, ""},
		{"restart markers in the scan", func(p *Picture) { p.Data = insert(end, []byte{0xff, jpeg.RST0}) }, "in the scan"},
		{"too many bytes", func(p *Picture) { p.Data = append(slices.Clone(good), make([]byte, 30_000)...) }, "the limit is 30000"},
		{"too wide", func(p *Picture) { p.Width = 241 }, "the limit is 240"},
		{"no height", func(p *Picture) { p.Height = 0 }, "240 x 0"},
		{"another width", func(p *Picture) { p.Width = 239 }, "not 239 x 160"},
		{"empty", func(p *Picture) { p.Data = nil }, "not a JPEG"},
		{"another kind", func(p *Picture) { p.Data = []byte("GIF89a") }, "not a JPEG"},
		{"a byte behind the end", func(p *Picture) { p.Data = append(slices.Clone(good), 0) }, "behind the end"},
		{"a second picture behind the end", func(p *Picture) { p.Data = slices.Concat(good, good) }, "behind the end"},
		{"JFIF", func(p *Picture) { p.Data = insert(2, segment(jpeg.APP0, []byte("JFIF\x00\x01\x02"))) }, "0xe0"},
		{"EXIF", func(p *Picture) { p.Data = insert(2, segment(jpeg.APP1, []byte(exifPrefix))) }, "0xe1"},
		{"a comment", func(p *Picture) { p.Data = insert(sof, segment(jpeg.COM, []byte("hello"))) }, "0xfe"},
		{"a comment behind the scan", func(p *Picture) { p.Data = insert(end, segment(jpeg.COM, []byte("hello"))) }, "0xfe"},
		{"a restart interval", func(p *Picture) { p.Data = insert(2, segment(jpeg.DRI, []byte{0, 1})) }, "0xdd"},
		{"bytes between segments", func(p *Picture) { p.Data = insert(2, []byte("hello")) }, "between"},
		{"fill bytes", func(p *Picture) { p.Data = insert(2, []byte{0xff, 0xff}) }, "between"},
		{"progressive", func(p *Picture) { p.Data = change(sof+1, jpeg.SOF2) }, "0xc2"},
		{"12 bits", func(p *Picture) { p.Data = change(sof+4, 12) }, "not as our encoder"},
		{"other sampling", func(p *Picture) { p.Data = change(sof+11, 0x11) }, "not as our encoder"},
		{"another table", func(p *Picture) { p.Data = change(sof+12, 4) }, "not as our encoder"},
		{"a third name of a table", func(p *Picture) { p.Data = change(6, 2) }, "not as our encoder"},
		{"a code of its own", func(p *Picture) { p.Data = change(sof+30, 9) }, "not as our encoder"},
		{"more tables", func(p *Picture) { p.Data = insert(sof, segment(jpeg.DQT, make([]byte, 65))) }, "0xdb stands where"},
		{"a longer table", func(p *Picture) {
			p.Data = slices.Replace(slices.Clone(good), 2, sof, segment(jpeg.DQT, make([]byte, 195))...)
		}, "195 bytes"},
		{"a scan of less", func(p *Picture) { p.Data = change(bytes.Index(good, []byte{0xff, jpeg.SOS})+4, 1) }, "not as our encoder"},
		{"two frames", func(p *Picture) { p.Data = insert(sof, good[sof:sof+19]) }, "0xc0"},
		{"no frame", func(p *Picture) { p.Data = slices.Delete(slices.Clone(good), sof, sof+19) }, "0xc0 belongs"},
		{"no end", func(p *Picture) { p.Data = good[:end] }, "end marker"},
		{"tables only", func(p *Picture) { p.Data = append(slices.Clone(good[:sof]), 0xff, jpeg.EOI) }, "0xd9 stands where"},
		{"cut in a table", func(p *Picture) { p.Data = good[:40] }, "0 bytes"},
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

func FuzzCheck(f *testing.F) {
	f.Add(makeJPEG(f, scene(8, 8)))
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
