package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// forwardByTheBook is T.81, A.3.3, of samples without the level shift.
func forwardByTheBook(samples []byte) (out [64]float64) {
	for place := range out {
		v, u := float64(place/8), float64(place%8)
		for i, s := range samples {
			y, x := float64(i/8), float64(i%8)
			out[place] += (float64(s) - 128) / 4 * math.Cos((2*x+1)*u*math.Pi/16) * math.Cos((2*y+1)*v*math.Pi/16)
		}
		for _, f := range []float64{u, v} {
			if f == 0 {
				out[place] /= math.Sqrt2
			}
		}
	}
	return out
}

// blockOfKind is noise, noise of the extremes alone, a wave of each frequency at
// its full height, a soft one, or plain.
func blockOfKind(random *rand.Rand, i int) []byte {
	block := make([]byte, 64)
	u, v := float64(i/5%8), float64(i/40%8)
	for j := range block {
		wave := math.Cos((2*float64(j%8)+1)*u*math.Pi/16) * math.Cos((2*float64(j/8)+1)*v*math.Pi/16)
		switch i % 5 {
		case 0:
			block[j] = byte(random.Uint32())
		case 1:
			block[j] = byte(255 * random.IntN(2))
		case 2:
			block[j] = byte(math.Round(127.5 + math.Copysign(127.5, wave)))
		case 3:
			block[j] = byte(math.Round(128 + 100*wave))
		case 4:
			block[j] = byte(i / 5)
		}
	}
	return block
}

func TestForwardIsNearlyExact(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	worst := 0.0
	for i := range 5 * 256 {
		samples := blockOfKind(random, i)
		var got frequencies
		forward(&got, samples, 8)
		for place, want := range forwardByTheBook(samples) {
			c := float64(got.at(byteOf(byte(place)))) / (1 << fraction)
			if worst = max(worst, math.Abs(c-want)); math.Abs(c-want) > 1./8 {
				t.Fatalf("block %d, coefficient %d: got %.3f, want %.3f", i, place, c, want)
			}
			if i%5 == 4 && c != math.Round(want) {
				t.Errorf("a block of %d alone, coefficient %d: got %.3f, want %.0f", samples[0], place, c, want)
			}
		}
	}
	t.Logf("off by %.3f at most", worst)
}

// No sample beside the block counts, and no row after it is read.
func TestForwardOfAPart(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	whole := make([]byte, 7*21+8+5)
	for i := range whole {
		whole[i] = byte(random.Uint32())
	}
	alone := make([]byte, 0, 64)
	for y := range 8 {
		alone = append(alone, whole[5+21*y:][:8]...)
	}
	var got, want frequencies
	forward(&got, whole[5:], 21)
	forward(&want, alone, 8)
	if got != want {
		t.Error("a block in a row of others comes out in another way than alone")
	}
}

func TestQuantiserDividesLikeADivision(t *testing.T) {
	order := newTokenizer()
	for step := 1; step <= 255; step++ {
		var table stepTable
		for i := range table {
			table[i] = uint8(step)
		}
		q := newQuantiser(&table, 0)
		for first := -1 << 14; first <= 1<<14; first += 61 {
			var block frequencies
			var values [64]int
			for k := range values {
				values[k] = min(first+k, 1<<14)
				block.put(k, values[k])
			}
			nonzero := order.inZigzag(q.nonzero(&block))
			for k, v := range values {
				want := int32((math.Abs(float64(v)) + float64(8*step)) / float64(16*step))
				if v < 0 {
					want = -want
				}
				if got := q.divide(&block, k); got != want {
					t.Fatalf("%d / %d: got %d, want %d", v, 16*step, got, want)
				}
				if got := nonzero>>k&1 == 1; got != (want != 0) {
					t.Fatalf("%d / %d: found not to be zero: %v, want the opposite", v, 16*step, got)
				}
			}
		}
	}
}

// put sets the coefficient at place k, in zig-zag order, with its fraction.
func (f *frequencies) put(k, v int) {
	at := byteOf(naturalOrder[k])
	f[at], f[at+1] = byte(v+0x8000), byte((v+0x8000)>>8)
}
