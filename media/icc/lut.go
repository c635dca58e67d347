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
	switch len(curves) {
	case 1:
		for ; len(src) >= 1; src, dst = src[1:], dst[3:] {
			a, b, c := e.grid.at1(curves[0][src[0]])
			e.end(dst[:3:3], a, b, c)
		}
	case 3:
		red, green, blue := curves[0], curves[1], curves[2]
		for ; len(src) >= 3; src, dst = src[3:], dst[3:] {
			a, b, c := red[src[0]], green[src[1]], blue[src[2]]
			if e.grid != nil {
				a, b, c = e.grid.at3(a, b, c)
			}
			e.end(dst[:3:3], a, b, c)
		}
	case 4:
		cyan, magenta, yellow, black := curves[0], curves[1], curves[2], curves[3]
		for ; len(src) >= 4; src, dst = src[4:], dst[3:] {
			a, b, c := e.grid.at4(cyan[src[0]], magenta[src[1]], yellow[src[2]], black[src[3]])
			e.end(dst[:3:3], a, b, c)
		}
	}
}

// end goes from behind the grid to sRGB.
func (e *lut) end(dst []uint8, a, b, c uint16) {
	if e.middle != nil {
		a, b, c = e.middle.apply(a, b, c)
	}
	x, y, z := int64(e.ends[0][a]), int64(e.ends[1][b]), int64(e.ends[2][c])
	if e.lab != nil {
		x, y, z = int64(e.lab[x+y]), int64(e.lab[x+zero]), int64(e.lab[x+z])
	}
	e.linear.put(dst, x, y, z)
}

func (m *middle) apply(a, b, c uint16) (x, y, z uint16) {
	p, q, r := int64(m.curves[0][a]), int64(m.curves[1][b]), int64(m.curves[2][c])
	sum := func(i int) uint16 {
		row := &m.rows[i]
		return clipped((row[0]*p + row[1]*q + row[2]*r + m.add[i] + 1<<15) >> 16)
	}
	return sum(0), sum(1), sum(2)
}
