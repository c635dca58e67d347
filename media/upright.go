package media

import (
	"encoding/binary"
	"image"
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

// upright turns and mirrors the picture as its orientation wants. It comes
// after scaling, because then there are few pixels left to move.
func upright(img *image.RGBA, orientation int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if orientation <= 1 {
		return img
	}
	turned := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		turned = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(turned)
	for y := range turned.Dy() {
		for x := range turned.Dx() {
			sx, sy := origin(orientation, image.Pt(x, y), image.Pt(w-1, h-1))
			copy(out.Pix[out.PixOffset(x, y):][:4], img.Pix[img.PixOffset(sx, sy):][:4])
		}
	}
	return out
}

// origin returns where the stored picture, whose last pixel is last, has the
// pixel at p of the upright one. EXIF names the orientations by where the first
// row and column of what is stored belong (Exif 2.3, 4.6.4 A).
func origin(orientation int, p, last image.Point) (x, y int) {
	switch orientation {
	case 2: // mirrored left to right
		return last.X - p.X, p.Y
	case 3: // upside down
		return last.X - p.X, last.Y - p.Y
	case 4: // mirrored top to bottom
		return p.X, last.Y - p.Y
	case 5: // first row is the left side
		return p.Y, p.X
	case 6: // first row is the right side
		return p.Y, last.Y - p.X
	case 7: // first row is the right side, from below
		return last.X - p.Y, last.Y - p.X
	case 8: // first row is the left side, from below
		return last.X - p.Y, p.X
	}
	return p.X, p.Y
}
