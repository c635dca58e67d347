package icc

import "sync"

// Table is the way of 8-bit values through curves and a matrix, made for speed. The
// three lights that a value of a channel adds to stand in one number, so that two
// additions make all three lights of a pixel. Each has laneBits, of which lightBits are
// for as much light as there is: the rest is for what is brighter than that, or less
// than nothing.
type Table struct {
	light [3][1 << clippedBits]uint64
	codes *laneCodes
}

const (
	clippedBits = 10
	laneBits    = 21
	lightBits   = 18
	// laneZero is what stands for no light.
	laneZero = 1 << (laneBits - 1)
	// mostLight is how much light a sum may come to, in percent of all there is:
	// what fits and a little less, because each addend is rounded.
	mostLight = 99 * laneZero >> lightBits
)

// laneCodes gives an sRGB byte for the upper bits of a lane. It needs no clipping, and
// what is used of it, 8 kB, stays near to the processor.
type laneCodes [1 << 16]uint8

// house: variable because this is a function whose table is made once.
var codesOfLanes = sync.OnceValue(func() *laneCodes {
	var c laneCodes
	const step = 1 << (laneBits - lightBits) // of light, of which 1<<16 is all
	for i := range c {
		c[i] = lightToSRGB()[clipped(int64(i-len(c)/2)*step+step/2)]
	}
	return &c
})

// newTable makes the table of three curves and the matrix behind them, or nil for a
// matrix with numbers so large that a sum could leave its lane.
func newTable(curves [3]*curve, rows *[3][3]int64) *Table {
	t := &Table{codes: codesOfLanes()}
	for i, row := range rows {
		if abs(row[0])+abs(row[1])+abs(row[2]) > mostLight<<matrixBits/100 {
			return nil
		}
		for place := range t.light[0] {
			lights := addends(row, curves, clippedByte(place))
			for j, light := range lights {
				t.light[j][place] += uint64(light) << (i * laneBits)
			}
			t.light[0][place] += laneZero << (i * laneBits)
		}
	}
	return t
}

func abs(v int64) int64 { return max(v, -v) }

// addends are what a value of each channel adds to the light of a row of the matrix.
// Rounded, they add up for gray to the light of gray, if they did so before: that of
// the largest factor makes it good.
func addends(row [3]int64, curves [3]*curve, value int) (lights [3]int64) {
	largest, rest := 0, int64(curves[0][257*value])<<(lightBits-16)
	for j, factor := range row {
		light := factor * int64(curves[j][257*value]) >> (matrixBits + 16 - lightBits - 1)
		lights[j] = (light + 1) >> 1
		rest -= lights[j]
		if abs(factor) > abs(row[largest]) {
			largest = j
		}
	}
	if row[0]+row[1]+row[2] == 1<<matrixBits && curves[0] == curves[1] && curves[1] == curves[2] {
		lights[largest] += rest
	}
	return lights
}

// clippedByte is the value of a place in the table, of which the upper half is for what
// is less than nothing.
func clippedByte(place int) int {
	const places = 1 << clippedBits
	if place >= places/2 {
		return 0
	}
	return min(place, 255)
}

// At gives sRGB for a pixel of values from -512 to 511, which are clipped to 0 to 255.
// One in a hundred is a code away from what Convert gives.
func (t *Table) At(red, green, blue int32) (r, g, b uint8) {
	const mask, drop = 1<<clippedBits - 1, laneBits - 16
	sum := t.light[0][red&mask] + t.light[1][green&mask] + t.light[2][blue&mask]
	return t.codes[uint16(sum>>drop)], t.codes[uint16(sum>>(drop+laneBits))], t.codes[uint16(sum>>(drop+2*laneBits))]
}

// Table is a faster way for 8-bit values, or nil where there is none: there is one where
// a matrix leads to sRGB, as in the profiles of cameras.
func (t *Transform) Table() *Table {
	if m, ok := t.engine.(*matrix); ok {
		return m.table
	}
	return nil
}

// ConvertBytes does what Convert does, of device values of 8 bits, of which 255 is
// all. The two may be the same slice where Channels is 3.
func (t *Transform) ConvertBytes(dst, src []uint8) {
	var wide [96]uint16 // room for whole pixels of 1, 3 and 4 channels
	for len(src) > 0 {
		n := min(len(src), len(wide))
		for i, v := range src[:n] {
			wide[i] = uint16(v) * 257
		}
		t.engine.convert(dst, wide[:n])
		dst, src = dst[3*n/t.channels:], src[n:]
	}
}
