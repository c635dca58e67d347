package jpeg

import "encoding/binary"

// frequencies are the coefficients of a block, each in two bytes, the lower first,
// and 0x8000 more than 16 times what it is, so that none is below zero. Four
// are next to each other that are made and tried at once; byteOf says where.
type frequencies [128]byte

// byteOf is the first byte of the coefficient at a place of the block, row by row.
// That of vertical frequency v and horizontal u is in word 4*(v&3)+u/2 of 64 bits,
// and there in lane 2*(v/4)+u&1 of 16.
func byteOf(place byte) uint8 {
	v, u := place/8, place%8
	return 8*(4*(v&3)+u/2) + 2*(v/4*2+u&1)
}

// at is the coefficient that begins at that byte, which is even.
func (f *frequencies) at(b uint8) int32 {
	i := int(b) & 126
	return int32(uint32(f[i])|uint32(f[i+1])<<8) - 0x8000
}

// fraction is how many bits behind the point a coefficient keeps. The largest of
// 8-bit samples is 1024, so that all stay far from both ends of 16 bits.
const fraction = 4

// Numbers that have a one in each of two lanes, of 32 bits, and of four, of 16.
const (
	two  = 1<<32 | 1
	four = 1<<48 | 1<<32 | 1<<16 | 1
)

// The transform is that of Loeffler, Ligtenberg and Moschytz (ICASSP 1989): 12
// multiplications for 8 samples, and results the root of eight too large. Its
// weights are sums of cosines of multiples of a sixteenth of pi, times the root
// of two, in whole numbers of weightBits behind the point.
const (
	weightBits = 14
	weight0298 = 4893
	weight0390 = 6393
	weight0541 = 8867
	weight0765 = 12540
	weight0899 = 14745
	weight1175 = 19266
	weight1501 = 24598
	weight1847 = 30274
	weight1961 = 32138
	weight2053 = 33638
	weight2562 = 41991
	weight3072 = 50345
)

// What columns hands to rows has betweenBits behind the point and betweenZero
// added, so that it is not below zero. Behind rows these have become fraction and
// 0x8000, in the upper half of a lane.
const (
	betweenBits = fraction + 16 - weightBits - 3
	betweenZero = 0x8000 << 16 >> weightBits >> 3
)

// forward is the forward transform of a block of samples (T.81, A.3.3, with the
// level shift of A.3.1): the first of src and those to the right of it and below.
// What it makes is within an eighth of what is exact.
//
// Between two roundings there are only additions and multiplications with
// constants. So two samples go through them at once, one in the lower half of a
// word and one in the upper. What the lower borrows from the upper while it is
// below zero it gives back when enough is added at the end.
func forward(dst *frequencies, src []byte, stride int) {
	var half [32]uint64
	columns(&half, src, stride)
	rows(dst, &half)
}

// load is eight samples of a row.
func load(src []byte, at int) uint64 { return binary.LittleEndian.Uint64(src[at : at+8]) }

// columns transforms columns c and c+4 at once. For rows it then puts frequencies v
// and v+4 of one column together.
func columns(dst *[32]uint64, src []byte, stride int) {
	const (
		sample = 0xff * two
		shift  = 8 * 128 // of the level, in the sum of a column
		drop   = weightBits - betweenBits
		round  = (betweenZero<<drop + 1<<(drop-1)) * two
	)
	r0, r1 := load(src, 0), load(src, stride)
	r2, r3 := load(src, 2*stride), load(src, 3*stride)
	r4, r5 := load(src, 4*stride), load(src, 5*stride)
	r6, r7 := load(src, 6*stride), load(src, 7*stride)
	for c := range 4 {
		x0, x7 := r0&sample, r7&sample
		s0, d0 := x0+x7, x0-x7
		x1, x6 := r1&sample, r6&sample
		s1, d1 := x1+x6, x1-x6
		x2, x5 := r2&sample, r5&sample
		s2, d2 := x2+x5, x2-x5
		x3, x4 := r3&sample, r4&sample
		s3, d3 := x3+x4, x3-x4
		r0, r1, r2, r3, r4, r5, r6, r7 = r0>>8, r1>>8, r2>>8, r3>>8, r4>>8, r5>>8, r6>>8, r7>>8

		y0, y2, y4, y6 := even(s0, s1, s2, s3, round)
		y1, y3, y5, y7 := odd(d0, d1, d2, d3, round)
		y0 = y0<<betweenBits + (betweenZero-shift<<betweenBits)*two
		y4 = y4<<betweenBits + betweenZero*two
		dst[c], dst[c+4] = pair(y0, y4, 0)
		dst[c+8], dst[c+12] = pair(y1, y5, drop)
		dst[c+16], dst[c+20] = pair(y2, y6, drop)
		dst[c+24], dst[c+28] = pair(y3, y7, drop)
	}
}

// pair puts together the lower halves of two words and the upper ones, each less
// drop bits.
func pair(a, b uint64, drop uint) (lower, upper uint64) {
	return uint64(uint32(a)>>drop) | uint64(uint32(b)>>drop)<<32, a>>(32+drop) | b>>(32+drop)<<32
}

// rows transforms rows v and v+4 at once.
func rows(dst *frequencies, src *[32]uint64) {
	const (
		round = (0x8000<<16 + 1<<15) * two
		lower = 0xffff * two
	)
	for v := range 4 {
		x, out := (*[8]uint64)(src[8*v:]), (*[32]byte)(dst[32*v:])
		y0, y2, y4, y6 := even(x[0]+x[7], x[1]+x[6], x[2]+x[5], x[3]+x[4], round)
		y1, y3, y5, y7 := odd(x[0]-x[7], x[1]-x[6], x[2]-x[5], x[3]-x[4], round)
		y0 = y0<<weightBits + 1<<15*two // eight times betweenZero is in it
		y4 = y4<<weightBits + round
		binary.LittleEndian.PutUint64(out[:], y0>>16&lower|y1&^lower)
		binary.LittleEndian.PutUint64(out[8:], y2>>16&lower|y3&^lower)
		binary.LittleEndian.PutUint64(out[16:], y4>>16&lower|y5&^lower)
		binary.LittleEndian.PutUint64(out[24:], y6>>16&lower|y7&^lower)
	}
}

// even makes the even frequencies of the sums of mirrored samples. The first and
// the fourth are not weighted yet; to the others round is added.
func even(s0, s1, s2, s3, round uint64) (y0, y2, y4, y6 uint64) {
	a, b, outer, inner := s0+s3, s1+s2, s0-s3, s1-s2
	z := (outer + inner) * weight0541
	return a + b, z + outer*weight0765 + round, a - b, z - inner*weight1847 + round
}

// odd makes the odd frequencies of the differences.
func odd(d0, d1, d2, d3, round uint64) (y1, y3, y5, y7 uint64) {
	z1, z2, z3, z4 := (d0+d3)*weight0899, (d1+d2)*weight2562, d1+d3, d0+d2
	z5 := (z3+z4)*weight1175 + round
	z3, z4 = z5-z3*weight1961, z5-z4*weight0390
	return d0*weight1501 - z1 + z4, d1*weight3072 - z2 + z3, d2*weight2053 - z2 + z4, d3*weight0298 - z1 + z3
}
