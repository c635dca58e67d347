package media

import (
	"encoding/binary"
	"image"

	"github.com/lightlock/lightlock/media/jpeg"
)

// halve makes a plane of fewer samples by 2 across, down or both, and by 1 elsewhere,
// each the average of those that it stands for. At the far edges those may be fewer.
func halve(src *jpeg.Plane, by image.Point) jpeg.Plane {
	dst := jpeg.NewPlane(ceilDiv(src.Width, by.X), ceilDiv(src.Height, by.Y))
	for y := range dst.Height {
		upper, lower := src.Row(by.Y*y), src.Row(min(by.Y*(y+1), src.Height)-1)
		if by.X == 2 {
			averageFour(dst.Row(y), upper, lower)
		} else {
			averageTwo(dst.Row(y), upper, lower)
		}
	}
	return dst
}

// averageFour averages two by two samples, four times at once: every second byte of
// 64 bits has room for the sum of four.
func averageFour(dst, upper, lower []byte) {
	const second = 0x00ff00ff00ff00ff
	n := len(upper) / 2
	x := 0
	for ; x+4 <= n; x += 4 {
		a, b := binary.LittleEndian.Uint64(upper[2*x:]), binary.LittleEndian.Uint64(lower[2*x:])
		sum := a&second + a>>8&second + b&second + b>>8&second + 0x0002000200020002
		sum = sum >> 2 & second
		sum = (sum | sum>>8) & 0x0000ffff0000ffff
		binary.LittleEndian.PutUint32(dst[x:], uint32(sum|sum>>16))
	}
	for ; x < n; x++ {
		dst[x] = byte((int(upper[2*x]) + int(upper[2*x+1]) + int(lower[2*x]) + int(lower[2*x+1]) + 2) >> 2)
	}
	if n < len(dst) {
		dst[n] = byte((int(upper[2*n]) + int(lower[2*n]) + 1) >> 1)
	}
}

// averageTwo averages each sample with the one below it, eight at once: what two
// numbers have in either is their average, but for half of what only one has.
func averageTwo(dst, upper, lower []byte) {
	const notLast = 0xfefefefefefefefe
	x := 0
	for ; x+8 <= len(dst); x += 8 {
		a, b := binary.LittleEndian.Uint64(upper[x:]), binary.LittleEndian.Uint64(lower[x:])
		binary.LittleEndian.PutUint64(dst[x:], (a|b)-(a^b)&notLast>>1)
	}
	for ; x < len(dst); x++ {
		dst[x] = byte((int(upper[x]) + int(lower[x]) + 1) >> 1)
	}
}
