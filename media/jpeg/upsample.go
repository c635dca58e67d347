package jpeg

// smoothV tells whether the component has half the rows and is brought to the
// picture's by a triangle filter: 2:1 is what cameras write, and there the steps
// of repeated samples would be seen.
func (p *plane) smoothV() bool { return p.ratioV == 2 && p.ratioH <= 2 }

// row writes a row of the picture into every step-th place of dst. bands is how
// many rows of MCUs there are to take samples from.
func (p *plane) row(dst []byte, step, y, bands int) {
	near := p.sampleRow(y/p.ratioV, bands)
	switch {
	case p.smoothV():
		far := p.sampleRow(y/2+y%2*2-1, bands)
		if p.ratioH == 2 {
			smoothBoth(dst, step, near, far)
		} else {
			smoothDown(dst, step, near, far, y%2)
		}
	case p.ratioV == 1 && p.ratioH == 2:
		smoothAcross(dst, step, near)
	case step == 1 && p.ratioH == 1:
		copy(dst, near)
	default:
		repeatAcross(dst, step, near, p.ratioH)
	}
}

// repeatAcross writes every sample as often as ratio says.
func repeatAcross(dst []byte, step int, src []byte, ratio int) {
	at := 0
	for _, v := range src {
		for i := 0; i < ratio && at < len(dst); i++ {
			dst[at] = v
			at += step
		}
	}
}

// smoothAcross makes two pixels of every sample: three quarters of it and a
// quarter of its neighbour to that side. Halves go down to the left of a sample,
// and up to the right, so that no row becomes brighter.
func smoothAcross(dst []byte, step int, src []byte) {
	last := uint(src[0])
	this := last
	at := 0
	for i := range src {
		next := this
		if i+1 < len(src) {
			next = uint(src[i+1])
		}
		dst[at] = byte((3*this + last + 1) >> 2)
		if at += step; at >= len(dst) {
			return
		}
		dst[at] = byte((3*this + next + 2) >> 2)
		at += step
		last, this = this, next
	}
}

// smoothDown is the same between two rows.
func smoothDown(dst []byte, step int, near, far []byte, odd int) {
	at, bias := 0, uint(1+odd)
	for i, v := range near {
		dst[at] = byte((3*uint(v) + uint(far[i]) + bias) >> 2)
		at += step
	}
}

// smoothBoth does both at once.
func smoothBoth(dst []byte, step int, near, far []byte) {
	far = far[:len(near)]
	last := 3*uint(near[0]) + uint(far[0])
	this := last
	at := 0
	for i := range near {
		next := this
		if i+1 < len(near) {
			next = 3*uint(near[i+1]) + uint(far[i+1])
		}
		dst[at] = byte((3*this + last + 8) >> 4)
		if at += step; at >= len(dst) {
			return
		}
		dst[at] = byte((3*this + next + 7) >> 4)
		at += step
		last, this = this, next
	}
}
