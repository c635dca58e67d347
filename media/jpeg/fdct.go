package jpeg

// The weights of the transform: cosines of multiples of a sixteenth of pi, times
// the root of two, as whole numbers of cosineBits bits behind the point. The
// fourth is then exactly one, so the coefficients of plain areas, which the eye
// sees best, are exact.
const (
	cosineBits = 20
	cosine1    = 1454417 // 1.387039845
	cosine2    = 1370031 // 1.306562965
	cosine3    = 1232995 // 1.175875602
	cosine5    = 823861  // 0.785694958
	cosine6    = 567485  // 0.541196100
	cosine7    = 289301  // 0.275899379
)

// forward is the forward transform of a block (ITU-T T.81, A.3.3), from samples
// with eight bits behind the point into coefficients in zig-zag order with
// fraction bits. It rounds twice, each time far below what fraction keeps.
func forward(dst *[64]int16, src []int16, stride int, zigzagAt *[64]uint8) {
	var block [64]int64
	for y := range 8 {
		for x, sample := range src[y*stride:][:8] {
			block[8*y+x] = int64(sample)
		}
	}
	const passBits = 4 // kept between the two passes
	for y := range 8 {
		forward8(&block, 8*y, 1, cosineBits-passBits)
	}
	for x := range 8 {
		// Eight bits of the samples and three of the two roots of eight go too.
		forward8(&block, x, 8, cosineBits+passBits+8+3-fraction)
	}
	for i, c := range block {
		dst[zigzagAt[i]&63] = int16(c)
	}
}

// forward8 transforms a row or a column in place: eight samples from the given
// one on, step apart. The results are the root of eight too large; drop of their
// bits go. Sums of mirrored samples make the even frequencies, their differences
// the odd ones.
func forward8(b *[64]int64, at, step int, drop uint) {
	i1, i2, i3, i4 := (at+step)&63, (at+2*step)&63, (at+3*step)&63, (at+4*step)&63
	i0, i5, i6, i7 := at&63, (at+5*step)&63, (at+6*step)&63, (at+7*step)&63
	s0, s1, s2, s3 := b[i0]+b[i7], b[i1]+b[i6], b[i2]+b[i5], b[i3]+b[i4]
	d0, d1, d2, d3 := b[i0]-b[i7], b[i1]-b[i6], b[i2]-b[i5], b[i3]-b[i4]
	outer, inner, round := s0-s3, s1-s2, int64(1)<<(drop-1)

	b[i0] = ((s0+s1+s2+s3)<<cosineBits + round) >> (drop & 63)
	b[i4] = ((s0-s1-s2+s3)<<cosineBits + round) >> (drop & 63)
	b[i2] = (cosine2*outer + cosine6*inner + round) >> (drop & 63)
	b[i6] = (cosine6*outer - cosine2*inner + round) >> (drop & 63)
	b[i1] = (cosine1*d0 + cosine3*d1 + cosine5*d2 + cosine7*d3 + round) >> (drop & 63)
	b[i3] = (cosine3*d0 - cosine7*d1 - cosine1*d2 - cosine5*d3 + round) >> (drop & 63)
	b[i5] = (cosine5*d0 - cosine1*d1 + cosine7*d2 + cosine3*d3 + round) >> (drop & 63)
	b[i7] = (cosine7*d0 - cosine5*d1 + cosine3*d2 - cosine1*d3 + round) >> (drop & 63)
}

// zigzagPlaces says where in zig-zag order each coefficient of a block stands: it
// is naturalOrder the other way round.
func zigzagPlaces() (places [64]uint8) {
	for place := range places {
		places[naturalOrder[place]] = uint8(place)
	}
	return places
}
