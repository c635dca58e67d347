package jpeg

import (
	"bytes"
	"fmt"
	stdjpeg "image/jpeg"
	"slices"
	"strings"
	"testing"
)

// Every byte of every segment, in many ways.
func TestVerifySeesEveryChangeOfTheHeader(t *testing.T) {
	for name, planes := range map[string]*Planes{
		"4:2:0": planesOf(paintScene(40, 30), Halved), "4:4:4": planesOf(paintScene(40, 30), Full), "gray": planesOf(paintGray(40, 30), Full),
	} {
		t.Run(name, func(t *testing.T) {
			good := Encode(planes, 77)
			size := bytes.Index(good, []byte{0xff, SOF0}) + 5
			codes := bytes.Index(good, []byte{0xff, DHT}) + 4
			scan := bytes.Index(good, []byte{0xff, SOS})
			for at := range scan + 2 + int(good[scan+3]) {
				for _, change := range []int{1, 2, 4, 8, 16, 32, 64, 128, 0x11 ^ 0x22, 0x0f, 0xf0, 0xff} {
					bad := slices.Clone(good)
					bad[at] ^= byte(change)
					width, height, err := Verify(bad)
					switch {
					case err != nil:
					case at == size+6 && good[at]^bad[at] == 0x11^0x22: // the other sampling
					case at >= size && at < size+4 && (width != 40 || height != 30):
					case at >= codes && at < scan: // another symbol that is legal there
						if _, err := stdjpeg.DecodeConfig(bytes.NewReader(bad)); err != nil {
							t.Errorf("byte %d as %#x passes, but a decoder says %v", at, bad[at], err)
						}
					default:
						t.Errorf("byte %d as %#x passes", at, bad[at])
					}
				}
			}
		})
	}
}

