package jpeg

import (
	"encoding/binary"
	"slices"
)

// Encode writes the picture at a quality from 1 to 100, which coarsens the tables
// of T.81 as libjpeg does. The file is baseline with Huffman tables made for it,
// of these segments only: SOI, DQT, SOF0, DHT, SOS and its data, EOI. The same
// picture makes the same bytes everywhere.
func (p *Plan) Encode(quality int) []byte { return p.write(p.code(quality)) }

// coding is all that a file at one quality consists of but its data.
type coding struct {
	quality    int
	tables     []stepTable
	quantisers []quantiser
	codes      []huffmanCode
	size       int // of the file, as far as can be known before it is written
}

// code counts what the data will consist of, and makes the codes for it.
func (p *Plan) code(quality int) *coding {
	c := &coding{quality: quality, tables: stepTables(quality)}
	if p.gray {
		c.tables = c.tables[:1]
	}
	for i := range c.tables {
		c.quantisers = append(c.quantisers, newQuantiser(&c.tables[i]))
	}
	bits := 0
	counts := p.count(c.quantisers)
	for i := range counts {
		code := newHuffmanCode(&counts[i])
		bits += code.bits(&counts[i])
		c.codes = append(c.codes, code)
	}
	c.size = len(p.header(c)) + (bits+7)/8 + 2
	return c
}

// write makes the file. One byte in 256 has a zero stuffed behind it on average;
// where far more have, the file moves once.
func (p *Plan) write(c *coding) []byte {
	out := make([]byte, 0, c.size+c.size/128+64)
	out = append(out, p.header(c)...)
	out = p.scan(out, c)
	return append(out, 0xff, EOI)
}

// header is the file up to its data.
func (p *Plan) header(c *coding) []byte {
	out := []byte{0xff, SOI}
	out = appendSegment(out, DQT, quantBody(c.tables))
	out = appendSegment(out, SOF0, frameBody(p.layout))
	var codes []byte
	for i, code := range c.codes {
		codes = slices.Concat(codes, []byte{huffmanName(i)}, code.counts[:], code.symbols)
	}
	out = appendSegment(out, DHT, codes)
	return appendSegment(out, SOS, scanBody(p.gray))
}

func appendSegment(out []byte, marker byte, body []byte) []byte {
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(2+len(body)))
	return append(out, body...)
}

// quantBody is a DQT segment (T.81, B.2.4.1) of 8-bit tables.
func quantBody(tables []stepTable) []byte {
	zigzagAt := zigzagPlaces()
	var body []byte
	for name, table := range tables {
		var steps [64]uint8
		for i, step := range table {
			steps[zigzagAt[i]] = step
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
