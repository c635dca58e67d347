package jpeg

import mathbits "math/bits"

// stepTable is the steps to which coefficients are coarsened, from the left to
// the right and from the top to the bottom.
type stepTable [64]uint8

// stepTables are the tables for brightness and for colour at a quality: those of
// T.81, K.1, in per cent that libjpeg gives each quality.
func stepTables(quality int) []stepTable {
	return []stepTable{lumaTable().scaled(quality), chromaTable().scaled(quality)}
}

// coarseness is the per cent of a quality.
func coarseness(quality int) int {
	if quality < 50 {
		return 5000 / quality
	}
	return 200 - 2*quality
}

func (t stepTable) scaled(quality int) stepTable {
	for i, step := range t {
		t[i] = uint8(min(max((int(step)*coarseness(quality)+50)/100, 1), 255))
	}
	return t
}

// lumaTable is T.81, table K.1.
func lumaTable() stepTable {
	return stepTable{
		16, 11, 10, 16, 24, 40, 51, 61,
		12, 12, 14, 19, 26, 58, 60, 55,
		14, 13, 16, 24, 40, 57, 69, 56,
		14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77,
		24, 35, 55, 64, 81, 104, 113, 92,
		49, 64, 78, 87, 103, 121, 120, 101,
		72, 92, 95, 98, 112, 100, 103, 99,
	}
}

// chromaTable is T.81, table K.2.
func chromaTable() stepTable {
	return stepTable{
		17, 18, 24, 47, 99, 99, 99, 99,
		18, 21, 26, 66, 99, 99, 99, 99,
		24, 26, 56, 99, 99, 99, 99, 99,
		47, 66, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
	}
}

// quantiser divides planned coefficients by the steps of a table, in zig-zag
// order, and rounds once.
type quantiser struct {
	half    [64]uint32 // of a step, with fraction bits
	inverse [64]uint64 // of a step, with 32 bits more
}

func newQuantiser(t *stepTable) quantiser {
	var q quantiser
	for i, k := range zigzagPlaces() {
		step := uint32(t[i]) << fraction
		q.half[k] = step / 2
		// A dividend has 17 bits, a step 13: rounding the inverse up never
		// reaches the next whole number.
		q.inverse[k] = 1<<32/uint64(step) + 1
	}
	return q
}

// nonzero tells which coefficients of a block are not zero after divide, the
// first in the lowest bit. Most time would go into finding them, so
// it has no branches: a coefficient is not zero where it is half a step or more
// away from zero, and moved up by a little less than that it is then below zero,
// which is huge for a number without sign, or above twice as much.
func (q *quantiser) nonzero(block *[64]int16) uint64 {
	var bits uint64
	for k, c := range block {
		most := q.half[k] - 1
		moved := uint32(int32(c)) + most
		bits = bits>>1 | (uint64(2*most)-uint64(moved))>>63<<63
	}
	return bits
}

// divide makes the value at place k of a block.
func (q *quantiser) divide(c int16, k int) int32 {
	sign := int32(c) >> 31
	n := int32(uint64(uint32((int32(c)^sign)-sign)+q.half[k&63]) * q.inverse[k&63] >> 32)
	return (n ^ sign) - sign
}

// magnitude is how many bits follow the symbol of a value (T.81, F.1.2.1.1).
func magnitude(v int32) int {
	sign := v >> 31
	return mathbits.Len32(uint32((v ^ sign) - sign))
}
