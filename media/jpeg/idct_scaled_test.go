package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// slowScaled is the inverse transform of side points by its definition, over the lowest
// coefficients, each with its average's weight, shifted and kept within 8 bits, not rounded.
func slowScaled(c *block, side int) [][]float64 {
	weight := func(u, at int) float64 {
		if u == 0 {
			return math.Sqrt2 / 4
		}
		f := float64(u) * math.Pi
		average := math.Sin(f/float64(2*side)) / (8 / float64(side) * math.Sin(f/16))
		return average * math.Cos(float64(2*at+1)*f/float64(2*side)) / 2
	}
	out := make([][]float64, side)
	for y := range out {
		out[y] = make([]float64, side)
		for x := range out[y] {
			s := 128.0
			for v := range side {
				for u := range side {
					s += weight(u, x) * weight(v, y) * float64(c[8*v+u])
				}
			}
			out[y][x] = min(max(s, 0), 255)
		}
	}
	return out
}

func TestScaledIsAccurate(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	q := quantTable{}
	for k := range q.steps {
		q.steps[k] = 1
	}
	const stride = 11
	for side := 1; side <= 8; side++ {
		mean, square, samples := 0.0, 0.0, 0.0
		table := q.weighted(side)
		for n := range 1000 {
			c := block{int16(random.IntN(1600) - 800)}
			for range n % 20 {
				k := random.IntN(1 + random.IntN(64))
				c[naturalOrder[k]] += int16(random.IntN(400) - 200)
			}
			var got [8 * stride]byte
			for i := range got {
				got[i] = 99
			}
			table.scaled(got[:], stride, &c, side, c.flat())
			for y, row := range slowScaled(&c, side) {
				for x, want := range row {
					d := float64(got[y*stride+x]) - math.Floor(want+0.5+1e-9) // halves go up
					if math.Abs(d) > 1 {
						t.Fatalf("side %d, at %d, %d: got %d, want %.2f", side, x, y, got[y*stride+x], want)
					}
					mean, square, samples = mean+d, square+d*d, samples+1
				}
			}
			for i, v := range got {
				if (i%stride >= side || i/stride >= side) && v != 99 {
					t.Fatalf("side %d: sample %d, which is of another block, was written", side, i)
				}
			}
		}
		if math.Abs(mean/samples) > 0.01 || square/samples > 0.02 {
			t.Errorf("side %d: mean error %.4f, mean square error %.4f", side, mean/samples, square/samples)
		}
	}
}
