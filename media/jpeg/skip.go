package jpeg

// skipBits is how many bits are looked up at once where no number is wanted.
const skipBits = 12

// skips has for every beginning of the bits what all the coefficients are together
// whose codes are whole in it:
//
//	bits 0 to 4: how many bits they take, 0 where there is none
//	bits 5 to 11: how many places of the block they need, the end of it as one
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

// skipped is the entry of a beginning. The number behind the last code may lie outside
// of it, since nobody wants to know it.
func (h *huffman) skipped(bits uint32) uint16 {
	taken, places := uint(0), uint(0)
	for places < 64 && taken < skipBits {
		symbol, length := h.find(uint64(bits) << (64 - skipBits) << taken)
		if length == 0 || taken+length > skipBits {
			break
		}
		run, size := uint(symbol>>4), uint(symbol&15)
		if symbol == 0 {
			return uint16(skipEnd | (places+1)<<5 | (taken + length))
		}
		if size == 0 && run < 15 { // of progressive scans only
			break
		}
		taken += length + size
		places += run + 1
	}
	return uint16(places<<5 | taken)
}

// skip reads the rest of a block from coefficient k on, of which none is kept: as many
// at once as there are in the bits that are looked up.
func (s *scan) skip(h *huffman, k int) error {
	if h.skips == nil {
		h.skips = newSkips(h)
	}
	for k < 64 {
		if s.n < 32 {
			s.fill()
		}
		e := h.skips[s.acc>>(64-skipBits)]
		if places := int(e >> 5 & 0x7f); e != 0 && k+places <= 64 {
			s.acc <<= e & 31
			s.n -= int(e & 31)
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
