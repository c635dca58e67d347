package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// smallFilms are small files in every process.
func smallFilms() map[string][]byte {
	restarting := newFilm(SOF0, 33, 40, 0x22, 0x11, 0x11)
	restarting.interval = 2
	stepping := newFilm(SOF2, 33, 40, 0x21, 0x11, 0x11)
	stepping.interval = 3
	return map[string][]byte{
		"baseline":                   newFilm(SOF0, 33, 40, 0x22, 0x11, 0x11).whole(true),
		"baseline, gray":             newFilm(SOF0, 33, 40, 0x11).whole(true),
		"baseline with restarts":     restarting.whole(true),
		"by component":               newFilm(SOF0, 33, 40, 0x22, 0x11, 0x11).whole(false),
		"progressive":                newFilm(SOF2, 33, 40, 0x22, 0x11, 0x11).progressive(),
		"progressive with restarts":  stepping.progressive(),
		"progressive with few codes": newFilm(SOF2, 9, 9, 0x11).begin().scan(0, 0, 0, 0, 0).scan(1, 63, 0, 0, 0).end(),
	}
}

// A cut anywhere gives the rows that can be had and then ErrCutOff; never more
// rows for less data, and never the end of a picture that is not whole.
func TestCuts(t *testing.T) {
	for name, data := range smallFilms() {
		t.Run(name, func(t *testing.T) {
			want, err := decodeRows(t, data)
			if err != nil {
				t.Fatal(err)
			}
			before := 0
			for end := range len(data) + 1 {
				got, err := decodeRows(t, data[:end])
				if len(got) < before {
					t.Errorf("cut to %d of %d bytes: got %d rows, but %d for one byte less", end, len(data), len(got), before)
				}
				before = len(got)
				if err == nil {
					checkRows(t, got, want, 0)
				} else if !errors.Is(err, ErrCutOff) {
					t.Errorf("cut to %d of %d bytes: got %v, want ErrCutOff", end, len(data), err)
				}
				if data[len(data)-2] == 0xff && end >= len(data)-2 && err != nil {
					t.Errorf("got %v for want of an end marker only", err)
				}
				if n := len(got) - 1; n > 0 && name[0] == 'b' { // the last row has no context
					checkRows(t, got[:n], want[:n], 0)
				}
			}
			if before != len(want) {
				t.Errorf("got %d rows in the end, want %d", before, len(want))
			}
		})
	}
}

// A program that mends a cut file with an end marker mends nothing. Only where
// a progressive picture is cut between two scans it looks like one of less
// precision.
func TestCutsWithAnEndMarker(t *testing.T) {
	for name, data := range smallFilms() {
		want, err := decodeRows(t, data)
		if err != nil {
			t.Fatal(err)
		}
		for end := 2; end < len(data)-2; end++ {
			got, err := decodeRows(t, append(slices.Clone(data[:end]), 0xff, EOI))
			if err == nil && name[0] == 'b' {
				checkRows(t, got, want, 0)
			}
			if err == nil && len(got) != len(want) {
				t.Errorf("%s, cut to %d bytes: got %d rows and the end of the picture, want %d", name, end, len(got), len(want))
			}
		}
	}
}

// Whatever a byte becomes, the decoder ends: with all rows, or with an error.
func TestChangedBytes(t *testing.T) {
	withoutRace(t)
	for name, data := range smallFilms() {
		for at := range data {
			for _, mask := range []byte{1 << (at % 8), 0xff} {
				changed := slices.Clone(data)
				changed[at] ^= mask
				d, err := NewDecoder(changed)
				if err != nil || d.Memory() > 1<<17 {
					continue
				}
				rows, err := decodeRows(t, changed)
				if _, height := d.Size(); len(rows) > height || err == nil && len(rows) < height {
					t.Fatalf("%s, byte %d ^ %#x: got %d rows of %d and %v", name, at, mask, len(rows), height, err)
				}
			}
		}
	}
}

