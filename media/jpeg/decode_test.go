package jpeg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"testing"
)

// samplings are factors of H and V, and whether a decoder must read them.
var samplings = []struct {
	factors []byte
	odd     bool
}{
	{[]byte{0x11}, false}, {[]byte{0x22}, false}, {[]byte{0x41}, false}, {[]byte{0x34}, false},
	{[]byte{0x11, 0x11, 0x11}, false}, {[]byte{0x21, 0x11, 0x11}, false}, {[]byte{0x22, 0x11, 0x11}, false},
	{[]byte{0x12, 0x11, 0x11}, false}, {[]byte{0x41, 0x11, 0x11}, false}, {[]byte{0x42, 0x11, 0x11}, false},
	{[]byte{0x14, 0x11, 0x11}, false}, {[]byte{0x24, 0x11, 0x11}, false}, {[]byte{0x31, 0x11, 0x11}, false},
	{[]byte{0x13, 0x11, 0x11}, false}, {[]byte{0x32, 0x12, 0x11}, false}, {[]byte{0x22, 0x12, 0x12}, false},
	{[]byte{0x22, 0x21, 0x21}, false}, {[]byte{0x22, 0x21, 0x12}, false}, {[]byte{0x11, 0x22, 0x12}, false},
	{[]byte{0x11, 0x11, 0x22}, false}, {[]byte{0x11, 0x21, 0x11}, false}, {[]byte{0x12, 0x41, 0x11}, false},
	{[]byte{0x11, 0x11, 0x11, 0x11}, false}, {[]byte{0x22, 0x11, 0x11, 0x22}, false}, {[]byte{0x21, 0x11, 0x11, 0x21}, false},
	{[]byte{0x31, 0x21, 0x11}, true}, {[]byte{0x13, 0x12, 0x11}, true}, {[]byte{0x43, 0x12, 0x11}, true},
	{[]byte{0x01}, true}, {[]byte{0x51}, true}, {[]byte{0x11, 0x10, 0x11}, true}, {[]byte{0x11, 0x11}, true},
}

// reference makes the pixels of a film in floating point: the samples of its
// planes rounded, and then brought to the picture's size.
func (f *film) reference() [][]byte {
	rows := make([][]byte, f.Height)
	n := len(f.planes)
	for y := range rows {
		rows[y] = make([]byte, n*f.Width)
	}
	for i := range f.planes {
		p := &f.planes[i]
		samples := f.samples(p)
		for y := range f.Height {
			for x := range f.Width {
				rows[y][n*x+i] = byte(math.Round(p.at(samples, x, y)))
			}
		}
	}
	return rows
}

// samples are those of a plane, row by row, without what fills the last blocks.
func (f *film) samples(p *plane) [][]float64 {
	all := make([][]float64, 8*p.high)
	for y := range all {
		all[y] = make([]float64, 8*p.wide)
	}
	for by := range p.high {
		for bx := range p.wide {
			for i, v := range slowInverse(p.block(bx, by), float64(f.steps)) {
				all[8*by+i/8][8*bx+i%8] = math.Round(v)
			}
		}
	}
	return all
}

// at is the picture's value there: with weights of 3 to 1 where two pixels share
// a sample, otherwise that of the sample.
func (p *plane) at(samples [][]float64, x, y int) float64 {
	get := func(x, y int) float64 {
		return samples[min(max(y, 0), p.height-1)][min(max(x, 0), p.width-1)]
	}
	sx, sy := x/p.ratioH, y/p.ratioV
	fx, fy := sx, sy
	if p.ratioV == 2 && p.ratioH <= 2 {
		fy = sy - 1 + 2*(y%2)
	}
	if p.ratioH == 2 && p.ratioV <= 2 {
		fx = sx - 1 + 2*(x%2)
	}
	return (9*get(sx, sy) + 3*get(fx, sy) + 3*get(sx, fy) + get(fx, fy)) / 16
}

