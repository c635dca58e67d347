package jpeg

import (
	"bytes"
	"encoding/binary"
)

// slotWords are what is written for each slot: in the lower 5 bits how many bits,
// with those of the value that the token has, and above them the word of the
// symbol, moved to leave room for these.
type slotWords [slots]uint32

// newSlotWords makes them of the codes, in the order of huffmanName.
func newSlotWords(codes []huffmanCode) *slotWords {
	var w slotWords
	for i := range codes {
		c, kind := &codes[i], i/2*colourSlots
		for _, s := range c.symbols {
			slot, size := kind+int(s), s&15
			if i%2 == 0 {
				slot = kind + average + int(s)<<4
			}
			if size > valueBits {
				size -= valueBits // and as many in a token of moreBits
			}
			w[slot] = c.words[s]<<size<<5 | uint32(c.lengths[s]+size)
		}
		w[kind+moreBits] = valueBits
	}
	return &w
}

// scan appends the data: what count has counted, in the same order.
func (e *encoder) scan(out []byte, codes []huffmanCode) []byte {
	w := bitWriter{out: out}
	words := newSlotWords(codes)
	for _, p := range e.tape.pieces[:e.tape.used] {
		w.write(p, words)
	}
	return w.end()
}

// bitWriter appends bits, the first in the highest bit of a byte.
type bitWriter struct {
	out     []byte
	pending uint64 // the low n bits are still to be written
	n       uint   // less than 8 between two calls
	// plain is the data of a piece, before zeros are stuffed. There is room for
	// more: a token has 23 bits at most, a word of 16 and 7 of a value.
	plain [1<<15 + 8]byte
}

// write writes the tokens of a piece, always two and then all whole bytes.
func (w *bitWriter) write(p *piece, words *slotWords) {
	tokens := p.tokens[:p.n]
	if len(tokens)%2 == 1 {
		tokens = append(tokens, nothing<<valueBits)
	}
	const value = 1<<valueBits - 1
	pending, n, end := w.pending, w.n, uint(0)
	for i := 0; i < len(tokens)-1; i += 2 {
		s, t := tokens[i], tokens[i+1]
		a, b := words[s>>valueBits], words[t>>valueBits]
		pending = pending<<(a&31) | uint64(a>>5|uint32(s&value))
		pending = pending<<(b&31) | uint64(b>>5|uint32(t&value))
		n += uint(a&31 + b&31)
		binary.BigEndian.PutUint64(w.plain[end%(1<<15):], pending<<(-n&63))
		end += n / 8
		n %= 8
	}
	w.pending, w.n = pending, n
	w.stuff(w.plain[:end])
}

// stuff appends data, with a zero behind what would be taken for a marker (T.81,
// B.1.1.5).
func (w *bitWriter) stuff(data []byte) {
	for {
		i := bytes.IndexByte(data, 0xff)
		if i < 0 {
			w.out = append(w.out, data...)
			return
		}
		w.out = append(append(w.out, data[:i+1]...), 0)
		data = data[i+1:]
	}
}

// end fills the last byte with ones (T.81, F.1.2.3).
func (w *bitWriter) end() []byte {
	if w.n > 0 {
		fill := 8 - w.n
		w.stuff([]byte{byte(w.pending<<fill | (1<<fill - 1))})
	}
	return w.out
}
