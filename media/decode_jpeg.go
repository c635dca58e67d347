package media

import (
	"context"

	"github.com/lightlock/lightlock/media/jpeg"
)

// jpegDecoder decodes with our own reader. luma says that the first three samples of
// a pixel are brightness and two differences of colour (ITU-R BT.601, full range,
// as JFIF says). Of inks, 255 is none: Adobe's programs began to write them the
// wrong way round, and by now all do, with or without Adobe's segment.
func jpegDecoder(d *jpeg.Decoder, luma bool) *decoder {
	n := d.Components()
	width, _ := d.Size()
	invert := uint16(0)
	if n == 4 {
		invert = 0xffff
	}
	return &decoder{channels: n, memory: d.Memory() + int64(n*width), open: func(context.Context) (rows, error) {
		line := make([]byte, n*width)
		return func(ctx context.Context, dst []uint16) error {
			if err := d.ReadRow(ctx, line); err != nil {
				return err
			}
			if luma {
				fromLuma(line, n)
			}
			for i, v := range line {
				dst[i] = wide(v) ^ invert
			}
			return nil
		}, nil
	}}
}

// fromLuma turns the first three of each n samples into red, green and blue, or,
// of four, into their opposites cyan, magenta and yellow, as libjpeg does
// (T.872, 6.5.4).
func fromLuma(line []byte, n int) {
	invert := uint8(0)
	if n == 4 {
		invert = 0xff
	}
	for ; len(line) >= n; line = line[n:] {
		px := line[:3]
		r, g, b := lumaToRGB(px[0], px[1], px[2])
		px[0], px[1], px[2] = r^invert, g^invert, b^invert
	}
}
