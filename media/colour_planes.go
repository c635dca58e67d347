package media

import (
	"context"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
)

// toSRGB turns the colours of a negative into those of sRGB, in place. It comes after
// the decoder, which has left few pixels, and before all else, which is in sRGB then.
func (n *negative) toSRGB(ctx context.Context, colours *icc.Transform) error {
	if colours == plainColours(colours.Channels()) {
		return nil
	}
	if n.Gray() {
		grayToSRGB(&n.Y, colours)
		return nil
	}
	c := colourRows{across: n.covers.X, pixels: make([]uint8, 3*n.Y.Width), sums: make([]rgb, n.Cb.Width)}
	for y := range n.Cb.Height {
		if ctx.Err() != nil {
			return unreadable(ctx, ctx.Err())
		}
		cb, cr := n.Cb.Row(y), n.Cr.Row(y)
		first, end := y*n.covers.Y, min((y+1)*n.covers.Y, n.Y.Height)
		for i := first; i < end; i++ {
			c.fill(n.Y.Row(i), cb, cr)
			colours.ConvertBytes(c.pixels, c.pixels)
			c.takeLuma(n.Y.Row(i))
		}
		c.takeColour(cb, cr, n.Y.Width, end-first)
	}
	return nil
}

// grayToSRGB looks every sample up, because there are no more than 256.
func grayToSRGB(p *jpeg.Plane, colours *icc.Transform) {
	var codes [256]uint8
	for v := range codes {
		codes[v] = uint8(v)
	}
	var srgb [3 * 256]uint8
	colours.ConvertBytes(srgb[:], codes[:])
	for y := range p.Height {
		row := p.Row(y)
		for x, v := range row {
			row[x] = srgb[3*int(v)]
		}
	}
}

// colourRows turns rows of brightness and colour into red, green and blue, and back.
type colourRows struct {
	across int     // how many pixels share a sample of colour
	pixels []uint8 // of a row, three bytes each
	// sums are over the pixels that share a sample, of all rows so far.
	sums []rgb
}

// fill makes a row of pixels.
func (c *colourRows) fill(luma, cb, cr []byte) {
	first := 0
	if c.across == 2 {
		first = len(luma) / 2
		fillPairs(c.pixels, luma, cb[:first], cr)
	}
	for i := first; i < len(cb); i++ {
		t := tint(cb[i], cr[i])
		for x := i * c.across; x < min((i+1)*c.across, len(luma)); x++ {
			y, px := int32(luma[x]), (*[3]uint8)(c.pixels[3*x:])
			px[0], px[1], px[2] = limit8(y+t.red), limit8(y+t.green), limit8(y+t.blue)
		}
	}
}

// fillPairs makes pixels of which two share a colour.
func fillPairs(pixels, luma, cb, cr []byte) {
	cr = cr[:len(cb)]
	for i := range cb {
		t := tint(cb[i], cr[i])
		l, px := (*[2]uint8)(luma[2*i:]), (*[6]uint8)(pixels[6*i:])
		y := int32(l[0])
		px[0], px[1], px[2] = limit8(y+t.red), limit8(y+t.green), limit8(y+t.blue)
		y = int32(l[1])
		px[3], px[4], px[5] = limit8(y+t.red), limit8(y+t.green), limit8(y+t.blue)
	}
}

// takeLuma writes the brightness of the row, and adds to the sums.
func (c *colourRows) takeLuma(luma []byte) {
	first := 0
	if c.across == 2 {
		first = len(luma) / 2
		takePairs(c.sums[:first], luma, c.pixels)
	}
	for i := first; i < len(c.sums); i++ {
		s := &c.sums[i]
		for x := i * c.across; x < min((i+1)*c.across, len(luma)); x++ {
			px := (*[3]uint8)(c.pixels[3*x:])
			r, g, b := int32(px[0]), int32(px[1]), int32(px[2])
			luma[x] = lumaOf(r, g, b)
			s.red, s.green, s.blue = s.red+r, s.green+g, s.blue+b
		}
	}
}

// takePairs does it for pixels of which two share a colour.
func takePairs(sums []rgb, luma, pixels []byte) {
	for i := range sums {
		s, l, px := &sums[i], (*[2]uint8)(luma[2*i:]), (*[6]uint8)(pixels[6*i:])
		r, g, b := int32(px[0]), int32(px[1]), int32(px[2])
		u, v, w := int32(px[3]), int32(px[4]), int32(px[5])
		l[0], l[1] = lumaOf(r, g, b), lumaOf(u, v, w)
		s.red, s.green, s.blue = s.red+r+u, s.green+g+v, s.blue+b+w
	}
}

// takeColour writes the averages of the colour of so many rows.
func (c *colourRows) takeColour(cb, cr []byte, width, rows int) {
	for i, s := range c.sums {
		count := int32(rows * min(c.across, width-i*c.across))
		cb[i], cr[i] = colourOf(s.red, s.green, s.blue, count)
	}
	clear(c.sums)
}
