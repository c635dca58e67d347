package media

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"github.com/lightlock/lightlock/media/gif"
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
	palette []byte // the screen's
	control []byte // the graphic control extension before the first frame
	first   []byte // the first frame's descriptor
	own     []byte // its colour table, if it has one
	data    []byte // its picture data, with the size of its codes before it
}

// walkGIF goes over the blocks and counts frames without unpacking one. The
// decoder is given the first frame alone.
func walkGIF(data []byte, head *header) error {
	w := &gifWalk{rest: data, head: head}
	head.frames = 0
	if err := w.readScreen(); err != nil {
		return err
	}
	if err := w.blocks(); err != nil && w.first == nil {
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
	w.palette = table
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
		return w.image()
	}
	return fmt.Errorf("unknown block %#x", kind[0])
}

func (w *gifWalk) image() error {
	descriptor, ok := w.cut(9)
	if !ok {
		return errCutOff
	}
	w.head.frames++
	if w.first == nil {
		x, y := le16(descriptor), le16(descriptor[2:])
		frame := image.Rect(x, y, x+le16(descriptor[4:]), y+le16(descriptor[6:]))
		// Some programs write a screen that is too small for the picture.
		// Browsers make it larger.
		w.head.frame = frame
		w.head.width, w.head.height = max(w.head.width, frame.Max.X), max(w.head.height, frame.Max.Y)
	}
	own, ok := w.cut(colourTable(descriptor[8]))
	data := w.rest
	if !ok || len(data) == 0 {
		return errCutOff
	}
	w.rest = w.rest[1:]
	whole := w.skipData()
	if w.first == nil {
		w.first, w.own, w.data = descriptor, own, data[:len(data)-len(w.rest)]
		if !whole {
			w.head.damage = errCutOff
		}
	}
	if !whole {
		return errCutOff
	}
	return nil
}

// readFrame judges the first frame.
func (w *gifWalk) readFrame() error {
	f := w.head.frame
	if f.Dx() == 0 || f.Dy() == 0 {
		return fmt.Errorf("a frame of %d x %d pixels", f.Dx(), f.Dy())
	}
	picture := gif.Frame{
		Width: f.Dx(), Height: f.Dy(), Interlaced: w.first[8]&0x40 != 0,
		Palette: w.palette, Transparent: w.transparent(), Data: w.data,
	}
	if len(w.own) > 0 {
		picture.Palette = w.own
	}
	if len(picture.Palette) == 0 {
		return errors.New("the palette is missing")
	}
	n := picture.Channels()
	w.head.channels = 3
	w.head.decoder = &decoder{channels: n, alpha: n == 4, memory: picture.Memory(), open: func(context.Context) (rows, error) {
		return picture.Open().Read, nil
	}}
	return nil
}

// transparent is the index of what is not painted, or -1.
func (w *gifWalk) transparent() int {
	if w.control == nil || w.control[3]&1 == 0 {
		return -1
	}
	return int(w.control[6])
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
