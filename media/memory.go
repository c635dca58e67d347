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

// reckonReading is the decoder, rows in 8 and 16 bits and as sums, both ways four
// weights of 8 bytes, in two kinds, for each pixel of a line, and both pictures.
func reckonReading(head *header, s Settings) int64 {
	size, side := sizes(head, s)
	memory := head.decoder.memory + head.samples()*(area(size)+side*side)
	memory += 2 * (64 + 14*int64(head.channels)) * int64(head.width+head.height)
	if head.profile.exists() {
		memory += colourTables + int64(len(head.profile.data))
	}
	return memory
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
	return fit(head.width, head.height, s.Preview.Side), int64(min(s.Thumbnail.Side, head.width, head.height))
}

// samples is how many samples a pixel of our pictures has.
func (h *header) samples() int64 { return int64(min(h.channels, 3)) }
