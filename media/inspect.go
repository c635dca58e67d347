package media

import "image"

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

// MaxMemory is the default of what a photo may take while it is developed, in
// bytes, as reckoned from its header. With a preview of 2048 pixels, photos of a
// camera, of up to 48 million pixels, take a sixteenth of it, most of that to encode
// the preview. More is held of what is not read row by row, or band by band: of
// progressive JPEG two bytes for every sample that is decoded and a bit for every one
// that is not, of interlaced PNG and GIF and of WebP the whole picture.
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
	// frame is where on the picture the decoded image lies. Only in a GIF is
	// it not all of it.
	frame image.Rectangle
	// channels is 1 for gray, 3 for red, green and blue, 4 for inks.
	channels int
	profile  profile
	// decoder is nil where there is nothing to decode.
	decoder *decoder
	// film is set of a JPEG, which is decoded at so many eighths of its size.
	film    *film
	eighths int
	// keepsColours is that of the format.
	keepsColours bool
	// memory is what developing takes at its peak, in bytes.
	memory int64
	// damage is what is broken about a file of which a part may still be seen.
	damage error
}

// inspect judges a photo by its header alone: what must not be decoded has to be
// refused before. The header is returned with the verdict too, as far as it
// could be read.
func inspect(data []byte, f format, s Settings) (*header, error) {
	head := &header{orientation: 1, frames: 1, scans: 1, eighths: 8, keepsColours: f.keepsColours()}
	broken := walk(data, f, head)
	if head.film != nil {
		head.eighths = eighths(image.Pt(head.width, head.height), s)
		head.decoder = head.film.at(head.eighths)
	}
	if head.decoder != nil {
		head.memory = reckon(head, s)
	}
	switch {
	case head.pixels() > s.MaxPixels:
		found, limit := unlike(head.pixels(), s.MaxPixels, sayPixels)
		return head, reject(TooManyPixels, "%s x %s pixels is %s; the limit is %s",
			sayCount(int64(head.width)), sayCount(int64(head.height)), found, limit)
	case head.frames > 1:
		return head, reject(Animated, "%s frames; only still pictures are shown", sayCount(int64(head.frames)))
	case head.tooComplex(s.MaxMemory) != "":
		return head, reject(TooComplex, "%s", head.tooComplex(s.MaxMemory))
	case broken != nil:
		return head, corrupt(broken)
	case head.damage != nil && !s.ShowDamaged:
		return head, corrupt(head.damage)
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

func (h *header) pixels() int64 { return area(image.Pt(h.width, h.height)) }

// area has 64 bits, because two lengths of 31 bits come from the file.
func area(size image.Point) int64 { return int64(size.X) * int64(size.Y) }

func (h *header) tooComplex(memory int64) string {
	switch work := int64(h.scans) * h.pixels(); {
	case max(h.width, h.height) > maxLength:
		return sayCount(int64(max(h.width, h.height))) + " pixels long; the limit is " + sayCount(maxLength)
	case h.parts > maxParts:
		return "more than " + sayCount(maxParts) + " parts; the limit is " + sayCount(maxParts)
	case h.scans > maxScans:
		return sayCount(int64(h.scans)) + " scans; the limit is " + sayCount(maxScans)
	case h.scans > 1 && work > maxScanPixels:
		return sayCount(int64(h.scans)) + " scans of " + sayPixels(h.pixels()) + " pixels are " + sayPixels(work) +
			"; the limit is " + sayPixels(maxScanPixels)
	case h.memory > memory:
		found, limit := unlike(h.memory, memory, sayBytes)
		return "developing takes " + found + " of memory; the limit is " + limit
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
