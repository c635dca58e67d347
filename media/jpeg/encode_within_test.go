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
		"scene": paintScene(300, 200), "noise": paintNoise(200, 200), "gray": paintGray(200, 150),
		"smooth": paint(320, 200, func(x, y int) (r, g, b uint8) { return uint8(x / 2), uint8(y), uint8(x/4 + y/2) }),
		"lines":  paint(200, 200, func(x, y int) (r, g, b uint8) { return uint8(255 * (x * y % 7 / 5)), uint8(x), 40 }),
	}
	total, runs := 0.0, 0
	for name, img := range pictures {
		encodes, n := checkWithin(t, name, NewPlan(img, Halved), 25)
		total, runs = total+encodes, runs+n
	}
	if mean := total / float64(runs); mean > 3 {
		t.Errorf("got %.2f encodes on average, want 3 at most", mean)
	}
}

func TestWithinOverPhotos(t *testing.T) {
	for _, name := range []string{"kodak-1.png", "kodak-10.png"} {
		data := mediatest.Photo(t, "camera/"+name)
		src, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		img := image.NewRGBA(src.Bounds())
		draw.Draw(img, img.Rect, src, img.Rect.Min, draw.Src)
		encodes, runs := checkWithin(t, name, NewPlan(img, Halved), 8)
		if mean := encodes / float64(runs); mean > 2.5 {
			t.Errorf("%s: got %.2f encodes on average, want 2.5 at most", name, mean)
		}
	}
}

// checkWithin tries limits from what the worst quality takes to what the best
// does. It returns how much was done in all, measured in encodes.
func checkWithin(t *testing.T, name string, plan *Plan, limits int) (encodes float64, runs int) {
	t.Helper()
	const worst, best = 40, 90
	least, most := float64(len(plan.Encode(worst))), float64(len(plan.Encode(best)))
	for i := range limits {
		limit := int(least * math.Pow(most/least, float64(i)/float64(limits)))
		s := qualitySearch{plan: plan, limit: limit, worst: worst, high: tried{quality: best + 1}}
		data, size, err := s.run(t.Context())
		if err != nil || len(data) == 0 || size != len(data) || size > limit {
			t.Fatalf("%s in %d: got %d bytes, size %d and %v", name, limit, len(data), size, err)
		}
		quality := qualityOf(t, data)
		if next := len(plan.Encode(quality + 1)); next <= limit && size < limit*97/100 {
			t.Errorf("%s in %d: got %d bytes at quality %d, but the next takes %d", name, limit, size, quality, next)
		}
		if s.passes > 2*5 {
			t.Errorf("%s in %d: took %d passes, want no more than five encodes", name, limit, s.passes)
		}
		encodes += float64(s.passes) / 2
	}
	t.Logf("%s: %.2f encodes on average of %d", name, encodes/float64(limits), limits)
	return encodes, limits
}

func TestWithinAtItsEdges(t *testing.T) {
	plan := NewPlan(paintScene(120, 90), Full)
	worst, best := plan.Encode(40), plan.Encode(90)
	if data, size, err := plan.Within(t.Context(), len(best), 40, 90); err != nil || size != len(best) || len(data) != size {
		t.Errorf("got %d bytes and %v, want all %d of the best", size, err, len(best))
	}
	if data, _, err := plan.Within(t.Context(), len(worst), 40, 90); err != nil || string(data) != string(worst) {
		t.Errorf("got %d bytes and %v, want the worst, which just fits", len(data), err)
	}
	data, size, err := plan.Within(t.Context(), len(worst)-1, 40, 90)
	if err != nil || data != nil || size > len(worst) || size < len(worst)*98/100 {
		t.Errorf("got %d bytes, size %d and %v; want no data and about %d", len(data), size, err, len(worst))
	}
	if data, _, err := plan.Within(t.Context(), 1, 40, 90); err != nil || data != nil {
		t.Errorf("got %d bytes and %v; want none", len(data), err)
	}
}

func TestWithinEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := NewPlan(paintScene(8, 8), Full).Within(ctx, 1000, 40, 90); !errors.Is(err, context.Canceled) {
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
