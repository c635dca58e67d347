package jpeg

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// said is a symbol with the value that follows it.
type said struct {
	class  int // 0 of an average, 1 of the rest
	symbol byte
	bits   int
}

// sayBlock is T.81, F.1.2, of values in zig-zag order, without any haste.
func sayBlock(values []int32, last int32) []said {
	diff := values[0] - last
	all := []said{{0, byte(magnitude(diff)), saidBits(diff)}}
	run := 0
	for _, v := range values[1:] {
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			all = append(all, said{1, 0xf0, 0})
		}
		all = append(all, said{1, byte(run<<4 | magnitude(v)), saidBits(v)})
		run = 0
	}
	if run > 0 {
		all = append(all, said{1, 0, 0})
	}
	return all
}

func saidBits(v int32) int {
	if v < 0 {
		return int(v) + 1<<magnitude(v) - 1
	}
	return int(v)
}

// read is what tokens of the kind of components with that first slot say.
func readTokens(t *testing.T, tokens []token, first token) []said {
	t.Helper()
	var all []said
	for _, x := range tokens {
		slot, bits := x>>valueBits, int(x&127)
		if slot&colourSlots != first {
			t.Fatalf("slot %#x among those from %#x on", slot, first)
		}
		switch s := slot - first; {
		case s == moreBits:
			all[len(all)-1].bits = all[len(all)-1].bits<<valueBits | bits
		case s&15 == 0 && s != endOfBlock && s != sixteenZero:
			all = append(all, said{0, byte(s-average) >> 4, bits})
		default:
			all = append(all, said{1, byte(s), bits})
		}
	}
	return all
}

// randomValue is often zero, and else of any size that a block can have.
func randomValue(random *rand.Rand, share int) int32 {
	if random.IntN(share) > 0 {
		return 0
	}
	return (random.Int32N(2)*2 - 1) * (1 + random.Int32N(1<<(1+random.Int32N(10))))
}

// ones are the finest steps.
func ones() *stepTable {
	var t stepTable
	for i := range t {
		t[i] = 1
	}
	return &t
}

func TestTokensSayTheBlock(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for _, first := range []token{0, colourSlots} {
		q, tokens, last := newQuantiser(ones(), first), newTokenizer(), int32(0)
		var want slotCounts
		for i := range 3000 {
			values := make([]int32, 64)
			var block frequencies
			for k := range values {
				values[k] = min(max(randomValue(random, 1+i%40), -1024), 1023)
				block.put(k, int(values[k])<<fraction)
			}
			var out [mostTokens]token
			n := tokens.block(&out, &block, q, 1)
			got := readTokens(t, out[:n], first)
			if say := sayBlock(values, last); !slices.Equal(got, say) {
				t.Fatalf("%v after %d: got %v, want %v", values, last, got, say)
			}
			last = values[0]
			for _, x := range out[:n] {
				if slot := x >> valueBits; slot != first+moreBits {
					want[slot]++
				}
			}
		}
		if tokens.counts != want {
			t.Errorf("counted other symbols than there are, first slot %#x", first)
		}
	}
}

// Each component goes on from its own last average.
func TestAveragesOfComponents(t *testing.T) {
	q, tokens := newQuantiser(ones(), 0), newTokenizer()
	var out [mostTokens]token
	for i, row := range []struct {
		component int
		value     int32
		want      int
	}{{0, 5, 3}, {1, 5, 3}, {2, -9, 4}, {0, 5, 0}, {1, 6, 1}, {2, -9, 0}, {0, -1000, 10}, {0, 1000, 11}} {
		var block frequencies
		for k := range 64 {
			block.put(k, 0)
		}
		block.put(0, int(row.value)<<fraction)
		tokens.block(&out, &block, q, row.component)
		if got := int(out[0]>>valueBits-average) >> 4; got != row.want {
			t.Errorf("block %d: got a difference of %d bits, want %d", i, got, row.want)
		}
	}
}

func TestTape(t *testing.T) {
	var tape tape
	want := 0
	for i := range 3 * pieceTokens / 100 {
		p := tape.room()
		if len(p.tokens)-p.n < mostTokens {
			t.Fatalf("block %d: room for %d tokens", i, len(p.tokens)-p.n)
		}
		p.n += 100
		want += 100
	}
	got := 0
	for _, p := range tape.pieces[:tape.used] {
		got += p.n
	}
	if got != want || tape.used < 3 {
		t.Errorf("got %d tokens in %d pieces, want %d", got, tape.used, want)
	}
	first := tape.pieces[0]
	tape.clear()
	if p := tape.room(); p != first || p.n != 0 {
		t.Error("a tape that is cleared does not begin anew with its first piece")
	}
}

// No code of any counts takes less than the least, and the best one little more.
func TestLeastBits(t *testing.T) {
	img := paintScene(300, 200)
	for _, p := range []*Planes{planesOf(img, Halved), planesOf(paintNoise(64, 64), Full), planesOf(paintGray(90, 50), Full), {Y: NewPlane(500, 500)}} {
		e := newEncoder(p)
		for _, quality := range []int{5, 50, 90, 100} {
			size := e.code(quality, 1<<30, true).size
			least := e.tokenizer.counts.leastBits() / 8
			if least > size || least < (size-700)*94/100 {
				t.Errorf("quality %d: at least %d bytes, but it has %d", quality, least, size)
			}
		}
	}
}
