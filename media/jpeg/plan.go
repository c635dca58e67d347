package jpeg

import "image"

// Sampling says how much of the colour of a picture is written. Its brightness
// is always written in full.
type Sampling int

// The samplings that Plan knows.
const (
	// Full writes the colour of every pixel, 4:4:4: for small pictures, and
	// for text and drawings, whose coloured edges blur otherwise.
	Full Sampling = iota
	// Halved writes one colour for two by two pixels, 4:2:0: for photos.
	Halved
)

// fraction is how many bits behind the point a planned coefficient keeps. The
// largest coefficient of 8-bit samples is 1024, which leaves five in 16 bits:
// the rounding to them is a 64th of the finest step of any quality.
const fraction = 5

// Plan is a picture ready to be written at any quality: already in frequencies
// (ITU-T T.81, A.3.3), not yet coarsened. A picture whose pixels are all gray is
// planned as one component, which every decoder shows alike.
type Plan struct {
	layout
	// coefs are the blocks in the order in which a scan has them, each in
	// zig-zag order, with fraction bits behind the point.
	coefs []int16
}

// NewPlan plans a picture of 1 to 65,535 pixels in each direction. The picture
// is taken to be opaque: alpha is not looked at.
func NewPlan(img *image.RGBA, s Sampling) *Plan {
	p := &Plan{layout: layout{img.Rect.Dx(), img.Rect.Dy(), s, false}}
	if isGray(img) {
		p.sampling, p.gray = Full, true
	}
	p.coefs = make([]int16, 64*p.blocks())
	strip := newStrip(p.width, p.sampling)
	rest := p.coefs
	for y := 0; y < p.height; y += p.sampling.unit() {
		strip.load(img, y)
		rest = strip.transform(rest, p.unitBlocks())
	}
	return p
}

// PlanMemory reckons what NewPlan allocates for a coloured picture, in bytes. A
// file that Within or Encode writes comes on top of it.
func PlanMemory(width, height int, s Sampling) int64 {
	p := layout{width, height, s, false}
	return 128*int64(p.blocks()) + 6*int64(s.unit())*int64(s.units(width)*s.unit())
}

// layout says which blocks a picture has.
type layout struct {
	width, height int
	sampling      Sampling // Full where gray
	gray          bool
}

// blocks is how many there are in all.
func (l *layout) blocks() int {
	return l.sampling.units(l.width) * l.sampling.units(l.height) * len(l.unitBlocks())
}

// place is a block of a unit: of which component, and where in the unit.
type place struct{ component, x, y uint8 }

// unitBlocks lists the blocks of a unit in the order of the scan (T.81, A.2.3).
func (l *layout) unitBlocks() []place {
	switch {
	case l.gray:
		return []place{{0, 0, 0}}
	case l.sampling == Halved:
		return []place{{0, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 1, 1}, {1, 0, 0}, {2, 0, 0}}
	default:
		return []place{{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}
	}
}

// units is how many units cover n pixels.
func (s Sampling) units(n int) int { return (n + s.unit() - 1) / s.unit() }

// unit is the side, in pixels, of what T.81 calls a minimum coded unit.
func (s Sampling) unit() int {
	if s == Halved {
		return 16
	}
	return 8
}

func isGray(img *image.RGBA) bool {
	for y := range img.Rect.Dy() {
		row := img.Pix[y*img.Stride:][:4*img.Rect.Dx()]
		for ; len(row) >= 4; row = row[4:] {
			if row[0] != row[1] || row[1] != row[2] {
				return false
			}
		}
	}
	return true
}

// strip is one row of units as samples: brightness and the two colours, with
// eight bits behind the point and zero in the middle.
type strip struct {
	sampling Sampling
	width    int // of the picture
	stride   int // a whole number of units
	planes   [3][]int16
	zigzagAt [64]uint8
}

func newStrip(width int, s Sampling) *strip {
	st := &strip{sampling: s, width: width, stride: s.units(width) * s.unit(), zigzagAt: zigzagPlaces()}
	all := make([]int16, 3*s.unit()*st.stride)
	for c := range st.planes {
		st.planes[c], all = all[:s.unit()*st.stride], all[s.unit()*st.stride:]
	}
	return st
}

// load takes the rows from y on. What the picture lacks to whole units repeats
// its edges, which costs the fewest bits and darkens none.
func (st *strip) load(img *image.RGBA, y int) {
	for r := range st.sampling.unit() {
		row := st.row(r)
		if y+r < img.Rect.Dy() {
			row.convert(img.Pix[(y+r)*img.Stride:][:4*st.width])
			continue
		}
		above := st.row(r - 1)
		for c := range row {
			copy(row[c], above[c])
		}
	}
	if st.sampling == Halved {
		halve(st.planes[1], st.stride)
		halve(st.planes[2], st.stride)
	}
}

// samples is one row of the three planes.
type samples [3][]int16

func (st *strip) row(r int) samples {
	var row samples
	for c, plane := range st.planes {
		row[c] = plane[r*st.stride:][:st.stride]
	}
	return row
}

// convert takes a row of pixels by the equations of ITU-T T.871, 7. The weights
// have 16 bits and add up to one, or for the colours to nothing, so that gray
// stays exactly gray.
func (row samples) convert(pix []uint8) {
	luma, blue, red := row[0], row[1][:len(row[0])], row[2][:len(row[0])]
	n := len(pix) / 4
	for x := range luma[:n] {
		p := pix[4*x:][:4]
		r, g, b := int32(p[0]), int32(p[1]), int32(p[2])
		luma[x] = int16((19595*r + 38470*g + 7471*b - 128<<16 + 128) >> 8)
		blue[x] = int16((-11058*r - 21710*g + 32768*b + 128) >> 8)
		red[x] = int16((32768*r - 27439*g - 5329*b + 128) >> 8)
	}
	for x := n; x < len(luma); x++ {
		luma[x], blue[x], red[x] = luma[n-1], blue[n-1], red[n-1]
	}
}

// halve averages two by two samples in place. Writing never overtakes reading.
func halve(plane []int16, stride int) {
	for y := 0; y < 16; y += 2 {
		upper, lower := plane[y*stride:][:stride], plane[(y+1)*stride:][:stride]
		out := plane[y/2*stride:][:stride/2]
		for x := range out {
			sum := int32(upper[2*x]) + int32(upper[2*x+1]) + int32(lower[2*x]) + int32(lower[2*x+1])
			out[x] = int16((sum + 2) >> 2)
		}
	}
}

// transform puts the blocks of all units of the strip at the beginning of out
// and returns what is left of it.
func (st *strip) transform(out []int16, blocks []place) []int16 {
	unit := st.sampling.unit()
	for x := 0; x < st.stride; x += unit {
		for _, b := range blocks {
			left := x
			if b.component > 0 {
				left = x * 8 / unit
			}
			at := int(b.y)*8*st.stride + left + 8*int(b.x)
			forward((*[64]int16)(out), st.planes[b.component][at:], st.stride, &st.zigzagAt)
			out = out[64:]
		}
	}
	return out
}
