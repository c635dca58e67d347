package jpeg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime"
	"testing"
)

// Every way to code the same coefficients gives the same planes at every scale, and
// these are what the definition says of each block.
func TestPlanesAtEveryScale(t *testing.T) {
	for _, factors := range [][]byte{{0x11}, {0x11, 0x11, 0x11}, {0x22, 0x11, 0x11}, {0x21, 0x11, 0x11}, {0x12, 0x11, 0x11}, {0x41, 0x11, 0x11}, {0x22, 0x21, 0x12, 0x11}} {
		for side := 1; side <= 8; side++ {
			width, height := 45, 35
			baseline := newFilm(SOF0, width, height, factors...)
			progressive := newFilm(SOF2, width, height, factors...)
			files := map[string][]byte{
				"in one scan":  baseline.whole(true),
				"in scans":     newFilm(SOF0, width, height, factors...).whole(false),
				"progressive":  progressive.progressive(),
				"and restarts": restarted(width, height, factors),
			}
			for name, data := range files {
				t.Run(fmt.Sprintf("%x at %d %s", factors, side, name), func(t *testing.T) {
					checkPlanes(t, data, side, baseline)
				})
			}
		}
	}
}

func restarted(width, height int, factors []byte) []byte {
	f := newFilm(SOF0, width, height, factors...)
	f.interval = 3
	return f.whole(true)
}

func checkPlanes(t *testing.T, data []byte, side int, f *film) {
	t.Helper()
	d, err := NewDecoder(data)
	if err != nil {
		t.Fatal(err)
	}
	d.Scale(side)
	width, height := d.Size()
	if width != ceil(f.Width*side, 8) || height != ceil(f.Height*side, 8) {
		t.Fatalf("got %d x %d pixels", width, height)
	}
	planes, rows, err := d.ReadPlanes(t.Context())
	if err != nil || rows != height || len(planes) != len(f.planes) {
		t.Fatalf("got %d planes of %d rows and %v, want %d of %d", len(planes), rows, err, len(f.planes), height)
	}
	for i, got := range planes {
		p := &f.planes[i]
		if got.Width != ceil(width, p.ratioH) || got.Height != ceil(height, p.ratioV) {
			t.Errorf("component %d of %d x %d samples is %d x %d at %d eighths", i, p.width, p.height, got.Width, got.Height, side)
		}
		for by := range p.down() {
			for bx := range p.across() {
				f.checkBlock(t, got, i, image.Pt(bx, by), side)
			}
		}
	}
}

// checkBlock compares the samples of a block with what the definition says.
func (f *film) checkBlock(t *testing.T, got Plane, component int, at image.Point, side int) {
	t.Helper()
	c := *f.planes[component].block(at.X, at.Y)
	for i := range c {
		c[i] *= int16(f.steps)
	}
	for y, row := range slowScaled(&c, side) {
		for x, want := range row {
			x, y := at.X*side+x, at.Y*side+y
			if x >= got.Width || y >= got.Height {
				continue
			}
			if v := got.Row(y)[x]; math.Abs(float64(v)-want) > 0.75 {
				t.Fatalf("component %d at %d, %d: got %d, want %.2f", component, x, y, v, want)
			}
		}
	}
}

// What is cut off or damaged gives as many rows as there are, and the same reason,
// whether rows or planes are asked for.
func TestPlanesOfDamage(t *testing.T) {
	for name, whole := range map[string][]byte{
		"baseline": newFilm(SOF0, 64, 64, 0x22, 0x11, 0x11).whole(true), "in scans": newFilm(SOF0, 64, 64, 0x22, 0x11, 0x11).whole(false),
		"progressive": newFilm(SOF2, 64, 64, 0x22, 0x11, 0x11).progressive(),
	} {
		for end := 400; end < len(whole)-2; end += 37 {
			d, err := NewDecoder(whole[:end])
			if err != nil {
				continue
			}
			rows, why := 0, error(nil)
			for row := make([]byte, 3*64); why == nil; rows++ {
				why = d.ReadRow(t.Context(), row)
			}
			for _, side := range []int{8, 4, 1} {
				e, err := NewDecoder(whole[:end])
				if err != nil {
					t.Fatal(err)
				}
				e.Scale(side)
				_, got, err := e.ReadPlanes(t.Context())
				if !errors.Is(err, ErrCutOff) || fmt.Sprint(err) != fmt.Sprint(why) || got*8/side != rows-1 {
					t.Errorf("%s, %d bytes, %d eighths: got %d rows and %v, want %d and %v", name, end, side, got*8/side, err, rows-1, why)
				}
			}
		}
	}
}

func TestPlanesMemory(t *testing.T) {
	for name, data := range map[string][]byte{
		"streamed": newFilm(SOF0, 1000, 800, 0x22, 0x11, 0x11).whole(true), "progressive": newFilm(SOF2, 1000, 800, 0x22, 0x11, 0x11).progressive(),
	} {
		for _, side := range []int{1, 2, 5, 8} {
			d, err := NewDecoder(data)
			if err != nil {
				t.Fatal(err)
			}
			d.Scale(side)
			want, ctx := d.PlanesMemory(), t.Context()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, _, err := d.ReadPlanes(ctx); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			const slack = 64 << 10
			if got := int64(after.TotalAlloc - before.TotalAlloc); got < want || got > want+slack+want/50 {
				t.Errorf("%s at %d eighths: allocated %d bytes, reckoned %d", name, side, got, want)
			}
		}
	}
}

func TestPlanesEndWithTheContext(t *testing.T) {
	for _, data := range [][]byte{newFilm(SOF0, 64, 64, 0x11).whole(true), newFilm(SOF2, 64, 64, 0x11).progressive()} {
		d, err := NewDecoder(data)
		if err != nil {
			t.Fatal(err)
		}
		left := 3
		if planes, _, err := d.ReadPlanes(endsAfter{t.Context(), &left}); !errors.Is(err, context.Canceled) || planes != nil {
			t.Errorf("got %v, want the context's end", err)
		}
	}
}

// FuzzPlanes wants the same verdict at every scale, and as many rows, as the rows of
// full size have.
func FuzzPlanes(f *testing.F) {
	for _, data := range smallFilms() {
		f.Add(data, byte(3))
	}
	f.Add(newFilm(SOF2, 40, 30, 0x22, 0x11, 0x11).progressive(), byte(1))
	f.Fuzz(func(t *testing.T, data []byte, eighths byte) {
		d, err := NewDecoder(data)
		if err != nil {
			return
		}
		width, height := d.Size()
		if width*height > 1<<18 || bytes.Count(data, []byte{0xff, SOS}) > 20 {
			return
		}
		full, why := d.rowsLeft(t)
		e, err := NewDecoder(data)
		if err != nil {
			t.Fatal(err)
		}
		e.Scale(1 + int(eighths&7))
		planes, rows, err := e.ReadPlanes(t.Context())
		if fmt.Sprint(err) != fmt.Sprint(why) || rows != min(ceil(len(full)*e.side, 8), e.height) {
			t.Fatalf("at %d eighths got %d rows and %v, want those of %d and %v", e.side, rows, err, len(full), why)
		}
		for i, p := range planes {
			if c := &e.planes[i]; p.Width != ceil(e.width, c.ratioH) || p.Height != ceil(e.height, c.ratioV) || len(p.Pix) < p.Stride*p.Height {
				t.Fatalf("component %d is %d x %d with %d samples", i, p.Width, p.Height, len(p.Pix))
			}
		}
	})
}
