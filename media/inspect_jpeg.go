package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Markers of ITU-T T.81, table B.1.
const (
	markSOF0  = 0xc0
	markSOF2  = 0xc2
	markDHT   = 0xc4
	markDAC   = 0xcc
	markRST0  = 0xd0
	markRST7  = 0xd7
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDNL   = 0xdc
	markDRI   = 0xdd
	markAPP0  = 0xe0
	markAPP1  = 0xe1
	markAPP14 = 0xee
	markAPP15 = 0xef
	markCOM   = 0xfe
	markTEM   = 0x01
)

var (
	errCutOff    = errors.New("the file is cut off")
	errNoPicture = errors.New("there is no picture in the file")
)

// jpegSegments steps through a JPEG from marker to marker.
type jpegSegments struct {
	data []byte
	// start is where the current marker begins, pos where the walk goes on.
	start, pos int
	marker     byte
	body       []byte
}

// next moves to the next marker that means something here, skipping fill bytes
// and what other programs left between segments. It is false at the end of the
// data; body is nil where the segment itself is cut off.
func (s *jpegSegments) next() bool {
	for {
		at := bytes.IndexByte(s.data[s.pos:], 0xff)
		if at < 0 || s.pos+at+1 >= len(s.data) {
			return false
		}
		s.pos += at + 1
		s.marker = s.data[s.pos]
		if s.marker == 0xff {
			continue
		}
		s.pos++
		if s.marker != 0 && !isRestart(s.marker) && s.marker != markTEM {
			break
		}
	}
	s.start = s.pos - 2
	s.readBody()
	return true
}

// readBody takes the segment's content, without its length.
func (s *jpegSegments) readBody() {
	s.body = nil
	if s.marker == markEOI || s.marker == markSOI || s.pos+2 > len(s.data) {
		return
	}
	n := int(binary.BigEndian.Uint16(s.data[s.pos:]))
	if n < 2 || s.pos+n > len(s.data) {
		return
	}
	s.body = s.data[s.pos+2 : s.pos+n]
	s.pos += n
}

// skipScan moves behind the coded data of a scan, to the next marker or to the
// end.
func (s *jpegSegments) skipScan() {
	for {
		at := bytes.IndexByte(s.data[s.pos:], 0xff)
		if at < 0 {
			s.pos = len(s.data)
			return
		}
		s.pos += at
		if s.pos+1 >= len(s.data) {
			return
		}
		switch next := s.data[s.pos+1]; {
		case next == 0xff:
			s.pos++
		case next == 0 || isRestart(next):
			s.pos += 2
		default:
			return
		}
	}
}

func isRestart(marker byte) bool { return marker >= markRST0 && marker <= markRST7 }

// isFrame tells whether the marker begins a frame, in whatever process.
func isFrame(marker byte) bool {
	return marker >= markSOF0 && marker <= 0xcf && marker != markDHT && marker != 0xc8 && marker != markDAC
}

// jpegWalk gathers what the segments say.
type jpegWalk struct {
	jpegSegments
	head   *header
	frame  jpegFrame
	scans  jpegScans
	jfif   bool
	adobe  int // the colour transform of the Adobe segment, -1 without one
	turned bool
}

// walkJPEG reads a JPEG up to its end marker. A file without one is taken for
// whole if its scans are: the decoder then finds out whether the last is.
func walkJPEG(data []byte, head *header) error {
	w := &jpegWalk{jpegSegments: jpegSegments{data: data, pos: 2}, head: head, adobe: -1}
	head.scans = 0
	head.keep([]byte{0xff, markSOI})
	err := w.segments()
	head.memory = w.frame.memory(w.isRGB())
	if err != nil {
		return err
	}
	if w.frame.components == nil || head.scans == 0 {
		return errNoPicture
	}
	w.addInks()
	head.keep([]byte{0xff, markEOI})
	head.endless = w.marker != markEOI
	return w.scans.missing(&w.frame, head.endless)
}

func (w *jpegWalk) segments() error {
	for w.next() {
		if w.marker == markEOI {
			return nil
		}
		if w.head.parts++; w.head.parts > maxParts {
			return nil
		}
		if w.body == nil {
			if w.head.scans > 0 && w.marker != markSOS {
				return nil
			}
			return errCutOff
		}
		if err := w.segment(); err != nil {
			return err
		}
	}
	if w.head.scans == 0 {
		return errCutOff
	}
	return nil
}

func (w *jpegWalk) segment() error {
	switch {
	case isFrame(w.marker):
		return w.readFrame()
	case w.marker == markSOS:
		return w.readScan()
	case w.marker == markDHT, w.marker == markDQT, w.marker == markDRI:
		w.head.keep(w.data[w.start:w.pos])
	case w.marker >= markAPP0 && w.marker <= markAPP15:
		w.application()
	case w.marker == markDNL && w.frame.height == 0:
		return errors.New("the height is zero")
	case w.marker < markSOF0:
		return fmt.Errorf("unknown marker %#x", w.marker)
	}
	return nil
}

func (w *jpegWalk) readFrame() error {
	if w.frame.components != nil {
		return errors.New("a second frame")
	}
	frame, err := parseFrame(w.marker, w.body)
	if err != nil {
		return err
	}
	w.frame = frame
	w.head.setSize(frame.width, frame.height)
	w.head.keep(w.data[w.start:w.pos])
	if frame.width == 0 || frame.height == 0 {
		return fmt.Errorf("%d x %d pixels", frame.width, frame.height)
	}
	return nil
}

func (w *jpegWalk) readScan() error {
	if err := w.scans.add(w.body, &w.frame); err != nil {
		return err
	}
	w.head.scans++
	w.skipScan()
	w.head.keep(w.data[w.start:w.pos])
	return nil
}

// application keeps the little that says how the colours are meant, and reads
// the orientation. The rest of it never reaches a decoder.
func (w *jpegWalk) application() {
	switch {
	case w.marker == markAPP0 && !w.jfif && bytes.HasPrefix(w.body, []byte("JFIF\x00")):
		w.jfif = true
		w.head.keep([]byte{0xff, markAPP0, 0, 7}, w.body[:5])
	case w.marker == markAPP14 && len(w.body) >= 12 && bytes.HasPrefix(w.body, []byte("Adobe")):
		w.adobe = int(w.body[11])
		w.head.keep([]byte{0xff, markAPP14, 0, 14}, w.body[:12])
	case w.marker == markAPP1 && !w.turned:
		exif, ok := bytes.CutPrefix(w.body, []byte(exifPrefix))
		if !ok {
			return
		}
		if o := readOrientation(exif); o != 0 {
			w.head.orientation, w.turned = o, true
		}
	}
}

// isRGB tells whether the decoder will make a copy of the planes.
func (w *jpegWalk) isRGB() bool {
	if w.jfif || len(w.frame.components) != 3 {
		return false
	}
	c := w.frame.components
	return w.adobe == 0 || (c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B')
}

// addInks helps a picture in four inks without the segment that says how they
// are written. The decoder wants it, and takes from it that 255 is no ink;
// without it 255 is full ink.
func (w *jpegWalk) addInks() {
	if len(w.frame.components) != 4 || w.adobe >= 0 {
		return
	}
	adobe := append([]byte{0xff, markAPP14, 0, 14}, "Adobe\x00\x64\x00\x00\x00\x00\x00"...)
	w.head.stream = append([][]byte{w.head.stream[0], adobe}, w.head.stream[1:]...)
	w.head.inverted = true
}
