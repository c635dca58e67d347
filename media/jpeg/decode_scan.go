package jpeg

import (
	"context"
	"fmt"
)

// part is a component's part in a scan.
type part struct {
	plane  *plane
	dc, ac *huffman
	pred   int32 // the DC coefficient of the last block
}

// scan reads the coded data of one scan.
type scan struct {
	bitReader
	parts              []part
	mcusWide, mcusHigh int

	progressive bool
	first, last int  // coefficients, in zigzag order
	high, low   uint // bits of successive approximation

	interval, left int // MCUs between restart markers, and until the next
	restarts       int
	run            int   // how many blocks more have no coefficients in this scan
	short          error // what it means that the data is at its end
}

// visit reads one block. bx and by say which of its component.
type visit func(p *part, bx, by int) error

// readRow reads a row of MCUs. A scan of one component has MCUs of one block, and
// none that are outside of the picture (ITU-T T.81, A.2.2, A.2.3).
func (s *scan) readRow(my int, f visit) error {
	if len(s.parts) == 1 {
		p := &s.parts[0]
		for bx := range p.plane.across() {
			if err := s.nextMCU(); err != nil {
				return err
			}
			if err := f(p, bx, my); err != nil {
				return err
			}
		}
		return nil
	}
	for mx := range s.mcusWide {
		if err := s.nextMCU(); err != nil {
			return err
		}
		for i := range s.parts {
			if err := s.parts[i].readMCU(mx, my, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// readMCU reads the blocks of one component in an MCU.
func (p *part) readMCU(mx, my int, f visit) error {
	for v := range p.plane.V {
		for h := range p.plane.H {
			if err := f(p, mx*p.plane.H+h, my*p.plane.V+v); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextMCU restarts the coder where it is time to (ITU-T T.81, F.2.1.3.1, G.1.2.2).
func (s *scan) nextMCU() error {
	if s.interval == 0 {
		return nil
	}
	if s.left > 0 {
		s.left--
		return nil
	}
	if s.run > 0 {
		return errRun
	}
	if err := s.restart(RST0 + byte(s.restarts&7)); err != nil {
		return err
	}
	s.restarts++
	s.left = s.interval - 1
	for i := range s.parts {
		s.parts[i].pred = 0
	}
	return nil
}

// read reads the whole scan into the coefficients of its planes.
func (s *scan) read(ctx context.Context) error {
	rows := s.mcusHigh
	if len(s.parts) == 1 {
		rows = s.parts[0].plane.down()
	}
	for _, p := range s.parts {
		if p.plane.spoilt {
			return nil
		}
	}
	f := s.visitor()
	for my := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.readRow(my, f); err != nil {
			s.reached(my, false)
			return err
		}
	}
	s.reached(rows, true)
	if s.run > 0 {
		return errRun
	}
	return nil
}

// reached notes how many rows of MCUs the scan brought.
func (s *scan) reached(rows int, whole bool) {
	for _, p := range s.parts {
		p.plane.spoilt = !whole
		switch {
		case s.first > 0:
		case whole:
			p.plane.bands = s.mcusHigh
		case len(s.parts) == 1:
			p.plane.bands = max(p.plane.bands, rows/p.plane.V)
		default:
			p.plane.bands = max(p.plane.bands, rows)
		}
	}
}

// visitor returns what reads a block of such a scan.
func (s *scan) visitor() visit {
	switch {
	case !s.progressive:
		return s.visitSequential
	case s.first == 0 && s.high == 0:
		return s.visitFirstDC
	case s.first == 0:
		return s.visitNextDC
	case s.high == 0:
		return s.visitFirstAC
	}
	return s.visitNextAC
}

// check tells whether the bits taken were there.
func (s *scan) check() error {
	switch {
	case s.n >= 0:
		return nil
	case s.pos < len(s.data): // it stopped at a restart marker
		return errRestart
	}
	return s.short
}

// noCode says why bits are no code. What fills the last byte of the data is none.
func (s *scan) noCode() error {
	if s.n < 8 {
		s.n = -1
	}
	return s.broken(errNoCode)
}

func (s *scan) visitSequential(p *part, bx, by int) error {
	var c block
	_, err := s.sequential(&c, p)
	side := p.plane.side
	for y, kept := 0, p.plane.kept(bx, by); y < side; y++ {
		copy(kept[y*side:][:side], c[8*y:])
	}
	return err
}

// sequential reads a block of a sequential scan (ITU-T T.81, F.2.2.1, F.2.2.2), as far
// as its coefficients are kept. flat says that it has no more than its first one.
func (s *scan) sequential(c *block, p *part) (flat bool, err error) {
	if err := s.average(p); err != nil {
		return false, err
	}
	c[0] = int16(p.pred)
	look, last, acc, n := &p.ac.look, p.plane.last, s.acc, s.n // as step does it, but in registers
	k := 1
	for k <= last {
		if n < 32 {
			if x, ok := s.eight(); ok {
				acc |= x >> (n & 63)
				s.next += (63 - n) >> 3
				n |= 56
			} else {
				s.acc, s.n = acc, n
				s.fillSlowly()
				acc, n = s.acc, s.n
			}
		}
		e := look[acc>>(64-lookBits)]
		acc <<= e & 63
		n -= int(e & 63)
		run, v := int(e>>8&0xff), int16(e>>16)
		if v == 0 {
			s.acc, s.n = acc, n
			if e != 0 && e < 0x100 { // the end of the block
				return k == 1, s.check()
			}
			if run, v, err = s.finish(p.ac, e); err != nil {
				return false, err
			}
			acc, n = s.acc, s.n
			if v == 0 && run == 0 {
				return k == 1, s.check()
			}
			if v == 0 && run < 15 { // of progressive scans only
				return false, s.broken(errRun)
			}
		}
		k += run
		c[naturalOrder[k&63]&63] = v
		k++
	}
	if s.acc, s.n = acc, n; k > 64 {
		return false, s.broken(errBeyond)
	}
	return false, s.skip(p.ac, k)
}

// average reads the difference of the first coefficient to that of the block
// before.
func (s *scan) average(p *part) error {
	run, v, err := s.step(p.dc)
	if err != nil {
		return err
	}
	p.pred += int32(v)
	if fits := int16(p.pred << s.low); run > 0 || int32(fits)>>s.low != p.pred {
		return s.broken(errTooLarge)
	}
	return s.check()
}

// step reads a code and the number that follows it: a run of zeros, and what
// comes behind them. v is 0 where no number follows.
func (s *scan) step(h *huffman) (run int, v int16, err error) {
	if s.n < 32 {
		s.fill()
	}
	e := h.look[s.acc>>(64-lookBits)]
	s.acc <<= e & 63
	s.n -= int(e & 63)
	if v = int16(e >> 16); v != 0 {
		return int(e >> 8 & 0xff), v, nil
	}
	return s.finish(h, e)
}

// finish reads what the look-up table has no room for: a long code, or the
// number behind a code. e is what the table has, already taken from the bits.
func (s *scan) finish(h *huffman, e uint32) (run int, v int16, err error) {
	symbol := byte(e >> 8)
	if e == 0 {
		var length uint
		if symbol, length = h.find(s.acc); length == 0 {
			return 0, 0, s.noCode()
		}
		s.acc <<= length & 63
		s.n -= int(length)
	}
	size := uint(symbol & 15)
	if size > 0 {
		v = int16(extend(uint32(s.acc>>((64-size)&63)), int(size)))
		s.acc <<= size
		s.n -= int(size)
	}
	return int(symbol >> 4), v, nil
}

// broken says why the bits make no sense: for this reason, or because they were
// not there.
func (s *scan) broken(why error) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("%w, or there is %w", err, why)
	}
	return why
}
