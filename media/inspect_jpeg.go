package media

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/lightlock/lightlock/media/jpeg"
)

// oddJPEG says what is special about a JPEG that no decoder of ours reads, or
// nothing. A JPEG too broken to tell is left to the walk.
func oddJPEG(data []byte) string {
	s := jpeg.Segments{Data: data, Pos: 2}
	for parts := 0; parts < maxParts && s.Next() && s.Body != nil; parts++ {
		if jpeg.IsFrame(s.Marker) {
			f, err := jpeg.ParseFrame(s.Marker, s.Body)
			if err != nil {
				return ""
			}
			return f.Odd()
		}
	}
	return ""
}

// jpegWalk gathers what the segments say.
type jpegWalk struct {
	jpeg.Segments
	head   *header
	frame  jpeg.Frame
	scans  jpeg.Scans
	jfif   bool
	adobe  int // the colour transform of the Adobe segment, -1 without one
	turned bool
}

// walkJPEG reads a JPEG up to its end marker. A file without one is taken for
// whole if its scans are: the decoder then finds out whether the last is.
func walkJPEG(data []byte, head *header) error {
	w := &jpegWalk{Segments: jpeg.Segments{Data: data, Pos: 2}, head: head, adobe: -1}
	head.scans = 0
	head.keep([]byte{0xff, jpeg.SOI})
	err := w.segments()
	head.memory = w.frame.Memory(w.isRGB())
	if err != nil {
		return err
	}
	if w.frame.Components == nil || head.scans == 0 {
		return jpeg.ErrNoPicture
	}
	w.addInks()
	head.keep([]byte{0xff, jpeg.EOI})
	head.endless = w.Marker != jpeg.EOI
	return w.scans.Missing(&w.frame, head.endless)
}

func (w *jpegWalk) segments() error {
	for w.Next() {
		if w.Marker == jpeg.EOI {
			return nil
		}
		if w.head.parts++; w.head.parts > maxParts {
			return nil
		}
		if w.Body == nil {
			if w.head.scans > 0 && w.Marker != jpeg.SOS {
				return nil
			}
			return jpeg.ErrCutOff
		}
		if err := w.segment(); err != nil {
			return err
		}
	}
	if w.head.scans == 0 {
		return jpeg.ErrCutOff
	}
	return nil
}

func (w *jpegWalk) segment() error {
	switch {
	case jpeg.IsFrame(w.Marker):
		return w.readFrame()
	case w.Marker == jpeg.SOS:
		return w.readScan()
	case w.Marker == jpeg.DHT, w.Marker == jpeg.DQT, w.Marker == jpeg.DRI:
		w.head.keep(w.Data[w.Start:w.Pos])
	case w.Marker >= jpeg.APP0 && w.Marker <= jpeg.APP15:
		w.application()
	case w.Marker == jpeg.DNL && w.frame.Height == 0:
		return errors.New("the height is zero")
	case w.Marker < jpeg.SOF0:
		return fmt.Errorf("unknown marker %#x", w.Marker)
	}
	return nil
}

func (w *jpegWalk) readFrame() error {
	if w.frame.Components != nil {
		return errors.New("a second frame")
	}
	frame, err := jpeg.ParseFrame(w.Marker, w.Body)
	if err != nil {
		return err
	}
	w.frame = frame
	w.head.setSize(frame.Width, frame.Height)
	w.head.keep(w.Data[w.Start:w.Pos])
	if frame.Width == 0 || frame.Height == 0 {
		return fmt.Errorf("%d x %d pixels", frame.Width, frame.Height)
	}
	return nil
}

func (w *jpegWalk) readScan() error {
	if err := w.scans.Add(w.Body, &w.frame); err != nil {
		return err
	}
	w.head.scans++
	w.SkipScan()
	w.head.keep(w.Data[w.Start:w.Pos])
	return nil
}

// application keeps the little that says how the colours are meant, and reads
// the orientation. The rest of it never reaches a decoder.
func (w *jpegWalk) application() {
	switch {
	case w.Marker == jpeg.APP0 && !w.jfif && bytes.HasPrefix(w.Body, []byte("JFIF\x00")):
		w.jfif = true
		w.head.keep([]byte{0xff, jpeg.APP0, 0, 7}, w.Body[:5])
	case w.Marker == jpeg.APP14 && len(w.Body) >= 12 && bytes.HasPrefix(w.Body, []byte("Adobe")):
		w.adobe = int(w.Body[11])
		w.head.keep([]byte{0xff, jpeg.APP14, 0, 14}, w.Body[:12])
	case w.Marker == jpeg.APP1 && !w.turned:
		exif, ok := bytes.CutPrefix(w.Body, []byte(exifPrefix))
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
	if w.jfif || len(w.frame.Components) != 3 {
		return false
	}
	c := w.frame.Components
	return w.adobe == 0 || (c[0].ID == 'R' && c[1].ID == 'G' && c[2].ID == 'B')
}

// addInks helps a picture in four inks without the segment that says how they
// are written. The decoder wants it, and takes from it that 255 is no ink;
// without it 255 is full ink.
func (w *jpegWalk) addInks() {
	if len(w.frame.Components) != 4 || w.adobe >= 0 {
		return
	}
	adobe := append([]byte{0xff, jpeg.APP14, 0, 14}, "Adobe\x00\x64\x00\x00\x00\x00\x00"...)
	w.head.stream = append([][]byte{w.head.stream[0], adobe}, w.head.stream[1:]...)
	w.head.inverted = true
}
