package png

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"image"
	stdpng "image/png"
	"io"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// some are a few kinds, small enough to be damaged at every byte.
func some() map[string]Image {
	kinds := map[string]Image{
		"1 bit":           {Depth: 1, Colour: gray},
		"2 bits, palette": {Depth: 2, Colour: paletted, Palette: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, Transparent: []byte{9}},
		"RGB":             {Depth: 8, Colour: rgb, Transparent: make([]byte, 6)},
		"alpha, 16 bits":  {Depth: 16, Colour: grayAlpha},
	}
	all := map[string]Image{}
	for name, i := range kinds {
		i.Width, i.Height = 7, 19
		all[name] = i.noise(5)
		i.Interlaced = true
		all[name+", interlaced"] = i.noise(6)
	}
	return all
}

// cut leaves the first n bytes of data, in its chunks.
func (i Image) cut(n int) Image {
	i.Data = split(bytes.Join(i.Data, nil)[:n], 100)
	return i
}

func TestCutAtEveryByte(t *testing.T) {
	for name, i := range some() {
		t.Run(name, func(t *testing.T) {
			want := whole(t, i)
			before := 0
			for n := range len(bytes.Join(i.Data, nil)) {
				got, err := read(t, i.cut(n))
				if !errors.Is(err, ErrCutOff) {
					t.Fatalf("the first %d bytes: got %v, want ErrCutOff", n, err)
				}
				if len(got) < before {
					t.Fatalf("the first %d bytes: %d rows, and %d with one byte less", n, len(got), before)
				}
				before = len(got)
				if i.Interlaced {
					mediatest.SameRows(t, got, i.loading(n, want))
				} else {
					mediatest.SameRows(t, got, want)
				}
			}
			if before != i.Height {
				t.Errorf("without the last byte %d rows, want %d", before, i.Height)
			}
		})
	}
}

// loading paints the picture as a browser does that has the first n bytes: each
// pixel fills its block until the next pass comes.
func (i Image) loading(n int, truth [][]uint16) [][]uint16 {
	canvas := make([][]uint16, i.Height)
	for y := range canvas {
		canvas[y] = slices.Clone(truth[y])
		clear(canvas[y])
	}
	packed := bytes.Join(i.Data, nil)[:n]
	unpacked, _ := io.ReadAll(flate.NewReader(bytes.NewReader(packed[min(2, n):])))
	left := int64(len(unpacked))
	for _, a := range adam7() {
		width := (i.Width - a.x + a.stepX - 1) / a.stepX
		for y := a.y; width > 0 && y < i.Height; y += a.stepY {
			if left -= 1 + i.rowBytes(width); left < 0 {
				return canvas
			}
			for x := a.x; x < i.Width; x += a.stepX {
				i.paint(canvas, image.Rect(x, y, x+a.blockX, y+a.blockY), truth[y])
			}
		}
	}
	return canvas
}

func (i Image) paint(canvas [][]uint16, block image.Rectangle, row []uint16) {
	n := i.Channels()
	for y := block.Min.Y; y < min(block.Max.Y, i.Height); y++ {
		for x := block.Min.X; x < min(block.Max.X, i.Width); x++ {
			copy(canvas[y][x*n:x*n+n], row[block.Min.X*n:])
		}
	}
}

// sameAsStandard compares verdict and pixels with those of image/png.
func sameAsStandard(t *testing.T, i Image) {
	t.Helper()
	want, wantErr := stdpng.Decode(bytes.NewReader(i.file()))
	got, err := read(t, i)
	if (wantErr == nil) != errors.Is(err, io.EOF) {
		t.Fatalf("got %v, and image/png says %v: %+v", err, wantErr, i)
	}
	if wantErr == nil {
		if len(got) != i.Height {
			t.Fatalf("got %d rows, want %d", len(got), i.Height)
		}
		mediatest.SameRows(t, got, wanted(want, i.Channels()))
	}
}