func checkRows(t *testing.T, got, want [][]byte, most int) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d", len(got), len(want))
	}
	for y := range got {
		for x := range got[y] {
			if d := int(got[y][x]) - int(want[y][x]); max(d, -d) > most {
				t.Fatalf("row %d, sample %d: got %d, want %d", y, x, got[y][x], want[y][x])
			}
		}
	}
}

// Every sampling, in every process, with and without restarts.
func TestSamplings(t *testing.T) {
	for _, s := range samplings {
		for _, interval := range []int{0, 1, 5} {
			for _, marker := range []byte{SOF0, SOF0 + 1, SOF2} {
				name := fmt.Sprintf("%x/SOF%d/interval %d", s.factors, marker-SOF0, interval)
				t.Run(name, func(t *testing.T) { checkSampling(t, s.factors, s.odd, marker, interval) })
			}
		}
	}
}

func checkSampling(t *testing.T, factors []byte, odd bool, marker byte, interval int) {
	t.Helper()
	if odd {
		f := Frame{Marker: marker, Precision: 8, Width: 9, Height: 9}
		for i, c := range factors {
			f.Components = append(f.Components, Component{ID: byte(i), H: int(c >> 4), V: int(c & 15)})
		}
		if f.Odd() == "" {
			t.Error("the frame is not odd, want it refused")
		}
		return
	}
	f := newFilm(marker, 61, 83, factors...)
	if odd := f.Odd(); odd != "" {
		t.Errorf("got %q, want nothing odd", odd)
	}
	f.interval = interval
	want := f.reference()
	files := map[string][]byte{"by component": f.whole(false)}
	blocks := 0
	for _, p := range f.planes {
		blocks += p.H * p.V
	}
	if blocks <= maxMCUBlocks {
		files["at once"] = f.whole(true)
	}
	if marker == SOF2 {
		files = map[string][]byte{"progressive": f.progressive()}
	}
	for name, data := range files {
		got, err := decodeRows(t, data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkRows(t, got, want, 1)
	}
}

// Sizes around every border of blocks and MCUs.
func TestSizes(t *testing.T) {
	for _, width := range []int{1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33} {
		for _, height := range []int{1, 2, 8, 9, 16, 17, 32, 33} {
			f := newFilm(SOF0, width, height, 0x22, 0x11, 0x12)
			want := f.reference()
			for _, interleaved := range []bool{true, false} {
				got, err := decodeRows(t, f.whole(interleaved))
				if err != nil {
					t.Fatalf("%d x %d: %v", width, height, err)
				}
				checkRows(t, got, want, 1)
			}
		}
	}
}

func TestTables(t *testing.T) {
	long := newFilm(SOF0, 40, 40, 0x21, 0x11, 0x11)
	long.table = longTable()
	wide := newFilm(SOF0, 40, 40, 0x21, 0x11, 0x11)
	wide.wide, wide.steps = true, 300
	for i := range wide.planes {
		for k := range wide.planes[i].coefs {
			wide.planes[i].coefs[k] /= 50
		}
	}
	fill := newFilm(SOF0, 16, 16, 0x11)
	again := newFilm(SOF0, 40, 40, 0x11, 0x11, 0x11)
	plain := again.begin().scan(0, 63, 0, 0, 0)
	plain.define(longTable())
	plain.steps = 99
	plain.segment(DQT, append([]byte{0}, bytes.Repeat([]byte{3}, 64)...))
	rows := map[string]struct {
		film *film
		data []byte
	}{
		"codes of 16 bits":        {long, long.whole(true)},
		"quantisation of 16 bits": {wide, wide.whole(true)},
		"fill bytes and junk":     {fill, bytes.ReplaceAll(fill.whole(true), []byte{0xff, SOS}, []byte{0, 1, 0xff, 0xff, 0xff, SOS})},
		"fill bytes at the end":   {fill, bytes.ReplaceAll(fill.whole(true), []byte{0xff, EOI}, []byte{0xff, 0xff, 0xff, EOI})},
		"tables between scans":    {again, plain.scan(0, 63, 0, 0, 1).scan(0, 63, 0, 0, 2).end()},
	}
	again.steps = 3
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			got, err := decodeRows(t, row.data)
			if err != nil {
				t.Fatal(err)
			}
			checkRows(t, got, row.film.reference(), 1)
		})
	}
}

