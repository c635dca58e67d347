package media

import (
	"encoding/binary"
	"image"
	"image/color"
)

// sheet gives a picture row by row, opaque, in three values of 16 bits a pixel:
// red, green, blue. Rows are made when they are asked for, so that there is
// never a second copy of a large picture.
type sheet struct {
	width, height int
	row           func(dst []uint16, y int)
}

// flatten lays the decoded image on white paper: what is transparent, and what
// a GIF's first frame leaves free, is white.
func flatten(img image.Image, head *header) sheet {
	row := rows(img, head)
	paper := image.Rect(0, 0, head.width, head.height)
	if head.frame == paper {
		return sheet{head.width, head.height, row}
	}
	frame := make([]uint16, 3*head.frame.Dx())
	shown := head.frame.Intersect(paper)
	return sheet{head.width, head.height, func(dst []uint16, y int) {
		for i := range dst {
			dst[i] = 0xffff
		}
		if y < shown.Min.Y || y >= shown.Max.Y {
			return
		}
		row(frame, y-head.frame.Min.Y)
		copy(dst[3*shown.Min.X:3*shown.Max.X], frame)
	}}
}

// rows returns how to read a row of the image. Every type that our decoders
// make has a way of its own; the last one is for what they may make one day.
func rows(img image.Image, head *header) func(dst []uint16, y int) {
	switch m := img.(type) {
	case *image.YCbCr:
		return func(dst []uint16, y int) { yCbCrRow(dst, m, y, head.studio) }
	case *image.NYCbCrA:
		return func(dst []uint16, y int) {
			yCbCrRow(dst, &m.YCbCr, y, head.studio)
			for x := range len(dst) / 3 {
				onWhite(dst[3*x:], uint32(m.A[y*m.AStride+x])*0x101)
			}
		}
	case *image.Gray:
		return func(dst []uint16, y int) { grayRow(dst, m.Pix[y*m.Stride:]) }
	case *image.RGBA:
		return func(dst []uint16, y int) { rgbaRow(dst, m.Pix[y*m.Stride:]) }
	case *image.NRGBA:
		return func(dst []uint16, y int) { nrgbaRow(dst, m.Pix[y*m.Stride:]) }
	case *image.CMYK:
		return func(dst []uint16, y int) { cmykRow(dst, m.Pix[y*m.Stride:], head.inverted) }
	case *image.Paletted:
		palette := flattenPalette(m.Palette)
		return func(dst []uint16, y int) { palettedRow(dst, m.Pix[y*m.Stride:], palette) }
	case *image.Gray16:
		return func(dst []uint16, y int) { gray16Row(dst, m.Pix[y*m.Stride:]) }
	case *image.RGBA64:
		return func(dst []uint16, y int) { rgba64Row(dst, m.Pix[y*m.Stride:]) }
	case *image.NRGBA64:
		return func(dst []uint16, y int) { nrgba64Row(dst, m.Pix[y*m.Stride:]) }
	}
	return func(dst []uint16, y int) { anyRow(dst, img, y) }
}

// wide spreads 8 bits over 16, so that 255 becomes 65535.
func wide(v uint8) uint16 { return uint16(v) * 0x101 }

// onWhite lays one pixel on white. Its values are not yet multiplied with
// alpha.
func onWhite(px []uint16, alpha uint32) {
	if alpha == 0xffff {
		return
	}
	for c := range px[:3] {
		px[c] = uint16((uint32(px[c])*alpha + 0xffff*(0xffff-alpha) + 0x7fff) / 0xffff)
	}
}

func yCbCrRow(dst []uint16, m *image.YCbCr, y int, studio bool) {
	first := m.Rect.Min
	luma := m.Y[m.YOffset(first.X, first.Y+y):]
	chroma := m.COffset(first.X, first.Y+y)
	shift := chromaShift(m.SubsampleRatio)
	for x := range len(dst) / 3 {
		at := chroma + x>>shift
		l, cb, cr := luma[x], m.Cb[at], m.Cr[at]
		if studio {
			l, cb, cr = fullRange(l, 16, 219), fullRange(cb, 128, 224), fullRange(cr, 128, 224)
		}
		r, g, b := color.YCbCrToRGB(l, cb, cr)
		dst[3*x], dst[3*x+1], dst[3*x+2] = wide(r), wide(g), wide(b)
	}
}

