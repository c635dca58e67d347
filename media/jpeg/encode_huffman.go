package jpeg

import (
	"cmp"
	"slices"
)

// histogram counts the symbols of a code. There is none above 0xfa.
type histogram [256]int

// huffmanCode is a code (T.81, annex C): how many symbols have each length from 1
// on, and the symbols, the shortest first and those of one length ascending.
type huffmanCode struct {
	counts  [16]byte
	symbols []byte
	lengths [256]uint8
	words   [256]uint32
}

// longest is the longest word that a JPEG may have.
const longest = 16

// newHuffmanCode makes the best code for the counts, as T.81, K.2 does: one word
// more than needed, the longest, is kept free, since no word may be all ones.
func newHuffmanCode(counts *histogram) huffmanCode {
	perLength := limitLengths(wordLengths(counts))
	var c huffmanCode
	for symbol, n := range counts {
		if n > 0 {
			c.symbols = append(c.symbols, byte(symbol))
		}
	}
	slices.SortStableFunc(c.symbols, func(a, b byte) int { return cmp.Compare(counts[b], counts[a]) })
	next, word := 0, uint32(0)
	for i, n := range perLength {
		c.counts[i] = byte(n)
		slices.Sort(c.symbols[next : next+n])
		for _, symbol := range c.symbols[next : next+n] {
			c.lengths[symbol], c.words[symbol] = uint8(i+1), word
			word++
		}
		next, word = next+n, word<<1
	}
	return c
}

// bits is how many bits the counted symbols take with all that follows them. The
// low half of a symbol says how many bits do.
func (c *huffmanCode) bits(counts *histogram) int {
	total := 0
	for symbol, n := range counts {
		total += n * (int(c.lengths[symbol]) + symbol&15)
	}
	return total
}

// wordLengths merges the two rarest groups until one is left (T.81, figure K.1),
// and returns how many words there are of each length, with the one that is to
// stay free.
func wordLengths(counts *histogram) []int {
	type group struct{ count, members int }
	const free = len(counts)
	groups := []group{{1, free}} // members is the group's last symbol and names it
	for symbol, n := range counts {
		if n > 0 {
			groups = append(groups, group{n, symbol})
		}
	}
	length, of := [free + 1]int{}, [free + 1]int{}
	for i := range of {
		of[i] = i
	}
	// Of equals the later symbol goes first, as T.81 wants it.
	rarer := func(a, b group) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.members, b.members)) }
	slices.SortFunc(groups, rarer)
	for len(groups) > 1 {
		a, b := groups[len(groups)-1], groups[len(groups)-2]
		for symbol := range of {
			if of[symbol] == a.members || of[symbol] == b.members {
				length[symbol]++
				of[symbol] = a.members
			}
		}
		merged := group{a.count + b.count, a.members}
		groups = groups[:len(groups)-2]
		at, _ := slices.BinarySearchFunc(groups, merged, rarer)
		groups = slices.Insert(groups, at, merged)
	}
	perLength := make([]int, free+1)
	for _, l := range length {
		perLength[l]++
	}
	return perLength[1:]
}

// limitLengths shortens words that are too long (T.81, figure K.3), where the
// first of perLength are the words of one bit, and takes away the free word. Two
// of the longest become one shorter by a bit and, in place of a word that is
// shorter still, a pair.
func limitLengths(perLength []int) []int {
	for i := len(perLength) - 1; i >= longest; i-- {
		for perLength[i] > 0 {
			j := i - 2
			for perLength[j] == 0 {
				j--
			}
			perLength[i] -= 2
			perLength[i-1]++
			perLength[j+1] += 2
			perLength[j]--
		}
	}
	last := longest - 1
	for perLength[last] == 0 {
		last--
	}
	perLength[last]--
	return perLength[:longest]
}
