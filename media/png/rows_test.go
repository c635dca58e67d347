package png

import (
	"bytes"
	"context"
	"errors"
	stdpng "image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// suite returns the files of PngSuite by name.
func suite(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(mediatest.Photos(t), "png", "*.png"))
	if err != nil || len(names) < 170 {
		t.Fatalf("%d files and %v, want about 176", len(names), err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestPngSuite(t *testing.T) {
	for name, file := range suite(t) {
		if strings.HasPrefix(name, "x") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			want, err := stdpng.Decode(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			i, err := parse(file)
			if err != nil {
				t.Fatal(err)
			}
			mediatest.SameRows(t, whole(t, i), wanted(want, i.Channels()))
		})
	}
}

// What is wrong with the others is their signature or a chunk's checksum, which
// are looked at before.
func TestBrokenPngSuite(t *testing.T) {
	for name, file := range suite(t) {
		if !slices.Contains([]string{"xc1n0g08.png", "xc9n2c08.png", "xd0n2c08.png", "xd3n2c08.png", "xd9n2c08.png", "xdtn0g01.png"}, name) {
			continue
		}
		i, err := parse(file)
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := read(t, i); errors.Is(err, io.EOF) || len(rows) > 0 {
			t.Errorf("%s: got %d rows and %v, want an error and none", name, len(rows), err)
		}
	}
}

func TestEveryKind(t *testing.T) {
	sizes := [][2]int{{1, 1}, {2, 3}, {3, 2}, {4, 5}, {5, 4}, {7, 9}, {8, 8}, {33, 17}}
	for name, i := range kinds() {
		t.Run(name, func(t *testing.T) {
			for seed, size := range sizes {
				for _, i.Interlaced = range []bool{false, true} {
					i.Width, i.Height = size[0], size[1]
					picture := i.noise(uint64(seed))
					want, err := stdpng.Decode(bytes.NewReader(picture.file()))
					if err != nil {
						t.Fatal(err)
					}
					mediatest.SameRows(t, whole(t, picture), wanted(want, i.Channels()))
				}
			}
		})
	}
}

// Noise hardly ever meets a transparent colour of more than 8 bits.
func TestTransparentColours(t *testing.T) {
	row := func(raw ...byte) [][]byte { return [][]byte{deflate(append([]byte{filterNone}, raw...))} }
	for name, test := range map[string]struct {
		image Image
		want  []uint16
	}{
		"1 bit":            {Image{Width: 2, Depth: 1, Colour: gray, Transparent: []byte{0, 1}, Data: row(0b01000000)}, []uint16{0, 0xffff, 0xffff, 0}},
		"2 bits":           {Image{Width: 3, Depth: 2, Colour: gray, Transparent: []byte{0, 2}, Data: row(0b01101100)}, []uint16{0x5555, 0xffff, 0xaaaa, 0, 0xffff, 0xffff}},
		"1 bit, never":     {Image{Width: 2, Depth: 1, Colour: gray, Transparent: []byte{0, 2}, Data: row(0b01000000)}, []uint16{0, 0xffff, 0xffff, 0xffff}},
		"8 bits, high too": {Image{Width: 2, Depth: 8, Colour: gray, Transparent: []byte{9, 7}, Data: row(7, 9)}, []uint16{0x707, 0, 0x909, 0xffff}},
		"16 bits":          {Image{Width: 2, Depth: 16, Colour: gray, Transparent: []byte{1, 2}, Data: row(1, 2, 2, 2)}, []uint16{0x102, 0, 0x202, 0xffff}},
		"RGB": {
			Image{Width: 2, Depth: 8, Colour: rgb, Transparent: []byte{0, 1, 0, 2, 0, 3}, Data: row(1, 2, 3, 1, 2, 4)},
			[]uint16{0x101, 0x202, 0x303, 0, 0x101, 0x202, 0x404, 0xffff},
		},
		"RGB, 16 bits": {
			Image{Width: 2, Depth: 16, Colour: rgb, Transparent: []byte{0, 1, 0, 2, 0, 3}, Data: row(0, 1, 0, 2, 0, 3, 0, 1, 0, 2, 1, 3)},
			[]uint16{1, 2, 3, 0, 1, 2, 0x103, 0xffff},
		},
		"palette": {
			Image{Width: 3, Depth: 4, Colour: paletted, Palette: []byte{1, 2, 3, 4, 5, 6}, Transparent: []byte{7}, Data: row(0x01, 0x20)},
			[]uint16{0x101, 0x202, 0x303, 0x707, 0x404, 0x505, 0x606, 0xffff, 0, 0, 0, 0xffff},
		},
	} {
		test.image.Height = 1
		want, err := stdpng.Decode(bytes.NewReader(test.image.file()))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := whole(t, test.image)
		if !slices.Equal(got[0], test.want) {
			t.Errorf("%s: got %x, want %x", name, got[0], test.want)
		}
		mediatest.SameRows(t, got, wanted(want, test.image.Channels()))
	}
}

func TestChannels(t *testing.T) {
	want := map[byte][2]int{gray: {1, 2}, rgb: {3, 4}, paletted: {3, 4}, grayAlpha: {2, 2}, rgbAlpha: {4, 4}}
	for colour, n := range want {
		for i, transparent := range [][]byte{nil, {0, 0, 0, 0, 0, 0}} {
			if got := (Image{Colour: colour, Transparent: transparent}).Channels(); got != n[i] {
				t.Errorf("colour type %d, tRNS %v: got %d, want %d", colour, transparent, got, n[i])
			}
		}
	}
}

// Code tables are made anew for every block of zlib's, and are garbage soon:
// zeros have only a few blocks.
func TestMemoryIsWhatIsAllocated(t *testing.T) {
	const slack = 32 << 10
	for name, i := range kinds() {
		for _, i.Interlaced = range []bool{false, true} {
			i.Width, i.Height = 1000, 100
			i.Data = [][]byte{deflate(make([]byte, i.rowBytes(i.Width+8)*int64(i.Height*2)))}
			rows := i.Open()
			dst := make([]uint16, i.Width*i.Channels())
			got := mediatest.Allocated(func() {
				for range i.Height {
					if err := rows.Read(t.Context(), dst); err != nil {
						t.Fatal(err)
					}
				}
			})
			if want := i.Memory(); got > want || got < want-slack {
				t.Errorf("%s, interlaced %v: %d bytes allocated, and Memory says %d", name, i.Interlaced, got, want)
			}
		}
	}
}

func TestMemoryOfLargePictures(t *testing.T) {
	for name, test := range map[string]struct {
		image    Image
		min, max int64
	}{
		"100 megapixels":               {Image{Width: 10000, Height: 10000, Depth: 8, Colour: rgb}, 60000, 200000},
		"100 megapixels, 1 bit":        {Image{Width: 10000, Height: 10000, Depth: 1, Interlaced: true}, 12_500_000, 12_600_000},
		"more than can be":             {Image{Width: 1<<31 - 1, Height: 1<<31 - 1, Depth: 16, Colour: rgbAlpha, Interlaced: true}, 1<<63 - 1, 1<<63 - 1},
		"no colour type that there is": {Image{Width: 10, Height: 10, Depth: 8, Colour: 5, Interlaced: true}, 0, 200000},
	} {
		if got := test.image.Memory(); got < test.min || got > test.max {
			t.Errorf("%s: got %d bytes, want %d to %d", name, got, test.min, test.max)
		}
	}
}

// The context ends reading wherever that is: before a row, within the passes of
// an interlaced picture, of which no part is given then, and within a row whose
// data unfold to nothing.
func TestContextEnds(t *testing.T) {
	plain := raw(deflate(make([]byte, 20)))
	interlaced := Image{Width: 20, Height: 40, Depth: 8, Colour: gray, Interlaced: true}.noise(1)
	stored := slices.Concat([]byte{0x78, 1}, bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 40000))
	for name, test := range map[string]struct {
		image       Image
		asked, rows int
	}{
		"before the first row": {plain, 0, 0},
		"between rows":         {plain, 3, 2}, // asked for the one chunk, too
		"between passes":       {interlaced, 60, 0},
		"within a row":         {raw(stored), 20, 0},
	} {
		ctx := &mediatest.Countdown{Context: t.Context(), Left: test.asked}
		rows := test.image.Open()
		row := make([]uint16, test.image.Width)
		n := 0
		var err error
		for ; err == nil; n++ {
			err = rows.Read(ctx, row)
		}
		if n--; n != test.rows || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %d rows and %v, want %d and that the deadline is over", name, n, err, test.rows)
		}
		if err := rows.Read(t.Context(), row); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: then got %v, want the same error", name, err)
		}
	}
}

func TestTooLittleRoom(t *testing.T) {
	i := Image{Width: 20, Height: 1, Depth: 8, Colour: rgb}.noise(1)
	rows := i.Open()
	if err := rows.Read(t.Context(), make([]uint16, 59)); err == nil {
		t.Error("got no error, want one: a row has 60 values")
	}
	if err := rows.Read(t.Context(), make([]uint16, 60)); err != nil {
		t.Errorf("got %v, want the row", err)
	}
}