func TestVerify(t *testing.T) {
	good := Encode(planesOf(paintScene(240, 160), Halved), 90)
	gray := Encode(planesOf(paintGray(240, 160), Halved), 90)
	sof := bytes.Index(good, []byte{0xff, SOF0})
	dht := bytes.Index(good, []byte{0xff, DHT})
	sos := bytes.Index(good, []byte{0xff, SOS})
	end := len(good) - 2
	insert := func(at int, what ...byte) []byte { return slices.Insert(slices.Clone(good), at, what...) }
	change := func(at int, to byte) []byte {
		b := slices.Clone(good)
		b[at] = to
		return b
	}
	// codes is the file with other Huffman codes of that body.
	codes := func(body []byte) []byte {
		return slices.Concat(good[:dht], appendSegment(nil, DHT, body), good[sos:])
	}
	body := good[dht+4 : sos]
	rows := []struct {
		name string
		data []byte
		want string
	}{
		{"as it was made", good, ""},
		{"gray", gray, ""},
		{"empty", nil, "not a JPEG"},
		{"another kind", []byte("GIF89a"), "not a JPEG"},
		{"the beginning alone", good[:2], "ends in its header"},
		{"cut in a table", good[:40], "more or less"},
		{"a byte behind the end", insert(len(good), 0), "end marker"},
		{"a second picture behind the end", slices.Concat(good, good), "a marker in the scan"},
		{"JFIF", insert(2, appendSegment(nil, APP0, []byte("JFIF\x00"))...), "0xe0"},
		{"a comment before the codes", insert(dht, appendSegment(nil, COM, []byte("hello"))...), "0xfe"},
		{"a comment behind the scan", insert(end, appendSegment(nil, COM, []byte("hello"))...), "a marker"},
		{"a restart interval", insert(2, appendSegment(nil, DRI, []byte{0, 1})...), "0xdd"},
		{"restart markers", insert(end, 0xff, RST0), "a marker"},
		{"bytes between segments", insert(2, []byte("hello")...), "between"},
		{"fill bytes", insert(sof, 0xff), "between"},
		{"fill bytes before the end", insert(end, 0xff), "a marker"},
		{"no end", good[:end], "end marker"},
		{"no frame", slices.Concat(good[:sof], good[dht:]), "0xc0 belongs"},
		{"two frames", slices.Concat(good[:dht], good[sof:]), "0xc4 belongs"},
		{"two scans", slices.Concat(good[:end], good[sos:]), "a marker"},
		{"progressive", change(sof+1, SOF2), "0xc2"},
		{"12 bits", change(sof+4, 12), "frame header"},
		{"no height", bytes.Replace(good, []byte{8, 0, 160}, []byte{8, 0, 0}, 1), "240 x 0"},
		{"a size that its scan cannot hold", bytes.Replace(good, []byte{8, 0, 160, 0, 240}, []byte{8, 0x70, 0, 0x70, 0}, 1), "cannot hold"},
		{"4:2:2", change(sof+11, 0x21), "frame header"},
		{"a colour table for the brightness", change(sof+12, 1), "frame header"},
		{"a frame without components", slices.Concat(good[:sof], appendSegment(nil, SOF0, []byte{8, 0, 1, 0, 1, 0}), good[dht:]), "frame header"},
		{"a short frame", slices.Concat(good[:sof], appendSegment(nil, SOF0, []byte{8}), good[dht:]), "too short"},
		{"a step of its own", change(20, good[20]^1), "no quality"},
		{"tables of two qualities", slices.Concat(good[:6+65], gray[6:][:0], []byte{1}, quantBody(stepTables(89))[66:], good[sof:]), "no quality"},
		{"a third table", slices.Concat(good[:2], appendSegment(nil, DQT, make([]byte, 195)), good[sof:]), "no quality"},
		{"a table too few", slices.Concat(good[:2], gray[2:][:69], good[sof:]), "no quality"},
		{"the scan header of gray", slices.Concat(good[:sos], appendSegment(nil, SOS, scanBody(true)), good[end:]), "scan header"},
		{"no codes", codes(nil), "not where it belongs"},
		{"codes too few", codes(body[:len(body)/2]), "Huffman codes"},
		{"a code too many", codes(slices.Concat(body, body[:40])), "behind the Huffman codes"},
		{"an empty code", codes(slices.Concat(make([]byte, 17), body)), "do not make a code"},
		{"a code with all words", codes(slices.Concat([]byte{0, 2}, make([]byte, 15), []byte{0, 1}, body)), "do not make a code"},
		{"a code with a word to spare", codes(slices.Concat([]byte{0, 0, 2}, make([]byte, 14), []byte{0, 1}, body)), "do not make a code"},
		{"symbols out of order", codes(slices.Concat([]byte{0, 0, 3}, make([]byte, 14), []byte{2, 1, 3}, body)), "out of order"},
		{"a symbol twice", codes(slices.Concat([]byte{0, 0, 3}, make([]byte, 14), []byte{1, 1, 2}, body)), "0x1 does not belong"},
		{"a magnitude of 16 bits", codes(slices.Concat([]byte{0, 0, 3}, make([]byte, 14), []byte{1, 2, 12}, body)), "0xc does not belong"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := Verify(row.data)
			if row.want == "" && err != nil {
				t.Errorf("got %v, want no error", err)
			}
			if row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(Encode(planesOf(paintScene(8, 8), Full), 90))
	f.Add(Encode(planesOf(paintScene(17, 9), Halved), 50))
	f.Add(Encode(planesOf(paintGray(8, 8), Halved), 90))
	f.Fuzz(func(t *testing.T, data []byte) {
		width, height, err := Verify(data)
		if err != nil {
			return
		}
		c, err := stdjpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.Width != width || c.Height != height || !bytes.HasSuffix(data, []byte{0xff, EOI}) {
			t.Errorf("passed as %d x %d, but a decoder says %+v and %v", width, height, c, err)
		}
	})
}

// Codes of T.81, K.2: what counts they make is known from the book's procedure.
func TestHuffmanCode(t *testing.T) {
	rows := []struct {
		name   string
		counts map[byte]int
		want   string
	}{
		{"one symbol", map[byte]int{5: 1000}, "1:[5]"},
		{"two", map[byte]int{5: 1000, 3: 10}, "1:[5] 2:[3]"},
		{"four alike", map[byte]int{1: 9, 2: 9, 3: 9, 4: 9}, "2:[1 2 3] 3:[4]"},
		{"each half of the one before", map[byte]int{0: 32, 1: 16, 2: 8, 3: 4, 4: 2}, "1:[0] 2:[1] 3:[2] 4:[3] 5:[4]"},
	}
	for _, row := range rows {
		var counts histogram
		for symbol, n := range row.counts {
			counts[symbol] = n
		}
		code := newHuffmanCode(&counts)
		var got []string
		rest := code.symbols
		for i, n := range code.counts {
			if n > 0 {
				got = append(got, fmt.Sprintf("%d:%v", i+1, rest[:n]))
			}
			rest = rest[n:]
		}
		if s := strings.Join(got, " "); s != row.want {
			t.Errorf("%s: got %s, want %s", row.name, s, row.want)
		}
	}
}

// Counts that grow like Fibonacci's numbers want the longest words there are.
func TestHuffmanCodeKeepsToSixteenBits(t *testing.T) {
	var counts histogram
	a, b := 1, 1
	for symbol := range 40 {
		counts[symbol] = a
		a, b = b, a+b
	}
	code := newHuffmanCode(&counts)
	if len(code.symbols) != 40 || code.counts[longest-1] == 0 {
		t.Errorf("got %d symbols in %v, want 40 with some of 16 bits", len(code.symbols), code.counts)
	}
	symbols := make([]byte, 0, 40)
	for i := range 40 { // as legal ones, so that the rest is what is judged
		symbols = append(symbols, byte(i%16<<4|(1+i/16)))
	}
	at := 0
	for _, n := range code.counts {
		slices.Sort(symbols[at : at+int(n)])
		at += int(n)
	}
	if err := verifyCode(code.counts[:], symbols, true); err != nil {
		t.Error(err)
	}
}
