package jpeg

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

// cosines are C(u)/2 * cos((2x+1)u*pi/16) of T.81, A.3.3, at 8x+u.
var cosines = sync.OnceValue(func() (c [64]float64) {
	for i := range c {
		c[i] = math.Cos(float64((2*(i/8)+1)*(i%8))*math.Pi/16) / 2
		if i%8 == 0 {
			c[i] = math.Sqrt2 / 4
		}
	}
	return c
})

// slowInverse is the inverse transform by its definition, shifted and kept within 8
// bits, not rounded.
func slowInverse(c *block, step float64) (out [64]float64) {
	var rows [64]float64
	cosine := cosines()
	for v := range 8 {
		for x := range 8 {
			for u := range 8 {
				rows[8*v+x] += cosine[8*x+u] * float64(c[8*v+u]) * step
			}
		}
	}
	for y := range 8 {
		for x := range 8 {
			s := 128.0
			for v := range 8 {
				s += cosine[8*y+v] * rows[8*v+x]
			}
			out[8*y+x] = min(max(s, 0), 255)
		}
	}
	return out
}

// slowForward is the forward transform by its definition, rounded.
func slowForward(in *[64]float64) (c block) {
	cosine := cosines()
	for v := range 8 {
		for u := range 8 {
			s := 0.0
			for i, p := range in {
				s += cosine[8*(i%8)+u] * cosine[8*(i/8)+v] * p
			}
			c[8*v+u] = int16(math.Round(s))
		}
	}
	return c
}

// The procedure and the bounds are those of IEEE 1180-1990. Half of the blocks
// have only some of their lower frequencies, as most blocks of a photo.
func TestInverseIsAccurate(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	q := quantTable{}
	for k := range q.steps {
		q.steps[k] = 1
	}
	for _, most := range []int{5, 256, 300} {
		const blocks = 3000
		var sum, squares [64]float64
		for n := range blocks {
			in := [64]float64{}
			for i := range in {
				in[i] = float64(random.IntN(2*most+1) - most)
			}
			c := slowForward(&in)
			for i := range c {
				if corner := n % 16; i%8 > corner || i/8 > corner {
					c[i] = 0
				}
			}
			got := [64]byte{}
			q.inverse(got[:], 8, &c, c.flat())
			for i, want := range slowInverse(&c, 1) {
				d := float64(got[i]) - math.Round(want)
				if math.Abs(d) > 1 {
					t.Fatalf("got %d, want %.2f", got[i], want)
				}
				sum[i] += d / blocks
				squares[i] += d * d / blocks
			}
		}
		checkErrors(t, most, sum, squares)
	}
}

func checkErrors(t *testing.T, most int, means, squares [64]float64) {
	t.Helper()
	mean, square := 0.0, 0.0
	for i := range 64 {
		mean += means[i] / 64
		square += squares[i] / 64
		if math.Abs(means[i]) > 0.015 || squares[i] > 0.06 {
			t.Errorf("up to %d, at %d: mean error %.4f, mean square error %.4f; the limits are 0.015 and 0.06", most, i, means[i], squares[i])
		}
	}
	if math.Abs(mean) > 0.0015 || square > 0.02 {
		t.Errorf("up to %d: mean error %.5f, mean square error %.5f; the limits are 0.0015 and 0.02", most, mean, square)
	}
}
