package jpeg

// encoder writes one picture, as often as it is asked to.
type encoder struct {
	layout
	planes    [3]*Plane
	places    []place
	tokenizer *tokenizer
	tape      tape
}

func newEncoder(p *Planes) *encoder {
	l := layoutOf(p)
	return &encoder{layout: l, planes: [3]*Plane{&p.Y, &p.Cb, &p.Cr}, places: l.unitBlocks(), tokenizer: newTokenizer()}
}

// count makes the tokens of the picture and counts them, until they are sure to
// take more than limit bytes. It returns how many rows of units it has counted.
func (e *encoder) count(quantisers []*quantiser, limit int) (rows int) {
	e.tokenizer.reset()
	e.tape.clear()
	look := 0
	for y := range e.rows() {
		e.countRow(quantisers, y)
		if e.tape.used <= look {
			continue
		}
		look = e.tape.used + between(limit)
		if e.tokenizer.counts.leastBits()/8 > limit {
			return y + 1
		}
	}
	return e.rows()
}

// countOn counts rows from the given one on, step apart, and keeps no tokens. It
// returns how many it has counted.
func (e *encoder) countOn(quantisers []*quantiser, from, step int) (rows int) {
	for y := from; y < e.rows(); y += step {
		e.tape.clear()
		e.countRow(quantisers, y)
		rows++
	}
	return rows
}

// estimate is about how many bytes the picture takes, of which some rows were
// counted. Photos differ much between their halves, so it counts a third of the
// rest.
func (e *encoder) estimate(quantisers []*quantiser, rows int) int {
	bits := e.tokenizer.counts.leastBits()
	if more := e.countOn(quantisers, rows, 3); more > 0 {
		bits += (e.tokenizer.counts.leastBits() - bits) / more * (e.rows() - rows)
	}
	return bits / 8
}

// between is how many pieces of the tape are filled between two looks at what they
// take at least: a look takes as long as a hundred blocks.
func between(limit int) int { return limit / 16 / pieceTokens }

// rows is how many rows of units there are.
func (e *encoder) rows() int { return e.sampling.units(e.height) }

// countRow makes the tokens of a row of units.
func (e *encoder) countRow(quantisers []*quantiser, y int) {
	var block frequencies
	for x := range e.sampling.units(e.width) {
		for _, b := range e.places {
			left, top := 8*(x*int(b.across)+int(b.x)), 8*(y*int(b.down)+int(b.y))
			e.planes[b.component].forward(&block, left, top)
			p := e.tape.room()
			out := (*[mostTokens]token)(p.tokens[p.n:])
			p.n += e.tokenizer.block(out, &block, quantisers[min(b.component, 1)], int(b.component))
		}
	}
}

// forward transforms the block of the plane that begins there. What the plane
// lacks of it repeats its edge, which costs few bits and darkens nothing.
func (p *Plane) forward(dst *frequencies, left, top int) {
	if left+8 <= p.Width && top+8 <= p.Height {
		forward(dst, p.Pix[top*p.Stride+left:], p.Stride)
		return
	}
	var block [64]byte
	for y := range 8 {
		row := p.Row(min(top+y, p.Height-1))
		for x := range 8 {
			block[8*y+x] = row[min(left+x, p.Width-1)]
		}
	}
	forward(dst, block[:], 8)
}

// slotCounts says how often each slot is used.
type slotCounts [slots]int

// histograms are the counts of each code, in the order of huffmanName.
func (c *slotCounts) histograms() (h [4]histogram) {
	for slot, n := range c {
		kind, s := slot/colourSlots, slot%colourSlots
		if s&15 == 0 && s != endOfBlock && s != sixteenZero {
			h[2*kind][(s-average)>>4&15] = n
		} else {
			h[2*kind+1][s] = n
		}
	}
	return h
}

// leastBits is what no codes for these counts can do without: the bits of the
// values, and for the symbols one bit each or their entropy.
func (c *slotCounts) leastBits() int {
	bits := 0
	for _, h := range c.histograms() {
		symbols, known := 0, 0
		for s, n := range h {
			if n > 0 {
				symbols += n
				known += n * (log2(n) + 1)
				bits += n * (s & 15)
			}
		}
		if symbols > 0 {
			bits += max(symbols, (symbols*log2(symbols)-known)/1024)
		}
	}
	return bits
}
