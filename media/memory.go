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

// reckonReading is the decoder, both pictures, and what makes them.
func reckonReading(head *header, s Settings) int64 {
	size, side := sizes(head, s)
	decoded := image.Pt(scaled(head.width, head.eighths), scaled(head.height, head.eighths))
	square := image.Pt(int(side), int(side))
	memory := head.decoder.memory + head.bytes(square, jpeg.Full)
	if head.film.planar() {
		halved, covers := image.Pt(2, 2), head.film.covers
		memory += head.reckonResized(decoded, size, covers, halved)
		if size != decoded && head.resizesFirst(s) {
			decoded, covers = size, halved
		}
		memory += head.reckonThumbnail(decoded, square, covers)
	} else {
		short := min(decoded.X, decoded.Y)
		memory += head.bytes(size, jpeg.Full) + 16*int64(head.channels*decoded.X)
		memory += reckonReducer(head.channels, decoded.X, decoded, size)
		memory += reckonReducer(head.channels, decoded.X, image.Pt(short, short), square)
	}
	if head.profile.exists() {
		memory += colourTables + int64(len(head.profile.data))
	}
	return memory
}

// reckonThumbnail is what negative.thumbnail takes: the colours of what is near the
// square, where it has others than are needed, and what makes the square small.
func (h *header) reckonThumbnail(decoded, square, covers image.Point) int64 {
	short := min(decoded.X, decoded.Y)
	step := ceilDiv(short, square.X)
	near := image.Pt(min(decoded.X, short+4*step+8), min(decoded.Y, short+4*step+8))
	box := 1
	if short/square.X >= boxStep {
		box = 2
	}
	boxes := image.Pt(ceilDiv(near.X, box), ceilDiv(near.Y, box))
	return h.reckonResized(near, near, covers, image.Pt(box, box)) + reckonReducer(h.channels, boxes.X, boxes, square)
}

// reckonResized is what negative.resized makes: planes that are right already are not
// copied. A sample of colour covers so many pixels before, and so many then.
func (h *header) reckonResized(from, to, had, covers image.Point) int64 {
	part := func(size, by image.Point) image.Point { return image.Pt(ceilDiv(size.X, by.X), ceilDiv(size.Y, by.Y)) }
	memory := int64(0)
	if from != to {
		memory = area(to) + reckonResizer(from, to)
	}
	if colours := part(to, covers); h.channels > 1 && (from != to || covers != had) {
		memory += 2*area(colours) + reckonResizer(part(from, had), colours)
	}
	return memory
}

// reckonResizer is the taps, each in parts of partSize weights, and a line.
func reckonResizer(from, to image.Point) int64 {
	return reckonTaps(from.X, to.X) + reckonTaps(from.Y, to.Y) + 2*(8+8*partSize)*int64(to.X) + 64*int64(max(from.X, to.X))
}

// reckonReducer is, of rows of that width, those in 16 bits, their light and the sums
// and averages of boxes, up to five rows of the result in work and those that are
// done, and the taps.
func reckonReducer(channels, width int, from, to image.Point) int64 {
	n := int64(channels)
	return n*(10*int64(width)+50*int64(to.X)) + 3*int64(to.X) + reckonTaps(from.X, to.X) + reckonTaps(from.Y, to.Y)
}

// reckonTaps is, for each of the result, a tap and both ways three weights of each
// pixel that makes it up, in two kinds.
func reckonTaps(from, to int) int64 { return 64*int64(to) + 104*int64(max(from, to)) }

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
