package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"slices"
)

// Blocks of a GIF (CompuServe GIF89a).
const (
	gifExtension = 0x21
	gifImage     = 0x2c
	gifTrailer   = 0x3b

	gifGraphicControl = 0xf9
)

var errGIFHeader = errors.New("the header is cut off")

// gifWalk gathers what the blocks say.
type gifWalk struct {
	rest    []byte
	head    *header
	screen  []byte // header, screen descriptor and colour table
	control []byte // the graphic control extension before the first frame
	first   []byte // the first frame with its colour table and data
}

// walkGIF goes over the blocks and counts frames without unpacking one. The
// decoder is given the first frame alone, on a screen of its own size, so that
// one that hangs over the real screen's edge is cut there like browsers do.
func walkGIF(data []byte, head *header) error {
	w := &gifWalk{rest: data, head: head}
	head.frames = 0
	if err := w.readScreen(); err != nil {
		return err
	}
	if err := w.blocks(); err != nil {
		return err
	}
	if w.first == nil {
		return errNoPicture
	}
	return w.readFrame()
}

func (w *gifWalk) readScreen() error {
	screen, ok := w.cut(13)
	if !ok {
		return errGIFHeader
	}
	width, height := int(binary.LittleEndian.Uint16(screen[6:])), int(binary.LittleEndian.Uint16(screen[8:]))
	w.head.width, w.head.height = width, height
	table, ok := w.cut(colourTable(screen[10]))
	if !ok {
		return errGIFHeader
	}
	w.screen = slices.Concat(screen, table)
	if width == 0 || height == 0 {
		return fmt.Errorf("%d x %d pixels", width, height)
	}
	return nil
}

// colourTable returns the size in bytes of the table that these flags announce.
func colourTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (1 + flags&7)
}

// blocks goes over all blocks. Behind the first frame nothing is an error any
// more: what is there is not shown.
func (w *gifWalk) blocks() error {
	for len(w.rest) > 0 && w.rest[0] != gifTrailer {
		if w.first == nil {
			if w.head.parts++; w.head.parts > maxParts {
				return nil
			}
		}
		if err := w.block(); err != nil {
			if w.first != nil {
				return nil
			}
			return err
		}
	}
	return nil
}

func (w *gifWalk) block() error {
	start := w.rest
	kind, _ := w.cut(1)
	switch kind[0] {
	case gifExtension:
		label, ok := w.cut(1)
		if !ok || !w.skipData() {
			return errCutOff
		}
		if w.first == nil && label[0] == gifGraphicControl && len(start)-len(w.rest) == 8 {
			w.control = start[:8]
		}
		return nil
	case gifImage:
		return w.image(start)
	}
	return fmt.Errorf("unknown block %#x", kind[0])
}

func (w *gifWalk) image(start []byte) error {
	descriptor, ok := w.cut(9)
	if !ok {
		return errCutOff
	}
	w.head.frames++
	if w.first == nil {
		x, y := le16(descriptor), le16(descriptor[2:])
		w.head.frame = image.Rect(x, y, x+le16(descriptor[4:]), y+le16(descriptor[6:]))
	}
	if _, ok := w.cut(colourTable(descriptor[8]) + 1); !ok || !w.skipData() {
		return errCutOff
	}
	if w.first == nil {
		w.first = start[:len(start)-len(w.rest)]
	}
	return nil
}

// readFrame judges the first frame and makes the file for the decoder.
func (w *gifWalk) readFrame() error {
	f := w.head.frame
	if f.Dx() == 0 || f.Dy() == 0 {
		return fmt.Errorf("a frame of %d x %d pixels", f.Dx(), f.Dy())
	}
	if !f.Overlaps(image.Rect(0, 0, w.head.width, w.head.height)) {
		return errors.New("the frame lies outside the picture")
	}
	w.head.memory = int64(f.Dx()) * int64(f.Dy())
	copy(w.screen[6:10], w.first[5:9])
	w.head.keep(w.screen, w.control, []byte{gifImage, 0, 0, 0, 0}, w.first[5:], []byte{gifTrailer})
	return nil
}

// cut takes n bytes off the rest.
func (w *gifWalk) cut(n int) ([]byte, bool) {
	if n > len(w.rest) {
		return nil, false
	}
	head := w.rest[:n]
	w.rest = w.rest[n:]
	return head, true
}

// skipData goes over a chain of data blocks, each with its length before it,
// up to the empty one.
func (w *gifWalk) skipData() bool {
	for {
		n, ok := w.cut(1)
		if !ok {
			return false
		}
		if n[0] == 0 {
			return true
		}
		if _, ok := w.cut(int(n[0])); !ok {
			return false
		}
	}
}

func le16(b []byte) int { return int(binary.LittleEndian.Uint16(b)) }
