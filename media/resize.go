package media

import "github.com/lightlock/lightlock/media/jpeg"

// resizer makes planes of another size, two rows at a time. The rows of the source
// that they are made of become one line of the source's width, and the line becomes
// the two rows. The first of them is reckoned in the lower half of 64 bits and the
// second in the upper, so that one multiplication does for both.
type resizer struct {
	// across are the parts of all taps across, so many for each.
	across []part
	parts  int
	down   []tap
	// weights are those of the source's rows, for both rows of the result.
	weights []uint64
	line    []uint64
}

// A sample in a line has lineBits behind the point, and lineZero is added to it: at
// an edge a sample swings beyond white and black, and no half of 64 bits may be less
// than nothing, or it would take from the other.
const (
	lineBits = 6
	lineZero = 256
	lineCut  = oneBits - lineBits
	bothOne  = 1<<32 | 1
)

// newResizer makes planes of one sample for each tap across and each down, of planes of
// that width.
func newResizer(across, down []tap, width int) *resizer {
	r := &resizer{down: down, line: make([]uint64, max(width, partSize))}
	r.across, r.parts = inParts(across, len(r.line))
	return r
}

func (r *resizer) resize(src *jpeg.Plane) jpeg.Plane {
	src = wideEnough(src)
	dst := jpeg.NewPlane(len(r.across)/r.parts, len(r.down))
	for y := 0; y < dst.Height; y += 2 {
		second := min(y+1, dst.Height-1)
		r.join(r.down[y], r.down[second])
		r.blend(src.Pix[r.down[y].first*src.Stride:], src.Stride)
		r.shrink(dst.Row(y), dst.Row(second))
	}
	return dst
}

// wideEnough returns the plane, or a wider copy: blend takes eight samples at once, and
// shrink a part.
func wideEnough(p *jpeg.Plane) *jpeg.Plane {
	if p.Width >= partSize {
		return p
	}
	wide := jpeg.NewPlane(partSize, p.Height)
	for y := range p.Height {
		copy(wide.Row(y), p.Row(y))
	}
	return &wide
}

// join makes the weights of two taps that follow each other. A negative one takes
// from the half above it, which the sum of all makes good.
func (r *resizer) join(first, second tap) {
	r.weights = r.weights[:0]
	for y := first.first; y < second.end(); y++ {
		r.weights = append(r.weights, uint64(first.at(y))+uint64(second.at(y))<<32)
	}
}

// blend makes the line of the rows in pix, eight columns at a time.
func (r *resizer) blend(pix []byte, stride int) {
	const half, mask = bothOne * (lineZero<<oneBits + 1<<(lineCut-1)), bothOne * (1<<24 - 1)
	width := len(r.line)
	for x := 0; x < width; x += 8 {
		x = min(x, width-8) // the last eight, some of them again
		var a, b, c, d, e, f, g, h uint64
		from := x
		for _, w := range r.weights {
			px := (*[8]byte)(pix[from:])
			a += w * uint64(px[0])
			b += w * uint64(px[1])
			c += w * uint64(px[2])
			d += w * uint64(px[3])
			e += w * uint64(px[4])
			f += w * uint64(px[5])
			g += w * uint64(px[6])
			h += w * uint64(px[7])
			from += stride
		}
		out := (*[8]uint64)(r.line[x:])
		out[0], out[1] = (a+half)>>lineCut&mask, (b+half)>>lineCut&mask
		out[2], out[3] = (c+half)>>lineCut&mask, (d+half)>>lineCut&mask
		out[4], out[5] = (e+half)>>lineCut&mask, (f+half)>>lineCut&mask
		out[6], out[7] = (g+half)>>lineCut&mask, (h+half)>>lineCut&mask
	}
}

// part is a part of a tap: so many weights, of which some may be nothing. One part is
// enough for a picture that is made smaller to no less than six tenths, as previews
// are, and it needs no loop.
type part struct {
	first   int
	weights [partSize]uint64
}

const partSize = 10

// inParts divides taps of a line into parts, and says into how many each.
func inParts(all []tap, width int) (parts []part, each int) {
	for _, t := range all {
		each = max(each, ceilDiv(len(t.weights), partSize))
	}
	parts = make([]part, each*len(all))
	for i, t := range all {
		for j, w := range t.weights {
			p := &parts[i*each+j/partSize]
			p.first = min(t.first+j/partSize*partSize, width-partSize)
			p.weights[t.first+j-p.first] = uint64(w)
		}
	}
	return parts, each
}

// shrink makes two rows of the line.
func (r *resizer) shrink(first, second []byte) {
	const half = bothOne << (oneBits + lineBits - 1)
	line, parts := r.line, r.across
	second = second[:len(first)]
	for i := range first {
		sum := uint64(half)
		for range r.parts {
			w := &parts[0].weights
			px := (*[partSize]uint64)(line[parts[0].first:])
			sum += w[0]*px[0] + w[1]*px[1] + w[2]*px[2] + w[3]*px[3] + w[4]*px[4]
			sum += w[5]*px[5] + w[6]*px[6] + w[7]*px[7] + w[8]*px[8] + w[9]*px[9]
			parts = parts[1:]
		}
		first[i], second[i] = fromLine(uint32(sum)), fromLine(uint32(sum>>32))
	}
}

// fromLine is the sample of a sum over a line, clipped.
func fromLine(sum uint32) byte {
	v := int32(sum>>(oneBits+lineBits)) - lineZero
	if uint32(v) > 255 {
		return limit8(v)
	}
	return byte(v)
}
