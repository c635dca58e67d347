package jpeg

import "fmt"

// Sampling says how much of the colour of a picture is written. Its brightness
// is always written in full.
type Sampling int

// The samplings that are written.
const (
	// Full writes the colour of every pixel, 4:4:4: for small pictures, and
	// for text and drawings, whose coloured edges blur otherwise.
	Full Sampling = iota
	// Halved writes one colour for two by two pixels, 4:2:0: for photos.
	Halved
)

// units is how many units cover n pixels.
func (s Sampling) units(n int) int { return (n + s.unit() - 1) / s.unit() }

// unit is the side, in pixels, of what T.81 calls a minimum coded unit.
func (s Sampling) unit() int {
	if s == Halved {
		return 16
	}
	return 8
}

// layout says which blocks a picture has.
type layout struct {
	width, height int
	sampling      Sampling // Full where gray
	gray          bool
}

// layoutOf finds how a picture is written: as gray where its colour is gray
// everywhere, which every decoder shows alike. It panics where the planes do not
// belong together, which is a fault of the program and of no photo.
func layoutOf(p *Planes) layout {
	width, height := p.Y.Width, p.Y.Height
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		panic(fmt.Sprintf("jpeg: cannot write %d x %d pixels", width, height))
	}
	if p.Gray() && p.Cr.Pix == nil {
		return layout{width, height, Full, true}
	}
	sampling, half := Full, [2]int{(width + 1) / 2, (height + 1) / 2}
	for _, c := range []*Plane{&p.Cb, &p.Cr} {
		switch [2]int{c.Width, c.Height} {
		case [2]int{width, height}:
		case half:
			sampling = Halved
		default:
			panic(fmt.Sprintf("jpeg: cannot write colours of %d x %d for %d x %d pixels", c.Width, c.Height, width, height))
		}
	}
	if p.Cb.Width != p.Cr.Width || p.Cb.Height != p.Cr.Height {
		panic("jpeg: cannot write two colours of different size")
	}
	if p.Cb.isGray() && p.Cr.isGray() {
		return layout{width, height, Full, true}
	}
	return layout{width, height, sampling, false}
}

// maxSide is the most that a frame header can say (T.81, B.2.2).
const maxSide = 65_535

// isGray tells whether a plane of colour has none.
func (p *Plane) isGray() bool {
	for y := range p.Height {
		for _, v := range p.Row(y) {
			if v != 128 {
				return false
			}
		}
	}
	return true
}

// blocks is how many there are in all.
func (l *layout) blocks() int {
	return l.sampling.units(l.width) * l.sampling.units(l.height) * len(l.unitBlocks())
}

// place is a block of a unit: of which component, how many of that component a
// unit has in each direction, and which of these it is.
type place struct{ component, across, down, x, y uint8 }

// unitBlocks lists the blocks of a unit in the order of the scan (T.81, A.2.3).
func (l *layout) unitBlocks() []place {
	one := place{0, 1, 1, 0, 0}
	switch {
	case l.gray:
		return []place{one}
	case l.sampling == Halved:
		return []place{{0, 2, 2, 0, 0}, {0, 2, 2, 1, 0}, {0, 2, 2, 0, 1}, {0, 2, 2, 1, 1}, {1, 1, 1, 0, 0}, {2, 1, 1, 0, 0}}
	default:
		return []place{one, {1, 1, 1, 0, 0}, {2, 1, 1, 0, 0}}
	}
}
