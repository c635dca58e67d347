package media

import (
	"encoding/binary"

	"github.com/lightlock/lightlock/media/jpeg"
)

const (
	exifPrefix      = "Exif\x00\x00"
	exifOrientation = 0x0112
	exifShort       = 3
	exifLong        = 4
)

// readOrientation returns the orientation that EXIF data names, 1 to 8, or 0
// where it names none that makes sense. It looks into the first directory only
// and follows no pointer out of it, so that nothing in it can loop; a count
// beyond the data ends with the data.
func readOrientation(exif []byte) int {
	if len(exif) >= len(exifPrefix) && string(exif[:len(exifPrefix)]) == exifPrefix {
		exif = exif[len(exifPrefix):]
	}
	if len(exif) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(exif[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	start := int64(order.Uint32(exif[4:]))
	if start+2 > int64(len(exif)) {
		return 0
	}
	count, entries := int(order.Uint16(exif[start:])), exif[start+2:]
	for ; count > 0 && len(entries) >= 12; count-- {
		if order.Uint16(entries) == exifOrientation {
			return orientationValue(entries, order)
		}
		entries = entries[12:]
	}
	return 0
}

// orientationValue reads an entry: tag, type, count and value. Some programs
// write a long where EXIF wants a short.
func orientationValue(entry []byte, order binary.ByteOrder) int {
	if order.Uint32(entry[4:]) != 1 {
		return 0
	}
	var v uint32
	switch order.Uint16(entry[2:]) {
	case exifShort:
		v = uint32(order.Uint16(entry[8:]))
	case exifLong:
		v = order.Uint32(entry[8:])
	}
	if v < 1 || v > 8 {
		return 0
	}
	return int(v)
}

// upright turns and mirrors a picture as its orientation wants. It comes after
// scaling, because then there are few pixels left to move.
//
// EXIF names the orientations by where the first row and column of what is stored
// belong (Exif 2.3, 4.6.4 A): 2, 3 and 4 are mirrored left to right, both ways and top
// to bottom; 5 to 8 have rows for columns, and are not mirrored, top to bottom, both
// ways and left to right.
func upright(p *jpeg.Planes, orientation int) *jpeg.Planes {
	if orientation <= 1 {
		return p
	}
	m := turn{
		across: orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8,
		down:   orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7,
		swap:   orientation >= 5,
	}
	out := &jpeg.Planes{Y: m.plane(&p.Y)}
	if !p.Gray() {
		cb, cr := m.between(&p.Y, &p.Cb), m.between(&p.Y, &p.Cr)
		out.Cb, out.Cr = m.plane(cb), m.plane(cr)
	}
	return out
}

// turn says what becomes of a picture: it is mirrored left to right, top to bottom,
// and then its rows become columns.
type turn struct{ across, down, swap bool }

// tile is the side of the squares in which samples are moved, because to write a
// column as a row touches memory all over.
const tile = 32

func (t turn) plane(src *jpeg.Plane) jpeg.Plane {
	from, right, below := 0, 1, src.Stride // where a row of the result begins, and goes
	if t.across {
		from, right = src.Width-1, -1
	}
	if t.down {
		from, below = from+(src.Height-1)*src.Stride, -src.Stride
	}
	dst := jpeg.NewPlane(src.Width, src.Height)
	if t.swap {
		dst, right, below = jpeg.NewPlane(src.Height, src.Width), below, right
	}
	for top := 0; top < dst.Height; top += tile {
		for left := 0; left < dst.Width; left += tile {
			for y := top; y < min(top+tile, dst.Height); y++ {
				row := dst.Row(y)[left:min(left+tile, dst.Width)]
				at := from + y*below + left*right
				for x := range row {
					row[x] = src.Pix[at]
					at += right
				}
			}
		}
	}
	return dst
}

// between moves colour by half of what shares a sample of it, where that comes to lie
// between two others: mirrored, an odd line begins with its last pixel, which had a
// sample for itself.
func (t turn) between(luma, p *jpeg.Plane) *jpeg.Plane {
	across := t.across && luma.Width%2 == 1 && p.Width < luma.Width
	down := t.down && luma.Height%2 == 1 && p.Height < luma.Height
	if !across && !down {
		return p
	}
	out := jpeg.NewPlane(p.Width, p.Height)
	for y := range p.Height {
		row, above := p.Row(y), p.Row(y)
		if down {
			above = p.Row(max(y-1, 0))
		}
		for x := range row {
			left := x
			if across {
				left = max(x-1, 0)
			}
			out.Row(y)[x] = byte((int(row[x]) + int(row[left]) + int(above[x]) + int(above[left]) + 2) / 4)
		}
	}
	return &out
}
