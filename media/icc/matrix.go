package icc

import (
	"errors"
	"math"
)

// identity is sRGB itself.
type identity struct {
	decode *curve
	encode *codes
}

func (identity) convert(dst []uint8, src []uint16) {
	dst = dst[:len(src)]
	for i, v := range src {
		// v*255/65535, rounded, without a division.
		dst[i] = uint8((uint32(v)*255 + 32895) >> 16)
	}
}

func (e identity) light(dst, src []uint16) { e.decode.apply(dst, src) }

func (e identity) convertLight(dst []uint8, src []uint16) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = e.encode[v]
	}
}

func (c *curve) apply(dst, src []uint16) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = c[v]
	}
}

// gray has one channel, whose light the curve says.
type gray struct {
	curve  *curve
	encode *codes
}

func (e gray) convert(dst []uint8, src []uint16) {
	for i, v := range src {
		code := e.encode[e.curve[v]]
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0], d[1], d[2] = code, code, code
	}
}

func (e gray) light(dst, src []uint16) { e.curve.apply(dst, src) }

func (e gray) convertLight(dst []uint8, src []uint16) {
	for i, v := range src {
		code := e.encode[v]
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0], d[1], d[2] = code, code, code
	}
}

// isSRGB tells whether the curve is that of sRGB, within one code.
func (e gray) isSRGB() bool {
	for code := range 256 {
		if apart(e.encode[e.curve[code*257]], code) > 1 {
			return false
		}
	}
	return true
}

// matrixBits are those behind the point of a matrix. With them a whole row of
// colorants that are the largest a profile can write still fits 64 bits.
const matrixBits = 20

// linear goes from three lights to those of sRGB, and to its bytes. The numbers
// of the matrix have shift bits behind the point, less those that the lights have
// more than 16.
type linear struct {
	rows   [3][3]int64
	half   int64
	shift  uint
	encode *codes
}

func newLinear(rows [3][3]int64, shift uint) linear {
	return linear{rows: rows, half: 1 << (shift - 1), shift: shift, encode: lightToSRGB()}
}

// put writes the sRGB bytes of some light.
func (l *linear) put(dst []uint8, a, b, c int64) {
	_ = dst[2]
	dst[0] = l.encode[clipped((l.rows[0][0]*a+l.rows[0][1]*b+l.rows[0][2]*c+l.half)>>(l.shift&63))]
	dst[1] = l.encode[clipped((l.rows[1][0]*a+l.rows[1][1]*b+l.rows[1][2]*c+l.half)>>(l.shift&63))]
	dst[2] = l.encode[clipped((l.rows[2][0]*a+l.rows[2][1]*b+l.rows[2][2]*c+l.half)>>(l.shift&63))]
}

// clipped brings a number into the range of 16 bits.
func clipped(v int64) uint16 { return uint16(min(max(v, 0), full)) }

// matrix has three curves to linear light, and a matrix from there to the linear
// light of sRGB.
type matrix struct {
	curves [3]*curve
	linear linear
	table  *Table
}

func (e *matrix) convert(dst []uint8, src []uint16) {
	red, green, blue := e.curves[0], e.curves[1], e.curves[2]
	for i := 0; i+3 <= len(src); i += 3 {
		e.linear.put(dst[i:i+3:i+3], int64(red[src[i]]), int64(green[src[i+1]]), int64(blue[src[i+2]]))
	}
}

func (e *matrix) light(dst, src []uint16) {
	for i := 0; i+3 <= len(src); i += 3 {
		dst[i], dst[i+1], dst[i+2] = e.curves[0][src[i]], e.curves[1][src[i+1]], e.curves[2][src[i+2]]
	}
}

func (e *matrix) convertLight(dst []uint8, src []uint16) {
	for i := 0; i+3 <= len(src); i += 3 {
		e.linear.put(dst[i:i+3:i+3], int64(src[i]), int64(src[i+1]), int64(src[i+2]))
	}
}

