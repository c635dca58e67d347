package gif

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	stdgif "image/gif"
	"io"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// some are a few frames, small enough to be damaged at every byte.
func some() map[string]Frame {
	all := map[string]Frame{}
	for name, f := range map[string]Frame{"1 bit": frame(13, 21, 1), "4 bits": frame(7, 20, 4), "8 bits": frame(5, 19, 8)} {
		all[name] = f
		f.Interlaced, f.Transparent = true, 1
		all[name+", interlaced"] = f
	}
	return all
}

// source is, for each row, the rows that may stand for it, best first: its own,
// then the last ones above it of earlier and earlier passes. turn is the place
// of each row in the file.
func source(height int) (rows [][]int, turn map[int]int) {
	turn = map[int]int{}
	passOf := map[int]int{}
	for n, p := range [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}} {
		for y := p[0]; y < height; y += p[1] {
			turn[y], passOf[y] = len(turn), n
		}
	}
	rows = make([][]int, height)
	for y := range height {
		rows[y] = []int{y}
		for above, least := y-1, passOf[y]; above >= 0 && least > 0; above-- {
			if passOf[above] < least {
				rows[y], least = append(rows[y], above), passOf[above]
			}
		}
	}
	return rows, turn
}

func TestCutAtEveryByte(t *testing.T) {
	for name, f := range some() {
		t.Run(name, func(t *testing.T) {
			want := whole(t, f)
			data := f.Data
			before := 0
			for n := range data {
				f.Data = data[:n]
				got, err := read(t, f)
				if !errors.Is(err, ErrCutOff) {
					t.Fatalf("the first %d bytes: got %v, want ErrCutOff", n, err)
				}
				if len(got) < before {
					t.Fatalf("the first %d bytes: %d rows, and %d with one byte less", n, len(got), before)
				}
				before = len(got)
				if !f.Interlaced {
					mediatest.SameRows(t, got, want)
				}
			}
			if before != f.Height {
				t.Errorf("without the last byte %d rows, want %d", before, f.Height)
			}
		})
	}
}

// Every row is there and a stand-in for each that is missing, however many rows
// were read of an interlaced frame.
func TestInterlacedAndCutOff(t *testing.T) {
	const width = 3
	for _, height := range []int{1, 3, 7, 8, 20, 33} {
		indexes := noise(width*height, 256)
		f := Frame{Width: width, Height: height, Interlaced: true, Palette: noise(768, 256), Transparent: -1}
		f.Data = pack(indexes, 8, 255)
		want := whole(t, f)
		candidates, turn := source(height)
		for n := range height {
			f.Data = pack(indexes[:n*width], 8, 255)
			got, err := read(t, f)
			if !errors.Is(err, errTooLittle) || len(got) != min(height, 8*n) {
				t.Fatalf("%d of %d rows: got %d and %v, want %d and %v", n, height, len(got), err, min(height, 8*n), errTooLittle)
			}
			for y, row := range got {
				at := slices.IndexFunc(candidates[y], func(from int) bool { return turn[from] < n })
				if from := candidates[y][at]; !slices.Equal(row, want[from]) {
					t.Fatalf("%d of %d rows: row %d is %v, want that of row %d, %v", n, height, y, row, from, want[from])
				}
			}
		}
	}
}

// sameAsStandard compares verdict and pixels with those of image/gif.
func sameAsStandard(t *testing.T, f Frame) {
	t.Helper()
	want, wantErr := stdgif.Decode(bytes.NewReader(f.file()))
	got, err := read(t, f)
	if (wantErr == nil) != errors.Is(err, io.EOF) {
		t.Fatalf("got %v, and image/gif says %v: %+v", err, wantErr, f)
	}
	if wantErr == nil {
		if len(got) != f.Height {
			t.Fatalf("got %d rows, want %d", len(got), f.Height)
		}
		mediatest.SameRows(t, got, wanted(want, f.Channels()))
	}
}

