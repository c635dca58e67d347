package faults

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"sync"
)

// The pictures that consumers send, small because their number matters here and
// not their size. Of each the verdict is always the same.
var (
	goodPictures = []string{"red", "sideways", "transparent", "grey", "still"}
	badPictures  = []string{"document", "moving", "torn"}
)

// picture returns the file of that name.
func picture(name string) []byte { return pictures()[name] }

var pictures = sync.OnceValue(func() map[string][]byte {
	whole := encodeJPEG(halves(60, 40))
	return map[string][]byte{
		"red":         whole,
		"sideways":    sideways(encodeJPEG(halves(80, 60))),
		"transparent": encodePNG(glass(40, 40)),
		"grey":        encodeJPEG(image.NewGray(image.Rect(0, 0, 50, 30))),
		"still":       encodeGIF(1),
		"large":       encodeJPEG(halves(1600, 1200)),
		"document":    []byte("%PDF-1.7 " + canary),
		"moving":      encodeGIF(2),
		"torn":        whole[:len(whole)/2],
	}
})

// halves is red on its left and blue on its right.
func halves(width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{200, 20, uint8(y), 255}
			if x >= width/2 {
				c = color.RGBA{20, uint8(x), 200, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func glass(width, height int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	return img
}

// The errors of these are those of a buffer, which has none.

func encodeJPEG(img image.Image) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil)
	return b.Bytes()
}

func encodePNG(img image.Image) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, img)
	return b.Bytes()
}

func encodeGIF(frames int) []byte {
	var g gif.GIF
	for i := range frames {
		img := image.NewPaletted(image.Rect(0, 0, 30, 30), color.Palette{color.Black, color.White})
		img.Pix[i] = 1
		g.Image, g.Delay = append(g.Image, img), append(g.Delay, 10)
	}
	var b bytes.Buffer
	_ = gif.EncodeAll(&b, &g)
	return b.Bytes()
}

// sideways puts an EXIF block before a picture: orientation 6, and the canary.
func sideways(photo []byte) []byte {
	tiff := append([]byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01"+
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"+"\x00\x00\x00\x00"), canary...)
	payload := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1, byte((len(payload) + 2) >> 8), byte(len(payload) + 2)}, payload...)
	return append(out, photo[2:]...)
}
