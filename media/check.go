package media

import (
	"errors"
	"fmt"
)

// Check tells whether the picture is what Develop promises, for a process that
// does not trust the one that developed it: within the target, and a JPEG of
// nothing but tables, one baseline frame of the size that it says and one scan,
// without metadata and without a byte behind its end. It unpacks nothing.
func (p Picture) Check(t Target) error {
	switch {
	case len(p.Data) > t.MaxBytes:
		return fmt.Errorf("media: %d bytes; the limit is %d", len(p.Data), t.MaxBytes)
	case p.Width < 1 || p.Height < 1 || max(p.Width, p.Height) > t.Side:
		return fmt.Errorf("media: %d x %d pixels; the limit is %d", p.Width, p.Height, t.Side)
	case len(p.Data) < 2 || p.Data[0] != 0xff || p.Data[1] != markSOI:
		return errors.New("media: not a JPEG")
	}
	s := jpegSegments{data: p.Data, pos: 2}
	var frame jpegFrame
	for scanned := false; ; {
		end := s.pos
		if !s.next() {
			return errors.New("media: the end marker is missing")
		}
		if s.start != end {
			return errors.New("media: bytes between two segments")
		}
		if s.marker == markEOI {
			if !scanned || s.pos != len(p.Data) {
				return errors.New("media: no scan, or bytes behind the end")
			}
			return nil
		}
		if err := p.checkSegment(&s, &frame, scanned); err != nil {
			return err
		}
		if s.marker == markSOS {
			scanned = true
			s.skipScan()
		}
	}
}

// checkSegment allows tables, then the frame, then the scan.
func (p Picture) checkSegment(s *jpegSegments, frame *jpegFrame, scanned bool) error {
	framed := frame.components != nil
	switch {
	case s.body == nil:
		return errors.New("media: a segment is cut off")
	case scanned:
		return fmt.Errorf("media: segment %#x behind the scan", s.marker)
	case s.marker == markDQT, s.marker == markDHT:
		return nil
	case s.marker == markSOS && framed:
		return nil
	case s.marker == markSOF0 && !framed:
		f, err := parseFrame(s.marker, s.body)
		if err != nil {
			return fmt.Errorf("media: %w", err)
		}
		if f.width != p.Width || f.height != p.Height || f.odd() != "" {
			return fmt.Errorf("media: the frame says %d x %d pixels, not %d x %d", f.width, f.height, p.Width, p.Height)
		}
		*frame = f
		return nil
	}
	return fmt.Errorf("media: segment %#x has no place in a picture of ours", s.marker)
}
