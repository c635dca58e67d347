package jpeg

import (
	"encoding/binary"
	"math"
	"slices"
)

// Encode writes the picture at a quality from 1 to 100, which coarsens the tables
// of T.81 as libjpeg does. The file is baseline with Huffman tables made for it,
// of these segments only: SOI, DQT, SOF0, DHT, SOS and its data, EOI. The same
// picture makes the same bytes everywhere.
//
// The planes are of 1 to 65,535 samples in each direction; the two of colour, if
// there are any, of the size of the first, or of half of it rounded up in both
// directions. Of others it panics.
func Encode(p *Planes, quality int) []byte {
	e := newEncoder(p)
	return e.write(e.code(quality, math.MaxInt, true))
}

// EncodeMemory reckons what Within allocates at most for that limit, and Encode for
// the highest, in bytes. Files come on top of it: Within has two at a time.
func EncodeMemory(width, height int, s Sampling, limit int) int64 {
	const tables = 128 << 10
	l := layout{width, height, s, false}
	blocks := int64(l.blocks())
	row := blocks / int64(s.units(height)) * 128
	limit = int(min(int64(limit), 1000*blocks)) // more than any file has
	bits := 8 * int64(limit+1)
	// A block has 64 symbols at most. Each takes a token, and a second one if
	// its value has more than seven bits, so that with its word it takes nine.
	// All but five of a block have a value and take two bits or more.
	tokens := row + min(128*blocks, 64*blocks+bits/9, (5*blocks+bits)/2)
	pieces := tokens/fullPiece + int64(between(limit)) + 3
	return pieces*pieceBytes + tables
}

// coding is all that a file at one quality consists of but its data.
type coding struct {
	tables []stepTable
	codes  []huffmanCode
	size   int // of the file, as far as can be known before it is written
}

// code counts what the data will consist of, and makes the codes for it. A file of
// more than limit bytes cannot be written afterwards, and its size is an estimate
// unless it is to be exact.
func (e *encoder) code(quality, limit int, exact bool) *coding {
	c := &coding{tables: stepTables(quality)}
	if e.gray {
		c.tables = c.tables[:1]
	}
	var quantisers []*quantiser
	for i := range c.tables {
		quantisers = append(quantisers, newQuantiser(&c.tables[i], token(i*colourSlots)))
	}
	rows := e.count(quantisers, limit)
	if rows < e.rows() && !exact {
		c.size = e.estimate(quantisers, rows)
		return c
	}
	e.countOn(quantisers, rows, 1)
	bits := 0
	counts := e.tokenizer.counts.histograms()
	for i := range 2 * len(quantisers) {
		code := newHuffmanCode(&counts[i])
		bits += code.bits(&counts[i])
		c.codes = append(c.codes, code)
	}
	c.size = len(e.header(c)) + (bits+7)/8 + 2
	return c
}

// write makes the file. One byte in 256 has a zero stuffed behind it on average;
// where far more have, the file moves once.
func (e *encoder) write(c *coding) []byte {
	out := make([]byte, 0, c.size+c.size/128+64)
	out = append(out, e.header(c)...)
	out = e.scan(out, c.codes)
	return append(out, 0xff, EOI)
}

// header is the file up to its data.
func (e *encoder) header(c *coding) []byte {
	out := []byte{0xff, SOI}
	out = appendSegment(out, DQT, quantBody(c.tables))
	out = appendSegment(out, SOF0, frameBody(e.layout))
	var codes []byte
	for i, code := range c.codes {
		codes = slices.Concat(codes, []byte{huffmanName(i)}, code.counts[:], code.symbols)
	}
	out = appendSegment(out, DHT, codes)
	return appendSegment(out, SOS, scanBody(e.gray))
}

func appendSegment(out []byte, marker byte, body []byte) []byte {
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(2+len(body)))
	return append(out, body...)
}

// quantBody is a DQT segment (T.81, B.2.4.1) of 8-bit tables.
func quantBody(tables []stepTable) []byte {
	var body []byte
	for name, table := range tables {
		var steps [64]uint8
		for k := range steps {
			steps[k] = table[naturalOrder[k]]
		}
		body = append(append(body, byte(name)), steps[:]...)
	}
	return body
}

// frameBody is a SOF0 segment (T.81, B.2.2). Components are named 1, 2, 3, by
// which readers know them as brightness and colours where no JFIF says so.
func frameBody(l layout) []byte {
	body := binary.BigEndian.AppendUint16([]byte{8}, uint16(l.height))
	body = binary.BigEndian.AppendUint16(body, uint16(l.width))
	switch {
	case l.gray:
		return append(body, 1, 1, 0x11, 0)
	case l.sampling == Halved:
		return append(body, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1)
	default:
		return append(body, 3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1)
	}
}

// scanBody is an SOS segment (T.81, B.2.3) of all components and coefficients.
func scanBody(gray bool) []byte {
	if gray {
		return []byte{1, 1, 0x00, 0, 63, 0}
	}
	return []byte{3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0}
}

// huffmanName is class and destination of a code (T.81, B.2.4.2): the codes of
// the averages and of the rest of the brightness, then those of the colours.
func huffmanName(i int) byte { return byte(i&1)<<4 | byte(i>>1) }
