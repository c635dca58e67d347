package icc

import (
	"math"
	"sync"
)

// Inks takes four inks to be those of a common press, by the model of Yule,
// Nielsen and Neugebauer: the dots of four inks leave sixteen kinds of spots on
// the paper, each of a known colour and with a known share of it. The paper is
// white, and all is relative to it.
func Inks() *Transform { return theInks() }

// house: variable because this is a function whose value is made once.
var theInks = sync.OnceValue(func() *Transform { return &Transform{4, newPress()} })

// spots are X, Y and Z of the sixteen kinds of spots in percent of the paper's,
// as measured for GRACoL 2006 on coated paper (ANSI CGATS TR 006-2007, which is
// between what is printed in America and in Europe). The bits of an index are
// cyan, magenta, yellow and black, of which black is the lowest.
func spots() [16][3]float64 {
	return [16][3]float64{
		{100, 100, 100}, {2.18, 2.17, 2.12}, {81.73, 84.50, 9.35}, {1.95, 2.12, 1.05},
		{39.04, 19.11, 20.09}, {1.70, 1.18, 0.99}, {36.33, 18.60, 3.06}, {1.60, 1.31, 0.76},
		{17.72, 26.12, 70.83}, {0.97, 1.19, 2.21}, {9.28, 21.14, 9.76}, {0.91, 1.32, 1.02},
		{6.29, 4.72, 21.23}, {1.04, 0.86, 1.17}, {4.36, 4.34, 4.25}, {1.03, 1.02, 0.99},
	}
}

// scatter is the factor of Yule and Nielsen, and spread how much larger than
// meant the dots of an ink are: a share c of the paper becomes c + spread c(1-c).
// These are our own, found as those that come nearest to all 1617 colours of the
// same measurement: two codes away from them on average.
const scatter = 1.671

func spread() [4]float64 { return [4]float64{0.316, 0.216, 0.171, 0.203} }

// press is the model in whole numbers.
type press struct {
	dots   [4]*curve       // from ink to its share of the paper
	spots  [48]int32       // X, Y and Z of all, scattered
	gather [full + 1]int32 // the inverse of the scattering, with labBits more bits
	linear linear
}

func newPress() *press {
	e := &press{linear: fromWhite()}
	for i, s := range spread() {
		e.dots[i] = sampled(func(c float64) float64 { return c + s*c*(1-c) })
	}
	for i, spot := range spots() {
		for j, v := range spot {
			e.spots[3*i+j] = int32(level(math.Pow(v/100, 1/scatter)))
		}
	}
	for i := range e.gather {
		e.gather[i] = int32(rounded(math.Pow(float64(i)/full, scatter) * (full << labBits)))
	}
	return e
}

func (e *press) convert(dst []uint8, src []uint16) {
	cyan, magenta, yellow, black := e.dots[0], e.dots[1], e.dots[2], e.dots[3]
	var s [24]int32
	for ; len(src) >= 4; src, dst = src[4:], dst[3:] {
		// The spots with and without an ink become one, ink by ink.
		w := share(cyan[src[0]])
		for i := range 24 {
			s[i] = mixed(e.spots[i], e.spots[i+24], w)
		}
		w = share(magenta[src[1]])
		for i := range 12 {
			s[i] = mixed(s[i], s[i+12], w)
		}
		w = share(yellow[src[2]])
		for i := range 6 {
			s[i] = mixed(s[i], s[i+6], w)
		}
		w = share(black[src[3]])
		x, y, z := mixed(s[0], s[3], w), mixed(s[1], s[4], w), mixed(s[2], s[5], w)
		e.linear.put(dst[:3:3], int64(e.gather[uint16(x)]), int64(e.gather[uint16(y)]), int64(e.gather[uint16(z)]))
	}
}

// share writes a share of the paper in whole parts of 1<<16, so that all of it is
// all of it.
func share(v uint16) int64 { return int64(v) + int64(v>>15) }

func mixed(without, with int32, w int64) int32 {
	return without + int32((int64(with-without)*w+1<<15)>>16)
}

func (*press) light(dst, src []uint16) { copy(dst, src) }

func (e *press) convertLight(dst []uint8, src []uint16) { e.convert(dst, src) }
