package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// jpegFrame is a frame header (ITU-T T.81, B.2.2).
type jpegFrame struct {
	marker        byte
	precision     int
	width, height int
	components    []jpegComponent
}

type jpegComponent struct {
	id   byte
	h, v int // sampling factors
}

func parseFrame(marker byte, body []byte) (jpegFrame, error) {
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return jpegFrame{}, errors.New("the frame header has a wrong length")
	}
	f := jpegFrame{
		marker:    marker,
		precision: int(body[0]),
		height:    int(binary.BigEndian.Uint16(body[1:])),
		width:     int(binary.BigEndian.Uint16(body[3:])),
	}
	for c := body[6:]; len(c) > 0; c = c[3:] {
		f.components = append(f.components, jpegComponent{id: c[0], h: int(c[1] >> 4), v: int(c[1] & 15)})
	}
	if f.components == nil {
		return f, errNoPicture
	}
	return f, nil
}

// oddJPEG says what is special about a JPEG that no decoder of ours reads, or
// nothing. A JPEG too broken to tell is left to the walk.
func oddJPEG(data []byte) string {
	s := jpegSegments{data: data, pos: 2}
	for parts := 0; parts < maxParts && s.next() && s.body != nil; parts++ {
		if isFrame(s.marker) {
			f, err := parseFrame(s.marker, s.body)
			if err != nil {
				return ""
			}
			return f.odd()
		}
	}
	return ""
}

func (f *jpegFrame) odd() string {
	switch {
	case f.marker >= 0xc9:
		return "a JPEG with arithmetic coding"
	case f.marker == 0xc3 || f.marker == 0xc7:
		return "a lossless JPEG"
	case f.marker > markSOF2:
		return "a hierarchical JPEG"
	case f.precision != 8:
		return fmt.Sprintf("a JPEG with %d bits per sample", f.precision)
	case !slices.Contains([]int{1, 3, 4}, len(f.components)):
		return fmt.Sprintf("a JPEG with %d components", len(f.components))
	case !f.plainSampling():
		return "a JPEG with unusual colour sampling"
	}
	return ""
}

// plainSampling tells whether image/jpeg reads these sampling factors.
func (f *jpegFrame) plainSampling() bool {
	c := f.components
	if slices.ContainsFunc(c, func(c jpegComponent) bool {
		return !slices.Contains([]int{1, 2, 4}, c.h) || !slices.Contains([]int{1, 2, 4}, c.v)
	}) {
		return false
	}
	switch len(c) {
	case 3:
		return c[0].v != 4 && c[0].h%c[1].h == 0 && c[0].v%c[1].v == 0 && c[1].samples(c[2])
	case 4:
		one := jpegComponent{h: 1, v: 1}
		return c[0].h == c[0].v && c[0].h != 4 && c[1].samples(one) && c[2].samples(one) && c[3].samples(c[0])
	}
	return true
}

// samples tells whether c is sampled like other.
func (c jpegComponent) samples(other jpegComponent) bool { return c.h == other.h && c.v == other.v }

// memory reckons what image/jpeg allocates: planes in whole blocks, four bytes
// more for every sample of a progressive picture, and a copy where the planes
// do not stay as they are.
func (f *jpegFrame) memory(rgb bool) int64 {
	if f.components == nil {
		return 0
	}
	samples := f.samples()
	total := samples
	if f.marker == markSOF2 {
		total += 4 * samples
	}
	if rgb || len(f.components) == 4 {
		total += 4 * int64(f.width) * int64(f.height)
	}
	return total
}

func (f *jpegFrame) samples() int64 {
	h, v, each := 1, 1, 1
	if len(f.components) > 1 {
		h, v, each = f.components[0].h, f.components[0].v, 0
		for _, c := range f.components {
			each += c.h * c.v
		}
	}
	blocks := func(n, factor int) int64 { return int64((n + 8*factor - 1) / (8 * max(factor, 1))) }
	return 64 * blocks(f.width, h) * blocks(f.height, v) * int64(each)
}

// jpegScans keeps which coefficients of which component have been sent, and
// down to which bit (ITU-T T.81, G.1.1).
type jpegScans struct {
	sent [4][64]bool
	bit  [4][64]int8
}

func (s *jpegScans) add(body []byte, f *jpegFrame) error {
	if f.components == nil {
		return errors.New("a scan before the frame header")
	}
	if len(body) < 6 || len(body) != 4+2*int(body[0]) {
		return errors.New("the scan header has a wrong length")
	}
	n := int(body[0])
	first, last, low := body[1+2*n], body[2+2*n], int8(body[3+2*n]&15)
	if f.marker != markSOF2 {
		first, last, low = 0, 63, 0
	}
	if first > last || last > 63 {
		return errors.New("the scan header makes no sense")
	}
	for i := range n {
		at := slices.IndexFunc(f.components, func(c jpegComponent) bool { return c.id == body[1+2*i] })
		if at < 0 || at >= len(s.sent) {
			return errors.New("a scan of no component")
		}
		for k := first; k <= last; k++ {
			s.sent[at][k], s.bit[at][k] = true, low
		}
	}
	return nil
}

// missing tells what the scans do not bring. Every component needs its average
// brightness at least. Where there was no end marker, scans may be missing that
// were to come, and only a picture in its full precision is surely whole.
func (s *jpegScans) missing(f *jpegFrame, endless bool) error {
	for i := range f.components {
		for k := range 64 {
			if k > 0 && !endless {
				break
			}
			if !s.sent[i][k] || (endless && s.bit[i][k] > 0) {
				return errCutOff
			}
		}
	}
	return nil
}
