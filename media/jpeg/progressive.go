package jpeg

import "errors"

var errRun = errors.New("a run of empty blocks that cannot be")

// visitFirstDC reads the upper bits of the first coefficient (ITU-T T.81,
// G.1.2.1).
func (s *scan) visitFirstDC(p *part, bx, by int) error {
	if err := s.average(p); err != nil {
		return err
	}
	p.plane.block(bx, by)[0] = int16(p.pred << s.low)
	return nil
}

// visitNextDC reads one more bit of it.
func (s *scan) visitNextDC(p *part, bx, by int) error {
	p.plane.block(bx, by)[0] |= int16(s.take(1) << s.low)
	return s.check()
}

// visitFirstAC reads the upper bits of a band of coefficients (ITU-T T.81,
// G.1.2.2).
func (s *scan) visitFirstAC(p *part, bx, by int) error {
	if s.run > 0 {
		s.run--
		return nil
	}
	c := p.plane.block(bx, by)
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
		c[naturalOrder[k&63]&63] = v << s.low
	}
	return s.check()
}

// visitNextAC reads one more bit of those coefficients of a band that are there,
// and the first of those that now come (ITU-T T.81, G.1.2.3).
func (s *scan) visitNextAC(p *part, bx, by int) error {
	c := p.plane.block(bx, by)
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
		if k = s.refine(c, k, run); k > s.last {
			return s.broken(errBeyond)
		}
		if v != 0 {
			c[naturalOrder[k&63]&63] = v << s.low
		}
		k++
	}
	if s.run > 0 {
		s.run--
		s.refine(c, k, 64)
	}
	return s.check()
}

// refine goes from coefficient k on over those that are there, with a bit for
// each, and over as many others as run says. It returns where the next one is.
func (s *scan) refine(c *block, k, run int) int {
	last, one := s.last, int16(1)<<s.low
	for ; k <= last; k++ {
		v := &c[naturalOrder[k&63]&63]
		if *v == 0 {
			if run == 0 {
				break
			}
			run--
			continue
		}
		if s.n < 1 {
			s.fill()
		}
		bit := int16(s.acc >> 63)
		s.acc <<= 1
		s.n--
		switch {
		case *v&one != 0: // a second time, in a file that makes no sense
		case *v > 0:
			*v += bit << s.low
		default:
			*v -= bit << s.low
		}
	}
	return k
}