// halfCode is how much the light of white may change before its byte does: the
// slope of the curve of sRGB at 1, times half a step.
const halfCode = 0.5 / 255 * 2.4 / 1.055

// errSenseless is the error of a profile that can be read, and says nothing that
// could be meant.
var errSenseless = errors.New("the profile makes no sense: white is not white in it, or brighter is not brighter")

// newMatrix makes the engine of a profile with the given curves and colorants,
// which are X, Y and Z of red, of green and of blue.
func newMatrix(curves [3]*curve, colorants [3][3]float64) (*matrix, error) {
	e := &matrix{curves: curves}
	var joined [3][3]float64
	for i, row := range toSRGB() {
		for j, c := range colorants {
			joined[i][j] = row[0]*c[0] + row[1]*c[1] + row[2]*c[2]
		}
	}
	if math.Abs(determinant(joined)) < 1e-3 {
		return nil, errSenseless
	}
	e.linear = newLinear([3][3]int64{fixed(joined[0]), fixed(joined[1]), fixed(joined[2])}, matrixBits)
	if !e.sensible() {
		return nil, errSenseless
	}
	e.table = newTable(curves, &e.linear.rows)
	return e, nil
}

// fixed writes a row of a matrix in whole numbers. Where the row leaves white at
// white but for the rounding of the profile's numbers, it is made to do so
// exactly, and with that every gray stays gray.
func fixed(row [3]float64) [3]int64 {
	const one = 1 << matrixBits
	sum := row[0] + row[1] + row[2]
	keeps := math.Abs(sum-1) < halfCode
	var out [3]int64
	largest := 0
	for j, v := range row {
		if keeps {
			v /= sum
		}
		out[j] = rounded(v * one)
		if math.Abs(v) > math.Abs(row[largest]) {
			largest = j
		}
	}
	if keeps {
		out[largest] += one - out[0] - out[1] - out[2]
	}
	return out
}

// sensible tells whether the curves rise and white is white, within two codes:
// colorants that do not add up to white are those of a broken profile, and would
// tint the whole picture.
func (e *matrix) sensible() bool {
	const near = 4 * halfCode * full
	for i, row := range e.linear.rows {
		if !e.curves[i].rises() {
			return false
		}
		white := 0.0
		for j, v := range row {
			white += float64(v) / (1 << matrixBits) * float64(e.curves[j][full])
		}
		if math.Abs(white-full) > near {
			return false
		}
	}
	return true
}

// rises tells whether a tone curve goes from dark to bright. Small steps back,
// such as those of a curve that was measured, are allowed.
func (c *curve) rises() bool {
	const back = full / 100
	highest := 0
	for _, v := range c {
		highest = max(highest, int(v))
		if highest-int(v) > back {
			return false
		}
	}
	return int(c[full])-int(c[0]) > full/2
}

func determinant(m [3][3]float64) float64 {
	return m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) -
		m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0]) +
		m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])
}

// isSRGB tells whether a transform changes no colour by more than one code, so
// that it need not be done.
func isSRGB(e engine) bool {
	const steps = 15
	src, got := make([]uint16, 3), make([]uint8, 3)
	near := func(r, g, b int) bool {
		for i, v := range [3]int{r, g, b} {
			src[i] = uint16(v * 257)
		}
		e.convert(got, src)
		return max(apart(got[0], r), apart(got[1], g), apart(got[2], b)) <= 1
	}
	for v := range 256 {
		if !near(v, v, v) || !near(v, 0, 0) || !near(0, v, 0) || !near(0, 0, v) {
			return false
		}
	}
	for i := range steps * steps * steps {
		const step = 255 / steps
		if !near(i%steps*step, i/steps%steps*step, i/steps/steps*step) {
			return false
		}
	}
	return true
}

func apart(got uint8, want int) int { return max(int(got)-want, want-int(got)) }
