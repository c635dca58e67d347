package icc

import (
	"encoding/binary"
	"errors"
	"math"
	"sync"
)

var errCurve = errors.New("the profile has a curve that cannot be read")

// house: variable because this is a function whose table is made once.
var straight = sync.OnceValue(func() *curve { return sampled(func(v float64) float64 { return v }) })

// readCurve reads a curve of either type, and says how many bytes it has.
func readCurve(data []byte) (*curve, int, error) {
	if len(data) < 12 {
		return nil, 0, errCurve
	}
	switch string(data[:4]) {
	case "curv":
		return readTable(data)
	case "para":
		return readFormula(data)
	}
	return nil, 0, errCurve
}

// readTable reads a curveType (ICC.1, 10.6): without entries it changes
// nothing, a single one is an exponent, more are the curve itself.
func readTable(data []byte) (*curve, int, error) {
	n := int64(binary.BigEndian.Uint32(data[8:]))
	size := 12 + 2*n
	if size > int64(len(data)) {
		return nil, 0, errCurve
	}
	entries := numbers{data[12:size], 2}
	if n == 0 {
		return straight(), 12, nil
	}
	values, err := entries.take(int(n))
	if err != nil {
		return nil, 0, err
	}
	if n == 1 {
		gamma := float64(values[0]) / 256
		return sampled(func(v float64) float64 { return math.Pow(v, gamma) }), 14, nil
	}
	return tabled(values), int(size), nil
}

// tabled makes a curve of values, at least two, which are evenly spaced; what is
// between them lies on the line from one to the next.
func tabled(values []uint16) *curve {
	var c curve
	step := len(values) - 1
	i, part := 0, 0
	for v := range c {
		a := int(values[i])
		if part > 0 {
			a = (a*(full-part) + int(values[i+1])*part + full/2) / full
		}
		c[v] = uint16(a)
		for part += step; part >= full; part -= full {
			i++
		}
	}
	return &c
}

// readFormula reads a parametricCurveType (ICC.1, 10.18).
func readFormula(data []byte) (*curve, int, error) {
	kind := binary.BigEndian.Uint16(data[8:])
	counts := [...]int{1, 3, 4, 5, 7}
	if int(kind) >= len(counts) || len(data) < 12+4*counts[kind] {
		return nil, 0, errCurve
	}
	var p [7]float64
	for i := range counts[kind] {
		p[i] = s15Fixed16(data[12+4*i:])
	}
	return formula(kind, p), 12 + 4*counts[kind], nil
}

// formula samples a parametric curve: (ax+b)^g+e from d on, cx+f below, to which
// every kind comes down. The conversions keep processors that can from
// multiplying and adding in one step: near zero what that leaves of ax+b could be
// anything once it is raised to a small g.
func formula(kind uint16, p [7]float64) *curve {
	g, a, b, c, d, e, f := p[0], p[1], p[2], p[3], p[4], p[5], p[6]
	switch kind {
	case 0:
		a, d = 1, 0
	case 1:
		c, d = 0, -b/a
	case 2:
		c, d, e, f = 0, -b/a, c, c
	}
	return sampled(func(x float64) float64 {
		if x < d {
			return float64(c*x) + f
		}
		return math.Pow(math.Max(float64(a*x)+b, 0), g) + e
	})
}
