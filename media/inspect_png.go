package media

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/lightlock/lightlock/media/png"
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
	head          *header
	picture       png.Image
	turned, ended bool
	idat          int64 // bytes of IDAT
}

// walkPNG reads a PNG up to its IEND, wherever IDAT is: what comes behind is
// never seen by a decoder, and text and unknown chunks neither. Of a file that
// is broken or breaks off behind the first of IDAT, what was before is kept. One
// that breaks off elsewhere than in IDAT may have it all: the decoder finds that
// out.
func walkPNG(data []byte, head *header) error {
	w := &pngWalk{head: head}
	rest := data[len(pngSignature):]
	for len(rest) > 0 && !w.ended {
		if head.parts++; head.parts > maxParts {
			return nil
		}
		chunk, ok := cutChunk(rest)
		var err error
		if ok {
			err = w.chunk(chunk)
		} else {
			chunk, err = rest, w.keepPart(rest)
		}
		rest = rest[len(chunk):]
		if err != nil && w.idat > 0 {
			head.damage = err
			break
		}
		if err != nil {
			return err
		}
	}
	return w.whole()
}

// keepPart keeps what there is of a chunk of picture data that is cut off.
func (w *pngWalk) keepPart(rest []byte) error {
	data := len(rest) >= 8 && string(rest[4:8]) == "IDAT"
	switch {
	case w.idat == 0:
		return errCutOff
	case data:
		w.picture.Data = append(w.picture.Data, rest[8:])
		return errCutOff
	}
	return nil
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
		return w.wrongSum(name)
	}
	switch name {
	case "IHDR":
		if w.idat > 0 || w.head.parts > 1 {
			return errors.New("a second IHDR")
		}
	case "IEND":
		w.ended = true
	case "IDAT":
		w.idat += int64(len(body))
		w.picture.Data = append(w.picture.Data, body)
	default:
		w.beside(name, body)
	}
	return nil
}

// wrongSum judges a chunk with a wrong checksum. One that can be done without is
// ignored, as libpng does and so every browser (W3C PNG, 5.4 and 13.2).
func (w *pngWalk) wrongSum(name string) error {
	const ancillary = 'a' - 'A' // in the first letter
	switch {
	case name == "IEND":
		w.ended = true
	case name[0]&ancillary == 0:
		return errors.New("a chunk has a wrong checksum")
	}
	return nil
}

// beside is for the chunks that stand beside the picture data.
func (w *pngWalk) beside(name string, body []byte) {
	switch {
	case name == "acTL" && w.idat == 0:
		// The number in it is the file's own word, and one animation is
		// enough.
		w.head.frames = 2
		if len(body) >= 4 {
			w.head.frames = int(max(2, binary.BigEndian.Uint32(body)))
		}
	case name == "PLTE" && w.idat == 0 && w.picture.Palette == nil && w.picture.Colour == pngPalette:
		w.picture.Palette = body
		if most := 3 << w.picture.Depth; len(body) > most && len(body) <= 3*256 && len(body)%3 == 0 {
			w.picture.Palette = body[:most] // no index leads to the rest
		}
	case name == "tRNS" && w.idat == 0 && w.picture.Transparent == nil && w.fits(body):
		w.picture.Transparent = body
	case name == "iCCP" && w.idat == 0 && !w.head.profile.exists():
		w.head.profile = pngProfile(body)
	case name == "eXIf" && !w.turned:
		if o := readOrientation(body); o != 0 {
			w.head.orientation, w.turned = o, true
		}
	}
}

// fits tells whether a tRNS says something of this picture. libpng and browsers
// ignore one that has a wrong length, or stands before its palette (W3C PNG,
// 11.3.1.1).
func (w *pngWalk) fits(transparent []byte) bool {
	if w.picture.Colour == pngPalette {
		return len(transparent) <= len(w.picture.Palette)/3
	}
	return w.picture.Colour < pngPalette && len(transparent) == 2*w.picture.Samples()
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
	w.picture = png.Image{Width: int(width), Height: int(height), Depth: body[8], Colour: body[9], Interlaced: body[12] == 1}
	if !w.picture.ValidDepth() || body[10] != 0 || body[11] != 0 || body[12] > 1 {
		return errors.New("IHDR makes no sense")
	}
	return nil
}

// whole judges what can be judged once all chunks are known. How much IDAT can
// unfold to is known without unfolding it: a file too small for its picture
// costs nothing.
func (w *pngWalk) whole() error {
	switch {
	case w.head.width == 0, w.picture.Data == nil:
		return errNoPicture
	case w.picture.Colour == pngPalette && w.picture.Palette == nil:
		return errors.New("the palette is missing")
	case w.head.damage == nil && w.picture.Bytes() > maxDeflate*w.idat:
		return errors.New("there is less data than the picture needs")
	}
	picture := w.picture
	n := picture.Channels()
	w.head.decoder = &decoder{channels: n, alpha: n%2 == 0, memory: picture.Memory(), open: func(context.Context) (rows, error) {
		return picture.Open().Read, nil
	}}
	w.head.channels = n - (n+1)%2
	return nil
}
