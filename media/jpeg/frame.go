package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Frame is a frame header (ITU-T T.81, B.2.2).
type Frame struct {
	// Marker says the process: SOF0 is baseline, SOF2 progressive.
	Marker byte
	// Precision is bits per sample.
	Precision     int
	Width, Height int
	Components    []Component
}

// Component is one of the planes of a frame.
type Component struct {
	ID    byte
	H, V  int  // sampling factors
	Table byte // which quantisation table is its own
}

// ParseFrame reads the segment that follows such a marker.
func ParseFrame(marker byte, body []byte) (Frame, error) {
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return Frame{}, errors.New("the frame header has a wrong length")
	}
	f := Frame{
		Marker:    marker,
		Precision: int(body[0]),
		Height:    int(binary.BigEndian.Uint16(body[1:])),
		Width:     int(binary.BigEndian.Uint16(body[3:])),
	}
	for c := body[6:]; len(c) > 0; c = c[3:] {
		f.Components = append(f.Components, Component{ID: c[0], H: int(c[1] >> 4), V: int(c[1] & 15), Table: c[2]})
	}
	if f.Components == nil {
		return f, ErrNoPicture
	}
	return f, nil
}

// Odd says what is special about a frame that NewDecoder refuses, or
// nothing. A scan may still mix more blocks than T.81 allows.
func (f *Frame) Odd() string {
	switch {
	case f.Marker >= 0xc9:
		return "a JPEG with arithmetic coding"
	case f.Marker == 0xc3 || f.Marker == 0xc7:
		return "a lossless JPEG"
	case f.Marker > SOF2:
		return "a hierarchical JPEG"
	case f.Precision != 8:
		return fmt.Sprintf("a JPEG with %d bits per sample", f.Precision)
	case !slices.Contains([]int{1, 3, 4}, len(f.Components)):
		return fmt.Sprintf("a JPEG with %d components", len(f.Components))
	case !f.plainSampling():
		return "a JPEG with unusual colour sampling"
	}
	return ""
}

// plainSampling tells whether every factor is one of T.81, and the highest a
// multiple of it.
func (f *Frame) plainSampling() bool {
	h, v := f.factors()
	return !slices.ContainsFunc(f.Components, func(c Component) bool {
		return c.H < 1 || c.H > 4 || c.V < 1 || c.V > 4 || h%c.H != 0 || v%c.V != 0
	})
}

// factors returns the highest sampling factors.
func (f *Frame) factors() (h, v int) {
	for _, c := range f.Components {
		h, v = max(h, c.H), max(v, c.V)
	}
	return h, v
}
