package jpeg

import (
	"errors"
	mathbits "math/bits"
)

var errRun = errors.New("a run of empty blocks that cannot be")

// visitFirstDC reads the upper bits of the first coefficient (ITU-T T.81,
// G.1.2.1).
func (s *scan) visitFirstDC(p *part, bx, by int) error {
	if err := s.average(p); err != nil {
		return err
	}
	p.plane.kept(bx, by)[0] = int16(p.pred << s.low)
	return nil
}

// visitNextDC reads one more bit of it.
func (s *scan) visitNextDC(p *part, bx, by int) error {
	p.plane.kept(bx, by)[0] |= int16(s.take(1) << s.low)
	return s.check()
}

// visitFirstAC reads the upper bits of a band of coefficients (ITU-T T.81,
// G.1.2.2).
func (s *scan) visitFirstAC(p *part, bx, by int) error {
	if s.run > 0 {
		s.run--
		return nil
	}
	kept, there := p.plane.kept(bx, by), &p.plane.there[by*p.plane.wide+bx]
	for k := s.first; k <= s.last; k++ {
		run, v, err := s.step(p.ac)
		if err != nil {
			return err
		}
		if v == 0 && run < 15 {
			s.run = 1<<run - 1 + int(s.take(run))
			break
		}
		if k += run; k > s.last {
			return s.broken(errBeyond)
		}
		if v<<s.low>>s.low != v {
			return s.broken(errTooLarge)
		}
		p.plane.set(kept, there, k, v<<s.low)
	}
	return s.check()
}

// set notes a coefficient that came, and keeps it where it is wanted.
func (p *plane) set(kept []int16, there *uint64, k int, v int16) {
	if at := int(p.places[k&63]); at < len(kept) {
		kept[at] = v
	}
	bit := uint64(1) << (k & 63)
	if *there |= bit; v == 0 {
		*there &^= bit
	}
}

// visitNextAC reads one more bit of those coefficients of a band that are there,
// and the first of those that now come (ITU-T T.81, G.1.2.3).
func (s *scan) visitNextAC(p *part, bx, by int) error {
	kept, there := p.plane.kept(bx, by), &p.plane.there[by*p.plane.wide+bx]
	k := s.first
	for k <= s.last && s.run == 0 {
		run, v, err := s.step(p.ac)
		switch {
		case err != nil:
			return err
		case v > 1 || v < -1:
			return s.broken(errNoCode)
		case v == 0 && run < 15:
			s.run = 1<<run + int(s.take(run))
			continue
		}
		if k = s.refine(p.plane, kept, *there, k, run); k > s.last {
			return s.broken(errBeyond)
		}
		if v != 0 {
			p.plane.set(kept, there, k, v<<s.low)
		}
		k++
	}
	if s.run > 0 {
		s.run--
		s.refine(p.plane, kept, *there, k, 64)
	}
	return s.check()
}

// refine goes from coefficient k on over those that are there, with a bit for
// each, and over as many others as run says. It returns where the next one is.
func (s *scan) refine(p *plane, kept []int16, there uint64, k, run int) int {
	for k <= s.last {
		rest := there >> (k & 63)
		if gap := min(mathbits.TrailingZeros64(rest), s.last+1-k); gap > 0 {
			if gap > run {
				return k + run
			}
			run -= gap
			k += gap
			continue
		}
		if s.n < 1 {
			s.fill()
		}
		bit := int16(s.acc >> 63)
		s.acc <<= 1
		s.n--
		if at := int(p.places[k&63]); at < len(kept) {
			kept[at] = refined(kept[at], bit, s.low)
		}
		k++
	}
	return k
}

// refined is a coefficient with one more bit.
func refined(v, bit int16, low uint) int16 {
	switch {
	case v&(1<<low) != 0: // a second time, in a file that makes no sense
		return v
	case v > 0:
		return v + bit<<low
	}
	return v - bit<<low
}
