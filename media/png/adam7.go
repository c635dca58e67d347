package png

// pass is one of Adam7's seven pictures (W3C PNG, 8.1): which pixels of the
// whole it has, and how large a block each stands for until later passes come.
type pass struct {
	x, y           int // of its first pixel
	stepX, stepY   int
	blockX, blockY int
}

func adam7() [7]pass {
	return [7]pass{
		{0, 0, 8, 8, 8, 8},
		{4, 0, 8, 8, 4, 8},
		{0, 4, 4, 8, 4, 4},
		{2, 0, 4, 4, 2, 4},
		{0, 2, 2, 4, 2, 2},
		{1, 0, 2, 2, 1, 2},
		{0, 1, 1, 2, 1, 1},
	}
}

// passes puts an interlaced picture together, at the file's own depth.
type passes struct {
	image   Image
	all     [7]pass
	now     int // the pass that is being read
	row     int // its next row
	stride  int
	picture []byte
}

func newPasses(i Image) passes {
	stride := i.rowBytes(i.Width)
	p := passes{image: i, all: adam7(), stride: int(stride), picture: make([]byte, stride*int64(i.Height))}
	p.skipEmpty()
	return p
}

// whole tells whether all passes have been read.
func (p *passes) whole() bool { return p.now == len(p.all) }

// width is how many pixels a row of the current pass has.
func (p *passes) width() int {
	a := &p.all[p.now]
	return (p.image.Width - a.x + a.stepX - 1) / a.stepX
}

func (p *passes) height() int {
	a := &p.all[p.now]
	return (p.image.Height - a.y + a.stepY - 1) / a.stepY
}

// skipEmpty goes on to the next pass that has rows: one without pixels has not
// even filter bytes.
func (p *passes) skipEmpty() {
	for !p.whole() && (p.width() == 0 || p.row == p.height()) {
		p.now++
		p.row = 0
	}
}

// add puts the next row of the current pass in its place.
func (p *passes) add(row []byte) {
	a := &p.all[p.now]
	line := p.line(a.y + p.row*a.stepY)
	bits := p.image.pixelBits()
	switch n := bits / 8; {
	case a.stepX == 1:
		copy(line, row)
	case n == 0:
		for i := range p.width() {
			put(line, a.x+i*a.stepX, bits, sample(row, i, bits))
		}
	default:
		// One channel after the other: a copy of a few bytes costs more.
		for c := range n {
			to := a.x*n + c
			for from := c; from < len(row); from += n {
				line[to] = row[from]
				to += a.stepX * n
			}
		}
	}
	p.row++
	p.skipEmpty()
}

// put sets a sample of at most 8 bits that was 0.
func put(line []byte, i, depth int, v byte) {
	at := i * depth
	line[at>>3] |= v << (8 - depth - at&7)
}

func (p *passes) line(y int) []byte { return p.picture[y*p.stride:][:p.stride] }

// reach is how many rows have pixels or stand-ins for them.
func (p *passes) reach() int {
	if p.now > 0 {
		return p.image.Height
	}
	return min(p.image.Height, p.row*p.all[0].blockY)
}

// rowAt returns a row of the picture, within reach. What is missing in it is
// filled in first.
func (p *passes) rowAt(y int) []byte {
	line := p.line(y)
	if p.whole() {
		return line
	}
	bits := p.image.pixelBits()
	n := bits / 8
	for x := range p.image.Width {
		fromX, fromY := p.nearest(x, y)
		switch from := p.line(fromY); {
		case fromX == x && fromY == y:
		case n == 0:
			put(line, x, bits, sample(from, fromX, bits))
		default:
			copy(line[x*n:x*n+n], from[fromX*n:])
		}
	}
	return line
}

// nearest returns the pixel that stands for this one: that of the last pass
// that has a block over it.
func (p *passes) nearest(x, y int) (int, int) {
	for n := min(p.now, len(p.all)-1); n > 0; n-- {
		a := &p.all[n]
		if x < a.x || y < a.y {
			continue
		}
		inX, inY := (x-a.x)%a.stepX, (y-a.y)%a.stepY
		if inX < a.blockX && inY < a.blockY && (n < p.now || (y-a.y)/a.stepY < p.row) {
			return x - inX, y - inY
		}
	}
	return x &^ 7, y &^ 7
}
