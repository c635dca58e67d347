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
func (g *grid) at1(in *[4]uint16, out *[3]uint16) {
	at, w := g.place(0, in[0])
	low, high := g.nodes[at:at+3:at+3], g.nodes[at+3:at+6:at+6]
	for i := range out {
		out[i] = uint16((uint32(low[i])*(whole-w) + uint32(high[i])*w + whole/2) >> 16)
	}
}

// at3 interpolates in the tetrahedron that the first three values lie in.
func (g *grid) at3(in *[4]uint16, out *[3]uint16) {
	at, x := g.place(0, in[0])
	y, wy := g.place(1, in[1])
	z, wz := g.place(2, in[2])
	g.tetrahedron(at+y+z, [3]uint32{x, wy, wz}, g.step[0:3], out)
}

// at4 interpolates in two tetrahedra of the last three values, and between them
// by the first, as is the custom: profiles are made to look right that way.
func (g *grid) at4(in *[4]uint16, out *[3]uint16) {
	at, w := g.place(0, in[0])
	x, wx := g.place(1, in[1])
	y, wy := g.place(2, in[2])
	z, wz := g.place(3, in[3])
	at += x + y + z
	weights := [3]uint32{wx, wy, wz}
	var high [3]uint16
	g.tetrahedron(at, weights, g.step[1:4], out)
	g.tetrahedron(at+g.step[0], weights, g.step[1:4], &high)
	for i := range out {
		out[i] = uint16((uint32(out[i])*(whole-w) + uint32(high[i])*w + whole/2) >> 16)
	}
}

// tetrahedron walks from the node at the beginning of a cell to the one opposite
// along its edges, that of the greatest weight first: the four nodes on the way
// are the corners of the tetrahedron.
func (g *grid) tetrahedron(at uint32, w [3]uint32, step []uint32, out *[3]uint16) {
	a, b, c := step[0], step[1], step[2]
	if w[0] < w[1] {
		w[0], w[1], a, b = w[1], w[0], b, a
	}
	if w[1] < w[2] {
		w[1], w[2], b, c = w[2], w[1], c, b
	}
	if w[0] < w[1] {
		w[0], w[1], a, b = w[1], w[0], b, a
	}
	n0 := g.nodes[at : at+3 : at+3]
	at += a
	n1 := g.nodes[at : at+3 : at+3]
	at += b
	n2 := g.nodes[at : at+3 : at+3]
	at += c
	n3 := g.nodes[at : at+3 : at+3]
	w0, w1, w2, w3 := whole-w[0], w[0]-w[1], w[1]-w[2], w[2]
	for i := range out {
		out[i] = uint16((uint32(n0[i])*w0 + uint32(n1[i])*w1 + uint32(n2[i])*w2 + uint32(n3[i])*w3 + whole/2) >> 16)
	}
}
