package media

import (
	"context"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
)

// toSRGB turns the colours of a negative into those of sRGB, in place. It comes once
// there are few pixels left, and before the thumbnail, which is averaged by its light.
func (n *negative) toSRGB(ctx context.Context, colours *icc.Transform) error {
	if colours == plainColours(colours.Channels()) {
		return nil
	}
	if n.Gray() {
		grayToSRGB(&n.Y, colours)
		return nil
	}
	c := colourRows{across: n.covers.X, table: colours.Table(), sums: make([]rgb, n.Cb.Width), pixels: make([]uint8, 3*n.Y.Width)}
	for y := range n.Cb.Height {
		if ctx.Err() != nil {
			return unreadable(ctx, ctx.Err())
		}
		cb, cr := n.Cb.Row(y), n.Cr.Row(y)
		first, end := y*n.covers.Y, min((y+1)*n.covers.Y, n.Y.Height)
		for i := first; i < end; i++ {
			if c.table != nil {
				c.convert(n.Y.Row(i), cb, cr)
				continue
			}
			c.fill(n.Y.Row(i), cb, cr)
			colours.ConvertBytes(c.pixels, c.pixels)
			c.take(n.Y.Row(i))
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
	across int // how many pixels share a sample of colour
	table  *icc.Table
	// sums are over the pixels that share a sample, of all rows so far.
	sums   []rgb
	pixels []uint8 // of a row, three bytes each, where there is no table
}

// convert converts a row of brightness, and adds to the sums.
func (c *colourRows) convert(luma, cb, cr []byte) {
	first := 0
	if c.across == 2 {
		first = len(luma) / 2
		convertPairs(c.table, c.sums[:first], luma, cb, cr)
	}
	for i := first; i < len(c.sums); i++ {
		t, s := tint(cb[i], cr[i]), &c.sums[i]
		for x := i * c.across; x < min((i+1)*c.across, len(luma)); x++ {
			y := int32(luma[x])
			red, green, blue := c.table.At(y+t.red, y+t.green, y+t.blue)
			r, g, b := int32(red), int32(green), int32(blue)
			luma[x] = lumaOf(r, g, b)
			*s = rgb{s.red + r, s.green + g, s.blue + b}
		}
	}
}

// convertPairs is for pixels of which two share a colour, as in most photos.
func convertPairs(table *icc.Table, sums []rgb, luma, cb, cr []byte) {
	cb, cr = cb[:len(sums)], cr[:len(sums)]
	for i := range sums {
		t, px := tint(cb[i], cr[i]), (*[2]uint8)(luma[2*i:])
		y := int32(px[0])
		red, green, blue := table.At(y+t.red, y+t.green, y+t.blue)
		r, g, b := int32(red), int32(green), int32(blue)
		px[0] = lumaOf(r, g, b)
		y = int32(px[1])
		red, green, blue = table.At(y+t.red, y+t.green, y+t.blue)
		u, v, w := int32(red), int32(green), int32(blue)
		px[1] = lumaOf(u, v, w)
		s := &sums[i]
		s.red, s.green, s.blue = s.red+r+u, s.green+g+v, s.blue+b+w
	}
}

// fill makes a row of pixels.
func (c *colourRows) fill(luma, cb, cr []byte) {
	for i := range c.sums {
		t := tint(cb[i], cr[i])
		for x := i * c.across; x < min((i+1)*c.across, len(luma)); x++ {
			y, px := int32(luma[x]), (*[3]uint8)(c.pixels[3*x:])
			px[0], px[1], px[2] = limit8(y+t.red), limit8(y+t.green), limit8(y+t.blue)
		}
	}
}

// take writes the brightness of a row of pixels, and adds to the sums.
func (c *colourRows) take(luma []byte) {
	for i := range c.sums {
		s := &c.sums[i]
		for x := i * c.across; x < min((i+1)*c.across, len(luma)); x++ {
			px := (*[3]uint8)(c.pixels[3*x:])
			r, g, b := int32(px[0]), int32(px[1]), int32(px[2])
			luma[x] = lumaOf(r, g, b)
			*s = rgb{s.red + r, s.green + g, s.blue + b}
		}
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
