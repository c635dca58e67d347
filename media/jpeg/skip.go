package jpeg

// skipBits is how many bits are looked up at once where no number is wanted.
const skipBits = 12

// skips has for every beginning of the bits what all the coefficients are together
// whose codes and numbers are whole in it:
//
//	bits 0 to 3: how many bits they take, 0 where there is none
//	bits 4 to 10: how many places of the block they need, the end of it as one
//	bit 15: they end with the end of the block
type skips [1 << skipBits]uint16

// skipEnd marks what ends a block.
const skipEnd = 1 << 15

// newSkips makes the table of one that has numbers too.
func newSkips(h *huffman) *skips {
	s := new(skips)
	for bits := range s {
		s[bits] = h.skipped(uint32(bits))
	}
	return s
}

// skipped is the entry of a beginning.
func (h *huffman) skipped(bits uint32) uint16 {
	taken, places := uint32(0), uint32(0)
	for places < 64 {
		e := h.look[bits<<taken&(1<<skipBits-1)>>(skipBits-lookBits)]
		length, run, number := e&0xff, e>>8&0xff, e>>16
		if e == 0 || taken+length > skipBits {
			break
		}
		switch {
		case number != 0:
			places += run + 1
		case run == 0:
			return uint16(skipEnd | (places+1)<<4 | (taken + length))
		case run == 0xf0: // sixteen zeros
			places += 16
		default:
			return uint16(places<<4 | taken)
		}
		taken += length
	}
	return uint16(places<<4 | taken)
}

// skip reads the rest of a block from coefficient k on, of which none is kept: as many
// at once as there are in the bits that are looked up.
func (s *scan) skip(h *huffman, k int) error {
	if k < 64 && h.skips == nil {
		h.skips = newSkips(h)
	}
	for k < 64 {
		if s.n < 32 {
			s.fill()
		}
		e := h.skips[s.acc>>(64-skipBits)]
		if places := int(e >> 4 & 0x7f); e != 0 && k+places <= 64 {
			s.acc <<= e & 15
			s.n -= int(e & 15)
			if k += places; e >= skipEnd {
				break
			}
			continue
		}
		run, v, err := s.step(h)
		switch {
		case err != nil:
			return err
		case v == 0 && run == 0:
			return s.check()
		case v == 0 && run < 15: // of progressive scans only
			return s.broken(errRun)
		case k+run > 63:
			return s.broken(errBeyond)
		}
		k += run + 1
	}
	return s.check()
}