func TestEveryByteFlipped(t *testing.T) {
	for name, f := range some() {
		t.Run(name, func(t *testing.T) {
			data := f.Data
			for at := range data {
				for _, flip := range []byte{1, 0x10, 0xff} {
					f.Data = slices.Clone(data)
					f.Data[at] ^= flip
					sameAsStandard(t, f)
				}
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	indexes := make([]byte, 16)
	bad := slices.Clone(indexes)
	bad[9] = 3
	good := pack(indexes, 2, 255)
	open := good[:len(good)-1] // without the empty block
	for name, test := range map[string]struct {
		data []byte
		rows int
		want error // nil where any will do
	}{
		"whole":                               {good, 4, io.EOF},
		"bytes behind the empty block":        {append(slices.Clone(good), 9, 9, 9), 4, io.EOF},
		"blocks of one byte":                  {pack(indexes, 2, 1), 4, io.EOF},
		"a block of one byte too many":        {append(slices.Clone(open), 1, 77, 0), 4, io.EOF},
		"a block of two bytes too many":       {append(slices.Clone(open), 2, 77, 77, 0), 4, ErrTooMuch},
		"two blocks of one byte too many":     {append(slices.Clone(open), 1, 77, 1, 77, 0), 4, ErrTooMuch},
		"the rest of a block too many":        {lengthen(good), 4, io.EOF},
		"the rest of a block and another":     {append(lengthen(open), 1, 77, 0), 4, ErrTooMuch},
		"a row too many":                      {pack(make([]byte, 20), 2, 255), 4, ErrTooMuch},
		"a pixel too many":                    {pack(make([]byte, 17), 2, 255), 4, ErrTooMuch},
		"a pixel too few":                     {pack(make([]byte, 15), 2, 255), 3, errTooLittle},
		"no blocks":                           {[]byte{2, 0}, 0, errTooLittle},
		"no empty block":                      {open, 4, ErrCutOff},
		"no empty block, and a block is due":  {append(slices.Clone(open), 3), 4, ErrCutOff},
		"no more than the code size":          {[]byte{2}, 0, ErrCutOff},
		"a code that cannot be":               {[]byte{2, 1, 0xff, 0}, 0, nil},
		"a colour beyond the table, in row 3": {pack(bad, 2, 255), 2, nil},
	} {
		f := Frame{Width: 4, Height: 4, Palette: make([]byte, 6), Transparent: -1, Data: test.data}
		rows, err := read(t, f)
		if len(rows) != test.rows || (test.want != nil && !errors.Is(err, test.want)) || (test.want == nil && errors.Is(err, io.EOF)) {
			t.Errorf("%s: got %d rows and %v, want %d and %v", name, len(rows), err, test.rows, test.want)
		}
		sameAsStandard(t, f)
	}
}

// lengthen adds two bytes to the first and only block.
func lengthen(data []byte) []byte {
	end := 2 + int(data[1])
	longer := slices.Concat(data[:end], []byte{77, 77}, data[end:])
	longer[1] += 2
	return longer
}

// giflib writes GIFs without an end code.
func TestNoEndCode(t *testing.T) {
	// Codes 4, which is clear, 1, 0 and 1 of three bits, and 0 of four. An end
	// code would be 5.
	f := Frame{Width: 4, Height: 1, Palette: []byte{1, 1, 1, 2, 2, 2}, Transparent: -1, Data: []byte{2, 2, 0x0c, 0x02, 0}}
	one, two := uint16(0x101), uint16(0x202)
	if got, want := whole(t, f)[0], []uint16{two, two, two, one, one, one, two, two, two, one, one, one}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	sameAsStandard(t, f)
}

// A frame of 16 pixels whose data unfolds to 5 million costs no more than one
// of 16 whose data does not: what lies behind is not unpacked.
func TestBomb(t *testing.T) {
	f := Frame{Width: 4, Height: 4, Palette: make([]byte, 6), Transparent: -1, Data: pack(make([]byte, 5<<20), 2, 255)}
	for _, f.Interlaced = range []bool{false, true} {
		rows := f.Open()
		var err error
		got := mediatest.Allocated(func() {
			for dst := make([]uint16, 12); err == nil; {
				err = rows.Read(t.Context(), dst)
			}
		})
		if !errors.Is(err, ErrTooMuch) || got > f.Memory()+1000 {
			t.Errorf("got %v and %d bytes allocated, want %v and at most %d", err, got, ErrTooMuch, f.Memory())
		}
		if left := len(rows.blocks.data); left < len(f.Data)-8<<10 {
			t.Errorf("%d of %d bytes were not read, want all but a few", left, len(f.Data))
		}
	}
}

// FuzzGIF compares with image/gif: the same verdict and the same pixels. Data is
// read as it is, or packed before, so that noise gets as far as the pixels.
func FuzzGIF(f *testing.F) {
	for _, s := range some() {
		f.Add(uint8(s.Width), uint8(s.Height), uint8(3), s.Interlaced, int16(s.Transparent), s.Data, uint8(0))
	}
	for bits := range uint8(8) {
		f.Add(uint8(9), uint8(11), bits, true, int16(bits), noise(99, 2<<bits), bits+20)
	}
	f.Fuzz(func(t *testing.T, width, height, bits uint8, interlaced bool, transparent int16, data []byte, block uint8) {
		if width == 0 || height == 0 {
			return // an error here, and an empty picture to image/gif
		}
		bits = bits%8 + 1
		if block > 0 {
			for i := range data {
				data[i] &= 1<<max(2, bits) - 1
			}
			data = pack(data, int(max(2, bits)), int(block))
		}
		sameAsStandard(t, Frame{
			Width: int(width), Height: int(height), Interlaced: interlaced,
			Palette: noise(3<<bits, 256), Transparent: max(-1, int(transparent%256)), Data: data,
		})
	})
}

// The same picture of 12 megapixels through here and through image/gif.
func BenchmarkRead(b *testing.B) {
	p := image.NewPaletted(image.Rect(0, 0, 4000, 3000), make(color.Palette, 256))
	for i := range p.Pix {
		p.Pix[i] = byte(i%4000*(i/4000)>>12&31 + i*i>>9&3)
	}
	f := Frame{Width: 4000, Height: 3000, Palette: noise(768, 256), Transparent: -1, Data: pack(p.Pix, 8, 255)}
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		dst := make([]uint16, f.Width*3)
		for b.Loop() {
			rows := f.Open()
			for range f.Height {
				if err := rows.Read(b.Context(), dst); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("image/gif", func(b *testing.B) {
		b.ReportAllocs()
		file := f.file()
		for b.Loop() {
			if _, err := stdgif.Decode(bytes.NewReader(file)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
