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

// reckonEncoding is both pictures, as they come and upright, the preview with fewer
// colours where it comes with more than it keeps, and what their encoder needs.
func reckonEncoding(head *header, s Settings) int64 {
	size, side := sizes(head, s)
	square := image.Pt(int(side), int(side))
	made, kept := jpeg.Full, jpeg.Full
	if head.film.planar() {
		made = jpeg.Halved
	}
	if !head.keepsColours {
		kept = jpeg.Halved
	}
	pictures := head.bytes(size, made) + head.bytes(square, jpeg.Full)
	if head.orientation > 1 {
		pictures += pictures + head.colours(size, made) // moved between samples
	}
	if made != kept {
		pictures += head.colours(size, kept)
	}
	thumbnail := head.reckonFile(size, kept, s.Preview) + head.reckonFiles(square, jpeg.Full, s.Thumbnail)
	return pictures + max(head.reckonFiles(size, kept, s.Preview), thumbnail)
}

// reckonFiles is what it takes to make a picture a JPEG that fits: the encoder, two
// files at a time, and, where none may fit that is as large as the picture, a smaller
// picture and the best file of those before.
func (h *header) reckonFiles(size image.Point, kept jpeg.Sampling, t Target) int64 {
	file, samples := h.reckonFile(size, kept, t), h.bytes(size, kept)
	memory := 2*file + h.reckonEncoder(size, kept, t.MaxBytes)
	if samples*5/8 > int64(t.MaxBytes) {
		memory += samples + file
	}
	return memory
}

// reckonFile is a byte for each sample, or what the target allows. Dots at random, each
// black or white, take 0.77 at the best quality and 0.44 at the worst.
func (h *header) reckonFile(size image.Point, kept jpeg.Sampling, t Target) int64 {
	return min(int64(t.MaxBytes), h.bytes(size, kept))
}

// reckonEncoder is for a picture of as many blocks: one in gray has those of one in
// full colour with a third of the rows.
func (h *header) reckonEncoder(size image.Point, kept jpeg.Sampling, limit int) int64 {
	if h.channels == 1 {
		size.Y, kept = ceilDiv(size.Y, 3), jpeg.Full
	}
	return jpeg.EncodeMemory(size.X, size.Y, kept, limit)
}

// bytes is what a picture of ours takes, and colours what its colours take.
func (h *header) bytes(size image.Point, s jpeg.Sampling) int64 {
	return area(size) + h.colours(size, s)
}

func (h *header) colours(size image.Point, s jpeg.Sampling) int64 {
	switch {
	case h.channels == 1:
		return 0
	case s == jpeg.Halved:
		return 2 * area(image.Pt(ceilDiv(size.X, 2), ceilDiv(size.Y, 2)))
	default:
		return 2 * area(size)
	}
}

// sizes are those of the preview and, of one side, of the thumbnail.
func sizes(head *header, s Settings) (image.Point, int64) {
	return head.previewSize(s), int64(min(s.Thumbnail.Side, head.width, head.height))
}

// samples is how many samples a pixel of our pictures has.
func (h *header) samples() int64 { return int64(min(h.channels, 3)) }
