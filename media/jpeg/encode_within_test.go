package jpeg

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/draw"
	"image/png"
	"math"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// qualityOf finds the quality that has a file's tables.
func qualityOf(t *testing.T, data []byte) int {
	t.Helper()
	body, _, err := cutSegment(data[2:], DQT)
	if err != nil {
		t.Fatal(err)
	}
	for q := 100; q > 0; q-- {
		if string(quantBody(stepTables(q)[:1])) == string(body[:65]) {
			return q
		}
	}
	t.Fatal("no quality has these tables")
	return 0
}

func TestWithinUsesItsLimit(t *testing.T) {
	pictures := map[string]*image.RGBA{
		"scene": paintScene(240, 160), "noise": paintNoise(120, 120), "gray": paintGray(200, 150),
		"smooth": paint(240, 150, func(x, y int) (r, g, b uint8) { return uint8(x / 2), uint8(y), uint8(x/4 + y/2) }),
		"lines":  paint(150, 150, func(x, y int) (r, g, b uint8) { return uint8(255 * (x * y % 7 / 5)), uint8(x), 40 }),
	}
	tries, runs := 0, 0
	for name, img := range pictures {
		tries += checkWithin(t, name, planesOf(img, Halved), 15)
		runs += 15
	}
	if mean := float64(tries) / float64(runs); mean > 5 {
		t.Errorf("got %.2f tries on average, want 5 at most", mean)
	}
}

func TestWithinOverPhotos(t *testing.T) {
	withoutRace(t)
	for _, name := range []string{"kodak-1.png", "kodak-10.png"} {
		data := mediatest.Photo(t, "camera/"+name)
		src, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		img := image.NewRGBA(src.Bounds())
		draw.Draw(img, img.Rect, src, img.Rect.Min, draw.Src)
		if mean := float64(checkWithin(t, name, planesOf(img, Halved), 6)) / 6; mean > 4 {
			t.Errorf("%s: got %.2f tries on average, want 4 at most", name, mean)
		}
	}
}

// checkWithin tries limits from what the worst quality takes to what the best
// does. It returns how many qualities were tried in all.
func checkWithin(t *testing.T, name string, p *Planes, limits int) (tries int) {
	t.Helper()
	const worst, best = 40, 90
	least, most := float64(len(Encode(p, worst))), float64(len(Encode(p, best)))
	for i := range limits {
		limit := int(least * math.Pow(most/least, float64(i)/float64(limits)))
		s := newSearch(p, limit, worst, best)
		data, size, err := s.run(t.Context())
		if err != nil || len(data) == 0 || size != len(data) || size > limit {
			t.Fatalf("%s in %d: got %d bytes, size %d and %v", name, limit, len(data), size, err)
		}
		quality := qualityOf(t, data)
		if !bytes.Equal(data, Encode(p, quality)) {
			t.Errorf("%s in %d: got another file than that of quality %d", name, limit, quality)
		}
		if next := len(Encode(p, quality+1)); next <= limit && size < limit*97/100 {
			t.Errorf("%s in %d: got %d bytes at quality %d, but the next takes %d", name, limit, size, quality, next)
		}
		if s.tries > 9 {
			t.Errorf("%s in %d: took %d tries, want no more than nine", name, limit, s.tries)
		}
		tries += s.tries
	}
	t.Logf("%s: %.2f tries on average of %d", name, float64(tries)/float64(limits), limits)
	return tries
}

func TestWithinAtItsEdges(t *testing.T) {
	p := planesOf(paintScene(120, 90), Full)
	worst, best := Encode(p, 40), Encode(p, 90)
	if data, size, err := Within(t.Context(), p, len(best), 40, 90); err != nil || size != len(best) || !bytes.Equal(data, best) {
		t.Errorf("got %d bytes and %v, want all %d of the best", size, err, len(best))
	}
	if data, _, err := Within(t.Context(), p, len(worst), 40, 90); err != nil || !bytes.Equal(data, worst) {
		t.Errorf("got %d bytes and %v, want the worst, which just fits", len(data), err)
	}
	for _, limit := range []int{len(worst) - 1, len(worst) / 2, 1, 0} {
		data, size, err := Within(t.Context(), p, limit, 40, 90)
		if err != nil || data != nil || size > len(worst) || size < len(worst)*98/100 {
			t.Errorf("in %d: got %d bytes, size %d and %v; want no data and about %d", limit, len(data), size, err, len(worst))
		}
	}
}

// halves is plain in one half and noise in the other.
func halves(noise func(y int) bool) *Planes {
	p := planesOf(paintNoise(256, 256), Halved)
	for y := range 256 {
		if !noise(y) {
			clear(p.Y.Row(y))
			clear(p.Cb.Row(y / 2))
			clear(p.Cr.Row(y / 2))
		}
	}
	return p
}

// A quality that surely does not fit is not counted to the end, and what it would
// take is guessed well, wherever in the picture the bytes are.
func TestWithinGivesUpEarly(t *testing.T) {
	for name, p := range map[string]*Planes{
		"noise":           planesOf(paintNoise(256, 256), Halved),
		"scene":           planesOf(paintScene(256, 256), Halved),
		"noise at first":  halves(func(y int) bool { return y < 128 }),
		"noise at last":   halves(func(y int) bool { return y >= 128 }),
		"noise in strips": halves(func(y int) bool { return y/64%2 == 0 }),
	} {
		e := newEncoder(p)
		want := e.code(90, 1<<30, true).size
		for _, limit := range []int{want / 20, want / 4, want / 2, want * 9 / 10, want - 1} {
			estimated, exact := e.code(90, limit, false).size, e.code(90, limit, true).size
			if estimated <= limit || estimated < want*7/10 || estimated > want*13/10 {
				t.Errorf("%s in %d: estimated %d bytes, want about %d", name, limit, estimated, want)
			}
			if exact != want {
				t.Errorf("%s in %d: counted %d bytes, want %d", name, limit, exact, want)
			}
		}
		quantisers := []*quantiser{newQuantiser(ones(), 0), newQuantiser(ones(), colourSlots)}
		if rows := e.count(quantisers, want/4); name == "noise" && rows > e.rows()/2 {
			t.Errorf("%s: counted %d of %d rows for a quarter of the bytes", name, rows, e.rows())
		}
	}
}

func TestWithinEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Within(ctx, planesOf(paintScene(8, 8), Full), 1000, 40, 90); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestLog2(t *testing.T) {
	for _, n := range []int{1, 2, 3, 100, 1023, 1024, 3_000_000, 1 << 40} {
		if got, want := log2(n), math.Floor(1024*math.Log2(float64(n))+1e-6); float64(got) != want {
			t.Errorf("%d: got %d, want %.0f", n, got, want)
		}
	}
}
