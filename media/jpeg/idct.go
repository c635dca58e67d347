package jpeg

import "encoding/binary"

// naturalOrder says where in a block, row by row, the coefficient stands that
// comes at a place of the zigzag (ITU-T T.81, figure 5).
const naturalOrder = "\x00\x01\x08\x10\x09\x02\x03\x0a\x11\x18\x20\x19\x12\x0b\x04\x05" +
	"\x0c\x13\x1a\x21\x28\x30\x29\x22\x1b\x14\x0d\x06\x07\x0e\x15\x1c" +
	"\x23\x2a\x31\x38\x39\x32\x2b\x24\x1d\x16\x0f\x17\x1e\x25\x2c\x33" +
	"\x3a\x3b\x34\x2d\x26\x1f\x27\x2e\x35\x3c\x3d\x36\x2f\x37\x3e\x3f"

// block is 8 x 8 coefficients as the file has them, not yet multiplied by their
// quantisation, row by row.
type block [64]int16

// quantTable is a quantisation table in the order of a block.
type quantTable struct {
	defined bool
	steps   [64]int32
}

// Constants of the inverse DCT after Loeffler, Ligtenberg and Moschytz
// (Practical fast 1-D DCT algorithms with 11 multiplications, 1989), in 13 bits
// behind the point.
const (
	dctBits  = 13
	passBits = 2 // kept behind the point between the two passes

	c0298 = 2446  // 0.298631336
	c0390 = 3196  // 0.390180644
	c0541 = 4433  // 0.541196100
	c0765 = 6270  // 0.765366865
	c0899 = 7373  // 0.899976223
	c1175 = 9633  // 1.175875602
	c1501 = 12299 // 1.501321110
	c1847 = 15137 // 1.847759065
	c1961 = 16069 // 1.961570560
	c2053 = 16819 // 2.053119869
	c2562 = 20995 // 2.562915447
	c3072 = 25172 // 3.072711026
)

// inverse turns a block into 8 x 8 samples (ITU-T T.81, A.3.3 and A.3.4) and
// puts them at the beginning of dst, whose rows are stride apart. flat says that
// only its first coefficient is there.
func (q *quantTable) inverse(dst []byte, stride int, c *block, flat bool) {
	if flat {
		level := uint64(sample((int32(c[0])*q.steps[0]+4)>>3)) * 0x0101010101010101
		for y := range 8 {
			binary.LittleEndian.PutUint64(dst[y*stride:], level)
		}
		return
	}
	var columns [64]int32
	used := 0
	for x := range 8 {
		if q.inverseColumn(&columns, c, x) {
			used = x
		}
	}
	for y := range 8 {
		out, in := (*[8]byte)(dst[y*stride:]), (*[8]int32)(columns[8*y:])
		if used < 4 { // as in most blocks: the finer half is zero
			inverseHalfRow(out, in)
		} else {
			inverseRow(out, in)
		}
	}
}

// inverseColumn multiplies a column by its quantisation and transforms it. Its
// results have passBits behind the point. It is false where all are zero.
func (q *quantTable) inverseColumn(out *[64]int32, c *block, x int) bool {
	x &= 7
	step := &q.steps
	if c[x+8]|c[x+16]|c[x+24]|c[x+32]|c[x+40]|c[x+48]|c[x+56] == 0 {
		level := int32(c[x]) * step[x] << passBits
		for y := 0; y < 64 && level != 0; y += 8 {
			out[y+x] = level
		}
		return level != 0
	}
	s0, s1, s2, s3 := int32(c[x])*step[x], int32(c[x+8])*step[x+8], int32(c[x+16])*step[x+16], int32(c[x+24])*step[x+24]
	s4, s5, s6, s7 := int32(c[x+32])*step[x+32], int32(c[x+40])*step[x+40], int32(c[x+48])*step[x+48], int32(c[x+56])*step[x+56]

	const round, shift = 1 << (dctBits - passBits - 1), dctBits - passBits
	z := (s2 + s6) * c0541
	t2, t3 := z-s6*c1847, z+s2*c0765
	t0, t1 := (s0+s4)<<dctBits+round, (s0-s4)<<dctBits+round
	e0, e1, e2, e3 := t0+t3, t1+t2, t1-t2, t0-t3

	z1, z2, z3, z4 := -c0899*(s7+s1), -c2562*(s5+s3), s7+s3, s5+s1
	z5 := (z3 + z4) * c1175
	z3, z4 = z5-z3*c1961, z5-z4*c0390
	o7, o5, o3, o1 := s7*c0298+z1+z3, s5*c2053+z2+z4, s3*c3072+z2+z3, s1*c1501+z1+z4

	out[x], out[x+56] = (e0+o1)>>shift, (e0-o1)>>shift
	out[x+8], out[x+48] = (e1+o3)>>shift, (e1-o3)>>shift
	out[x+16], out[x+40] = (e2+o5)>>shift, (e2-o5)>>shift
	out[x+24], out[x+32] = (e3+o7)>>shift, (e3-o7)>>shift
	return true
}

