package jpeg

// A block becomes n x n samples, for n below 8, by the inverse DCT of n points over
// its n x n lowest coefficients. That takes away what is too fine for the smaller
// picture, in far less time than making it in full and averaging. Of u-th frequency
// the sample at k gets
//
//	sqrt(2) * cos((2k+1) * u * pi / 2n)
//
// and the constants below are these, in dctBits behind the point. The coefficients are
// weighted before, so that a sample is the average of those that it stands for: kept as
// they are, the highest that are left make ripples beside edges.
const (
	r0315 = 2578  // 0.314692123
	r0366 = 2998  // 0.366025404
	r0437 = 3580  // 0.437016024
	r0614 = 5027  // 0.613604268
	r0707 = 5793  // 0.707106781
	r0831 = 6810  // 0.831253876
	r0882 = 7223  // 0.881747734
	r1106 = 9058  // 1.105676686
	r1144 = 9373  // 1.144122806
	r1225 = 10033 // 1.224744871
	r1274 = 10438 // 1.274162392
	r1307 = 10703 // 1.306562965
	r1345 = 11018 // 1.344997024
	r1366 = 11190 // 1.366025404
	r1379 = 11295 // 1.378756276
	r1414 = 11585 // 1.414213562
)

// Roundings and shifts of the two passes. Between them are passBits, as at full size.
// The first is reckoned in 64 bits, for the weights'.
const (
	columnRound, columnShift = 1 << (columnShift - 1), dctBits + stepBits - passBits
	rowRound, rowShift       = 1 << (dctBits + passBits + 2), dctBits + passBits + 3
)

// stepBits are behind the point of a table whose steps are weighted.
const stepBits = 12

// weighted returns the table by which a block becomes n x n samples. Below 8 its steps
// have stepBits behind the point.
func (q *quantTable) weighted(n int) quantTable {
	if n == 8 {
		return *q
	}
	t, w := quantTable{defined: q.defined}, weights(n)
	for k := range t.steps {
		t.steps[k] = q.steps[k] * ((w[k/8]*w[k%8] + 1<<15) >> 16)
	}
	return t
}

// weights are those of each frequency, in 14 bits behind the point. What 8 samples have
// of the u-th is, averaged over as many as one of n stands for,
//
//	sin(u * pi / 2n) / (8/n * sin(u * pi / 16))
//
// of it.
func weights(n int) [8]int32 {
	switch n {
	case 1:
		return [8]int32{16384}
	case 2:
		return [8]int32{16384, 14846}
	case 3:
		return [8]int32{16384, 15747, 13904}
	case 4:
		return [8]int32{16384, 16069, 15137, 13623}
	case 5:
		return [8]int32{16384, 16220, 15728, 14911, 13773}
	case 6:
		return [8]int32{16384, 16302, 16055, 15640, 15050, 14275}
	default:
		return [8]int32{16384, 16352, 16254, 16089, 15851, 15534, 15128}
	}
}

// scaled turns a block into n x n samples at the beginning of dst, whose rows are
// stride apart. flat says that only the first coefficient is there. The table is
// weighted for n.
func (q *quantTable) scaled(dst []byte, stride int, c *block, n int, flat bool) {
	switch {
	case n == 8:
		q.inverse(dst, stride, c, flat)
	case n == 1:
		dst[0] = q.level(c)
	case flat:
		level := q.level(c)
		for y := range n {
			row := dst[y*stride:][:n]
			for x := range row {
				row[x] = level
			}
		}
	case n == 2:
		q.inverse2(dst, stride, c)
	case n == 3:
		q.inverse3(dst, stride, c)
	case n == 4:
		q.inverse4(dst, stride, c)
	case n == 5:
		q.inverse5(dst, stride, c)
	default:
		q.inverseLarge(dst, stride, c, n)
	}
}

// level is the average brightness of a block.
func (q *quantTable) level(c *block) byte {
	return sample(int32((q.value(c, 0) + 4<<stepBits) >> (3 + stepBits)))
}

// value is the k-th coefficient, multiplied by its step.
func (q *quantTable) value(c *block, k int) int64 { return int64(c[k]) * int64(q.steps[k]) }

// column takes a sum of the first pass, rounding added, to passBits behind the point.
func column(sum int64) int32 { return int32(sum >> columnShift) }

func (q *quantTable) inverse2(dst []byte, stride int, c *block) {
	const shift = 3 + stepBits
	a, b, d, e := q.value(c, 0)+4<<stepBits, q.value(c, 1), q.value(c, 8), q.value(c, 9)
	upper, lower := dst[:2], dst[stride:][:2]
	upper[0], upper[1] = sample(int32((a+b+d+e)>>shift)), sample(int32((a-b+d-e)>>shift))
	lower[0], lower[1] = sample(int32((a+b-d-e)>>shift)), sample(int32((a-b-d+e)>>shift))
}

func (q *quantTable) inverse3(dst []byte, stride int, c *block) {
	var t [9]int32
	for x := range 3 {
		s0, s1, s2 := q.value(c, x), q.value(c, x+8), q.value(c, x+16)
		even, odd, high := s0<<dctBits+columnRound, s1*r1225, s2*r0707
		t[x], t[x+3], t[x+6] = column(even+high+odd), column(even-2*high), column(even+high-odd)
	}
	for y := range 3 {
		even, odd, high := t[3*y]<<dctBits+rowRound, t[3*y+1]*r1225, t[3*y+2]*r0707
		row := (*[3]byte)(dst[y*stride:])
		row[0], row[1], row[2] = sample((even+high+odd)>>rowShift), sample((even-2*high)>>rowShift), sample((even+high-odd)>>rowShift)
	}
}

