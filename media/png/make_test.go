package png

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// file writes a PNG, whatever sense it makes.
func (i Image) file() []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(i.Width))
	head = binary.BigEndian.AppendUint32(head, uint32(i.Height))
	head = append(head, i.Depth, i.Colour, 0, 0, 0)
	if i.Interlaced {
		head[12] = 1
	}
	file := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", head)...)
	if i.Colour == paletted && len(i.Palette) > 0 {
		file = append(file, chunk("PLTE", i.Palette)...)
	}
	if i.Colour <= paletted && len(i.Transparent) > 0 {
		file = append(file, chunk("tRNS", i.Transparent)...)
	}
	for _, d := range i.Data {
		file = append(file, chunk("IDAT", d)...)
	}
	return append(file, chunk("IEND", nil)...)
}

func chunk(name string, body []byte) []byte {
	c := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	c = append(append(c, name...), body...)
	return binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
}

// parse takes the chunks of a whole PNG apart, without a judgement but for
// their checksums.
func parse(file []byte) (Image, error) {
	var i Image
	for rest := file[8:]; len(rest) > 0; {
		n := binary.BigEndian.Uint32(rest)
		name, body := string(rest[4:8]), rest[8:8+n]
		if crc32.ChecksumIEEE(rest[4:8+n]) != binary.BigEndian.Uint32(rest[8+n:]) {
			return i, errors.New("checksum")
		}
		rest = rest[12+n:]
		switch name {
		case "IHDR":
			i.Width, i.Height = int(binary.BigEndian.Uint32(body)), int(binary.BigEndian.Uint32(body[4:]))
			i.Depth, i.Colour, i.Interlaced = body[8], body[9], body[12] == 1
		case "PLTE":
			i.Palette = body
		case "tRNS":
			i.Transparent = body
		case "IDAT":
			i.Data = append(i.Data, body)
		}
	}
	return i, nil
}

func deflate(raw []byte) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	z.Write(raw)
	z.Close()
	return packed.Bytes()
}

// split cuts data into chunks of so many bytes.
func split(data []byte, size int) [][]byte { return slices.Collect(slices.Chunk(data, size)) }

// noise fills in data: any bytes are a picture, and so are any filters.
func (i Image) noise(seed uint64) Image {
	random := rand.New(rand.NewPCG(seed, 0))
	var raw []byte
	for _, size := range i.passSizes() {
		for range size.Y {
			raw = append(raw, byte(random.IntN(5)))
			for range i.rowBytes(size.X) {
				raw = append(raw, byte(random.Uint32()))
			}
		}
	}
	i.Data = split(deflate(raw), 100)
	return i
}

// passSizes counts the pixels of each pass that has some.
func (i Image) passSizes() []image.Point {
	if !i.Interlaced {
		return []image.Point{{X: i.Width, Y: i.Height}}
	}
	var sizes []image.Point
	for _, a := range adam7() {
		size := image.Pt((i.Width+a.stepX-1-a.x)/a.stepX, (i.Height+a.stepY-1-a.y)/a.stepY)
		if size.X > 0 && size.Y > 0 {
			sizes = append(sizes, size)
		}
	}
	return sizes
}

// kinds are all colour types and depths, with and without transparency.
func kinds() map[string]Image {
	random := rand.New(rand.NewPCG(1, 1))
	some := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	all := map[string]Image{}
	for colour, depths := range map[byte][]byte{gray: {1, 2, 4, 8, 16}, rgb: {8, 16}, paletted: {1, 2, 4, 8}, grayAlpha: {8, 16}, rgbAlpha: {8, 16}} {
		for _, depth := range depths {
			i := Image{Depth: depth, Colour: colour}
			if colour == paletted {
				i.Palette = some(3 << depth)
			}
			name := fmt.Sprintf("colour type %d, %d bits", colour, depth)
			all[name] = i
			switch colour {
			case gray:
				i.Transparent = []byte{0, 1}
			case rgb:
				i.Transparent = []byte{0, 1, 0, 2, 0, 3}
			case paletted:
				i.Transparent = some(1<<depth - 1)
			default:
				continue
			}
			all[name+", transparent"] = i
		}
	}
	return all
}

// read reads all rows there are.
func read(t testing.TB, i Image) ([][]uint16, error) {
	t.Helper()
	return mediatest.ReadAll(t, i.Open(), i.Width*i.Channels(), i.Height)
}

// wanted gives the rows of a picture as Read should.
func wanted(p image.Image, channels int) [][]uint16 {
	b := p.Bounds()
	rows := make([][]uint16, b.Dy())
	for y := range rows {
		for x := range b.Dx() {
			c := values(p.At(x, y))
			switch channels {
			case 1:
				rows[y] = append(rows[y], c[0])
			case 2:
				rows[y] = append(rows[y], c[0], c[3])
			default:
				rows[y] = append(rows[y], c[:channels]...)
			}
		}
	}
	return rows
}

// values are 16 bits of each, not multiplied with alpha.
func values(c color.Color) [4]uint16 {
	switch c := c.(type) {
	case color.NRGBA:
		return [4]uint16{uint16(c.R) * 0x101, uint16(c.G) * 0x101, uint16(c.B) * 0x101, uint16(c.A) * 0x101}
	case color.NRGBA64:
		return [4]uint16{c.R, c.G, c.B, c.A}
	}
	r, g, b, a := c.RGBA() // opaque
	return [4]uint16{uint16(r), uint16(g), uint16(b), uint16(a)}
}

// whole fails unless the picture is read to its end.
func whole(t *testing.T, i Image) [][]uint16 {
	t.Helper()
	rows, err := read(t, i)
	if !errors.Is(err, io.EOF) || len(rows) != i.Height {
		t.Fatalf("got %d rows and %v, want %d and io.EOF", len(rows), err, i.Height)
	}
	return rows
}
