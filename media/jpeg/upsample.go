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
	case p.ratioH == 1:
		spread(dst, step, near)
	default:
		repeatAcross(dst, step, near, p.ratioH)
	}
}

// spread writes every sample once.
func spread(dst []byte, step int, src []byte) {
	if step == 1 {
		copy(dst, src)
		return
	}
	at := 0
	for _, v := range src {
		dst[at] = v
		at += step
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
	this := uint(src[0])
	last, at := this, 0
	for _, v := range src[1:] {
		next := uint(v)
		dst[at] = byte((3*this + last + 1) >> 2)
		dst[at+step] = byte((3*this + next + 2) >> 2)
		at += 2 * step
		last, this = this, next
	}
	dst[at] = byte((3*this + last + 1) >> 2)
	if at += step; at < len(dst) {
		dst[at] = byte(this)
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

// smoothBoth does both at once. The last sample has no neighbour, and may have
// one pixel only.
func smoothBoth(dst []byte, step int, near, far []byte) {
	far = far[:len(near)]
	this := 3*uint(near[0]) + uint(far[0])
	last, at := this, 0
	for i := 1; i < len(near); i++ {
		next := 3*uint(near[i]) + uint(far[i])
		dst[at] = byte((3*this + last + 8) >> 4)
		dst[at+step] = byte((3*this + next + 7) >> 4)
		at += 2 * step
		last, this = this, next
	}
	dst[at] = byte((3*this + last + 8) >> 4)
	if at += step; at < len(dst) {
		dst[at] = byte((4*this + 7) >> 4)
	}
}
