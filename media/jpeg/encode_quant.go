package jpeg

import "encoding/binary"

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

// quantiser divides the coefficients of a block by the steps of a table and
// rounds once, half away from zero.
type quantiser struct {
	slot token // the first of its components' slots
	// up and down are for each word of a block, in the lanes of its coefficients,
	// half a step, and that less the smallest part.
	up, down [16]uint64
	// In zig-zag order: a step inverted, with 32 bits more; half a step; and the
	// byte of the coefficient.
	inverse, half [64]uint32
	byteOf        [64]uint8
}

func newQuantiser(t *stepTable, slot token) *quantiser {
	q := quantiser{slot: slot}
	for k := range q.byteOf {
		at, step := byteOf(naturalOrder[k]), uint32(t[naturalOrder[k]])<<fraction
		lane := 8 * (at % 8)
		q.up[at/8] |= uint64(step/2) << lane
		q.down[at/8] |= uint64(step/2-1) << lane
		// A dividend has 16 bits, a step 12: rounding the inverse up never
		// reaches the next whole number.
		q.inverse[k], q.half[k], q.byteOf[k] = uint32(1<<32/uint64(step))+1, step/2, at
	}
	return &q
}

// nonzero tells which coefficients of a block are not zero after divide: that of
// word i, lane n in bit 16*n+i. Most time would go into finding them, so four are
// tried at once and without a branch. With 0x8000 added, one that is half a step
// or more above zero keeps the highest bit where half a step is taken away; one
// that is as far below does not get it where almost as much is added.
func (q *quantiser) nonzero(block *frequencies) uint64 {
	bits := uint64(0)
	for i := range q.up {
		w := binary.LittleEndian.Uint64(block[8*i:])
		bits = bits>>1 | (w-q.up[i]|^(w+q.down[i]))&(0x8000*four)
	}
	return bits
}

// divide makes the value at place k, in zig-zag order, of a block.
func (q *quantiser) divide(block *frequencies, k int) int32 {
	k &= 63
	c := block.at(q.byteOf[k])
	sign := c >> 31
	n := int32(uint64(uint32((c^sign)-sign)+q.half[k]) * uint64(q.inverse[k]) >> 32)
	return (n ^ sign) - sign
}