func TestEveryByteFlipped(t *testing.T) {
	for name, i := range some() {
		t.Run(name, func(t *testing.T) {
			data := bytes.Join(i.Data, nil)
			for at := range data {
				for _, flip := range []byte{1, 0xff} {
					spoilt := slices.Clone(data)
					spoilt[at] ^= flip
					i.Data = split(spoilt, 100)
					sameAsStandard(t, i)
				}
			}
		})
	}
}

// raw is a picture of 4 x 4 gray pixels with these bytes in its data.
func raw(data ...[]byte) Image { return Image{Width: 4, Height: 4, Depth: 8, Data: data} }

func TestVerdicts(t *testing.T) {
	pixels := deflate(make([]byte, 20))
	wrongSum := slices.Clone(pixels)
	wrongSum[len(wrongSum)-1]++
	dictionary := slices.Clone(pixels)
	dictionary[0], dictionary[1] = 0x78, 0x20
	filter := make([]byte, 20)
	filter[10] = 5
	for name, test := range map[string]struct {
		image Image
		rows  int
		want  error // nil where any will do
	}{
		"whole":                         {raw(pixels), 4, io.EOF},
		"empty chunks":                  {raw(nil, pixels, nil), 4, io.EOF},
		"a chunk too many":              {raw(pixels, pixels), 4, io.EOF},
		"a few bytes too many":          {raw(append(slices.Clone(pixels), 1, 2, 3)), 4, io.EOF},
		"many bytes too many":           {raw(append(slices.Clone(pixels), make([]byte, 5000)...)), 4, ErrTooMuch},
		"a pixel too many":              {raw(deflate(make([]byte, 21))), 4, ErrTooMuch},
		"a row too few":                 {raw(deflate(make([]byte, 15))), 3, errTooLittle},
		"a pixel too few":               {raw(deflate(make([]byte, 19))), 3, errTooLittle},
		"a checksum too few":            {raw(pixels[:len(pixels)-4]), 4, ErrCutOff},
		"a wrong checksum":              {raw(wrongSum), 4, nil},
		"an unknown filter in row 3":    {raw(deflate(filter)), 2, nil},
		"no data":                       {raw(), 0, ErrCutOff},
		"half a header":                 {raw(pixels[:1]), 0, ErrCutOff},
		"not zlib":                      {raw([]byte("GIF89a")), 0, nil},
		"a dictionary that nobody has":  {raw(dictionary), 0, nil},
		"stored, and a block too short": {raw([]byte{0x78, 1, 1, 20, 0, 235, 255, 0, 0, 0, 0, 0, 0}), 1, ErrCutOff},
	} {
		rows, err := read(t, test.image)
		if len(rows) != test.rows || (test.want != nil && !errors.Is(err, test.want)) || (test.want == nil && errors.Is(err, io.EOF)) {
			t.Errorf("%s: got %d rows and %v, want %d and %v", name, len(rows), err, test.rows, test.want)
		}
		sameAsStandard(t, test.image)
	}
}

func TestImagesThatMakeNoSense(t *testing.T) {
	for _, i := range []Image{
		{Width: 0, Height: 1, Depth: 8},
		{Width: 1, Height: -1, Depth: 8},
		{Width: 1, Height: 1, Depth: 3},
		{Width: 1, Height: 1, Depth: 8, Colour: 1},
		{Width: 1, Height: 1, Depth: 16, Colour: paletted, Palette: make([]byte, 3)},
		{Width: 1, Height: 1, Depth: 4, Colour: rgb},
		{Width: 1, Height: 1, Depth: 8, Colour: paletted},
		{Width: 1, Height: 1, Depth: 8, Colour: paletted, Palette: make([]byte, 4)},
		{Width: 1, Height: 1, Depth: 1, Colour: paletted, Palette: make([]byte, 9)},
		{Width: 1, Height: 1, Depth: 8, Colour: paletted, Palette: make([]byte, 3), Transparent: make([]byte, 257)},
		{Width: 1, Height: 1, Depth: 8, Colour: gray, Transparent: make([]byte, 1)},
		{Width: 1, Height: 1, Depth: 8, Colour: rgb, Transparent: make([]byte, 2)},
	} {
		for _, i.Interlaced = range []bool{false, true} {
			i.Data = [][]byte{deflate(make([]byte, 100))}
			if rows, err := read(t, i); len(rows) > 0 || errors.Is(err, io.EOF) {
				t.Errorf("%+v: got %d rows and %v, want none and an error", i, len(rows), err)
			}
			sameAsStandard(t, i)
		}
	}
}

