package icc

import (
	"encoding/binary"
	"math"
	"slices"
)

// made is a profile in the making.
type made struct {
	class, space, pcs string
	version           byte
	names             []string
	tags              [][]byte
}

// device begins a display profile of version 2.
func device(space, pcs string) *made {
	return &made{class: "mntr", space: space, pcs: pcs, version: 2}
}

func (m *made) v4() *made {
	m.version = 4
	return m
}

func (m *made) tag(name string, data []byte) *made {
	m.names, m.tags = append(m.names, name), append(m.tags, data)
	return m
}

// tone gives a profile its tone curves, of which the last serves all the rest.
func (m *made) tone(curves ...[]byte) *made {
	names := []string{"rTRC", "gTRC", "bTRC"}
	if m.space == "GRAY" {
		names = []string{"kTRC"}
	}
	for i, name := range names {
		m.tag(name, curves[min(i, len(curves)-1)])
	}
	return m
}

// colorants gives a profile the primaries with the columns of a matrix to XYZ.
func (m *made) colorants(to [3][3]float64) *made {
	for j, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		m.tag(name, slices.Concat([]byte("XYZ \x00\x00\x00\x00"), fixedPoint(to[0][j], to[1][j], to[2][j])))
	}
	return m
}

func (m *made) bytes() []byte {
	out := make([]byte, headerBytes, headerBytes+4+entryBytes*len(m.tags))
	out[8] = m.version
	copy(out[12:], m.class)
	copy(out[16:], m.space)
	copy(out[20:], m.pcs)
	copy(out[36:], "acsp")
	copy(out[68:], fixedPoint(whiteX, 1, whiteZ))
	out = binary.BigEndian.AppendUint32(out, uint32(len(m.tags)))
	at := len(out) + entryBytes*len(m.tags)
	var body []byte
	for i, data := range m.tags {
		out = append(out, m.names[i]...)
		out = binary.BigEndian.AppendUint32(out, uint32(at+len(body)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		body = append(body, data...)
		body = append(body, make([]byte, -len(data)&3)...)
	}
	out = append(out, body...)
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
}

func fixedPoint(values ...float64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, uint32(int32(math.Round(v*65536))))
	}
	return out
}

func words(values ...int) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	return out
}

// curv is a curveType of the given entries.
func curv(entries ...int) []byte {
	out := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), uint32(len(entries)))
	return append(out, words(entries...)...)
}

// curvOf is a curveType of n samples.
func curvOf(n int, f func(float64) float64) []byte {
	entries := make([]int, n)
	for i := range entries {
		entries[i] = int(math.Round(f(float64(i)/float64(n-1)) * full))
	}
	return curv(entries...)
}

// para is a parametricCurveType.
func para(kind int, parameters ...float64) []byte {
	return slices.Concat([]byte("para\x00\x00\x00\x00"), words(kind, 0), fixedPoint(parameters...))
}

// primaries is the matrix to XYZ of D50 of a space with the given chromaticities
// and D65 for white, by the formulas of ICC.1 annex E.
func primaries(xr, yr, xg, yg, xb, yb float64) [3][3]float64 {
	return adapted([3][3]float64{
		{xr / yr, xg / yg, xb / yb},
		{1, 1, 1},
		{(1 - xr - yr) / yr, (1 - xg - yg) / yg, (1 - xb - yb) / yb},
	}, [3]float64{0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290})
}

func adapted(m [3][3]float64, white [3]float64) [3][3]float64 {
	scale := apply(inverse(m), white)
	for i := range m {
		for j := range m[i] {
			m[i][j] *= scale[j]
		}
	}
	bradford := [3][3]float64{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	from, to := apply(bradford, white), apply(bradford, [3]float64{whiteX, 1, whiteZ})
	var ratio [3][3]float64
	for i := range ratio {
		ratio[i][i] = to[i] / from[i]
	}
	return product(product(product(inverse(bradford), ratio), bradford), m)
}

func product(a, b [3][3]float64) (out [3][3]float64) {
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				out[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return out
}

func apply(m [3][3]float64, v [3]float64) (out [3]float64) {
	for i := range 3 {
		for j := range 3 {
			out[i] += m[i][j] * v[j]
		}
	}
	return out
}

// inverse is by cofactors.
func inverse(m [3][3]float64) (out [3][3]float64) {
	d := determinant(m)
	for i := range 3 {
		for j := range 3 {
			a, b := (i+1)%3, (i+2)%3
			c, e := (j+1)%3, (j+2)%3
			out[j][i] = (m[a][c]*m[b][e] - m[a][e]*m[b][c]) / d
		}
	}
	return out
}
