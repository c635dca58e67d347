package png

import "encoding/binary"

// colours turns the numbers of a row into 16 bits each.
type colours struct {
	depth, samples, channels int
	// table has the colours of a palette.
	table *[256][4]uint16
	// key is the transparent colour, scaled to 16 bits, where there is one.
	key []uint32
}

func newColours(i Image) colours {
	c := colours{depth: int(i.Depth), samples: i.Samples(), channels: i.Channels()}
	switch {
	case i.Colour == paletted:
		c.table = paletteTable(i.Palette, i.Transparent)
	case i.hasKey():
		for t := i.Transparent; len(t) > 0; t = t[2:] {
			c.key = append(c.key, c.keySample(t))
		}
	}
	return c
}

// paletteTable makes the colours of all indexes: those beyond the palette are
// black, and those beyond tRNS opaque.
func paletteTable(palette, transparent []byte) *[256][4]uint16 {
	table := new([256][4]uint16)
	for i := range table {
		table[i][3] = 0xffff
	}
	for i := range palette {
		table[i/3][i%3] = uint16(palette[i]) * 0x101
	}
	for i, alpha := range transparent {
		table[i][3] = uint16(alpha) * 0x101
	}
	return table
}

// keySample scales a sample of tRNS. It has two bytes at every depth, of which
// image/png looks at the lower one where a sample has no more. One that is larger
// than a sample can be is larger than 65535, and equals none.
func (c *colours) keySample(t []byte) uint32 {
	if c.depth == 16 {
		return uint32(binary.BigEndian.Uint16(t))
	}
	return uint32(t[1]) * uint32(c.scale())
}

// scale makes the largest sample 65535 (13.12).
func (c *colours) scale() uint16 { return 0xffff / (1<<c.depth - 1) }

// convert puts a row of so many pixels into dst.
func (c *colours) convert(dst []uint16, row []byte, width int) {
	switch dst = dst[:width*c.channels]; {
	case c.table != nil:
		c.lookUp(dst, row, width)
	case c.depth == 16:
		dst = dst[:len(row)/2]
		for i := range dst {
			dst[i] = binary.BigEndian.Uint16(row[2*i:])
		}
	case c.depth == 8:
		dst = dst[:len(row)]
		for i, v := range row {
			dst[i] = uint16(v) * 0x101
		}
	default:
		scale := c.scale()
		for i := range width {
			dst[i] = uint16(sample(row, i, c.depth)) * scale
		}
	}
	if c.key != nil {
		c.addAlpha(dst[:width*c.channels], width)
	}
}

func (c *colours) lookUp(dst []uint16, row []byte, width int) {
	n := c.channels
	for i := range width {
		colour := &c.table[sample(row, i, c.depth)]
		to := dst[i*n : i*n+n]
		to[0], to[1], to[2] = colour[0], colour[1], colour[2]
		if n == 4 {
			to[3] = colour[3]
		}
	}
}

// addAlpha spreads the pixels, from the last to the first, to make room for an
// alpha behind each, which is 0 where the colour is the transparent one.
func (c *colours) addAlpha(dst []uint16, width int) {
	n := c.samples
	for x := width - 1; x >= 0; x-- {
		from, to := dst[x*n:x*n+n], dst[x*(n+1):x*(n+1)+n+1]
		alpha := uint16(0)
		for i, v := range from {
			if uint32(v) != c.key[i] {
				alpha = 0xffff
			}
		}
		copy(to, from)
		to[n] = alpha
	}
}

// sample takes the i-th number of at most 8 bits out of a row: the first is in
// the high bits of a byte (7.2).
func sample(row []byte, i, depth int) byte {
	at := i * depth
	return row[at>>3] >> (8 - depth - at&7) & (1<<depth - 1)
}