// fullRange stretches a value of video (ITU-R BT.601) to 0 to 255, around what
// stands for zero.
func fullRange(v uint8, zero, span int) uint8 {
	base := zero
	if zero == 16 {
		base = 0
	}
	d := (int(v) - zero) * 255
	half := span / 2
	if d < 0 {
		half = -half
	}
	return uint8(min(max(base+(d+half)/span, 0), 255))
}

// chromaShift is how many columns share a colour, as a power of two.
func chromaShift(ratio image.YCbCrSubsampleRatio) int {
	switch ratio {
	case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
		return 1
	case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
		return 2
	}
	return 0
}

func grayRow(dst []uint16, pix []uint8) {
	for x := range len(dst) / 3 {
		v := wide(pix[x])
		dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
	}
}

// rgbaRow is for opaque pictures: decoders use RGBA for nothing else.
func rgbaRow(dst []uint16, pix []uint8) {
	for x := range len(dst) / 3 {
		p := pix[4*x : 4*x+3]
		dst[3*x], dst[3*x+1], dst[3*x+2] = wide(p[0]), wide(p[1]), wide(p[2])
	}
}

func nrgbaRow(dst []uint16, pix []uint8) {
	rgbaRow(dst, pix)
	for x := range len(dst) / 3 {
		onWhite(dst[3*x:3*x+3], uint32(wide(pix[4*x+3])))
	}
}

func cmykRow(dst []uint16, pix []uint8, inverted bool) {
	flip := uint8(0)
	if inverted {
		flip = 0xff
	}
	for x := range len(dst) / 3 {
		p := pix[4*x : 4*x+4]
		r, g, b := color.CMYKToRGB(p[0]^flip, p[1]^flip, p[2]^flip, p[3]^flip)
		dst[3*x], dst[3*x+1], dst[3*x+2] = wide(r), wide(g), wide(b)
	}
}

func palettedRow(dst []uint16, pix []uint8, palette [][3]uint16) {
	for x := range len(dst) / 3 {
		copy(dst[3*x:3*x+3], palette[pix[x]][:])
	}
}

// flattenPalette returns 256 colours, so that no index is out of range; those
// that the file does not have are black, as in the decoders.
func flattenPalette(p color.Palette) [][3]uint16 {
	flat := make([][3]uint16, 256)
	for i, c := range p {
		flat[i] = flattenColor(c)
	}
	return flat
}

func gray16Row(dst []uint16, pix []uint8) {
	for x := range len(dst) / 3 {
		v := binary.BigEndian.Uint16(pix[2*x:])
		dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
	}
}

// rgba64Row is for opaque pictures, as rgbaRow is.
func rgba64Row(dst []uint16, pix []uint8) {
	for x := range len(dst) / 3 {
		for c := range 3 {
			dst[3*x+c] = binary.BigEndian.Uint16(pix[8*x+2*c:])
		}
	}
}

func nrgba64Row(dst []uint16, pix []uint8) {
	rgba64Row(dst, pix)
	for x := range len(dst) / 3 {
		onWhite(dst[3*x:3*x+3], uint32(binary.BigEndian.Uint16(pix[8*x+6:])))
	}
}

// anyRow is slow: every pixel is a small allocation.
func anyRow(dst []uint16, img image.Image, y int) {
	first := img.Bounds().Min
	for x := range len(dst) / 3 {
		c := flattenColor(img.At(first.X+x, first.Y+y))
		copy(dst[3*x:3*x+3], c[:])
	}
}

func flattenColor(c color.Color) [3]uint16 {
	r, g, b, a := c.RGBA()
	white := 0xffff - a
	return [3]uint16{uint16(r + white), uint16(g + white), uint16(b + white)}
}
