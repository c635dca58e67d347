package media

import "github.com/lightlock/lightlock/media/jpeg"

// Pixels become brightness and two differences of colour, and these become pixels, by
// the equations of JFIF (ITU-T T.871, 7; ITU-R BT.601, full range), in whole numbers
// with 16 bits behind the point.

// rgb is red, green and blue, or a sum of them, or what is added to them.
type rgb struct{ red, green, blue int32 }

// tint is what a sample of colour adds to brightness.
func tint(cb, cr byte) rgb {
	u, v := int32(cb)-128, int32(cr)-128
	return rgb{(91881*v + 1<<15) >> 16, (-22554*u - 46802*v + 1<<15) >> 16, (116130*u + 1<<15) >> 16}
}

// lumaToRGB makes a pixel, rounded.
func lumaToRGB(y, cb, cr uint8) (r, g, b uint8) {
	l, t := int32(y), tint(cb, cr)
	return limit8(l + t.red), limit8(l + t.green), limit8(l + t.blue)
}

// lumaOf is the brightness of a pixel, rounded. The weights add up to one.
func lumaOf(r, g, b int32) byte { return byte((19595*r + 38470*g + 7471*b + 1<<15) >> 16) }

// colourOf is the colour of the average of so many pixels, of which the sums are given,
// rounded. The weights add up to nothing, so that gray stays exactly gray.
func colourOf(r, g, b, count int32) (cb, cr byte) {
	u, v := -11058*r-21710*g+32768*b, 32768*r-27439*g-5329*b
	switch count {
	case 1:
	case 4: // a division costs as much as all the rest
		u, v = u>>2, v>>2
	default:
		u, v = u/count, v/count
	}
	const half = 128<<16 + 1<<15
	return byte(min((u+half)>>16, 255)), byte(min((v+half)>>16, 255))
}

// putRow writes a row of pixels into a picture that has a sample of colour for each.
func putRow(p *jpeg.Planes, y int, pixels []uint8) {
	luma := p.Y.Row(y)
	for x := range luma {
		px := (*[3]uint8)(pixels[3*x:])
		luma[x] = lumaOf(int32(px[0]), int32(px[1]), int32(px[2]))
	}
	if p.Gray() {
		return
	}
	cb, cr := p.Cb.Row(y), p.Cr.Row(y)
	for x := range cb {
		px := (*[3]uint8)(pixels[3*x:])
		cb[x], cr[x] = colourOf(int32(px[0]), int32(px[1]), int32(px[2]), 1)
	}
}

// wide spreads 8 bits over 16, so that 255 becomes 65535.
func wide(v uint8) uint16 { return uint16(v) * 0x101 }

func limit8(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
