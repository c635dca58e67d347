package media

import (
	"errors"
	"image"
)

// What is broken in any format.
var (
	errCutOff    = errors.New("the file is cut off")
	errNoPicture = errors.New("there is no picture in the file")
)

// Limits on what a header may ask of us. They are far beyond any real photo and
// the same everywhere, so that a verdict does not depend on the machine.
const (
	// maxScans: progressive photos have 1 to 10 scans. Each scan goes over the
	// whole picture, and can be 35 bytes long.
	maxScans = 100
	// maxScanPixels bounds scans times pixels: 100 million pixels in ten scans,
	// which takes a decoder a few seconds.
	maxScanPixels = 1_000_000_000
	// maxParts bounds segments of a JPEG, chunks of a PNG or a WebP, blocks
	// before the picture of a GIF. 25 MB in the 8 kB chunks that the common
	// encoder writes are 3,200.
	maxParts = 50_000
	// maxLength bounds either side, as JPEG and GIF do by themselves. A line of
	// a hundred million pixels would pass the limit of pixels, and no row of it
	// would fit anywhere.
	maxLength = 65_535
)

// MaxMemory bounds what a decoder allocates, in bytes, as reckoned from the
// header: 100 million pixels of any plain JPEG in colour or of an 8-bit PNG, 71
// million of a progressive JPEG (4:2:0), 67 million in 16 bits with alpha. The
// rest of Develop takes less than a tenth of it for a preview of 2048 pixels. A
// process with a limit on its memory wants twice this beyond what it has at its
// start, so that no photo within the budget dies there.
const MaxMemory = 512 << 20

// header is what a file says of itself before anything is decoded, and where
// the parts of it are that a decoder needs.
type header struct {
	// width and height are those of the picture as it is stored.
	width, height int
	// orientation is 1 to 8 as EXIF numbers them; 1 is upright.
	orientation int
	// frames is 1 for a still picture.
	frames int
	// scans is how often the data goes over the picture.
	scans int
	parts int
	// memory is what decoding allocates at its peak, in bytes.
	memory int64
	// stream is the file for the decoder: parts of the original in order,
	// without metadata and without anything behind its end.
	stream [][]byte
	// frame is where on the picture the decoded image lies. Only in a GIF is
	// it not all of it.
	frame image.Rectangle
	// endless is set where the file has no end marker.
	endless bool
	// inverted is set where the decoder takes inks for their opposite.
	inverted bool
	// studio is set where luma has the range 16 to 235 of video, not 0 to 255.
	studio bool
}

// inspect judges a photo by its header alone, because a decode can hardly be
// interrupted: what must not be decoded has to be refused before. The header is
// returned with the verdict too, as far as it could be read.
func inspect(data []byte, f format, maxPixels int64) (*header, error) {
	head := &header{orientation: 1, frames: 1, scans: 1}
	broken := walk(data, f, head)
	switch {
	case head.pixels() > maxPixels:
		found, limit := unlike(head.pixels(), maxPixels, sayPixels)
		size := head.largest()
		return head, reject(TooManyPixels, "%s x %s pixels is %s; the limit is %s",
			sayCount(int64(size.X)), sayCount(int64(size.Y)), found, limit)
	case head.frames > 1:
		return head, reject(Animated, "%s frames; only still pictures are shown", sayCount(int64(head.frames)))
	case head.tooComplex() != "":
		return head, reject(TooComplex, "%s", head.tooComplex())
	case broken != nil:
		return head, corrupt(broken)
	}
	return head, nil
}

// walk reads the header by the rules of its format. Its error says what is
// broken, in words for people.
func walk(data []byte, f format, head *header) error {
	switch f.name {
	case formatJPEG:
		return walkJPEG(data, head)
	case formatPNG:
		return walkPNG(data, head)
	case formatGIF:
		return walkGIF(data, head)
	default:
		return walkWebP(data, head)
	}
}

// largest is the size of what is shown or of what is decoded, whichever has more
// pixels.
func (h *header) largest() image.Point {
	if shown := image.Pt(h.width, h.height); area(shown) >= area(h.frame.Size()) {
		return shown
	}
	return h.frame.Size()
}

func (h *header) pixels() int64 { return area(h.largest()) }

// area has 64 bits, because two lengths of 31 bits come from the file.
func area(size image.Point) int64 { return int64(size.X) * int64(size.Y) }

func (h *header) tooComplex() string {
	switch work := int64(h.scans) * h.pixels(); {
	case max(h.width, h.height) > maxLength:
		return sayCount(int64(max(h.width, h.height))) + " pixels long; the limit is " + sayCount(maxLength)
	case h.parts > maxParts:
		return "more than " + sayCount(maxParts) + " parts"
	case h.scans > maxScans:
		return sayCount(int64(h.scans)) + " scans; the limit is " + sayCount(maxScans)
	case h.scans > 1 && work > maxScanPixels:
		return sayCount(int64(h.scans)) + " scans of " + sayPixels(h.pixels()) + " pixels are " + sayPixels(work) +
			"; the limit is " + sayPixels(maxScanPixels)
	case h.memory > MaxMemory:
		return "decoding takes " + sayBytes(h.memory) + " of memory; the limit is " + sayBytes(MaxMemory)
	}
	return ""
}

// uprightSize returns width and height as they are once the picture is turned.
func (h *header) uprightSize() (width, height int) {
	if h.orientation >= 5 {
		return h.height, h.width
	}
	return h.width, h.height
}

// setSize is for the formats whose image fills the picture.
func (h *header) setSize(width, height int) {
	h.width, h.height = width, height
	h.frame = image.Rect(0, 0, width, height)
}

// keep adds parts of the file to what the decoder will see.
func (h *header) keep(parts ...[]byte) { h.stream = append(h.stream, parts...) }
