package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxMCUBlocks is how many blocks a scan may interleave (ITU-T T.81, B.2.3).
const maxMCUBlocks = 10

var (
	errBadQuant  = errors.New("a quantisation table that makes no sense")
	errNoQuant   = errors.New("a component without a quantisation table")
	errNoHuffman = errors.New("a scan without its Huffman table")
	errBadScan   = errors.New("the scan header makes no sense")
)

// header is what the segments of a file have said so far.
type header struct {
	segments Segments
	frame    Frame
	planes   []plane
	scans    Scans
	quant    [4]quantTable
	huffman  [2][4]huffman // DC, AC
	interval int           // MCUs between two restart markers, 0 without any
	endless  bool          // the data ended without an end marker

	mcusWide, mcusHigh int
	held               int // how many rows of MCUs are held as samples
	side               int // of a block, in samples
	width, height      int // of the picture as it is read, in pixels
}

// bandHeight is how many rows of pixels a row of MCUs is. A band is one.
func (h *header) bandHeight() int {
	_, v := h.frame.factors()
	return h.side * v
}

// nextScan reads segments up to the next scan and makes it ready to be read. It
// returns io.EOF where there is none.
func (h *header) nextScan(s *scan) error {
	for h.segments.Next() {
		marker, body := h.segments.Marker, h.segments.Body
		if marker == EOI {
			return io.EOF
		}
		if marker == SOI {
			continue
		}
		if body == nil {
			if marker == SOS {
				return ErrCutOff
			}
			break
		}
		if marker == SOS {
			return h.openScan(s, body)
		}
		if err := h.segment(marker, body); err != nil {
			return err
		}
	}
	h.endless = true
	return io.EOF
}

func (h *header) segment(marker byte, body []byte) error {
	switch {
	case IsFrame(marker):
		return h.readFrame(marker, body)
	case marker == DQT:
		return h.readQuant(body)
	case marker == DHT:
		return h.readHuffman(body)
	case marker == DRI:
		if len(body) != 2 {
			return errors.New("the restart interval has a wrong length")
		}
		h.interval = int(binary.BigEndian.Uint16(body))
	}
	return nil
}

func (h *header) readFrame(marker byte, body []byte) error {
	if h.planes != nil {
		return errors.New("a second frame")
	}
	f, err := ParseFrame(marker, body)
	if err != nil {
		return err
	}
	if odd := f.Odd(); odd != "" {
		return fmt.Errorf("%s, which is not read", odd)
	}
	if f.Width == 0 || f.Height == 0 {
		return fmt.Errorf("%d x %d pixels", f.Width, f.Height)
	}
	for i, c := range f.Components {
		if slices.ContainsFunc(f.Components[:i], func(o Component) bool { return o.ID == c.ID }) {
			return errors.New("two components of one name")
		}
	}
	if len(f.Components) == 1 { // nothing is interleaved, and factors mean nothing
		f.Components[0].H, f.Components[0].V = 1, 1
	}
	h.frame = f
	h.layOut()
	return nil
}

// readQuant reads one quantisation table or more (ITU-T T.81, B.2.4.1).
func (h *header) readQuant(b []byte) error {
	for len(b) > 0 {
		precision, which := b[0]>>4, b[0]&15
		size := 64 * (1 + int(precision))
		if precision > 1 || int(which) >= len(h.quant) || len(b) < 1+size {
			return errBadQuant
		}
		q := &h.quant[which]
		q.defined = true
		for k := range 64 {
			if precision == 0 {
				q.steps[naturalOrder[k]] = int32(b[1+k])
			} else {
				q.steps[naturalOrder[k]] = int32(binary.BigEndian.Uint16(b[1+2*k:]))
			}
		}
		b = b[1+size:]
	}
	return nil
}

// readHuffman reads one Huffman table or more (ITU-T T.81, B.2.4.2).
func (h *header) readHuffman(b []byte) error {
	for len(b) > 0 {
		class, which := b[0]>>4, b[0]&15
		if class > 1 || which > 3 {
			return errBadHuffman
		}
		rest, err := h.huffman[class][which].define(b[1:])
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// table returns a Huffman table, ready to be used.
func (h *header) table(class int, which byte) (*huffman, error) {
	if which > 3 {
		return nil, errBadScan
	}
	t := &h.huffman[class][which]
	if !t.defined {
		if which > 1 {
			return nil, errNoHuffman
		}
		t.usual(class, int(which))
	}
	t.build()
	return t, nil
}

// openScan reads a scan header (ITU-T T.81, B.2.3) and finds where the scan ends.
func (h *header) openScan(s *scan, body []byte) error {
	if err := h.scans.Add(body, &h.frame); err != nil {
		return err
	}
	n := int(body[0])
	*s = scan{parts: s.parts[:0], interval: h.interval, left: h.interval, mcusWide: h.mcusWide, mcusHigh: h.mcusHigh, last: 63}
	if h.frame.Marker == SOF2 {
		s.progressive = true
		s.first, s.last = int(body[1+2*n]), int(body[2+2*n])
		s.high, s.low = uint(body[3+2*n]>>4), uint(body[3+2*n]&15)
		if s.first == 0 && s.last > 0 || s.first > 0 && n > 1 || s.low > 13 || s.high > 0 && s.high != s.low+1 {
			return errBadScan
		}
	}
	blocks := 0
	for b := body[1 : 1+2*n]; len(b) > 0; b = b[2:] {
		if err := h.addPart(s, b[0], b[1]); err != nil {
			return err
		}
		p := s.parts[len(s.parts)-1].plane
		blocks += p.H * p.V
	}
	if n > 1 && blocks > maxMCUBlocks {
		return fmt.Errorf("a scan of %d blocks per MCU; the limit is %d", blocks, maxMCUBlocks)
	}
	h.bound(s)
	return nil
}

// addPart adds a component to a scan.
func (h *header) addPart(s *scan, id, tables byte) error {
	at := slices.IndexFunc(h.frame.Components, func(c Component) bool { return c.ID == id })
	p := part{plane: &h.planes[at]}
	if slices.ContainsFunc(s.parts, func(o part) bool { return o.plane == p.plane }) {
		return errors.New("a scan with one component twice")
	}
	if !p.plane.quant.defined { // the one that stands when the first scan begins
		if p.plane.Table > 3 || !h.quant[p.plane.Table].defined {
			return errNoQuant
		}
		p.plane.quant = h.quant[p.plane.Table]
		p.plane.weighted = p.plane.quant.weighted(h.side)
	}
	var err error
	if s.first == 0 && s.high == 0 {
		if p.dc, err = h.table(0, tables>>4); err != nil {
			return err
		}
	}
	if s.last > 0 {
		if p.ac, err = h.table(1, tables&15); err != nil {
			return err
		}
	}
	s.parts = append(s.parts, p)
	return nil
}

// bound gives a scan its data, and moves behind it.
func (h *header) bound(s *scan) {
	begin := h.segments.Pos
	h.segments.SkipScan()
	s.data = h.segments.Data[begin:h.segments.Pos]
	s.short = errors.New("a scan that is too short")
	if next := h.segments.Data[h.segments.Pos:]; len(next) < 2 || next[1] == EOI {
		s.short = ErrCutOff
	}
}
