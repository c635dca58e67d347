package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// forwardByTheBook is T.81, A.3.3, in zig-zag order.
func forwardByTheBook(samples []int16) [64]float64 {
	var out [64]float64
	for at, place := range zigzagPlaces() {
		v, u := at/8, at%8
		sum := 0.0
		for i, s := range samples {
			y, x := float64(i/8), float64(i%8)
			sum += float64(s) / 256 * math.Cos((2*x+1)*float64(u)*math.Pi/16) * math.Cos((2*y+1)*float64(v)*math.Pi/16)
		}
		for _, f := range []int{u, v} {
			if f == 0 {
				sum /= math.Sqrt2
			}
		}
		out[place] = sum / 4
	}
	return out
}

func TestForwardIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	places := zigzagPlaces()
	for i := range 2000 {
		samples := make([]int16, 64)
		for j := range samples {
			switch i % 3 {
			case 0:
				samples[j] = int16(random.IntN(1<<16) - 1<<15)
			case 1: // the extremes alone
				samples[j] = int16(-1<<15 + random.IntN(2)*255*256)
			case 2: // a wave at its full height, of each frequency
				u, v := i/3%8, i/24%8
				if math.Cos(float64((2*(j%8)+1)*u)*math.Pi/16)*math.Cos(float64((2*(j/8)+1)*v)*math.Pi/16) > 0 {
					samples[j] = 255*256 - 1<<15
				} else {
					samples[j] = -1 << 15
				}
			}
		}
		var got [64]int16
		forward(&got, samples, 8, &places)
		for k, want := range forwardByTheBook(samples) {
			// Half of the last bit that is kept, and a hundredth for all else.
			if d := math.Abs(float64(got[k]) - 32*want); d > 0.51 {
				t.Fatalf("block %d, coefficient %d: got %d, want %.3f", i, k, got[k], 32*want)
			}
		}
	}
}

func TestQuantiserDividesLikeADivision(t *testing.T) {
	for step := 1; step <= 255; step++ {
		var table stepTable
		for i := range table {
			table[i] = uint8(step)
		}
		q := newQuantiser(&table)
		for c := -1 << 15; c < 1<<15; c += 61 {
			var block [64]int16
			for k := range block {
				block[k] = int16(max(c-k, -1<<15))
			}
			nonzero := q.nonzero(&block)
			for k, v := range block {
				want := int32((math.Abs(float64(v)) + float64(16*step)) / float64(32*step))
				if v < 0 {
					want = -want
				}
				if got := q.divide(v, k); got != want {
					t.Fatalf("%d / %d: got %d, want %d", v, 32*step, got, want)
				}
				if got := nonzero>>k&1 == 1; got != (want != 0) {
					t.Fatalf("%d / %d: found not to be zero: %v, want the opposite", v, 32*step, got)
				}
			}
		}
	}
}
