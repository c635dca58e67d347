package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Verify tells whether a file is segment for segment what Encode writes, and
// what size its frame says. Then there is no other segment in it and no byte
// between or behind them, and all tables are those of one quality.
//
// It unpacks nothing. So it does not see what the data says, nor whether bytes
// follow the last block within it; and of the Huffman codes it sees that they
// are whole and legal, not that they are the best for the data. Whoever makes a
// file by other means can hide something in these, as in the pixels themselves.
func Verify(data []byte) (width, height int, err error) {
	if len(data) < 2 || data[0] != 0xff || data[1] != SOI {
		return 0, 0, errors.New("not a JPEG")
	}
	bodies := map[byte][]byte{}
	rest := data[2:]
	for _, marker := range []byte{DQT, SOF0, DHT, SOS} {
		if bodies[marker], rest, err = cutSegment(rest, marker); err != nil {
			return 0, 0, err
		}
	}
	l, err := verifyFrame(bodies[SOF0])
	if err != nil {
		return 0, 0, err
	}
	if !bytes.Equal(bodies[SOS], scanBody(l.gray)) {
		return 0, 0, errors.New("the scan header is not as our encoder writes it")
	}
	err = errors.Join(verifyQuant(bodies[DQT], l.gray), verifyCodes(bodies[DHT], l.gray), verifyScan(rest, &l))
	if err != nil {
		return 0, 0, err
	}
	return l.width, l.height, nil
}

// cutSegment takes a segment of that marker from the beginning of the data.
func cutSegment(data []byte, marker byte) (body, rest []byte, err error) {
	switch {
	case len(data) < 4:
		return nil, nil, errors.New("the file ends in its header")
	case data[0] != 0xff || data[1] == 0xff:
		return nil, nil, errors.New("bytes between two segments")
	case data[1] != marker:
		return nil, nil, fmt.Errorf("segment %#x stands where %#x belongs", data[1], marker)
	}
	n := int(binary.BigEndian.Uint16(data[2:]))
	if n < 2 || n+2 > len(data) {
		return nil, nil, fmt.Errorf("segment %#x has %d bytes, more or less than there can be", marker, n)
	}
	return data[4 : 2+n], data[2+n:], nil
}

// verifyFrame compares the frame header with ours of that size.
func verifyFrame(body []byte) (layout, error) {
	if len(body) < 6 {
		return layout{}, errors.New("the frame header is too short")
	}
	height, width := int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if width == 0 || height == 0 {
		return layout{}, fmt.Errorf("the frame has %d x %d pixels", width, height)
	}
	for _, l := range []layout{{width, height, Halved, false}, {width, height, Full, false}, {width, height, Full, true}} {
		if bytes.Equal(body, frameBody(l)) {
			return l, nil
		}
	}
	return layout{}, errors.New("the frame header is not as our encoder writes it")
}

// verifyQuant looks for the quality that has these tables. There are 64 free
// bytes in a table, but only a hundred tables.
func verifyQuant(body []byte, gray bool) error {
	for quality := 1; quality <= 100; quality++ {
		tables := stepTables(quality)
		if gray {
			tables = tables[:1]
		}
		if bytes.Equal(body, quantBody(tables)) {
			return nil
		}
	}
	return errors.New("the quantisation tables are those of no quality")
}

// verifyCodes looks at the Huffman codes: those that belong there, in order, and
// nothing behind them.
func verifyCodes(body []byte, gray bool) error {
	n := 4
	if gray {
		n = 2
	}
	for i := range n {
		if len(body) < 17 || body[0] != huffmanName(i) {
			return fmt.Errorf("code %d of the Huffman codes is not where it belongs", i)
		}
		symbols := 0
		for _, count := range body[1:17] {
			symbols += int(count)
		}
		if len(body) < 17+symbols {
			return fmt.Errorf("code %d of the Huffman codes is cut off", i)
		}
		if err := verifyCode(body[1:17], body[17:17+symbols], i&1 == 1); err != nil {
			return fmt.Errorf("code %d of the Huffman codes: %w", i, err)
		}
		body = body[17+symbols:]
	}
	if len(body) > 0 {
		return errors.New("bytes behind the Huffman codes")
	}
	return nil
}

// verifyCode wants what newHuffmanCode makes: every word used but one of the
// longest, and symbols of baseline, each once, those of one length ascending.
func verifyCode(counts, symbols []byte, rest bool) error {
	var seen [256]bool
	used, last := 0, 0 // in parts of 2^16; of the longest
	for i, n := range counts {
		if used += int(n) << (15 - i); n > 0 {
			last = 1 << (15 - i)
		}
		own := symbols[:n]
		symbols = symbols[n:]
		for _, s := range own {
			if seen[s] || !baselineSymbol(s, rest) {
				return fmt.Errorf("symbol %#x does not belong there", s)
			}
			seen[s] = true
		}
		if !slices.IsSorted(own) {
			return errors.New("symbols out of order")
		}
	}
	if used == 0 || used+last != 1<<16 {
		return errors.New("the lengths of its words do not make a code of ours")
	}
	return nil
}

// baselineSymbol tells whether 8-bit samples can have the symbol (T.81, tables
// F.1 and F.2): a magnitude, or a run and a magnitude.
func baselineSymbol(s byte, rest bool) bool {
	if !rest {
		return s <= 11
	}
	return s == endOfBlock || s == sixteenZero || (s&15 >= 1 && s&15 <= 10)
}

// verifyScan wants no marker in the data but the end, and enough bits for the
// blocks: each takes a symbol for its average and one for its rest.
func verifyScan(data []byte, l *layout) error {
	if !bytes.HasSuffix(data, []byte{0xff, EOI}) {
		return errors.New("the end marker is missing")
	}
	scan := data[:len(data)-2]
	if bytes.Count(scan, []byte{0xff}) != bytes.Count(scan, []byte{0xff, 0}) {
		return errors.New("a marker in the scan")
	}
	if blocks := l.blocks(); len(scan)*8 < 2*blocks {
		return fmt.Errorf("%d bytes cannot hold %d blocks", len(scan), blocks)
	}
	return nil
}
