package jpeg

import (
	"encoding/binary"
	"iter"
	mathbits "math/bits"
)

// Symbols that are not a run and a magnitude (T.81, F.1.2.2.1).
const (
	endOfBlock  = 0x00
	sixteenZero = 0xf0
)

// inOrder goes over all blocks as the scan has them, each with the number of its
// component.
func (p *Plan) inOrder() iter.Seq2[int, *[64]int16] {
	return func(yield func(int, *[64]int16) bool) {
		blocks := p.unitBlocks()
		for at, next := 0, 0; at < len(p.coefs); at, next = at+64, next+1 {
			if next == len(blocks) {
				next = 0
			}
			if !yield(int(blocks[next].component), (*[64]int16)(p.coefs[at:])) {
				return
			}
		}
	}
}

// count counts the symbols of each code that the scan has.
func (p *Plan) count(quantisers []quantiser) []histogram {
	counts := make([]histogram, 2*len(quantisers))
	var last [3]int32
	for component, block := range p.inOrder() {
		kind := min(component, 1)
		q := &quantisers[kind]
		average := q.divide(block[0], 0)
		counts[2*kind][magnitude(average-last[component])]++
		last[component] = average
		counts[2*kind+1].add(q, block)
	}
	return counts
}

// add counts the symbols of a block behind its average.
func (counts *histogram) add(q *quantiser, block *[64]int16) {
	previous := 0
	for nonzero := q.nonzero(block) &^ 1; nonzero != 0; nonzero &= nonzero - 1 {
		k := mathbits.TrailingZeros64(nonzero) & 63
		run := k - previous - 1
		for ; run > 15; run -= 16 {
			counts[sixteenZero]++
		}
		counts[(run<<4|magnitude(q.divide(block[k], k)))&0xff]++
		previous = k
	}
	if previous < 63 {
		counts[endOfBlock]++
	}
}

// scan appends the data: what count has counted, in the same order.
func (p *Plan) scan(out []byte, c *coding) []byte {
	w := bitWriter{out: out}
	var last [3]int32
	for component, block := range p.inOrder() {
		kind := min(component, 1)
		q := &c.quantisers[kind]
		average := q.divide(block[0], 0)
		w.put(&c.codes[2*kind], 0, average-last[component])
		last[component] = average
		w.putRest(&c.codes[2*kind+1], q, block)
	}
	return w.end()
}

// bitWriter appends bits, the first in the highest bit of a byte.
type bitWriter struct {
	out     []byte
	pending uint64 // the low n bits are still to be written
	n       int    // less than 32 between two calls
}

// put writes a value behind its run of zeros (T.81, F.1.2.1 and F.1.2.2). Of a
// negative value the bits are those of one less.
func (w *bitWriter) put(c *huffmanCode, run int, v int32) {
	size := magnitude(v)
	symbol := (run<<4 | size) & 0xff
	low := uint32(v+v>>31) & (1<<size - 1)
	w.write(c.words[symbol]<<size|low, int(c.lengths[symbol])+size)
}

// putRest writes a block behind its average.
func (w *bitWriter) putRest(c *huffmanCode, q *quantiser, block *[64]int16) {
	previous := 0
	for nonzero := q.nonzero(block) &^ 1; nonzero != 0; nonzero &= nonzero - 1 {
		k := mathbits.TrailingZeros64(nonzero) & 63
		run := k - previous - 1
		for ; run > 15; run -= 16 {
			w.write(c.words[sixteenZero], int(c.lengths[sixteenZero]))
		}
		w.put(c, run, q.divide(block[k], k))
		previous = k
	}
	if previous < 63 {
		w.write(c.words[endOfBlock], int(c.lengths[endOfBlock]))
	}
}

// write appends n bits, at most 27: a word of 16 and 11 of a value.
func (w *bitWriter) write(word uint32, n int) {
	w.pending = w.pending<<n | uint64(word)
	if w.n += n; w.n < 32 {
		return
	}
	w.n -= 32
	four := uint32(w.pending >> w.n)
	// No byte is 0xff where none of the complement is zero.
	if (^four-0x01010101)&four&0x80808080 == 0 {
		w.out = binary.BigEndian.AppendUint32(w.out, four)
		return
	}
	for shift := 24; shift >= 0; shift -= 8 {
		w.appendByte(byte(four >> shift))
	}
}

// appendByte stuffs a zero behind what would be taken for a marker (T.81, B.1.1.5).
func (w *bitWriter) appendByte(b byte) {
	if w.out = append(w.out, b); b == 0xff {
		w.out = append(w.out, 0)
	}
}

// end fills the last byte with ones (T.81, F.1.2.3).
func (w *bitWriter) end() []byte {
	fill := -w.n & 7
	w.pending, w.n = w.pending<<fill|(1<<fill-1), w.n+fill
	for ; w.n > 0; w.n -= 8 {
		w.appendByte(byte(w.pending >> (w.n - 8)))
	}
	return w.out
}
