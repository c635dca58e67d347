package media

import (
	"image"

	"github.com/lightlock/lightlock/media/jpeg"
)

// negative is a picture in planes as JPEG files have it, most often one that the
// decoder made smaller.
type negative struct {
	jpeg.Planes
	// covers is how many pixels share a sample of colour, across and down: 1, 2 or
	// 4. The sample lies in the middle of them.
	covers image.Point
	// width and height are the picture's in pixels. Of the last column and the last
	// row there may be only a part.
	width, height float64
}

// ceilDiv is a/b, rounded up.
func ceilDiv(a, b int) int { return (a + b - 1) / b }

// resized makes the picture smaller, or leaves it as large as it is, and has so many
// pixels share a sample of colour. A plane that is right already is not copied.
func (n *negative) resized(size, covers image.Point) *jpeg.Planes {
	one := image.Pt(1, 1)
	same := size == image.Pt(n.Y.Width, n.Y.Height)
	out := &jpeg.Planes{Y: n.Y}
	if !same {
		across, down := n.taps(size, one, one)
		out.Y = newResizer(across, down, n.Y.Width).resize(&n.Y)
	}
	switch half := image.Pt(covers.X/n.covers.X, covers.Y/n.covers.Y); {
	case n.Gray():
	case same && half == one:
		out.Cb, out.Cr = n.Cb, n.Cr
	case same && half.X*half.Y > 0 && max(half.X, half.Y) == 2:
		out.Cb, out.Cr = halve(&n.Cb, half), halve(&n.Cr, half)
	default:
		across, down := n.taps(size, n.covers, covers)
		r := newResizer(across, down, n.Cb.Width)
		out.Cb, out.Cr = r.resize(&n.Cb), r.resize(&n.Cr)
	}
	return out
}

// resize makes the picture smaller, or leaves it as it is.
func (n *negative) resize(size image.Point) {
	if size != image.Pt(n.Y.Width, n.Y.Height) {
		covers := image.Pt(2, 2)
		*n = negative{Planes: *n.resized(size, covers), covers: covers, width: float64(size.X), height: float64(size.Y)}
	}
}

// taps says what of a plane, of which a sample covers from pixels, makes up one whose
// samples cover to pixels of a picture of that size.
func (n *negative) taps(size, from, to image.Point) (across, down []tap) {
	line := func(length float64, whole, size, from, to int) []tap {
		if size == whole {
			length = float64(whole)
		}
		step := length / float64(size) // pixels for one of the result
		count := ceilDiv(size, to)
		return fine().taps(0, float64(count*to)*step/float64(from), length/float64(from), count)
	}
	return line(n.width, n.Y.Width, size.X, from.X, to.X), line(n.height, n.Y.Height, size.Y, from.Y, to.Y)
}

// shrinkPlanes makes a picture of ours smaller, until its longest side is side.
func shrinkPlanes(p *jpeg.Planes, side int) *jpeg.Planes {
	n := &negative{Planes: *p, covers: image.Pt(1, 1), width: float64(p.Y.Width), height: float64(p.Y.Height)}
	if p.Cb.Width < p.Y.Width || p.Cb.Height < p.Y.Height {
		n.covers = image.Pt(2, 2)
	}
	return n.resized(fit(p.Y.Width, p.Y.Height, side), n.covers)
}
