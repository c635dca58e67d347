package icc

// lut is the way through a table: curves, a grid, where there are any more
// curves and a matrix, again curves, and from the connection space to sRGB
// (ICC.1, 10.10 to 10.12). A part that is nil changes nothing.
type lut struct {
	// device are the curves before the grid; fromLight are those that begin
	// with what light gave.
	device, fromLight []*curve
	grid              *grid
	middle            *middle
	// ends are the last curves. Those that lead to Lab give the terms of its
	// formula.
	ends   [3]*curve
	lab    *cubes
	linear linear
	decode *curve
}

// middle are the curves and the matrix behind the grid.
type middle struct {
	curves [3]*curve
	rows   [3][3]int64
	add    [3]int64
}

// newLUT makes the engine of a table between a device and the connection space.
// Lightness of red, green, blue and gray is taken to be on the curve of sRGB for
// averaging: the true one could differ with every colour.
func newLUT(t table, pcs encoding) *lut {
	e := &lut{device: t.device, fromLight: t.device, grid: t.grid, middle: t.middle, ends: t.ends}
	if len(t.device) != 4 {
		e.decode = srgbToLight()
		e.fromLight = make([]*curve, len(t.device))
		for i, c := range t.device {
			e.fromLight[i] = after(lightToDevice(), c)
		}
	}
	pcs.end(e)
	return e
}

// after is one curve behind another.
func after(first, second *curve) *curve {
	var c curve
	for i, v := range first {
		c[i] = second[v]
	}
	return &c
}

func (e *lut) convert(dst []uint8, src []uint16) { e.row(dst, src, e.device) }

func (e *lut) convertLight(dst []uint8, src []uint16) { e.row(dst, src, e.fromLight) }

func (e *lut) light(dst, src []uint16) {
	if e.decode == nil {
		copy(dst, src)
		return
	}
	e.decode.apply(dst, src)
}

func (e *lut) row(dst []uint8, src []uint16, curves []*curve) {
	n := len(curves)
	var in [4]uint16
	var out [3]uint16
	for ; len(src) >= n; src, dst = src[n:], dst[3:] {
		for i, c := range curves {
			in[i] = c[src[i]]
		}
		switch {
		case e.grid == nil:
			out = [3]uint16(in[:3])
		case n == 1:
			e.grid.at1(&in, &out)
		case n == 3:
			e.grid.at3(&in, &out)
		default:
			e.grid.at4(&in, &out)
		}
		if e.middle != nil {
			e.middle.apply(&out)
		}
		e.end(dst[:3:3], &out)
	}
}

// end goes from the connection space to sRGB.
func (e *lut) end(dst []uint8, v *[3]uint16) {
	a, b, c := int64(e.ends[0][v[0]]), int64(e.ends[1][v[1]]), int64(e.ends[2][v[2]])
	if e.lab != nil {
		a, b, c = int64(e.lab[a+b]), int64(e.lab[a+zero]), int64(e.lab[a+c])
	}
	e.linear.put(dst, a, b, c)
}

func (m *middle) apply(v *[3]uint16) {
	a, b, c := int64(m.curves[0][v[0]]), int64(m.curves[1][v[1]]), int64(m.curves[2][v[2]])
	for i := range v {
		r := &m.rows[i]
		v[i] = clipped((r[0]*a + r[1]*b + r[2]*c + m.add[i] + 1<<15) >> 16)
	}
}
