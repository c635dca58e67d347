package media

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	stdjpeg "image/jpeg"
	"image/png"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

// scene is a picture whose four corners differ, so that every turn shows: red,
// green, blue and gray, with a gradient over all.
func scene(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{R: uint8(40 * x / width), G: uint8(40 * y / height), B: 20, A: 0xff}
			switch left, top := x < width/2, y < height/2; {
			case left && top:
				c.R += 200
			case top:
				c.G += 200
			case left:
				c.B += 200
			default:
				c = color.RGBA{128, 128, 128, 0xff}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// noise is what a JPEG can hardly make smaller. It is the same every time.
func noise(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	state := uint32(1)
	for i := range img.Pix {
		state = state*1664525 + 1013904223
		img.Pix[i] = uint8(state >> 24)
		if i%4 == 3 {
			img.Pix[i] = 0xff
		}
	}
	return img
}

func makeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, img, &stdjpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func makePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// makeGIF makes a GIF of frames on a screen of the given size.
func makeGIF(t testing.TB, screen image.Point, frames ...*image.Paletted) []byte {
	t.Helper()
	var b bytes.Buffer
	g := &gif.GIF{Image: frames, Delay: make([]int, len(frames)), Config: image.Config{Width: screen.X, Height: screen.Y}}
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// frame is a frame of one colour.
func frame(r image.Rectangle, c color.Color) *image.Paletted {
	p := image.NewPaletted(r, color.Palette{c, color.Black})
	return p
}

// segment is a segment of a JPEG.
func segment(marker byte, body []byte) []byte {
	return slices.Concat([]byte{0xff, marker}, binary.BigEndian.AppendUint16(nil, uint16(len(body)+2)), body)
}

// withSegments puts segments behind the start of a JPEG.
func withSegments(data []byte, segments ...[]byte) []byte {
	return slices.Concat(data[:2], slices.Concat(segments...), data[2:])
}

// chunk is a chunk of a PNG.
func chunk(name string, body []byte) []byte {
	c := slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(body))), []byte(name), body)
	return binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
}

// withChunks puts chunks behind the header of a PNG.
func withChunks(data []byte, chunks ...[]byte) []byte {
	const header = 8 + 25
	return slices.Concat(data[:header], slices.Concat(chunks...), data[header:])
}

// pngHeader is a PNG that ends behind its header.
func pngHeader(width, height uint32, depth, colour, interlace byte) []byte {
	body := binary.BigEndian.AppendUint32(nil, width)
	body = binary.BigEndian.AppendUint32(body, height)
	return slices.Concat([]byte(pngSignature), chunk("IHDR", append(body, depth, colour, 0, 0, interlace)))
}

// jpegHeader is a JPEG that ends behind its frame header.
func jpegHeader(marker byte, width, height uint16, factors ...byte) []byte {
	body := binary.BigEndian.AppendUint16([]byte{8}, height)
	body = append(binary.BigEndian.AppendUint16(body, width), byte(len(factors)))
	for i, f := range factors {
		body = append(body, byte(i+1), f, 0)
	}
	return slices.Concat([]byte{0xff, jpeg.SOI}, segment(jpeg.DQT, make([]byte, 65)), segment(marker, body))
}

// scan is a scan of one component, without data.
func scan(component, first, last, low byte) []byte {
	return segment(jpeg.SOS, []byte{1, component, 0, first, last, low})
}

// exif is EXIF data with one orientation in its first directory.
func exif(order binary.AppendByteOrder, kind, count uint16, value uint32) []byte {
	b := []byte("II*\x00")
	if order == binary.BigEndian {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, exifOrientation)
	b = order.AppendUint16(b, kind)
	b = order.AppendUint32(b, uint32(count))
	if kind == exifShort {
		b = append(order.AppendUint16(b, uint16(value)), 0, 0)
	} else {
		b = order.AppendUint32(b, value)
	}
	return order.AppendUint32(b, 0)
}

// turnedJPEG is a JPEG with that orientation.
func turnedJPEG(data []byte, orientation int) []byte {
	return withSegments(data, segment(jpeg.APP1, append([]byte(exifPrefix), exif(binary.BigEndian, exifShort, 1, uint32(orientation))...)))
}

func decoded(t testing.TB, p Picture) image.Image {
	t.Helper()
	img, err := stdjpeg.Decode(bytes.NewReader(p.Data))
	if err != nil {
		t.Fatalf("the picture does not decode: %v", err)
	}
	return img
}

// checkColour compares with what a JPEG's own losses allow.
func checkColour(t testing.TB, img image.Image, at image.Point, want color.RGBA) {
	t.Helper()
	got := color.RGBAModel.Convert(img.At(at.X, at.Y)).(color.RGBA)
	for _, d := range []int{int(got.R) - int(want.R), int(got.G) - int(want.G), int(got.B) - int(want.B)} {
		if max(d, -d) > 12 {
			t.Errorf("at %v: got %v, want about %v", at, got, want)
			return
		}
	}
}
