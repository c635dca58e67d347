package media

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	stdjpeg "image/jpeg"

	"github.com/lightlock/lightlock/media/jpeg"
)

// Check tells whether the picture is what Develop promises, for a process that
// does not trust the one that developed it: within the target, of the size that
// it says, and segment for segment what our encoder writes, so that nothing can
// hide but in the pixels and in the 128 numbers by which they were coarsened.
// It unpacks nothing.
func (p Picture) Check(t Target) error {
	switch {
	case len(p.Data) > t.MaxBytes:
		return fmt.Errorf("media: %d bytes; the limit is %d", len(p.Data), t.MaxBytes)
	case p.Width < 1 || p.Height < 1 || max(p.Width, p.Height) > t.Side:
		return fmt.Errorf("media: %d x %d pixels; the limit is %d", p.Width, p.Height, t.Side)
	case len(p.Data) < 2 || p.Data[0] != 0xff || p.Data[1] != jpeg.SOI:
		return errors.New("media: not a JPEG")
	}
	// A pixel of our own shows what the encoder of this very program writes.
	var pixel bytes.Buffer
	if err := stdjpeg.Encode(&pixel, image.NewRGBA(image.Rect(0, 0, 1, 1)), nil); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	ours := jpeg.Segments{Data: pixel.Bytes(), Pos: 2}
	theirs := jpeg.Segments{Data: p.Data, Pos: 2}
	for ours.Marker != jpeg.EOI {
		end := theirs.Pos
		if !ours.Next() || !theirs.Next() {
			return errors.New("media: the end marker is missing")
		}
		if theirs.Start != end {
			return errors.New("media: bytes between two segments")
		}
		if err := p.checkSegment(&theirs, &ours); err != nil {
			return err
		}
	}
	if theirs.Pos != len(p.Data) {
		return errors.New("media: bytes behind the end")
	}
	return nil
}

// checkSegment compares a segment with the one of ours that stands at its place.
func (p Picture) checkSegment(s, ours *jpeg.Segments) error {
	if s.Marker != ours.Marker {
		return fmt.Errorf("media: segment %#x stands where %#x belongs", s.Marker, ours.Marker)
	}
	if len(s.Body) != len(ours.Body) {
		return fmt.Errorf("media: segment %#x has %d bytes; it must have %d", s.Marker, len(s.Body), len(ours.Body))
	}
	var want []byte // as much of it as is always the same
	got := s.Body
	switch s.Marker {
	case jpeg.DQT: // two tables, of which only the names
		got, want = []byte{s.Body[0], s.Body[len(s.Body)/2]}, []byte{ours.Body[0], ours.Body[len(s.Body)/2]}
	case jpeg.SOF0: // all but the size
		f, err := jpeg.ParseFrame(s.Marker, s.Body)
		if err != nil || f.Width != p.Width || f.Height != p.Height {
			return fmt.Errorf("media: the frame says %d x %d pixels, not %d x %d", f.Width, f.Height, p.Width, p.Height)
		}
		got, want = append(s.Body[:1:1], s.Body[5:]...), append(ours.Body[:1:1], ours.Body[5:]...)
	default:
		want = ours.Body
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("media: segment %#x is not as our encoder writes it", s.Marker)
	}
	if s.Marker == jpeg.SOS {
		return skipPlainScan(s, ours)
	}
	return nil
}

// skipPlainScan moves both behind their scans. Ours has no markers in it.
func skipPlainScan(s, ours *jpeg.Segments) error {
	begin := s.Pos
	s.SkipScan()
	ours.SkipScan()
	scan := s.Data[begin:s.Pos]
	if bytes.Count(scan, []byte{0xff}) != bytes.Count(scan, []byte{0xff, 0}) {
		return errors.New("media: a marker in the scan")
	}
	return nil
}
