package media

import (
	"context"

	"github.com/lightlock/lightlock/media/jpeg"
)

// jpegColours is what the samples of a JPEG stand for.
type jpegColours struct {
	// luma is set where the first three are brightness and two differences of
	// colour (ITU-R BT.601, full range, as JFIF says).
	luma bool
	// inverted is set where 255 is no ink: Adobe's programs write inks so.
	inverted bool
}

// jpegFilm decodes with our own reader.
func jpegFilm(d *jpeg.Decoder, c jpegColours) *film {
	n := d.Components()
	width, _ := d.Size()
	return &film{channels: n, memory: d.Memory() + int64(n*width), open: func(context.Context) (rows, error) {
		line := make([]byte, n*width)
		return func(ctx context.Context, dst []uint16) error {
			if err := d.ReadRow(ctx, line); err != nil {
				return err
			}
			if c.luma {
				fromLuma(line, n)
			}
			invert := uint16(0)
			if n == 4 && c.inverted {
				invert = 0xffff
			}
			for i, v := range line {
				dst[i] = wide(v) ^ invert
			}
			return nil
		}, nil
	}}
}

// wide spreads 8 bits over 16, so that 255 becomes 65535.
func wide(v uint8) uint16 { return uint16(v) * 0x101 }

// fromLuma turns the first three of each n samples into red, green and blue. Of
// four, they are the opposites of cyan, magenta and yellow in Adobe's inverted
// way of writing, so that what comes out is inverted like the black beside it.
func fromLuma(line []byte, n int) {
	for ; len(line) >= n; line = line[n:] {
		px := line[:3]
		px[0], px[1], px[2] = lumaToRGB(px[0], px[1], px[2])
	}
}

// lumaToRGB is the conversion of JFIF (T.871, 7), rounded.
func lumaToRGB(y, cb, cr uint8) (r, g, b uint8) {
	l, u, v := int32(y)<<16+1<<15, int32(cb)-128, int32(cr)-128
	return limit8((l + 91881*v) >> 16), limit8((l - 22554*u - 46802*v) >> 16), limit8((l + 116130*u) >> 16)
}

func limit8(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
