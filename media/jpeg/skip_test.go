package jpeg

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// oneByOne reads the rest of a block with a look for each coefficient.
func oneByOne(s *scan, h *huffman, k int) error {
	for k < 64 {
		run, v, err := s.step(h)
		if err != nil {
			return err
		}
		if v == 0 && run < 15 {
			if run > 0 {
				return s.broken(errRun)
			}
			return s.check()
		}
		if k += run + 1; k > 64 {
			return s.broken(errBeyond)
		}
	}
	return s.check()
}

// skipTables are the usual ones, one whose codes are as short as can be, and one with
// all symbols, those of progressive scans too, in codes of every length.
func skipTables(t *testing.T) map[string]*huffman {
	t.Helper()
	all := map[string]*huffman{"usual": {}, "usual, colour": {}, "short": {}, "everything": {}}
	all["usual"].usual(1, 0)
	all["usual, colour"].usual(1, 1)
	short := append([]byte{1, 1, 1, 1}, make([]byte, 12)...)
	everything := append(make([]byte, 7), 200, 50, 4, 1, 1, 0, 0, 0, 0)
	for symbol := range 256 {
		everything = append(everything, byte(167*symbol))
	}
	for name, table := range map[string][]byte{"short": append(short, 0x01, 0xf0, 0x00, 0x11), "everything": everything} {
		if _, err := all[name].define(table); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range all {
		h.build()
	}
	return all
}

// bitsTaken is how many there were of data without zeros that are stuffed.
func bitsTaken(b *bitReader) int { return 8*(b.pos-b.end+b.next) - b.n }

// What is skipped takes the same bits as what is read, and is judged the same.
func TestSkip(t *testing.T) {
	random, ends := rand.New(rand.NewPCG(1, 2)), map[string]int{}
	for name, h := range skipTables(t) {
		for range 2000 {
			data := make([]byte, random.IntN(40))
			for i := range data {
				data[i] = byte(random.IntN(255)) // no markers
			}
			k := 1 + random.IntN(64)
			read, skipped := scan{short: ErrCutOff}, scan{short: ErrCutOff}
			read.data, skipped.data = data, data
			want, got := oneByOne(&read, h, k), skipped.skip(h, k)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s: %x from %d: got %v, want %v", name, data, k, got, want)
			}
			ends[fmt.Sprint(want)]++
			if a, b := bitsTaken(&read.bitReader), bitsTaken(&skipped.bitReader); want == nil && a != b {
				t.Fatalf("%s: %x from %d: took %d bits, want %d", name, data, k, b, a)
			}
		}
	}
	for _, why := range []error{nil, errBeyond, errRun, ErrCutOff} {
		if ends[fmt.Sprint(why)] < 50 {
			t.Errorf("%d of the tries ended with %v; that is too few to show anything", ends[fmt.Sprint(why)], why)
		}
	}
}