// What a damaged file still gives.
func TestDamage(t *testing.T) {
	f := newFilm(SOF0, 64, 64, 0x11, 0x11, 0x11)
	f.interval = 4
	restarts := f.whole(true)
	marker := func(n byte) int { return bytes.Index(restarts, []byte{0xff, RST0 + n}) }
	swapped := slices.Clone(restarts)
	swapped[marker(4)+1] = RST0 + 5
	f.interval = 0
	g := newFilm(SOF2, 64, 64, 0x11, 0x11, 0x11)
	dc := g.begin().scan(0, 0, 0, 0, 0, 1, 2).out
	fine := g.scan(1, 63, 0, 0, 0).scan(1, 63, 0, 0, 1).out
	long := newFilm(SOF2, 64, 64, 0x11)
	long.begin().scan(0, 0, 0, 0, 0)
	for i := range long.planes[0].coefs {
		long.planes[0].coefs[i] = 0
	}
	run := long.scan(1, 63, 0, 0, 0).end()
	short := newFilm(SOF0, 16, 16, 0x11).whole(true)
	longer := resized(run, 56, 64)
	rows := []struct {
		name string
		data []byte
		rows int
		want error
	}{
		{"a restart marker is another", swapped, 16, errRestart},
		{"a restart interval is missing", slices.Delete(slices.Clone(restarts), marker(2), marker(3)), 8, errRestart},
		{"stray bytes before a restart marker", slices.Insert(slices.Clone(restarts), marker(1), 0, 0), 64, nil},
		{"zeros behind the last interval", slices.Insert(slices.Clone(restarts), len(restarts)-2, 0, 0, 0), 64, nil},
		{"a restart marker behind the last interval", slices.Insert(slices.Clone(restarts), len(restarts)-2, 0xff, RST7), 64, nil},
		{"averages only, and an end marker", append(slices.Clone(dc), 0xff, EOI), 64, nil},
		{"averages only", dc, 64, ErrCutOff},
		{"one component without fine coefficients", fine, 64, ErrCutOff},
		{"cut in the second scan", fine[:len(dc)+100], 64, ErrCutOff},
		{"empty scans", append(slices.Clone(dc), 0xff, SOS, 0, 8, 1, 1, 0, 1, 63, 0, 0xff, EOI), 64, ErrCutOff},
		{"a restart marker where none belongs", slices.Insert(slices.Clone(short), len(short)-10, 0xff, RST0), 8, errRestart},
		{"an end marker too early", resized(short, 24, 16), 16, ErrCutOff},
		{"a run over all blocks", run, 64, nil},
		{"a run over more blocks", longer, 56, errRun},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := decodeRows(t, row.data)
			if len(got) != row.rows || !errors.Is(err, row.want) {
				t.Errorf("got %d rows and %v, want %d and %v", len(got), err, row.rows, row.want)
			}
		})
	}
}

// resized is a file that says another size.
func resized(data []byte, height, width byte) []byte {
	sof := max(bytes.Index(data, []byte{0xff, SOF0}), bytes.Index(data, []byte{0xff, SOF2}))
	data = slices.Clone(data)
	copy(data[sof+5:], []byte{0, height, 0, width})
	return data
}

// What can be had of a cut picture is just what a lower one would be: nothing is
// smoothed with what is missing.
func TestCutIsLikeALowerPicture(t *testing.T) {
	data := newFilm(SOF0, 33, 100, 0x22, 0x11, 0x11).whole(true)
	got, err := decodeRows(t, data[:len(data)*3/4])
	if len(got) != 64 || !errors.Is(err, ErrCutOff) {
		t.Fatalf("got %d rows and %v, want 64 and ErrCutOff", len(got), err)
	}
	want, err := decodeRows(t, resized(data, 64, 33))
	if err != nil {
		t.Fatal(err)
	}
	checkRows(t, got, want, 0)
}

// Of the last scan only half came: that half can be had, in whole MCUs.
func TestCutLastComponent(t *testing.T) {
	f := newFilm(SOF0, 64, 128, 0x22, 0x11, 0x11)
	f.begin().scan(0, 63, 0, 0, 1).scan(0, 63, 0, 0, 2)
	before := len(f.out)
	f.scan(0, 63, 0, 0, 0)
	got, err := decodeRows(t, f.out[:(before+len(f.out))/2])
	if len(got)%16 != 0 || len(got) < 32 || len(got) > 80 || !errors.Is(err, ErrCutOff) {
		t.Fatalf("got %d rows and %v, want about 64 and ErrCutOff", len(got), err)
	}
	checkRows(t, got[:len(got)-1], f.reference()[:len(got)-1], 1)
}

