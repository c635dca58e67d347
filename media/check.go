package media

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
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
	case len(p.Data) < 2 || p.Data[0] != 0xff || p.Data[1] != markSOI:
		return errors.New("media: not a JPEG")
	}
	// A pixel of our own shows what the encoder of this very program writes.
	var pixel bytes.Buffer
	if err := jpeg.Encode(&pixel, image.NewRGBA(image.Rect(0, 0, 1, 1)), nil); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	ours := jpegSegments{data: pixel.Bytes(), pos: 2}
	theirs := jpegSegments{data: p.Data, pos: 2}
	for ours.marker != markEOI {
		end := theirs.pos
		if !ours.next() || !theirs.next() {
			return errors.New("media: the end marker is missing")
		}
		if theirs.start != end {
			return errors.New("media: bytes between two segments")
		}
		if err := p.checkSegment(&theirs, &ours); err != nil {
			return err
		}
	}
	if theirs.pos != len(p.Data) {
		return errors.New("media: bytes behind the end")
	}
	return nil
}

// checkSegment compares a segment with the one of ours that stands at its place.
func (p Picture) checkSegment(s, ours *jpegSegments) error {
	if s.marker != ours.marker {
		return fmt.Errorf("media: segment %#x stands where %#x belongs", s.marker, ours.marker)
	}
	if len(s.body) != len(ours.body) {
		return fmt.Errorf("media: segment %#x has %d bytes; it must have %d", s.marker, len(s.body), len(ours.body))
	}
	var want []byte // as much of it as is always the same
	got := s.body
	switch s.marker {
	case markDQT: // two tables, of which only the names
		got, want = []byte{s.body[0], s.body[len(s.body)/2]}, []byte{ours.body[0], ours.body[len(s.body)/2]}
	case markSOF0: // all but the size
		f, err := parseFrame(s.marker, s.body)
		if err != nil || f.width != p.Width || f.height != p.Height {
			return fmt.Errorf("media: the frame says %d x %d pixels, not %d x %d", f.width, f.height, p.Width, p.Height)
		}
		got, want = append(s.body[:1:1], s.body[5:]...), append(ours.body[:1:1], ours.body[5:]...)
	default:
		want = ours.body
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("media: segment %#x is not as our encoder writes it", s.marker)
	}
	if s.marker == markSOS {
		return skipPlainScan(s, ours)
	}
	return nil
}

// skipPlainScan moves both behind their scans. Ours has no markers in it.
func skipPlainScan(s, ours *jpegSegments) error {
	begin := s.pos
	s.skipScan()
	ours.skipScan()
	scan := s.data[begin:s.pos]
	if bytes.Count(scan, []byte{0xff}) != bytes.Count(scan, []byte{0xff, 0}) {
		return errors.New("media: a marker in the scan")
	}
	return nil
}
