package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
)

var (
	errNoCode   = errors.New("no Huffman code for some bits")
	errBeyond   = errors.New("a coefficient beyond the last of its block")
	errTooLarge = errors.New("a coefficient too large for a picture of 8 bits")
	errRestart  = errors.New("a restart marker at a wrong place")
)

// plainBytes is how many bytes of data are made ready at once.
const plainBytes = 4 << 10

// bitReader reads the coded data of one scan (ITU-T T.81, F.2.2.5). It never invents
// any: behind the last it gives zeros, and n says how many were taken too much.
type bitReader struct {
	data []byte // one scan with its restart markers
	pos  int    // of the first that is not yet plain
	// plain are the next bytes, from next to end, without zeros that are stuffed, up to a
	// marker at most: what is looked for once in thousands of bytes costs nothing, and
	// eight of them can be taken without a look.
	plain     [plainBytes]byte
	next, end int
	// acc holds the next n bits from its top. What stands behind them is zero,
	// or bits that come again with the next fill.
	acc uint64
	// n is below zero once more bits were taken than there are.
	n int
}

// fill leaves 56 bits or more, or all that there are up to the next marker.
func (b *bitReader) fill() {
	if x, ok := b.eight(); ok {
		b.acc |= x >> uint(b.n)
		b.next += (63 - b.n) >> 3
		b.n |= 56
		return
	}
	b.fillSlowly()
}

// eight returns the next eight bytes, if as many are ready.
func (b *bitReader) eight() (uint64, bool) {
	if b.next+8 > b.end {
		return 0, false
	}
	return binary.BigEndian.Uint64(b.plain[b.next:]), true
}

// fillSlowly makes more bytes ready, and takes one by one.
func (b *bitReader) fillSlowly() {
	b.unstuff()
	for b.n <= 56 && b.next < b.end {
		b.acc |= uint64(b.plain[b.next]) << uint(56-b.n)
		b.next++
		b.n += 8
	}
}

// unstuff makes bytes ready, as many as there is room for. Behind every 0xff a zero
// is stuffed, another 0xff fills, anything else is a marker.
func (b *bitReader) unstuff() {
	b.next, b.end = 0, copy(b.plain[:], b.plain[b.next:b.end])
	for b.end < plainBytes && b.pos < len(b.data) {
		more := b.data[b.pos:min(len(b.data), b.pos+plainBytes-b.end)]
		at := bytes.IndexByte(more, 0xff)
		if at < 0 {
			at = len(more)
		}
		b.end += copy(b.plain[b.end:], more[:at])
		if b.pos += at; at == len(more) {
			continue
		}
		for b.pos+1 < len(b.data) && b.data[b.pos+1] == 0xff {
			b.pos++
		}
		if b.pos+1 >= len(b.data) || b.data[b.pos+1] != 0 {
			return
		}
		b.plain[b.end] = 0xff
		b.end++
		b.pos += 2
	}
}

// take returns the next bits, at most 16. Zero bits are zero.
func (b *bitReader) take(size int) uint32 {
	if b.n < size {
		b.fill()
	}
	v := uint32(b.acc >> 32 >> uint(32-size))
	b.acc <<= uint(size)
	b.n -= size
	return v
}

// extend makes v, of that many bits, a signed number: those that begin with a
// zero are negative.
func extend(v uint32, size int) int32 {
	if size > 0 && v>>uint(size-1) == 0 {
		return int32(v) - 1<<uint(size) + 1
	}
	return int32(v)
}

// restart steps over what is left of an interval and over its marker.
func (b *bitReader) restart(want byte) error {
	b.acc, b.n, b.next, b.end = 0, 0, 0, 0
	for {
		at := bytes.IndexByte(b.data[b.pos:], 0xff)
		if at < 0 || b.pos+at+1 >= len(b.data) {
			b.pos = len(b.data) // the next block misses its bits
			return nil
		}
		b.pos += at + 1
		switch b.data[b.pos] {
		case 0:
		case 0xff:
			continue
		case want:
			b.pos++
			return nil
		default:
			return errRestart
		}
	}
}
