package icc

import (
	"encoding/binary"
	"errors"
)

// table is what a tag of a table says.
type table struct {
	device []*curve
	grid   *grid
	middle *middle
	ends   [3]*curve
}

var (
	errTable    = errors.New("the profile has a table that cannot be read")
	errChannels = errors.New("the profile has a table for other channels than its own")
)

// lutTransform is that of a table.
func (p *profile) lutTransform(tag []byte) (*Transform, error) {
	channels := map[string]int{"GRAY": 1, "RGB ": 3, "CMYK": 4}[p.space]
	if len(tag) < 32 {
		return nil, errTable
	}
	if int(tag[8]) != channels || tag[9] != 3 {
		return nil, errChannels
	}
	pcs := encodedXYZ
	if p.pcs == "Lab " {
		pcs = encodedLab
	}
	var t table
	var err error
	switch string(tag[:4]) {
	case "mft1":
		t, err = readLUT(tag, 1, 48, [2]int{256, 256})
	case "mft2":
		if len(tag) < 52 {
			return nil, errTable
		}
		entries := [2]int{int(binary.BigEndian.Uint16(tag[48:])), int(binary.BigEndian.Uint16(tag[50:]))}
		t, err = readLUT(tag, 2, 52, entries)
		if pcs == encodedLab {
			pcs = encodedOldLab
		}
	case "mAB ":
		t, err = readAToB(tag)
	default:
		return nil, errors.New("the profile has a table of an unknown type")
	}
	if err != nil {
		return nil, err
	}
	return sensible(&Transform{channels, newLUT(t, pcs)})
}

// sensible refuses a table in which white is dark, or black is not darker: of
// inks, white is none and black is all.
func sensible(t *Transform) (*Transform, error) {
	ends := [2][4]uint16{{}, {full, full, full, full}}
	var bytes [2][3]uint8
	for i := range ends {
		t.Convert(bytes[i][:], ends[i][:t.channels])
	}
	black, white := bytes[0], bytes[1]
	if t.channels == 4 {
		black, white = white, black
	}
	if min(white[0], white[1], white[2]) < 128 || max(black[0], black[1], black[2]) >= min(white[0], white[1], white[2]) {
		return nil, errSenseless
	}
	return t, nil
}

// readLUT reads a lut8Type or lut16Type (ICC.1, 10.10 and 10.11) with numbers of
// so many bytes, the first of which stands at from. Its matrix is for XYZ alone,
// which no device here has.
func readLUT(tag []byte, width, from int, entries [2]int) (table, error) {
	var t table
	channels := int(tag[8])
	in, out := entries[0], entries[1]
	if len(tag) < from || in < 2 || in > 4096 || out < 2 || out > 4096 {
		return t, errTable
	}
	n := numbers{tag[from:], width}
	for range channels {
		c, err := n.curve(in)
		if err != nil {
			return t, err
		}
		t.device = append(t.device, c)
	}
	points := make([]int, channels)
	for i := range points {
		points[i] = int(tag[10])
	}
	var err error
	if t.grid, err = n.grid(points); err != nil {
		return t, err
	}
	for i := range t.ends {
		if t.ends[i], err = n.curve(out); err != nil {
			return t, err
		}
	}
	return t, nil
}

// numbers are the contents of a table, of one or two bytes each.
type numbers struct {
	data  []byte
	width int
}

// take takes so many numbers from the front, widened to 16 bits.
func (n *numbers) take(count int) ([]uint16, error) {
	if count > len(n.data)/n.width {
		return nil, errTable
	}
	out := make([]uint16, count)
	for i := range out {
		if n.width == 1 {
			out[i] = uint16(n.data[i]) * 257
		} else {
			out[i] = binary.BigEndian.Uint16(n.data[2*i:])
		}
	}
	n.data = n.data[count*n.width:]
	return out, nil
}

func (n *numbers) curve(entries int) (*curve, error) {
	values, err := n.take(entries)
	if err != nil {
		return nil, err
	}
	return tabled(values), nil
}

// grid takes the nodes of a grid. There cannot be more of them than there are
// bytes, whatever the points are said to be.
func (n *numbers) grid(points []int) (*grid, error) {
	count := 3
	for _, p := range points {
		if count *= p; p < 2 || count > len(n.data) {
			return nil, errTable
		}
	}
	g := newGrid(points)
	var err error
	g.nodes, err = n.take(count)
	return g, err
}

// readAToB reads a lutAToBType (ICC.1, 10.12): curves, a grid, curves, a matrix
// and curves, each at an offset of its own, of which those before the last curves
// may be missing.
func readAToB(tag []byte) (table, error) {
	var t table
	channels := int(tag[8])
	var parts [5][]byte
	for i := range parts {
		at := int64(binary.BigEndian.Uint32(tag[12+4*i:]))
		if at > int64(len(tag)) {
			return t, errTable
		}
		if at > 0 {
			parts[i] = tag[at:]
		}
	}
	last, matrix, middles, nodes, first := parts[0], parts[1], parts[2], parts[3], parts[4]
	if nodes == nil && channels != 3 {
		return t, errTable
	}
	var err error
	if t.device, err = readCurves(first, channels); err != nil {
		return t, err
	}
	if t.grid, err = readGrid(nodes, channels); err != nil {
		return t, err
	}
	if t.middle, err = readMiddle(middles, matrix); err != nil {
		return t, err
	}
	ends, err := readCurves(last, 3)
	if err != nil {
		return t, err
	}
	t.ends = [3]*curve(ends)
	return t, nil
}

// readCurves reads curves that stand one behind the other, each from a multiple
// of four on. Without data they change nothing. Equal ones share a table.
func readCurves(data []byte, n int) ([]*curve, error) {
	out := make([]*curve, n)
	var before []byte
	for i := range out {
		switch {
		case data == nil:
			out[i] = straight()
			continue
		case before != nil && len(data) >= len(before) && sameBytes(data[:len(before)], before):
			out[i] = out[i-1]
		default:
			c, size, err := readCurve(data)
			if err != nil {
				return nil, err
			}
			out[i], before = c, data[:size]
		}
		data = data[min((len(before)+3)&^3, len(data)):]
	}
	return out, nil
}

// readGrid reads the grid of a lutAToBType, whose axes may differ.
func readGrid(data []byte, channels int) (*grid, error) {
	if data == nil {
		return nil, nil
	}
	if len(data) < 20 || data[16] != 1 && data[16] != 2 {
		return nil, errTable
	}
	points := make([]int, channels)
	for i := range points {
		points[i] = int(data[i])
	}
	n := numbers{data[20:], int(data[16])}
	return n.grid(points)
}

// readMiddle reads the curves and the matrix behind the grid. The matrix has
// nine factors, and then three numbers to add.
func readMiddle(curves, matrix []byte) (*middle, error) {
	if curves == nil && matrix == nil {
		return nil, nil
	}
	all, err := readCurves(curves, 3)
	if err != nil {
		return nil, err
	}
	m := &middle{curves: [3]*curve(all)}
	if matrix == nil {
		m.rows = [3][3]int64{{whole}, {0, whole}, {0, 0, whole}}
		return m, nil
	}
	if len(matrix) < 48 {
		return nil, errTable
	}
	number := func(i int) int64 { return int64(int32(binary.BigEndian.Uint32(matrix[4*i:]))) }
	for i := range m.rows {
		for j := range m.rows[i] {
			m.rows[i][j] = number(3*i + j)
		}
		m.add[i] = number(9+i) * full
	}
	return m, nil
}