// A scan that breaks off spoils its component, and the others still come: what
// is whole in all of them can be had.
func TestBrokenScans(t *testing.T) {
	f := newFilm(SOF0, 64, 64, 0x11, 0x11, 0x11)
	want := f.reference()
	f.begin().scan(0, 63, 0, 0, 0)
	half := (len(f.out) + bytes.Index(f.out, []byte{0xff, SOS})) / 2
	f.out = slices.Concat(f.out[:half], []byte{0xff, COM, 0, 2}) // no end of the data, but of the scan
	got, err := decodeRows(t, f.scan(0, 63, 0, 0, 1).scan(0, 63, 0, 0, 2).end())
	if err == nil || errors.Is(err, ErrCutOff) || len(got) < 16 || len(got) > 48 {
		t.Fatalf("got %d rows and %v, want about half and an error of its own", len(got), err)
	}
	checkRows(t, got, want[:len(got)], 1)
}

func TestRefusedFiles(t *testing.T) {
	whole := newFilm(SOF0, 16, 16, 0x11, 0x11, 0x11).whole(true)
	sof, sos := bytes.Index(whole, []byte{0xff, SOF0}), bytes.Index(whole, []byte{0xff, SOS})
	change := func(at int, to byte) []byte {
		b := slices.Clone(whole)
		b[at] = to
		return b
	}
	rows := []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "cut off"},
		{"something else", []byte("GIF89a"), "no start"},
		{"start and end", []byte{0xff, SOI, 0xff, EOI}, "no picture"},
		{"no scan", append(slices.Clone(whole[:sos]), 0xff, EOI), "no picture"},
		{"no height", change(sof+6, 0), "16 x 0 pixels"},
		{"12 bits", change(sof+4, 12), "12 bits"},
		{"arithmetic coding", change(sof+1, 0xc9), "arithmetic"},
		{"two components of one name", change(sof+13, 1), "one name"},
		{"no such component", change(sos+5, 9), "no component"},
		{"a component twice", change(sos+7, 1), "twice"},
		{"no such Huffman table", change(sos+6, 0x22), "without its Huffman"},
		{"a fifth Huffman table", change(sos+6, 0x44), "scan header"},
		{"no such quantisation table", change(sof+12, 3), "without a quantisation"},
		{"a frame with a wrong length", change(sof+9, 2), "wrong length"},
		{"a shift by 14 bits", newFilm(SOF2, 8, 8, 0x11).begin().scan(0, 0, 0, 14, 0).end(), "scan header"},
		{"two frames", slices.Insert(slices.Clone(whole), sos, whole[sof:sof+19]...), "second frame"},
		{"too many blocks", newFilm(SOF0, 16, 16, 0x44, 0x44, 0x44).begin().scan(0, 63, 0, 0, 0, 1, 2).end(), "48 blocks"},
		{"Huffman codes that overlap", bytes.Replace(whole, []byte(flatTable()[:16]), []byte{0, 5, 15: 251}, 1), "Huffman table"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d, err := NewDecoder(row.data)
			if d != nil || err == nil || !bytes.Contains([]byte(err.Error()), []byte(row.want)) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
		})
	}
}

// The header of a picture of any size is read for nothing.
func TestHeaderAllocatesNothing(t *testing.T) {
	f := newFilm(SOF2, 16, 16, 0x22, 0x11, 0x11)
	f.Width, f.Height = 65535, 65535
	data := f.begin().out
	data = append(data, fmt.Sprintf("\xff\xda\x00\x08\x01\x01\x00%c\x00\x00\xff\xd9", 0)...)
	d, err := NewDecoder(data)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.Memory(), int64(65536*65536*3); got < want {
		t.Errorf("got %d bytes to be allocated, want more than %d", got, want)
	}
	if n := testing.AllocsPerRun(3, func() { _, _ = NewDecoder(data) }); n > 20 {
		t.Errorf("got %.0f allocations, want a few", n)
	}
}