func (q *quantTable) inverse4(dst []byte, stride int, c *block) {
	var t [16]int32
	for x := range 4 {
		s0, s1, s2, s3 := q.value(c, x), q.value(c, x+8), q.value(c, x+16), q.value(c, x+24)
		if s1|s2|s3 == 0 {
			all := column(s0<<dctBits + columnRound)
			t[x], t[x+4], t[x+8], t[x+12] = all, all, all, all
			continue
		}
		even, odd := (s0+s2)<<dctBits+columnRound, (s0-s2)<<dctBits+columnRound
		outer, inner := s1*r1307+s3*c0541, s1*c0541-s3*r1307
		t[x], t[x+4], t[x+8], t[x+12] = column(even+outer), column(odd+inner), column(odd-inner), column(even-outer)
	}
	for y := range 4 {
		s0, s1, s2, s3 := t[4*y], t[4*y+1], t[4*y+2], t[4*y+3]
		even, odd := (s0+s2)<<dctBits+rowRound, (s0-s2)<<dctBits+rowRound
		outer, inner := s1*r1307+s3*c0541, s1*c0541-s3*r1307
		row := (*[4]byte)(dst[y*stride:])
		row[0], row[3] = sample((even+outer)>>rowShift), sample((even-outer)>>rowShift)
		row[1], row[2] = sample((odd+inner)>>rowShift), sample((odd-inner)>>rowShift)
	}
}

// inverse5 is for photos of eight million pixels.
func (q *quantTable) inverse5(dst []byte, stride int, c *block) {
	var t [25]int32
	for x := range 5 {
		s0, s1, s2, s3, s4 := q.value(c, x), q.value(c, x+8), q.value(c, x+16), q.value(c, x+24), q.value(c, x+32)
		if s1|s2|s3|s4 == 0 {
			all := column(s0<<dctBits + columnRound)
			t[x], t[x+5], t[x+10], t[x+15], t[x+20] = all, all, all, all, all
			continue
		}
		r0, r1, r2, r3, r4 := points5(s0<<dctBits+columnRound, s1, s2, s3, s4)
		t[x], t[x+5], t[x+10], t[x+15], t[x+20] = column(r0), column(r1), column(r2), column(r3), column(r4)
	}
	for y := range 5 {
		s := (*[5]int32)(t[5*y:])
		r0, r1, r2, r3, r4 := points5(s[0]<<dctBits+rowRound, s[1], s[2], s[3], s[4])
		row := (*[5]byte)(dst[y*stride:])
		row[0], row[1], row[2] = sample(r0>>rowShift), sample(r1>>rowShift), sample(r2>>rowShift)
		row[3], row[4] = sample(r3>>rowShift), sample(r4>>rowShift)
	}
}

// points5 transforms five values, of which the first has dctBits behind the point, as
// all results have.
func points5[T int32 | int64](s0, s1, s2, s3, s4 T) (r0, r1, r2, r3, r4 T) {
	e0, e1, e2 := s0+s2*r1144+s4*r0437, s0-s2*r0437-s4*r1144, s0-(s2-s4)*r1414
	o0, o1 := s1*r1345+s3*r0831, s1*r0831-s3*r1345
	return e0 + o0, e1 + o1, e2, e1 - o1, e0 - o0
}

// inverseLarge is for 6 and 7, at which few photos are wanted.
func (q *quantTable) inverseLarge(dst []byte, stride int, c *block, n int) {
	var t [8][8]int32
	for x := range n {
		var s [8]int64
		for y := range n {
			s[y] = q.value(c, 8*y+x)
		}
		points(&s, n)
		for y := range n {
			t[y][x] = column(s[y] + columnRound)
		}
	}
	for y := range n {
		s := &t[y]
		points(s, n)
		row := dst[y*stride:][:n]
		for x := range row {
			row[x] = sample((s[x&7] + rowRound) >> rowShift)
		}
	}
}

// points transforms six values or seven in place, which get dctBits behind the point.
func points[T int32 | int64](s *[8]T, n int) {
	if n == 6 {
		points6(s)
	} else {
		points7(s)
	}
}

func points6[T int32 | int64](s *[8]T) {
	s0, s1, s2, s3, s4, s5 := s[0]<<dctBits, s[1], s[2], s[3], s[4], s[5]
	e0, e1, e2 := s0+s2*r1225+s4*r0707, s0-s4*r1414, s0-s2*r1225+s4*r0707
	middle := s3 << dctBits
	o0, o1, o2 := s1*r1366+middle+s5*r0366, (s1-s5)<<dctBits-middle, s1*r0366-middle+s5*r1366
	s[0], s[1], s[2], s[3], s[4], s[5] = e0+o0, e1+o1, e2+o2, e2-o2, e1-o1, e0-o0
}

func points7[T int32 | int64](s *[8]T) {
	s0, s1, s2, s3, s4, s5, s6 := s[0]<<dctBits, s[1], s[2], s[3], s[4], s[5], s[6]
	e0, e1 := s0+s2*r1274+s4*r0882+s6*r0315, s0+s2*r0315-s4*r1274-s6*r0882
	e2, e3 := s0-s2*r0882-s4*r0315+s6*r1274, s0-(s2-s4+s6)*r1414
	o0, o1, o2 := s1*r1379+s3*r1106+s5*r0614, s1*r1106-s3*r0614-s5*r1379, s1*r0614-s3*r1379+s5*r1106
	s[0], s[1], s[2], s[3] = e0+o0, e1+o1, e2+o2, e3
	s[4], s[5], s[6] = e2-o2, e1-o1, e0-o0
}
