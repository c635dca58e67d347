package icc

// grid is a table over one, three or four axes with three values at each node.
type grid struct {
	// last is the number of the last node of an axis, step how far a node is
	// from the next in nodes.
	last, step [4]uint32
	nodes      []uint16
}

// newGrid makes a grid of the given points on each axis, the last of which
// varies first. It has no nodes yet.
func newGrid(points []int) *grid {
	g := &grid{}
	step := uint32(3)
	for i := len(points) - 1; i >= 0; i-- {
		g.last[i], g.step[i] = uint32(points[i]-1), step
		step *= uint32(points[i])
	}
	return g
}

// whole is the weight of all of a node.
const whole = 1 << 16

// place finds a value on an axis: the node below it, as its offset in nodes, and
// the weight of the node above. The end of the axis counts as all of the last
// node, so that there always is a node above.
func (g *grid) place(axis int, v uint16) (at, weight uint32) {
	p := uint32(v) * g.last[axis]
	p += (p + full/2) / full
	node, weight := p>>16, p&(whole-1)
	if node == g.last[axis] {
		node, weight = node-1, whole
	}
	return node * g.step[axis], weight
}

// at1 interpolates on a line.
func (g *grid) at1(v uint16) (a, b, c uint16) {
	at, w := g.place(0, v)
	n := g.nodes[at : at+6 : at+6]
	return between(n[0], n[3], w), between(n[1], n[4], w), between(n[2], n[5], w)
}

func between(low, high uint16, w uint32) uint16 {
	return uint16((uint32(low)*(whole-w) + uint32(high)*w + whole/2) >> 16)
}

// at3 interpolates in the tetrahedron that three values lie in.
func (g *grid) at3(x, y, z uint16) (a, b, c uint16) {
	var p path
	return g.along(g.path(&p, 0, x, y, z), &p)
}

// at4 interpolates in two tetrahedra of the last three values, and between them
// by the first, as is the custom: profiles are made to look right that way.
func (g *grid) at4(w, x, y, z uint16) (a, b, c uint16) {
	var p path
	at, part := g.place(0, w)
	at += g.path(&p, 1, x, y, z)
	a, b, c = g.along(at, &p)
	if part == 0 {
		return a, b, c
	}
	d, e, f := g.along(at+g.step[0], &p)
	return between(a, d, part), between(b, e, part), between(c, f, part)
}

// path goes from the first node of a cell to the one opposite along its edges,
// that of the greatest weight first: the four nodes on the way are the corners
// of the tetrahedron. It has the way to each, and their weights.
type path struct {
	to1, to2, to3  uint32
	w0, w1, w2, w3 uint32
}

// path finds the path through the cell of three values on the axes from the given
// one on, and where the cell begins.
func (g *grid) path(p *path, axis int, x, y, z uint16) uint32 { // house: parameters because these three are one colour, and a slice of them costs time
	ax, wx := g.place(axis, x)
	ay, wy := g.place(axis+1, y)
	az, wz := g.place(axis+2, z)
	sx, sy, sz := g.step[axis], g.step[axis+1], g.step[axis+2]
	if wx < wy {
		wx, wy, sx, sy = wy, wx, sy, sx
	}
	if wy < wz {
		wy, wz, sy, sz = wz, wy, sz, sy
	}
	if wx < wy {
		wx, wy, sx, sy = wy, wx, sy, sx
	}
	p.to1, p.to2, p.to3 = sx, sx+sy, sx+sy+sz
	p.w0, p.w1, p.w2, p.w3 = whole-wx, wx-wy, wy-wz, wz
	return ax + ay + az
}

// along weighs the nodes of a path from the one at on.
func (g *grid) along(at uint32, p *path) (a, b, c uint16) {
	n0 := g.nodes[at : at+3 : at+3]
	n1 := g.nodes[at+p.to1 : at+p.to1+3 : at+p.to1+3]
	n2 := g.nodes[at+p.to2 : at+p.to2+3 : at+p.to2+3]
	n3 := g.nodes[at+p.to3 : at+p.to3+3 : at+p.to3+3]
	w0, w1, w2, w3 := p.w0, p.w1, p.w2, p.w3
	a = uint16((uint32(n0[0])*w0 + uint32(n1[0])*w1 + uint32(n2[0])*w2 + uint32(n3[0])*w3 + whole/2) >> 16)
	b = uint16((uint32(n0[1])*w0 + uint32(n1[1])*w1 + uint32(n2[1])*w2 + uint32(n3[1])*w3 + whole/2) >> 16)
	c = uint16((uint32(n0[2])*w0 + uint32(n1[2])*w1 + uint32(n2[2])*w2 + uint32(n3[2])*w3 + whole/2) >> 16)
	return a, b, c
}
