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
	const passBits = 4 // kept between the two passes
	var block [64]int32
	for y := range 8 {
		row := src[y*stride:][:8]
		out := forward8([8]int64{
			int64(row[0]), int64(row[1]), int64(row[2]), int64(row[3]),
			int64(row[4]), int64(row[5]), int64(row[6]), int64(row[7]),
		})
		for u, v := range out {
			block[8*y+u] = int32((v + 1<<(cosineBits-passBits-1)) >> (cosineBits - passBits))
		}
	}
	// Eight bits of the samples and three of the two roots of eight go too.
	const drop = cosineBits + passBits + 8 + 3 - fraction
	for u := range 8 {
		out := forward8([8]int64{
			int64(block[u]), int64(block[8+u]), int64(block[16+u]), int64(block[24+u]),
			int64(block[32+u]), int64(block[40+u]), int64(block[48+u]), int64(block[56+u]),
		})
		for v, sum := range out {
			dst[zigzagAt[8*v+u]&63] = int16((sum + 1<<(drop-1)) >> drop)
		}
	}
}

// forward8 transforms eight samples. The results are the root of eight too large
// and have cosineBits more behind the point. Sums of mirrored samples make the
// even frequencies, their differences the odd ones.
func forward8(x [8]int64) [8]int64 {
	s0, s1, s2, s3 := x[0]+x[7], x[1]+x[6], x[2]+x[5], x[3]+x[4]
	d0, d1, d2, d3 := x[0]-x[7], x[1]-x[6], x[2]-x[5], x[3]-x[4]
	outer, inner := s0-s3, s1-s2
	return [8]int64{
		(s0 + s1 + s2 + s3) << cosineBits,
		cosine1*d0 + cosine3*d1 + cosine5*d2 + cosine7*d3,
		cosine2*outer + cosine6*inner,
		cosine3*d0 - cosine7*d1 - cosine1*d2 - cosine5*d3,
		(s0 - s1 - s2 + s3) << cosineBits,
		cosine5*d0 - cosine1*d1 + cosine7*d2 + cosine3*d3,
		cosine6*outer - cosine2*inner,
		cosine7*d0 - cosine5*d1 + cosine3*d2 - cosine1*d3,
	}
}

// zigzagPlaces says where in zig-zag order each coefficient stands (T.81, figure
// A.6).
func zigzagPlaces() [64]uint8 {
	return [64]uint8{
		0, 1, 5, 6, 14, 15, 27, 28,
		2, 4, 7, 13, 16, 26, 29, 42,
		3, 8, 12, 17, 25, 30, 41, 43,
		9, 11, 18, 24, 31, 40, 44, 53,
		10, 19, 23, 32, 39, 45, 52, 54,
		20, 22, 33, 38, 46, 51, 55, 60,
		21, 34, 37, 47, 50, 56, 59, 61,
		35, 36, 48, 49, 57, 58, 62, 63,
	}
}