// A picture of 16 pixels whose data unfolds to 20 million costs no more than one
// of 16 whose data does not: what lies behind is not unpacked.
func TestBomb(t *testing.T) {
	bomb := raw(deflate(make([]byte, 20<<20)))
	for _, bomb.Interlaced = range []bool{false, true} {
		rows := bomb.Open()
		var err error
		got := mediatest.Allocated(func() {
			for dst := make([]uint16, 4); err == nil; {
				err = rows.Read(t.Context(), dst)
			}
		})
		if !errors.Is(err, ErrTooMuch) || got > bomb.Memory()+1000 {
			t.Errorf("got %v and %d bytes allocated, want %v and at most %d", err, got, ErrTooMuch, bomb.Memory())
		}
		if left := len(rows.chunks.now); left < len(bomb.Data[0])-8<<10 {
			t.Errorf("%d of %d bytes were not read, want all but a few", left, len(bomb.Data[0]))
		}
	}
}

// FuzzPNG compares with image/png: the same verdict and the same pixels. Data is
// unpacked as it is, or packed before, so that noise gets as far as the pixels.
func FuzzPNG(f *testing.F) {
	for _, i := range some() {
		f.Add(uint8(i.Width), uint8(i.Height), i.Depth, i.Colour, i.Interlaced, false, i.Palette, i.Transparent, bytes.Join(i.Data, nil), uint16(100))
	}
	for _, i := range kinds() {
		f.Add(uint8(9), uint8(5), i.Depth, i.Colour, true, true, i.Palette, i.Transparent, make([]byte, 400), uint16(20))
	}
	f.Fuzz(func(t *testing.T, width, height, depth, colour uint8, interlaced, pack bool, palette, transparent, data []byte, size uint16) {
		if pack {
			data = deflate(data)
		}
		sameAsStandard(t, Image{
			Width: int(width), Height: int(height), Depth: depth, Colour: colour, Interlaced: interlaced,
			Palette: palette, Transparent: transparent, Data: split(data, int(size)+1),
		})
	})
}

// The same picture of 12 megapixels through here and through image/png.
func BenchmarkRead(b *testing.B) {
	for _, interlaced := range []bool{false, true} {
		i := Image{Width: 4000, Height: 3000, Depth: 8, Colour: rgb, Interlaced: interlaced}
		i = i.scene()
		b.Run(fmt.Sprintf("interlaced %v", interlaced), func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]uint16, i.Width*3)
			for b.Loop() {
				rows := i.Open()
				for range i.Height {
					if err := rows.Read(b.Context(), dst); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(fmt.Sprintf("interlaced %v, image/png", interlaced), func(b *testing.B) {
			b.ReportAllocs()
			file := i.file()
			for b.Loop() {
				if _, err := stdpng.Decode(bytes.NewReader(file)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// scene fills in data as photos have it: small numbers, and filters of all kinds,
// most of them Paeth.
func (i Image) scene() Image {
	var raw []byte
	for _, size := range i.passSizes() {
		for y := range size.Y {
			raw = append(raw, []byte{filterPaeth, filterPaeth, filterSub, filterUp, filterPaeth, filterAverage}[y%6])
			for x := range i.rowBytes(size.X) {
				raw = append(raw, byte(int(x)*y>>7&7-3))
			}
		}
	}
	i.Data = split(deflate(raw), 32<<10)
	return i
}
