package icc

import (
	"math"
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
		for i := range c {
			c[i] = uint8(rounded(255 * encodeSRGB(float64(i)/full)))
		}
		return &c
	})
)

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

// sampled makes a table of a function from 0..1 to 0..1.
func sampled(f func(float64) float64) *curve {
	var c curve
	for i := range c {
		c[i] = level(f(float64(i) / full))
	}
	return &c
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
