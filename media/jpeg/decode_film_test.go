package jpeg

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// film is a picture given by its coefficients, to be written in any way that
// T.81 knows. What it is written with is as plain as can be.
type film struct {
	Frame
	planes   []plane // with their coefficients
	interval int
	steps    uint16 // the quantisation of all coefficients
	wide     bool   // 16 bits for each of it
	table    string // the Huffman table for AC

	out   []byte
	acc   uint64
	n     int
	codes [2]map[byte]code // DC, AC
}

type code struct {
	bits   uint32
	length int
}

// flatTable has codes of 8 bits, and one of 9 bits, for all symbols. longTable
// has codes of up to 16 bits, the longest for the symbols that are frequent.
func flatTable() string {
	t := "\x00\x00\x00\x00\x00\x00\x00\xff\x01\x00\x00\x00\x00\x00\x00\x00"
	for i := range 256 {
		t += string([]byte{byte(i)})
	}
	return t
}

func longTable() string {
	t := "\x00\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\xf2"
	for i := range 256 {
		t += string([]byte{byte(255 - i)})
	}
	return t
}

// newFilm makes a picture of random coefficients, few of them in the higher
// frequencies. factors has H in its upper half and V in the lower.
func newFilm(marker byte, width, height int, factors ...byte) *film {
	f := &film{steps: 3, table: flatTable()}
	f.Frame = Frame{Marker: marker, Precision: 8, Width: width, Height: height}
	for i, c := range factors {
		f.Components = append(f.Components, Component{ID: byte(i + 1), H: int(c >> 4), V: int(c & 15)})
	}
	h := header{frame: f.Frame}
	h.frame.Components = slices.Clone(f.Components)
	if len(factors) == 1 {
		h.frame.Components[0].H, h.frame.Components[0].V = 1, 1
	}
	h.layOut()
	f.planes = h.planes
	random := rand.New(rand.NewPCG(1, 2))
	for i := range f.planes {
		p := &f.planes[i]
		p.coefs = make([]int16, p.coefficients())
		for at := 0; at < len(p.coefs); at += 64 {
			c := (*block)(p.coefs[at:])
			c[0] = int16(random.IntN(500) - 250)
			for range random.IntN(8) {
				k := random.IntN(1 + random.IntN(63))
				c[naturalOrder[k]] = int16(random.IntN(40) - 20)
			}
		}
	}
	return f
}

// block returns the coefficients of a block.
func (p *plane) block(bx, by int) *block { return (*block)(p.kept(bx, by)) }

func (f *film) segment(marker byte, body []byte) {
	f.out = append(f.out, 0xff, marker)
	f.out = binary.BigEndian.AppendUint16(f.out, uint16(len(body)+2))
	f.out = append(f.out, body...)
}

// begin writes all that comes before the scans.
func (f *film) begin() *film {
	f.out = []byte{0xff, SOI}
	quant := []byte{0}
	if f.wide {
		quant[0] = 0x10
	}
	for range 64 {
		if f.wide {
			quant = append(quant, byte(f.steps>>8))
		}
		quant = append(quant, byte(f.steps))
	}
	f.segment(DQT, quant)
	sof := binary.BigEndian.AppendUint16([]byte{byte(f.Precision)}, uint16(f.Height))
	sof = append(binary.BigEndian.AppendUint16(sof, uint16(f.Width)), byte(len(f.Components)))
	for _, c := range f.Components {
		sof = append(sof, c.ID, byte(c.H<<4|c.V), c.Table)
	}
	f.segment(f.Marker, sof)
	if f.interval > 0 {
		f.segment(DRI, []byte{byte(f.interval >> 8), byte(f.interval)})
	}
	f.define(f.table)
	return f
}

// averages is a Huffman table for DC: 16 codes of 5 bits.
const averages = "\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"

// define writes both Huffman tables, that of AC as given.
func (f *film) define(table string) {
	f.segment(DHT, append([]byte("\x00"+averages), "\x10"+table...))
	f.codes = [2]map[byte]code{codes(averages), codes(table)}
}

func codes(table string) map[byte]code {
	all := map[byte]code{}
	next, at := uint32(0), 16
	for l := 1; l <= 16; l++ {
		for range table[l-1] {
			all[table[at]] = code{next, l}
			next, at = next+1, at+1
		}
		next <<= 1
	}
	return all
}

func (f *film) put(v uint32, size int) {
	f.acc = f.acc<<size | uint64(v)&(1<<size-1)
	for f.n += size; f.n >= 8; f.n -= 8 {
		c := byte(f.acc >> (f.n - 8))
		if f.out = append(f.out, c); c == 0xff {
			f.out = append(f.out, 0)
		}
	}
}

// symbol writes a code of a class and the number behind it.
func (f *film) symbol(class int, s byte, v int32) {
	c := f.codes[class][s]
	f.put(c.bits, c.length)
	if v < 0 {
		v--
	}
	f.put(uint32(v), int(s&15))
}

func size(v int32) byte { return byte(bits.Len32(uint32(max(v, -v)))) }

// pad fills the last byte with ones.
func (f *film) pad() {
	if f.n > 0 {
		f.put(0xff, 8-f.n)
	}
}

// scan writes a scan of those components.
func (f *film) scan(first, last int, high, low uint, components ...int) *film {
	body := []byte{byte(len(components))}
	for _, i := range components {
		body = append(body, f.Components[i].ID, 0)
	}
	f.segment(SOS, append(body, byte(first), byte(last), byte(high<<4|low)))
	e := filmScan{film: f, first: first, last: last, high: high, low: low}
	s := scan{mcusWide: ceil(f.Width, 8*f.most(true)), mcusHigh: ceil(f.Height, 8*f.most(false))}
	for _, i := range components {
		s.parts = append(s.parts, part{plane: &f.planes[i]})
	}
	rows := s.mcusHigh
	if len(components) == 1 {
		rows = ceil(s.parts[0].plane.height, 8)
	}
	e.per = 0
	for _, p := range s.parts {
		e.per += p.plane.H * p.plane.V
	}
	if len(components) == 1 {
		e.per = 1
	}
	for my := range rows {
		_ = s.readRow(my, func(p *part, bx, by int) error { e.block(p, bx, by, s.parts); return nil })
	}
	e.endRun()
	f.pad()
	return f
}

// most is the highest factor of the components.
func (f *film) most(across bool) int {
	h, v := f.factors()
	if len(f.Components) == 1 {
		return 1
	}
	if across {
		return h
	}
	return v
}

// end returns the file.
func (f *film) end() []byte { return append(slices.Clone(f.out), 0xff, EOI) }

// whole returns the picture in one scan, or for each component its own.
func (f *film) whole(interleaved bool) []byte {
	f.begin()
	if !interleaved {
		for i := range f.Components {
			f.scan(0, 63, 0, 0, i)
		}
		return f.end()
	}
	all := []int{0, 1, 2, 3}[:len(f.Components)]
	return f.scan(0, 63, 0, 0, all...).end()
}

// progressive returns it in scans of all four kinds.
func (f *film) progressive() []byte {
	f.begin().scan(0, 0, 0, 1, []int{0, 1, 2, 3}[:len(f.Components)]...)
	for i := range f.Components {
		f.scan(1, 5, 0, 2, i).scan(6, 63, 0, 2, i).scan(1, 63, 2, 1, i)
	}
	f.scan(0, 0, 1, 0, []int{0, 1, 2, 3}[:len(f.Components)]...)
	for i := range f.Components {
		f.scan(1, 63, 1, 0, i)
	}
	return f.end()
}