// inverseRow transforms a row into samples. It has the same sums as a column:
// what both would share has to go through memory, which makes a tenth more of all
// decoding.
func inverseRow(out *[8]byte, in *[8]int32) {
	s0, s1, s2, s3, s4, s5, s6, s7 := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]

	const round, shift = 1 << (dctBits + passBits + 2), dctBits + passBits + 3
	z := (s2 + s6) * c0541
	t2, t3 := z-s6*c1847, z+s2*c0765
	t0, t1 := (s0+s4)<<dctBits+round, (s0-s4)<<dctBits+round
	e0, e1, e2, e3 := t0+t3, t1+t2, t1-t2, t0-t3

	z1, z2, z3, z4 := -c0899*(s7+s1), -c2562*(s5+s3), s7+s3, s5+s1
	z5 := (z3 + z4) * c1175
	z3, z4 = z5-z3*c1961, z5-z4*c0390
	o7, o5, o3, o1 := s7*c0298+z1+z3, s5*c2053+z2+z4, s3*c3072+z2+z3, s1*c1501+z1+z4

	out[0], out[7] = sample((e0+o1)>>shift), sample((e0-o1)>>shift)
	out[1], out[6] = sample((e1+o3)>>shift), sample((e1-o3)>>shift)
	out[2], out[5] = sample((e2+o5)>>shift), sample((e2-o5)>>shift)
	out[3], out[4] = sample((e3+o7)>>shift), sample((e3-o7)>>shift)
}

// inverseHalfRow is inverseRow for rows whose second half is zero.
func inverseHalfRow(out *[8]byte, in *[8]int32) {
	s0, s1, s2, s3 := in[0], in[1], in[2], in[3]

	const round, shift = 1 << (dctBits + passBits + 2), dctBits + passBits + 3
	t0, t2, t3 := s0<<dctBits+round, s2*c0541, s2*(c0541+c0765)
	e0, e1, e2, e3 := t0+t3, t0+t2, t0-t2, t0-t3

	z5 := (s3 + s1) * c1175
	z3, z4 := z5-s3*c1961, z5-s1*c0390
	o7, o5, o3, o1 := z3-s1*c0899, z4-s3*c2562, z3+s3*(c3072-c2562), z4+s1*(c1501-c0899)

	out[0], out[7] = sample((e0+o1)>>shift), sample((e0-o1)>>shift)
	out[1], out[6] = sample((e1+o3)>>shift), sample((e1-o3)>>shift)
	out[2], out[5] = sample((e2+o5)>>shift), sample((e2-o5)>>shift)
	out[3], out[4] = sample((e3+o7)>>shift), sample((e3-o7)>>shift)
}

// sample shifts the level (ITU-T T.81, A.3.1) and keeps it within 8 bits.
func sample(v int32) byte {
	v += 128
	if uint32(v) > 255 {
		v = ^(v >> 31)
	}
	return byte(v)
}

// flat tells whether only the first coefficient is there. Where more are, one
// of the lowest frequencies mostly is.
func (c *block) flat() bool {
	rest := c[1] | c[8] | c[9]
	if rest != 0 {
		return false
	}
	for _, v := range c[1:] {
		rest |= v
	}
	return rest == 0
}
