package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
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
	w.rebuild()
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

// rebuild makes the file for the decoder. A lossless picture takes two copies
// of four bytes a pixel, and so does a packed alpha channel. Its code tables come
// on top and cannot be reckoned from the header: 140 MB at most, as x/image
// refuses more than 2600 groups of them.
func (w *webpWalk) rebuild() {
	each := int64(8)
	var chunks [][]byte
	switch {
	case w.lossless:
		chunks = riffChunk("VP8L", w.picture)
	case w.alpha != nil:
		each = 12
		canvas := []byte{webpAlpha, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		putLE24(canvas[4:], w.head.width-1)
		putLE24(canvas[7:], w.head.height-1)
		chunks = slices.Concat(riffChunk("VP8X", canvas), riffChunk("ALPH", w.alpha), riffChunk("VP8 ", w.picture))
	default:
		each = 2
		chunks = riffChunk("VP8 ", w.picture)
	}
	w.head.studio = !w.lossless
	w.head.memory = each * int64(w.head.width) * int64(w.head.height)
	total := 4
	for _, c := range chunks {
		total += len(c)
	}
	w.head.keep(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(total)), []byte("WEBP"))
	w.head.keep(chunks...)
}

// riffChunk returns a chunk as its header, its content and its padding.
func riffChunk(name string, body []byte) [][]byte {
	head := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	return [][]byte{head, body, make([]byte, len(body)&1)}
}

func le24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func putLE24(b []byte, v int) { b[0], b[1], b[2] = byte(v), byte(v>>8), byte(v>>16) }
