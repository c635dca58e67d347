package jpeg

import "errors"

var errBadHuffman = errors.New("a Huffman table that makes no sense")

// lookBits is how many bits are looked up at once. Longer codes are rare.
const lookBits = 10

// huffman decodes one Huffman table (ITU-T T.81, annex C and F.2.2.3).
type huffman struct {
	// defined is set where the file brought the table, built where look is.
	defined, built bool
	counts         [16]byte
	symbols        [256]byte
	// look has for every beginning of the bits:
	//	bits 0 to 7: how many of them are read, 0 where the code is longer
	//	bits 8 to 15: the symbol; or its run only, where
	//	bits 16 to 31: the number that follows the code fits in too; never 0
	look [1 << lookBits]uint32
	// A code of length l is below limit[l], shifted to 16 bits; its symbol is
	// at the code + offset[l].
	limit  [17]uint32
	offset [17]int32
	skips  *skips // nil until somebody wants it
}

// define takes the table from the beginning of b, and returns the rest.
func (h *huffman) define(b []byte) ([]byte, error) {
	if len(b) < 16 {
		return nil, errBadHuffman
	}
	n, code := 0, 0
	for i, c := range b[:16] {
		n += int(c)
		code = code<<1 + int(c)
		if code > 2<<i {
			return nil, errBadHuffman
		}
	}
	if n > 256 || len(b) < 16+n {
		return nil, errBadHuffman
	}
	h.defined, h.built = true, false
	copy(h.counts[:], b)
	copy(h.symbols[:], b[16:16+n])
	return b[16+n:], nil
}

// build makes the look-up table, once a scan wants it: a file may define tables
// by the million.
func (h *huffman) build() {
	if h.built {
		return
	}
	h.built, h.skips = true, nil
	h.look = [1 << lookBits]uint32{}
	code, at := uint32(0), int32(0)
	for l := 1; l <= 16; l++ {
		h.offset[l] = at - int32(code)
		for range h.counts[l-1] {
			if l <= lookBits {
				h.enter(code, l, uint32(h.symbols[at]))
			}
			code++
			at++
		}
		h.limit[l] = code << (16 - l)
		code <<= 1
	}
}

// enter fills in all beginnings that a code of l bits can have.
func (h *huffman) enter(code uint32, l int, symbol uint32) {
	rest := lookBits - l
	size := int(symbol & 15)
	for i := range uint32(1) << rest {
		e := symbol<<8 | uint32(l)
		if size > 0 && size <= rest {
			v := extend(i>>uint(rest-size), size)
			e = uint32(v)<<16 | symbol>>4<<8 | uint32(l+size)
		}
		h.look[code<<rest|i] = e
	}
}

// find returns the symbol of the code that acc begins with, and its length: 0
// where it begins with none.
func (h *huffman) find(acc uint64) (symbol byte, length uint) {
	top := uint32(acc >> 48)
	for l := uint(1); l <= 16; l++ {
		if top < h.limit[l] {
			return h.symbols[byte(int32(top>>(16-l))+h.offset[l])], l
		}
	}
	return 0, 0
}

// usual fills in the table that files without one mean (ITU-T T.81, K.3), as
// the frames of a Motion-JPEG film do.
func (h *huffman) usual(class, which int) {
	table := [2][2]string{{usualDC0, usualDC1}, {usualAC0, usualAC1}}[class][which]
	if _, err := h.define([]byte(table)); err != nil {
		panic(err) // a constant of ours
	}
}

// The tables of K.3, as a DHT segment has them.
const (
	usualDC0 = "\x00\x01\x05\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
	usualDC1 = "\x00\x03\x01\x01\x01\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00" +
		"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
	usualAC0 = "\x00\x02\x01\x03\x03\x02\x04\x03\x05\x05\x04\x04\x00\x00\x01\x7d" +
		"\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07" +
		"\x22\x71\x14\x32\x81\x91\xa1\x08\x23\x42\xb1\xc1\x15\x52\xd1\xf0" +
		"\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26\x27\x28" +
		"\x29\x2a\x34\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49" +
		"\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69" +
		"\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85\x86\x87\x88\x89" +
		"\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7" +
		"\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5" +
		"\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2" +
		"\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8" +
		"\xf9\xfa"
	usualAC1 = "\x00\x02\x01\x02\x04\x04\x03\x04\x07\x05\x04\x04\x00\x01\x02\x77" +
		"\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71" +
		"\x13\x22\x32\x81\x08\x14\x42\x91\xa1\xb1\xc1\x09\x23\x33\x52\xf0" +
		"\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\x18\x19\x1a\x26" +
		"\x27\x28\x29\x2a\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48" +
		"\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68" +
		"\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x82\x83\x84\x85\x86\x87" +
		"\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5" +
		"\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3" +
		"\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda" +
		"\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf2\xf3\xf4\xf5\xf6\xf7\xf8" +
		"\xf9\xfa"
)
