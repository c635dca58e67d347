package media

import (
	"context"
	"image"
	"slices"

	"github.com/lightlock/lightlock/media/jpeg"
)

// film is a JPEG that can be decoded, to the size that is needed.
type film struct {
	decoder *jpeg.Decoder
	// luma says that the first three samples of a pixel are brightness and two
	// differences of colour (ITU-R BT.601, full range, as JFIF says).
	luma bool
	// covers is how many pixels share a sample of colour, where the picture can be
	// read as planes, and zero where it is read in rows.
	covers image.Point
}

func newFilm(d *jpeg.Decoder, components []jpeg.Component, luma bool) *film {
	f := &film{decoder: d, luma: luma}
	switch c := components; {
	case len(c) == 1:
		f.covers = image.Pt(1, 1)
	case len(c) == 3 && luma && c[1].H == c[2].H && c[1].V == c[2].V:
		// Nobody writes brightness in less than full, or thirds. It is read in rows.
		across, down := c[0].H/c[1].H, c[0].V/c[1].V
		if ratios := []int{1, 2, 4}; slices.Contains(ratios, across) && slices.Contains(ratios, down) {
			f.covers = image.Pt(across, down)
		}
	}
	return f
}

// planar tells whether the picture is read as planes.
func (f *film) planar() bool { return f != nil && f.covers.X > 0 }

// at makes the decoder for so many eighths of the picture's size. Of inks, 255 is
// none: Adobe's programs began to write them the wrong way round, and by now all do,
// with or without Adobe's segment.
func (f *film) at(eighths int) *decoder {
	d, n := f.decoder, f.decoder.Components()
	d.Scale(eighths)
	width, _ := d.Size()
	invert := uint16(0)
	if n == 4 {
		invert = 0xffff
	}
	memory := d.Memory() + int64(n*width)
	if f.planar() {
		memory = d.PlanesMemory()
	}
	return &decoder{channels: n, memory: memory, open: func(context.Context) (rows, error) {
		line := make([]byte, n*width)
		return func(ctx context.Context, dst []uint16) error {
			if err := d.ReadRow(ctx, line); err != nil {
				return err
			}
			if f.luma {
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
