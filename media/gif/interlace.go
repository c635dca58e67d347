package gif

// passes knows the order of an interlaced frame's rows (GIF89a, appendix E).
type passes struct {
	height int
	now    int // the pass that is being read
	read   int // its rows so far
}

const lastPass = 3

// pass returns the first row of a pass and the distance between its rows.
func pass(n int) (first, step int) {
	switch n {
	case 0:
		return 0, 8
	case 1:
		return 4, 8
	case 2:
		return 2, 4
	}
	return 1, 2
}

// whole tells whether all passes have been read.
func (p *passes) whole() bool { return p.now > lastPass }

// y is the next row of the current pass.
func (p *passes) y() int {
	first, step := pass(p.now)
	return first + p.read*step
}

// add counts a row that was read. Passes without rows are left out.
func (p *passes) add() {
	p.read++
	for !p.whole() && p.y() >= p.height {
		p.now++
		p.read = 0
	}
}

// reach is how many rows have been read or have a row to stand for them.
func (p *passes) reach() int {
	if p.now > 0 {
		return p.height
	}
	_, step := pass(0)
	return min(p.height, p.read*step)
}

// nearest returns the last row not below y that has been read.
func (p *passes) nearest(y int) int {
	for !p.has(y) {
		y--
	}
	return y
}

// has tells whether a row has been read.
func (p *passes) has(y int) bool {
	n := lastPass
	for first, step := pass(n); n > 0 && y%step != first; first, step = pass(n) {
		n--
	}
	first, step := pass(n)
	return n < p.now || (n == p.now && (y-first)/step < p.read)
}
