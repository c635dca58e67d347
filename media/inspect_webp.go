package media

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Flags of the VP8X chunk (RFC 9649, 2.7).
const (
	webpAnimation = 1 << 1
	webpAlpha     = 1 << 4
)

// webpWalk gathers what the chunks say.
type webpWalk struct {
	head           *header
	canvas         bool // a VP8X chunk gave the size
	alpha, picture []byte
	lossless       bool
	turned         bool
}

// walkWebP reads a WebP up to the end that its first line announces. The
// decoder is given picture and alpha alone.
func walkWebP(data []byte, head *header) error {
	w := &webpWalk{head: head}
	size := int64(binary.LittleEndian.Uint32(data[4:])) + 8
	if size > int64(len(data)) {
		size = int64(len(data))
	}
	for rest := data[12:max(size, 12)]; len(rest) >= 8; {
		if head.parts++; head.parts > maxParts {
			return nil
		}
		n := int64(binary.LittleEndian.Uint32(rest[4:]))
		if n > int64(len(rest)-8) {
			return errCutOff
		}
		if err := w.chunk(string(rest[:4]), rest[8:8+n]); err != nil {
			return err
		}
		rest = rest[min(8+n+n&1, int64(len(rest))):]
	}
	if w.picture == nil {
		return errNoPicture
	}
	head.channels = 3
	head.decoder = webpDecoder(w)
	return nil
}

func (w *webpWalk) chunk(name string, body []byte) error {
	switch name {
	case "VP8X":
		return w.readCanvas(body)
	case "ANIM", "ANMF":
		w.head.frames = 2
	case "ALPH":
		w.alpha = body
	case "VP8 ", "VP8L":
		if w.picture == nil {
			w.picture, w.lossless = body, name == "VP8L"
			return w.readSize(body)
		}
	case "ICCP":
		if !w.head.profile.exists() && w.picture == nil {
			w.head.profile = profile{data: body}
		}
	case "EXIF":
		if o := readOrientation(body); o != 0 && !w.turned {
			w.head.orientation, w.turned = o, true
		}
	}
	return nil
}

func (w *webpWalk) readCanvas(body []byte) error {
	if len(body) < 10 || w.canvas {
		return errors.New("the first chunk makes no sense")
	}
	w.canvas = true
	if body[0]&webpAnimation != 0 {
		w.head.frames = 2
	}
	w.head.setSize(le24(body[4:])+1, le24(body[7:])+1)
	return nil
}

// readSize takes the size from the picture's own header.
func (w *webpWalk) readSize(body []byte) error {
	var width, height int
	switch {
	case w.lossless && len(body) >= 5 && body[0] == 0x2f:
		bits := int(binary.LittleEndian.Uint32(body[1:]))
		width, height = bits&0x3fff+1, bits>>14&0x3fff+1
	case !w.lossless && len(body) >= 10 && string(body[3:6]) == "\x9d\x01\x2a":
		width, height = le16(body[6:])&0x3fff, le16(body[8:])&0x3fff
	default:
		return errors.New("the picture's header is broken")
	}
	if width == 0 || height == 0 {
		return fmt.Errorf("%d x %d pixels", width, height)
	}
	if w.canvas && (width != w.head.width || height != w.head.height) {
		return errors.New("the picture does not fill its frame")
	}
	w.head.setSize(width, height)
	return nil
}
