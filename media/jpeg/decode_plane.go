package jpeg

// plane is one component of the picture.
type plane struct {
	Component
	// quant is not defined before the component's first scan; weighted is what it is at
	// the scale.
	quant, weighted quantTable

	side          int // of a block, in samples: 8, or less in a picture that is scaled
	width, height int // in samples, without what fills the last blocks
	wide, high    int // in blocks, with what fills the last MCUs
	ratioH        int // how many pixels of a row share a sample
	ratioV        int // how many rows do
	held          int // how many bands are held in samples

	// samples is a ring of bands: row y stands at y modulo its height.
	samples []byte
	// coefs are all blocks, row by row, of each the side x side lowest frequencies.
	// Nil in a picture that is streamed.
	coefs []int16
	// places says where among the coefs of a block that one stands which comes at a
	// place of the zigzag; 64 where it is not kept.
	places *[64]uint8
	// last is the last place of the zigzag of which the coefficient is kept.
	last int
	// there tells of a progressive picture which coefficients of each block have come
	// that are not zero, kept or not: a bit for each, in the order of the zigzag.
	there  []uint64
	bands  int  // how many bands have at least their average brightness
	spoilt bool // a scan of it broke off
}

// layOut reckons the sizes that the frame header implies (ITU-T T.81, A.1.1,
// A.2.4).
func (h *header) layOut() {
	maxH, maxV := h.frame.factors()
	h.mcusWide = ceil(h.frame.Width, 8*maxH)
	h.mcusHigh = ceil(h.frame.Height, 8*maxV)
	h.held = 1
	for _, c := range h.frame.Components {
		p := plane{
			Component: c,
			wide:      h.mcusWide * c.H,
			high:      h.mcusHigh * c.V,
			ratioH:    maxH / c.H,
			ratioV:    maxV / c.V,
		}
		if p.smoothV() {
			h.held = 2
		}
		h.planes = append(h.planes, p)
	}
	h.scale(8)
	h.hold(h.held)
}

// scale has each block made into side x side samples.
func (h *header) scale(side int) {
	h.side = side
	h.width, h.height = ceil(h.frame.Width*side, 8), ceil(h.frame.Height*side, 8)
	maxH, maxV := h.frame.factors()
	places := keptPlaces(side)
	last := 63
	for places[last] == 64 {
		last--
	}
	for i := range h.planes {
		p := &h.planes[i]
		p.side, p.places, p.last = side, &places, last
		p.weighted = p.quant.weighted(side)
		p.width = ceil(h.frame.Width*p.H*side, 8*maxH)
		p.height = ceil(h.frame.Height*p.V*side, 8*maxV)
	}
}

// keptPlaces numbers the coefficients that are kept, row by row.
func keptPlaces(side int) (places [64]uint8) {
	for k := range places {
		x, y := int(naturalOrder[k])&7, int(naturalOrder[k])>>3
		if places[k] = 64; x < side && y < side {
			places[k] = uint8(y*side + x)
		}
	}
	return places
}

// hold has so many bands kept as samples.
func (h *header) hold(bands int) {
	h.held = bands
	for i := range h.planes {
		h.planes[i].held = bands
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// across and down are in how many blocks samples lie that are not there to fill an MCU.
func (p *plane) across() int { return ceil(p.width, p.side) }

func (p *plane) down() int { return ceil(p.height, p.side) }

// stride is the length of a row of samples.
func (p *plane) stride() int { return p.side * p.wide }

// rowsHeld is how many rows of samples are held.
func (p *plane) rowsHeld() int { return p.side * p.V * p.held }

// coefficients is how many coefficients of the component are kept.
func (p *plane) coefficients() int { return p.side * p.side * p.wide * p.high }

// kept returns the coefficients of a block that are kept.
func (p *plane) kept(bx, by int) []int16 {
	n := p.side * p.side
	return p.coefs[n*(by*p.wide+bx):][:n]
}

// put renders a block to its place in the ring.
func (p *plane) put(c *block, flat bool, bx, by int) {
	if rows := p.V * p.held; by >= rows { // division takes as long as the rest
		by %= rows
	}
	y := p.side * by
	p.weighted.scaled(p.samples[y*p.stride()+p.side*bx:], p.stride(), c, p.side, flat)
}

// render renders a band of coefficients.
func (p *plane) render(band int) {
	for by := band * p.V; by < (band+1)*p.V; by++ {
		for bx := range p.across() {
			var c block
			for y, kept := 0, p.kept(bx, by); y < p.side; y++ {
				copy(c[8*y:8*y+8], kept[y*p.side:][:p.side])
			}
			p.put(&c, c.flat(), bx, by)
		}
	}
}

// sampleRow returns a row of samples, or the nearest that is there: below the
// last row of the picture, or of what can be had of it, the last is repeated.
func (p *plane) sampleRow(y, bands int) []byte {
	y = max(0, min(y, p.height-1, p.side*p.V*bands-1)) % p.rowsHeld()
	return p.samples[y*p.stride():][:p.width]
}
