package media

import (
	"image"

	"github.com/lightlock/lightlock/media/jpeg"
)

// colourTables is what a colour transform takes at most, in bytes, with what is
// needed to make it.
const colourTables = 8 << 20

// reckon tells what developing takes at its peak, in bytes, apart from the
// original: either while the picture is read, or while what was made of it is
// encoded.
func reckon(head *header, s Settings) int64 {
	return max(reckonReading(head, s), reckonEncoding(head, s))
}

// reckonReading is the decoder and both pictures, and in bytes for each pixel of a
// line: rows in 8 and 16 bits and as sums, and both ways four weights, in two kinds.
func reckonReading(head *header, s Settings) int64 {
	size, side := sizes(head, s)
	decoded := image.Pt(scaled(head.width, head.eighths), scaled(head.height, head.eighths))
	memory := head.decoder.memory + head.samples()*side*side
	memory += 2 * (64 + 14*int64(head.channels)) * int64(decoded.X+decoded.Y)
	if head.film.planar() {
		memory += reckonPlanes(head, decoded, size, side)
	} else {
		memory += head.samples() * area(size)
	}
	if head.profile.exists() {
		memory += colourTables + int64(len(head.profile.data))
	}
	return memory
}

// partBytes is what the weights of a column of the result take.
const partBytes = 64

// reckonPlanes is what the planes that were decoded become, where they are not used as
// they are: the preview, and the colours of the square that becomes the thumbnail.
func reckonPlanes(head *header, decoded, size image.Point, side int64) int64 {
	memory, colours := int64(0), int64(0)
	if size != decoded {
		memory = area(size) + partBytes*int64(size.X)
	}
	if size != decoded || head.film.covers != image.Pt(2, 2) {
		colours = area(size.Add(image.Pt(1, 1)))/2 + partBytes*int64(size.X)/2
	}
	switch square := int64(min(decoded.X, decoded.Y)); {
	case square < boxStep*side && head.film.covers != image.Pt(1, 1):
		colours += 2 * square * square
	case square >= boxStep*side && head.film.covers != image.Pt(2, 2):
		colours += square * square / 2
	}
	if head.channels == 1 {
		colours = 0
	}
	return memory + colours
}

// reckonEncoding is both pictures, upright, the larger one also with fewer colours or
// made smaller, what its encoder needs, and files.
func reckonEncoding(head *header, s Settings) int64 {
	size, side := sizes(head, s)
	pictures := head.samples() * (area(size) + side*side)
	if head.orientation > 1 {
		pictures *= 2
	}
	file := min(int64(s.Preview.MaxBytes), 2*area(size))
	encoder := jpeg.EncodeMemory(size.X, size.Y, jpeg.Full, s.Preview.MaxBytes)
	return pictures + head.samples()*area(size) + encoder + 3*file
}

// sizes are those of the preview and, of one side, of the thumbnail.
func sizes(head *header, s Settings) (image.Point, int64) {
	return head.previewSize(s), int64(min(s.Thumbnail.Side, head.width, head.height))
}

// samples is how many samples a pixel of our pictures has.
func (h *header) samples() int64 { return int64(min(h.channels, 3)) }
