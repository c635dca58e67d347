package gif

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// file writes a GIF of one frame. Its colour table has to have a size that a
// GIF can say: a power of two.
func (f Frame) file() []byte {
	file := []byte("GIF89a")
	file = binary.LittleEndian.AppendUint16(file, uint16(f.Width))
	file = binary.LittleEndian.AppendUint16(file, uint16(f.Height))
	file = append(file, 0, 0, 0)
	if f.Transparent >= 0 {
		file = append(file, 0x21, 0xf9, 4, 1, 0, 0, byte(f.Transparent), 0)
	}
	file = append(file, 0x2c, 0, 0, 0, 0)
	file = binary.LittleEndian.AppendUint16(file, uint16(f.Width))
	file = binary.LittleEndian.AppendUint16(file, uint16(f.Height))
	flags := byte(0)
	if f.Interlaced {
		flags |= 0x40
	}
	for size := byte(0); size < 8; size++ {
		if len(f.Palette) == 3<<(size+1) {
			flags |= 0x80 | size
		}
	}
	return slices.Concat(file, []byte{flags}, f.Palette, f.Data)
}

// parse takes the first frame out of a GIF that is well made up to there.
func parse(file []byte) Frame {
	f := Frame{Transparent: -1}
	rest := file[13:]
	table := func(flags byte) []byte {
		if flags&0x80 == 0 {
			return nil
		}
		n := 3 << (1 + flags&7)
		t := rest[:n]
		rest = rest[n:]
		return t
	}
	f.Palette = table(file[10])
	for rest[0] == 0x21 {
		if rest[1] == 0xf9 && rest[3]&1 != 0 {
			f.Transparent = int(rest[6])
		}
		for rest = rest[2:]; rest[0] != 0; {
			rest = rest[1+rest[0]:]
		}
		rest = rest[1:]
	}
	f.Width, f.Height = int(binary.LittleEndian.Uint16(rest[5:])), int(binary.LittleEndian.Uint16(rest[7:]))
	flags := rest[9]
	f.Interlaced = flags&0x40 != 0
	rest = rest[10:]
	if local := table(flags); local != nil {
		f.Palette = local
	}
	f.Data = rest
	return f
}

// pack makes the data of a frame, with blocks of so many bytes.
func pack(indexes []byte, codeSize, block int) []byte {
	var packed bytes.Buffer
	w := lzw.NewWriter(&packed, lzw.LSB, codeSize)
	w.Write(indexes)
	w.Close()
	data := []byte{byte(codeSize)}
	for b := range slices.Chunk(packed.Bytes(), block) {
		data = append(append(data, byte(len(b))), b...)
	}
	return append(data, 0)
}

func noise(n, below int) []byte {
	random := rand.New(rand.NewPCG(uint64(n), 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.IntN(below))
	}
	return b
}

// frame is one of noise with so many bits to an index.
func frame(width, height, bits int) Frame {
	return Frame{
		Width: width, Height: height, Palette: noise(3<<bits, 256), Transparent: -1,
		Data: pack(noise(width*height, 1<<bits), max(2, bits), 100),
	}
}

// read reads all rows there are.
func read(t testing.TB, f Frame) ([][]uint16, error) {
	t.Helper()
	return mediatest.ReadAll(t, f.Open(), f.Width*f.Channels(), f.Height)
}

// whole fails unless the frame is read to its end.
func whole(t *testing.T, f Frame) [][]uint16 {
	t.Helper()
	rows, err := read(t, f)
	if !errors.Is(err, io.EOF) || len(rows) != f.Height {
		t.Fatalf("got %d rows and %v, want %d and io.EOF", len(rows), err, f.Height)
	}
	return rows
}

// wanted gives the rows of a picture as Read should. What is not opaque in it
// is fully transparent.
func wanted(p image.Image, channels int) [][]uint16 {
	b := p.Bounds()
	rows := make([][]uint16, b.Dy())
	for y := range rows {
		for x := range b.Dx() {
			c := color.RGBA64Model.Convert(p.At(b.Min.X+x, b.Min.Y+y)).(color.RGBA64)
			rows[y] = append(rows[y], []uint16{c.R, c.G, c.B, c.A}[:channels]...)
		}
	}
	return rows
}
