package icc

import (
	"math"
	"sort"
	"sync"
)

// full is the device value, and the light, of all there is.
const full = 65535

// curve gives a value for every device value. The table is whole, not sampled:
// what it costs in memory (128 kB) it saves in arithmetic for every pixel, and
// the 8-bit pictures that most are touch 256 entries of it.
type curve [full + 1]uint16

// codes gives an sRGB byte for every amount of light. Sixteen bits of light are
// enough: the darkest code but black is 20 steps wide, so that a light rounded
// to a step is at most a fortieth of a code away.
type codes [full + 1]uint8

// house: variable because these are functions whose table is made once.
var (
	// srgbToLight and lightToDevice are each other's inverse.
	srgbToLight   = sync.OnceValue(func() *curve { return sampled(decodeSRGB) })
	lightToDevice = sync.OnceValue(func() *curve { return sampled(encodeSRGB) })

	lightToSRGB = sync.OnceValue(func() *codes {
		var c codes
		end := 0
		for code := range 256 {
			// More light never has a lower code, so each begins where one is found.
			first := end
			end += sort.Search(len(c)-first, func(i int) bool { return srgbCode(first+i) > code })
			for i := first; i < end; i++ {
				c[i] = uint8(code)
			}
		}
		return &c
	})
)

// srgbCode is the code of some light, up to full.
func srgbCode(light int) int { return int(rounded(255 * encodeSRGB(float64(light)/full))) }

// decodeSRGB is the curve of IEC 61966-2-1, from the number of a colour to its
// light.
func decodeSRGB(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// encodeSRGB is the inverse of decodeSRGB.
func encodeSRGB(light float64) float64 {
	if light <= 0.0031308 {
		return light * 12.92
	}
	return 1.055*math.Pow(light, 1/2.4) - 0.055
}

// toSRGB are the linear red, green and blue of sRGB as sums of X, Y and Z on
// white of D50: the inverse of the primaries of IEC 61966-2-1, adapted from D65
// by the Bradford transform (ICC.1 annex E), in digits that keep D50 at 1, 1, 1.
func toSRGB() [3][3]float64 {
	return [3][3]float64{
		{3.134184602, -1.617214427, -0.490693111},
		{-0.978749928, 1.916133899, 0.033433653},
		{0.071963728, -0.228993450, 1.405744007},
	}
}

// whiteX and whiteZ are those of D50, whose Y is 1, as profiles write it (ICC.1,
// 7.2.16).
const (
	whiteX = 0xf6d6 / 65536.0
	whiteZ = 0xd32d / 65536.0
)

// sampled makes a table of a function from 0..1 to 0..1. Where the function is all but
// a line, so is the table: all 65,536 powers of a gamma take longer than to decode a
// small photo.
func sampled(f func(float64) float64) *curve {
	const step = 64
	s := sampling{f: f}
	for first := 0; first < full; first += step {
		s.between(first, min(first+step, full))
	}
	return &s.curve
}

// sampling is a table in the making.
type sampling struct {
	f     func(float64) float64
	curve curve
}

// fineBits are those behind the point while a table is made.
const fineBits = 16

// between fills the table from one place to another, both included. That the function
// is a line is taken from its middle, where it may be a quarter of a step away.
func (s *sampling) between(first, last int) {
	from, to := s.at(first), s.at(last)
	n := int64(last - first)
	middle := (first + last) / 2
	if away := s.at(middle) - from - (to-from)*int64(middle-first)/n; max(away, -away) > 1<<(fineBits-2) && n > 1 {
		s.between(first, middle)
		s.between(middle, last)
		return
	}
	for i := range n + 1 {
		s.curve[first+int(i)] = uint16((from + (to-from)*i/n + 1<<(fineBits-1)) >> fineBits)
	}
}

// at is the function's value at a place of the table.
func (s *sampling) at(i int) int64 {
	v := s.f(float64(i) / full)
	if !(v > 0) { // or no number
		return 0
	}
	return rounded(min(v, 1) * (full << fineBits))
}

// level is the 16-bit number of a value from 0 to 1. What lies outside is
// clipped, and what is no number is 0.
func level(v float64) uint16 {
	switch {
	case !(v > 0):
		return 0
	case v >= 1:
		return full
	}
	return uint16(rounded(v * full))
}

// rounded is the nearest whole number. It is a trifle above the half, so that
// what is a half by the rules of arithmetic goes up on every processor,
// whatever became of its last bit.
func rounded(v float64) int64 { return int64(math.Floor(v + 0.5 + 1e-6)) }
