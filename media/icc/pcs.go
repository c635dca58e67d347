package icc

import "sync"

// encoding is how a table writes colours of the connection space.
type encoding int

// The encodings: XYZ (ICC.1, 6.3.4.2), Lab in 16 bits as version 4 writes it and
// as the 8 bits of old are widened (6.3.4.2), and the 16 bits of version 2, which
// the type lut16 has kept: a 1.0 in its high byte is 255 (10.10).
const (
	encodedXYZ encoding = iota
	encodedLab
	encodedOldLab
)

// In the terms of the formula of Lab, unit is 1 and zero is 0 of those that may
// be negative: f(Y) is up to 1.004, f(X) 0.26 and f(Z) 0.65 away from it.
const (
	unit = 1 << 15
	zero = 1 << 15
)

// cubes is the way back from the terms: the sum of a term and zero gives X, Y or
// Z as a part of white's, with labBits more bits than light has.
type cubes [zero + 2*unit]int32

const labBits = 4

// house: variable because these are functions whose tables are made once.
var (
	labTerms    = sync.OnceValue(func() [3]*curve { return makeTerms(65535, 257) })
	oldLabTerms = sync.OnceValue(func() [3]*curve { return makeTerms(65280, 256) })

	labCubes = sync.OnceValue(func() *cubes {
		var c cubes
		for i := range c {
			c[i] = int32(rounded(fromTerm(float64(i-zero)/unit) * (full << labBits)))
		}
		return &c
	})
)

// fromTerm is the inverse of the f of Lab (CIE 15, ICC.1 annex A). Below zero it
// goes on in a line, for colours that no device can have.
func fromTerm(f float64) float64 {
	if f <= 6.0/29 {
		return (f*116 - 16) * 27 / 24389
	}
	return f * f * f
}

// end makes the end of a way through a table.
func (p encoding) end(e *lut) {
	if p == encodedXYZ {
		e.linear = fromXYZ()
		return
	}
	e.lab, e.linear = labCubes(), fromWhite()
	for i, terms := range p.terms() {
		e.ends[i] = after(e.ends[i], terms)
	}
}

// fromXYZ goes from X, Y and Z, of which 32768 is 1, to the light of sRGB.
func fromXYZ() linear {
	var rows [3][3]int64
	for i, row := range toSRGB() {
		for j, v := range row {
			rows[i][j] = rounded(v * full / (1 << 15) * (1 << matrixBits))
		}
	}
	return newLinear(rows, matrixBits)
}

// fromWhite goes from X, Y and Z as parts of white's to the light of sRGB.
func fromWhite() linear {
	var rows [3][3]int64
	for i, row := range toSRGB() {
		rows[i] = fixed([3]float64{row[0] * whiteX, row[1], row[2] * whiteZ})
	}
	return newLinear(rows, matrixBits+labBits)
}

// terms are what the numbers of L, a and b are in the formula.
func (p encoding) terms() [3]*curve {
	if p == encodedOldLab {
		return oldLabTerms()
	}
	return labTerms()
}

// makeTerms makes f(Y) of L, and zero with the differences to it of f(X) and f(Z)
// of a and b. A lightness of 100 is written as white, and a difference of 1 in a
// and b as step.
func makeTerms(white, step float64) [3]*curve {
	var out [3]curve
	for i := range full + 1 {
		v := float64(i)
		out[0][i] = uint16(rounded((v/white*100 + 16) / 116 * unit))
		out[1][i] = uint16(zero + rounded((v/step-128)/500*unit))
		out[2][i] = uint16(zero - rounded((v/step-128)/200*unit))
	}
	return [3]*curve{&out[0], &out[1], &out[2]}
}
