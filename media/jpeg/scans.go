package jpeg

import (
	"errors"
	"slices"
)

// Scans keeps which coefficients of which component have been sent, and
// down to which bit (ITU-T T.81, G.1.1).
type Scans struct {
	sent [4][64]bool
	bit  [4][64]int8
}

// Add notes the scan whose header this is.
func (s *Scans) Add(body []byte, f *Frame) error {
	if f.Components == nil {
		return errors.New("a scan before the frame header")
	}
	if len(body) < 6 || len(body) != 4+2*int(body[0]) {
		return errors.New("the scan header has a wrong length")
	}
	n := int(body[0])
	first, last, low := body[1+2*n], body[2+2*n], int8(body[3+2*n]&15)
	if f.Marker != SOF2 {
		first, last, low = 0, 63, 0
	}
	if first > last || last > 63 {
		return errors.New("the scan header makes no sense")
	}
	for i := range n {
		at := slices.IndexFunc(f.Components, func(c Component) bool { return c.ID == body[1+2*i] })
		if at < 0 || at >= len(s.sent) {
			return errors.New("a scan of no component")
		}
		for k := first; k <= last; k++ {
			s.sent[at][k], s.bit[at][k] = true, low
		}
	}
	return nil
}

// Missing tells what the scans do not bring. Every component needs its average
// brightness at least. Where there was no end marker, scans may be missing that
// were to come, and only a picture in its full precision is surely whole.
func (s *Scans) Missing(f *Frame, endless bool) error {
	for i := range f.Components {
		for k := range 64 {
			if k > 0 && !endless {
				break
			}
			if !s.sent[i][k] || (endless && s.bit[i][k] > 0) {
				return ErrCutOff
			}
		}
	}
	return nil
}
