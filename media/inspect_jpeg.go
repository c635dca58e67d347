package media

import (
	"bytes"
	"cmp"
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
	head    *header
	frame   jpeg.Frame
	scans   jpeg.Scans
	profile profileParts
	jfif    bool
	adobe   int // the colour transform of the Adobe segment, -1 without one
	turned  bool
}

// walkJPEG reads a JPEG up to its end marker. A file without one is taken for
// whole if its scans are: the decoder finds that out.
func walkJPEG(data []byte, head *header) error {
	w := &jpegWalk{Segments: jpeg.Segments{Data: data, Pos: 2}, head: head, adobe: -1}
	head.scans = 0
	err := w.segments()
	if w.frame.Components == nil || head.scans == 0 {
		if err == nil {
			err = errNoPicture
		}
		return err
	}
	decoder, unreadable := jpeg.NewDecoder(data)
	if unreadable != nil {
		return unreadable
	}
	head.channels = len(w.frame.Components)
	head.profile = w.profile.profile()
	head.film = newFilm(decoder, w.frame.Components, w.luma())
	head.damage = err
	return nil
}

// segments goes to the end marker, whatever is broken on the way, and returns the
// first that is: the decoder reads on too, and every scan that it could come to
// has to be counted.
func (w *jpegWalk) segments() error {
	var broken error
	for w.Next() {
		if w.Marker == jpeg.EOI {
			return cmp.Or(broken, w.scans.Missing(&w.frame, false))
		}
		if w.head.parts++; w.head.parts > maxParts {
			return broken
		}
		switch {
		case w.Marker == jpeg.SOI && w.head.scans > 0:
			w.countScans() // of another picture behind one that has no end
			return broken
		case w.Marker == jpeg.SOI:
			broken = cmp.Or(broken, errors.New("a second start of an image"))
			continue
		case w.Body == nil && w.head.scans > 0 && w.Marker != jpeg.SOS:
			return broken
		case w.Body == nil:
			return cmp.Or(broken, errCutOff)
		}
		broken = cmp.Or(broken, w.segment())
	}
	if w.head.scans == 0 {
		return cmp.Or(broken, errCutOff)
	}
	return cmp.Or(broken, w.scans.Missing(&w.frame, true))
}

// countScans counts what is left of them.
func (w *jpegWalk) countScans() {
	for w.head.parts <= maxParts && w.Next() && w.Marker != jpeg.EOI {
		w.head.parts++
		if w.Marker == jpeg.SOS {
			w.head.scans++
			w.SkipScan()
		}
	}
}

func (w *jpegWalk) segment() error {
	switch {
	case jpeg.IsFrame(w.Marker):
		return w.readFrame()
	case w.Marker == jpeg.SOS:
		return w.readScan()
	case w.Marker >= jpeg.APP0 && w.Marker <= jpeg.APP15 && w.head.scans == 0:
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
	if frame.Width == 0 || frame.Height == 0 {
		return fmt.Errorf("%d x %d pixels", frame.Width, frame.Height)
	}
	return nil
}

func (w *jpegWalk) readScan() error {
	w.head.scans++
	err := w.scans.Add(w.Body, &w.frame)
	w.SkipScan()
	return err
}

const profilePrefix = "ICC_PROFILE\x00"

// application reads how the colours are meant and which way is up. Nothing else
// of these segments is looked at, and none behind the first scan: decoders have
// begun by then.
func (w *jpegWalk) application() {
	switch {
	case w.Marker == jpeg.APP0 && bytes.HasPrefix(w.Body, []byte("JFIF\x00")):
		w.jfif = true
	case w.Marker == jpeg.APP14 && len(w.Body) >= 12 && bytes.HasPrefix(w.Body, []byte("Adobe")):
		w.adobe = int(w.Body[11])
	case w.Marker == jpeg.APP2 && bytes.HasPrefix(w.Body, []byte(profilePrefix)) && len(w.Body) > len(profilePrefix)+2:
		at := len(profilePrefix)
		w.profile.add(w.Body[at], w.Body[at+1], w.Body[at+2:])
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

// luma tells whether the first three components are brightness and colour. It
// goes by what libjpeg takes for granted, because files are made to look right
// there.
func (w *jpegWalk) luma() bool {
	switch c := w.frame.Components; {
	case len(c) == 1:
		return false
	case len(c) == 4:
		return w.adobe > 0
	case w.jfif:
		return true
	case w.adobe >= 0:
		return w.adobe != 0
	default:
		return c[0].ID != 'R' || c[1].ID != 'G' || c[2].ID != 'B'
	}
}
