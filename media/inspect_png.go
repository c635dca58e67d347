package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Colour types of a PNG (W3C PNG, 11.2.1).
const (
	pngGray      = 0
	pngRGB       = 2
	pngPalette   = 3
	pngGrayAlpha = 4
	pngRGBA      = 6
)

// maxDeflate is how far a byte can unfold: zlib's own figure is 1032 to 1.
const maxDeflate = 1032

// pngWalk gathers what the chunks say.
type pngWalk struct {
	head                 *header
	depth, colour        byte
	interlaced           bool
	palette, transparent bool
	turned, ended        bool
	idat                 int64 // bytes
}

// walkPNG reads a PNG up to its IEND, wherever IDAT is: what comes behind is
// never seen by a decoder, and text, profiles and unknown chunks neither.
func walkPNG(data []byte, head *header) error {
	w := &pngWalk{head: head}
	head.keep(data[:len(pngSignature)])
	rest := data[len(pngSignature):]
	for len(rest) > 0 && !w.ended {
		if head.parts++; head.parts > maxParts {
			return nil
		}
		chunk, ok := cutChunk(rest)
		if !ok {
			return errCutOff
		}
		rest = rest[len(chunk):]
		if err := w.chunk(chunk); err != nil {
			return err
		}
	}
	return w.whole()
}

// cutChunk takes the first chunk: length, type, content and checksum.
func cutChunk(data []byte) ([]byte, bool) {
	if len(data) < 12 {
		return nil, false
	}
	n := int64(binary.BigEndian.Uint32(data))
	if n+12 > int64(len(data)) {
		return nil, false
	}
	return data[:n+12], true
}

func (w *pngWalk) chunk(chunk []byte) error {
	name, body := string(chunk[4:8]), chunk[8:len(chunk)-4]
	if w.head.width == 0 {
		if name != "IHDR" {
			return errors.New("the first chunk is not IHDR")
		}
		if err := w.readIHDR(body); err != nil {
			return err
		}
	}
	if sum := binary.BigEndian.Uint32(chunk[len(chunk)-4:]); sum != crc32.ChecksumIEEE(chunk[4:len(chunk)-4]) {
		return errors.New("a chunk has a wrong checksum")
	}
	switch name {
	case "IHDR":
		if len(w.head.stream) > 1 {
			return errors.New("a second IHDR")
		}
		w.head.keep(chunk)
	case "IEND":
		w.ended = true
	case "IDAT":
		w.idat += int64(len(body))
		w.head.keep(chunk)
	default:
		w.beside(name, body, chunk)
	}
	return nil
}

// beside is for the chunks that stand beside the picture data.
func (w *pngWalk) beside(name string, body, chunk []byte) {
	switch {
	case name == "acTL" && w.idat == 0:
		// The number in it is the file's own word, and one animation is
		// enough.
		w.head.frames = 2
		if len(body) >= 4 {
			w.head.frames = int(max(2, binary.BigEndian.Uint32(body)))
		}
	case name == "PLTE" && w.idat == 0 && !w.palette && w.colour == pngPalette:
		w.palette = true
		w.head.keep(chunk)
	case name == "tRNS" && w.idat == 0 && !w.transparent && w.colour <= pngPalette:
		w.transparent = true
		w.head.keep(chunk)
	case name == "eXIf" && !w.turned:
		if o := readOrientation(body); o != 0 {
			w.head.orientation, w.turned = o, true
		}
	}
}

func (w *pngWalk) readIHDR(body []byte) error {
	if len(body) != 13 {
		return errors.New("IHDR has a wrong length")
	}
	width, height := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
	if width == 0 || height == 0 || width > 1<<31-1 || height > 1<<31-1 {
		return fmt.Errorf("%d x %d pixels", width, height)
	}
	w.head.setSize(int(width), int(height))
	w.depth, w.colour, w.interlaced = body[8], body[9], body[12] == 1
	if !validDepth(w.colour, w.depth) || body[10] != 0 || body[11] != 0 || body[12] > 1 {
		return errors.New("IHDR makes no sense")
	}
	return nil
}

// whole judges what can be judged once all chunks are known. How much IDAT can
// unfold to is known without unfolding it: a file too small for its picture
// must not cost the memory for it.
func (w *pngWalk) whole() error {
	w.head.memory = w.memory()
	switch {
	case w.head.width == 0, w.idat == 0:
		return errNoPicture
	case w.colour == pngPalette && !w.palette:
		return errors.New("the palette is missing")
	case w.rawSize() > maxDeflate*w.idat:
		return errors.New("there is less data than the picture needs")
	}
	w.head.keep([]byte("\x00\x00\x00\x00IEND\xae\x42\x60\x82"))
	return nil
}

// validDepth tells whether the colour type may have that many bits per sample.
func validDepth(colour, depth byte) bool {
	switch colour {
	case pngGray:
		return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16
	case pngPalette:
		return depth == 1 || depth == 2 || depth == 4 || depth == 8
	case pngRGB, pngGrayAlpha, pngRGBA:
		return depth == 8 || depth == 16
	}
	return false
}

func channels(colour byte) int64 {
	switch colour {
	case pngGray, pngPalette:
		return 1
	case pngGrayAlpha:
		return 2
	case pngRGB:
		return 3
	case pngRGBA:
		return 4
	}
	return 0
}

// rawSize is a lower bound of what the picture takes before compression.
func (w *pngWalk) rawSize() int64 {
	row := (int64(w.head.width)*channels(w.colour)*int64(w.depth) + 7) / 8
	return row * int64(w.head.height)
}

// memory reckons what image/png allocates. An interlaced picture is read in
// passes, each with an image of its own that together are a second picture.
func (w *pngWalk) memory() int64 {
	each := int64(1)
	switch opaqueGray := w.colour == pngGray && !w.transparent; {
	case w.colour == pngPalette, opaqueGray && w.depth <= 8:
	case opaqueGray:
		each = 2
	case w.depth == 16:
		each = 8
	default:
		each = 4
	}
	total := each * int64(w.head.width) * int64(w.head.height)
	if w.interlaced {
		total *= 2
	}
	return total
}
