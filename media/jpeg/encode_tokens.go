package jpeg

import mathbits "math/bits"

// token is a symbol and the bits of the value that follow it in the data. So what
// was counted is written without another look at the picture. The upper nine bits
// are the symbol's slot, the lower seven the value's. Where a value has more bits
// these are the first of them, and the last seven are in a token of their own.
type token uint16

// valueBits is how many bits of a value a token has.
const valueBits = 7

// Slots are the symbols of all codes. One of the rest of a block (T.81, F.1.2.2) has
// the slot of its own number. That leaves free most that end in four zero bits:
// these are for averages, the first for one of no bits, and for two things that
// are no symbols. All stand a second time for colours, colourSlots further on.
const (
	endOfBlock  = 0x00
	average     = 0x10 // to 0xc0
	moreBits    = 0xd0 // seven bits of the value of the token before
	nothing     = 0xe0
	sixteenZero = 0xf0
	colourSlots = 0x100
	slots       = 2 * colourSlots
)

// mostTokens is room for the tokens of a block: two for each of 64 values are the
// most, and a number of 8 bits is inside without being looked at.
const mostTokens = 256

// tokenizer makes tokens of blocks and counts their symbols.
type tokenizer struct {
	counts slotCounts
	last   [3]int32 // average of each component
	// small are the tokens of values from -127 to 127, at the place that their
	// lowest 8 bits say, for the first slot.
	small [256]token
	// zigzag are, for each byte of what quantiser.nonzero tells, the same
	// coefficients in zig-zag order.
	zigzag [8][256]uint64
}

func newTokenizer() *tokenizer {
	t := &tokenizer{}
	for v := int32(-127); v <= 127; v++ {
		t.small[uint8(v)] = token(magnitude(v))<<valueBits | token(lowBits(v))
	}
	for k := range 64 {
		at := byteOf(naturalOrder[k])
		bit := at%8/2*16 + at/8
		t.zigzag[bit/8][1<<(bit%8)] = 1 << k
	}
	for i := range t.zigzag {
		bits := &t.zigzag[i]
		for b := 1; b < len(bits); b++ {
			bits[b] = bits[b&(b-1)] | bits[b&-b]
		}
	}
	return t
}

// reset forgets the blocks.
func (t *tokenizer) reset() { t.counts, t.last = slotCounts{}, [3]int32{} }

// magnitude is how many bits follow the symbol of a value (T.81, F.1.2.1.1).
func magnitude(v int32) int {
	sign := v >> 31
	return mathbits.Len32(uint32((v ^ sign) - sign))
}

// lowBits are those bits. Of a negative value they are those of one less.
func lowBits(v int32) uint32 { return uint32(v+v>>31) & (1<<magnitude(v) - 1) }

// block makes the tokens of a block and returns how many there are.
func (t *tokenizer) block(out *[mostTokens]token, block *frequencies, q *quantiser, component int) int {
	v := q.divide(block, 0)
	n := t.average(out, q.slot, v-t.last[component])
	t.last[component] = v
	nonzero, previous := t.inZigzag(q.nonzero(block))&^1, 0
	for bits := nonzero; bits != 0; bits &= bits - 1 {
		k := mathbits.TrailingZeros64(bits)
		run := token(k - previous - 1)
		previous = k
		for ; run > 15; run -= 16 {
			n = t.put(out, n, q.slot+sixteenZero, 0)
		}
		v := q.divide(block, k)
		if uint32(v+127) > 254 {
			n = t.put(out, n, q.slot+run<<4+token(magnitude(v)), v)
			continue
		}
		x := t.small[uint8(v)] + (q.slot+run<<4)<<valueBits
		t.counts[x>>valueBits]++
		out[n] = x
		n++
	}
	if nonzero>>63 == 0 {
		n = t.put(out, n, q.slot+endOfBlock, 0)
	}
	return int(n)
}

// average puts what the average of a block differs by from the one before.
func (t *tokenizer) average(out *[mostTokens]token, slot token, v int32) uint8 {
	return t.put(out, 0, slot+average+token(magnitude(v))<<4, v)
}

// put puts a symbol and its value as token n and returns the number of the next.
func (t *tokenizer) put(out *[mostTokens]token, n uint8, slot token, v int32) uint8 {
	t.counts[slot%slots]++
	bits := token(lowBits(v))
	if magnitude(v) <= valueBits {
		out[n] = slot<<valueBits | bits
		return n + 1
	}
	out[n] = slot<<valueBits | bits>>valueBits
	out[n+1] = (slot&colourSlots+moreBits)<<valueBits | bits%(1<<valueBits)
	return n + 2
}

// inZigzag tells in zig-zag order what quantiser.nonzero tells in its own.
func (t *tokenizer) inZigzag(b uint64) uint64 {
	z := &t.zigzag
	return z[0][b&0xff] | z[1][b>>8&0xff] | z[2][b>>16&0xff] | z[3][b>>24&0xff] |
		z[4][b>>32&0xff] | z[5][b>>40&0xff] | z[6][b>>48&0xff] | z[7][b>>56]
}