// The quantisation that counts is the one at a component's first scan.
func TestQuantisationIsKept(t *testing.T) {
	f := newFilm(SOF2, 16, 16, 0x11)
	f.begin().scan(0, 0, 0, 0, 0)
	f.segment(DQT, append([]byte{0}, bytes.Repeat([]byte{200}, 64)...))
	got, err := decodeRows(t, f.scan(1, 63, 0, 0, 0).end())
	if err != nil {
		t.Fatal(err)
	}
	checkRows(t, got, f.reference(), 1)
}

// A file without Huffman tables means the usual ones.
func TestUsualTables(t *testing.T) {
	data := madeByStandard(t, 64, 48) // which writes just these
	want, err := decodeRows(t, data)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte{0xff, DHT})
	end := bytes.Index(data, []byte{0xff, SOS})
	got, err := decodeRows(t, slices.Delete(data, at, end))
	if err != nil {
		t.Fatal(err)
	}
	checkRows(t, got, want, 0)
}

func TestMemory(t *testing.T) {
	const slack = 8 << 10
	for name, data := range map[string][]byte{
		"streamed, 4:2:0": newFilm(SOF0, 1500, 400, 0x22, 0x11, 0x11).whole(true),
		"streamed, 4:4:4": newFilm(SOF0, 1500, 400, 0x11, 0x11, 0x11).whole(true),
		"streamed, gray":  newFilm(SOF0, 1500, 400, 0x22).whole(true),
		"by component":    newFilm(SOF0, 500, 400, 0x22, 0x11, 0x11).whole(false),
		"progressive":     newFilm(SOF2, 500, 400, 0x12, 0x11, 0x11).progressive(),
	} {
		t.Run(name, func(t *testing.T) {
			d, err := NewDecoder(data)
			if err != nil {
				t.Fatal(err)
			}
			width, height := d.Size()
			row := make([]byte, width*d.Components())
			ctx := t.Context()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range height {
				if err := d.ReadRow(ctx, row); err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			got, want := int64(after.TotalAlloc-before.TotalAlloc), d.Memory()
			if got < want || got > want+slack+want/50 {
				t.Errorf("allocated %d bytes, reckoned %d", got, want)
			}
		})
	}
}

// endsAfter is a context that ends when it has been asked a few times.
type endsAfter struct {
	context.Context
	left *int
}

func (c endsAfter) Err() error {
	if *c.left--; *c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestContextEnds(t *testing.T) {
	for name, data := range map[string][]byte{
		"streamed":    newFilm(SOF0, 64, 200, 0x22, 0x11, 0x11).whole(true),
		"progressive": newFilm(SOF2, 64, 200, 0x22, 0x11, 0x11).progressive(),
	} {
		for left := range 10 {
			d, err := NewDecoder(data)
			if err != nil {
				t.Fatal(err)
			}
			row := make([]byte, 3*64)
			n := 0
			for err == nil {
				err = d.ReadRow(endsAfter{t.Context(), &left}, row)
				n++
			}
			if again := d.ReadRow(t.Context(), row); !errors.Is(err, context.Canceled) || !errors.Is(again, context.Canceled) {
				t.Errorf("%s: got %v and then %v, want the context's error for ever", name, err, again)
			}
			if n > 200 {
				t.Errorf("%s: got all rows, want an end before", name)
			}
		}
	}
}

func TestRowOfWrongSize(t *testing.T) {
	d, err := NewDecoder(newFilm(SOF0, 8, 8, 0x11).whole(true))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.ReadRow(t.Context(), make([]byte, 7)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %v, want an error", err)
	}
}
