package jpeg

import "image"

// The weights of ITU-T T.871, 7, with 16 bits behind the point. They add up to
// one, or for the colours to nothing, so that gray stays exactly gray.
const (
	redY, greenY, blueY    = 19595, 38470, 7471
	redCb, greenCb, blueCb = -11058, -21710, 32768
	redCr, greenCr, blueCr = 32768, -27439, -5329
)

// planesOf makes planes of a picture. Each sample is rounded once, also where it
// is the colour of four pixels. The picture is taken to be opaque: alpha is not
// looked at.
func planesOf(img *image.RGBA, s Sampling) *Planes {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	p := &Planes{Y: NewPlane(width, height)}
	row := func(y int) []byte { return img.Pix[min(y, height-1)*img.Stride:][:4*width] }
	for y := range height {
		convertY(p.Y.Row(y), row(y))
	}
	if s == Full {
		p.Cb, p.Cr = NewPlane(width, height), NewPlane(width, height)
		for y := range height {
			convertColours(p.Cb.Row(y), p.Cr.Row(y), row(y))
		}
		return p
	}
	p.Cb, p.Cr = NewPlane((width+1)/2, (height+1)/2), NewPlane((width+1)/2, (height+1)/2)
	for y := range p.Cb.Height {
		convertHalved(p.Cb.Row(y), p.Cr.Row(y), row(2*y), row(2*y+1))
	}
	return p
}

// convertY makes the brightness of a row of pixels.
func convertY(dst, pix []byte) {
	for x := range dst {
		p := pix[4*x:][:4]
		dst[x] = byte((redY*uint32(p[0]) + greenY*uint32(p[1]) + blueY*uint32(p[2]) + 1<<15) >> 16)
	}
}

// convertColours makes the colours of a row of pixels.
func convertColours(cb, cr, pix []byte) {
	for x := range cb {
		p := pix[4*x:][:4]
		cb[x], cr[x] = colours(int32(p[0]), int32(p[1]), int32(p[2]), 16)
	}
}

// convertHalved makes the colours of two rows of pixels, one for two by two. Where
// a row has one pixel more, that counts twice.
func convertHalved(cb, cr, upper, lower []byte) {
	for x := range cb {
		left := 8 * x
		right := min(left+4, len(upper)-4)
		a, b, c, d := upper[left:][:4], upper[right:][:4], lower[left:][:4], lower[right:][:4]
		red := int32(a[0]) + int32(b[0]) + int32(c[0]) + int32(d[0])
		green := int32(a[1]) + int32(b[1]) + int32(c[1]) + int32(d[1])
		blue := int32(a[2]) + int32(b[2]) + int32(c[2]) + int32(d[2])
		cb[x], cr[x] = colours(red, green, blue, 18)
	}
}

// colours are those of a pixel, of which the sum of so many is given that bits go
// from it.
func colours(red, green, blue int32, bits uint) (cb, cr byte) {
	middle := int32(128)<<bits + 1<<(bits-1)
	b := (redCb*red + greenCb*green + blueCb*blue + middle) >> bits
	r := (redCr*red + greenCr*green + blueCr*blue + middle) >> bits
	return byte(min(b, 255)), byte(min(r, 255))
}
