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

// bitReader reads the coded data of one scan (ITU-T T.81, F.2.2.5). It never invents
// any: behind the last it gives zeros, and n says how many were taken too much.
type bitReader struct {
	data []byte // one scan with its restart markers
	pos  int
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
		b.pos += (63 - b.n) >> 3
		b.n |= 56
		return
	}
	b.fillSlowly()
}

// eight returns the next eight bytes, if there are as many and none of them is 0xff.
func (b *bitReader) eight() (uint64, bool) {
	if b.pos+8 > len(b.data) {
		return 0, false
	}
	x := binary.BigEndian.Uint64(b.data[b.pos:])
	return x, noFF(x)
}

// noFF tells whether none of eight bytes is 0xff.
func noFF(x uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	return (^x-ones)&x&tops == 0
}

// fillSlowly takes byte by byte and looks behind every 0xff: a zero is stuffed,
// another 0xff fills, anything else is a marker.
func (b *bitReader) fillSlowly() {
	for b.n <= 56 && b.pos < len(b.data) {
		c := b.data[b.pos]
		if c == 0xff {
			for b.pos+1 < len(b.data) && b.data[b.pos+1] == 0xff {
				b.pos++
			}
			if b.pos+1 >= len(b.data) || b.data[b.pos+1] != 0 {
				return
			}
			b.pos++
		}
		b.pos++
		b.acc |= uint64(c) << uint(56-b.n)
		b.n += 8
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
	b.acc, b.n = 0, 0
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
