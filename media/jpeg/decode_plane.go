package jpeg

// plane is one component of the picture.
type plane struct {
	Component
	quant quantTable // not defined before the component's first scan

	width, height int // in samples, without what fills the last blocks
	wide, high    int // in blocks, with what fills the last MCUs
	ratioH        int // how many pixels of a row share a sample
	ratioV        int // how many rows do
	held          int // how many bands are held in samples

	// samples is a ring of bands: row y stands at y modulo its height.
	samples []byte
	// coefs are all blocks, row by row. Nil in a picture that is streamed.
	coefs  []int16
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
			width:     ceil(h.frame.Width*c.H, maxH),
			height:    ceil(h.frame.Height*c.V, maxV),
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
	for i := range h.planes {
		h.planes[i].held = h.held
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// stride is the length of a row of samples.
func (p *plane) stride() int { return 8 * p.wide }

// rowsHeld is how many rows of samples are held.
func (p *plane) rowsHeld() int { return 8 * p.V * p.held }

// coefficients is how many coefficients the component has.
func (p *plane) coefficients() int { return 64 * p.wide * p.high }

// block returns the coefficients of a block.
func (p *plane) block(bx, by int) *block {
	return (*block)(p.coefs[64*(by*p.wide+bx):])
}

// put renders a block to its place in the ring.
func (p *plane) put(c *block, flat bool, bx, by int) {
	y := 8 * (by % (p.V * p.held))
	p.quant.inverse(p.samples[y*p.stride()+8*bx:], p.stride(), c, flat)
}

// render renders a band of coefficients.
func (p *plane) render(band int) {
	for by := band * p.V; by < (band+1)*p.V; by++ {
		for bx := range ceil(p.width, 8) {
			c := p.block(bx, by)
			p.put(c, c.flat(), bx, by)
		}
	}
}

// sampleRow returns a row of samples, or the nearest that is there: below the
// last row of the picture, or of what can be had of it, the last is repeated.
func (p *plane) sampleRow(y, bands int) []byte {
	y = max(0, min(y, p.height-1, 8*p.V*bands-1)) % p.rowsHeld()
	return p.samples[y*p.stride():][:p.width]
}
