package cli

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The demo's photo is what a phone held upright makes: 12 megapixels, stored
// lying on its side, with an EXIF block that says so and where it was taken.
const (
	demoWidth  = 4032 // as stored
	demoHeight = 3024
)

// demoPhoto makes a JPEG that names the channel and shows which way is up.
func demoPhoto(channel string) ([]byte, error) {
	upright, err := demoPicture(channel)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, layDown(upright), &jpeg.Options{Quality: 92}); err != nil {
		return nil, err
	}
	return withEXIF(b.Bytes(), demoEXIF()), nil
}

// caption is a line of text in the demo's picture.
type caption struct {
	text string
	size float64 // in pixels; less where the text would be too wide
	y    int     // of the line on which the text stands
}

// demoPicture draws the picture as it should be seen. All that matters lies in
// the square middle, from y = 504 to 3528, which is what a thumbnail shows.
func demoPicture(channel string) (*image.RGBA, error) {
	img := image.NewRGBA(image.Rect(0, 0, demoHeight, demoWidth))
	sky(img)
	arrow(img)
	parsed, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return nil, err
	}
	for _, c := range []caption{{"UP", 420, 1850}, {channel, 620, 2600}, {"lightlock demo", 240, 3260}} {
		if err := c.draw(img, parsed); err != nil {
			return nil, err
		}
	}
	return img, nil
}

// widestCaption leaves a margin at both sides.
const widestCaption = demoHeight * 9 / 10

// draw writes the caption in the middle, smaller where it would be too wide.
func (c caption) draw(img *image.RGBA, parsed *opentype.Font) error {
	for {
		face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: c.size, DPI: 72})
		if err != nil {
			return err
		}
		d := font.Drawer{Dst: img, Src: image.White, Face: face}
		width := d.MeasureString(c.text)
		if width.Ceil() > widestCaption {
			c.size *= 0.98 * widestCaption / float64(width.Ceil())
			continue
		}
		d.Dot = fixed.Point26_6{X: (fixed.I(demoHeight) - width) / 2, Y: fixed.I(c.y)}
		d.DrawString(c.text)
		return nil
	}
}

// sky fills the picture from light to dark, with the grain that makes a photo's
// bytes: a smooth picture would be far smaller than a real one.
func sky(img *image.RGBA) {
	b := img.Bounds()
	grain := uint32(1)
	for y := range b.Dy() {
		row := img.Pix[y*img.Stride : y*img.Stride+4*b.Dx()]
		blue, green := uint32(220-y*110/b.Dy()), uint32(150-y*70/b.Dy())
		for x := 0; x < len(row); x += 4 {
			grain = grain*1664525 + 1013904223
			n := grain >> 28
			row[x], row[x+1], row[x+2], row[x+3] = uint8(40+n), uint8(green+n), uint8(blue+n), 0xff
		}
	}
}

// arrow draws a triangle that points up.
func arrow(img *image.RGBA) {
	ink := image.NewUniform(color.RGBA{0xff, 0xd0, 0x40, 0xff})
	for y := range 700 {
		half := y * 6 / 7
		line := image.Rect(demoHeight/2-half, 660+y, demoHeight/2+half, 661+y)
		draw.Draw(img, line, ink, image.Point{}, draw.Src)
	}
}

// layDown turns the picture as a phone's sensor lies: EXIF orientation 6 turns
// it back.
func layDown(upright *image.RGBA) *image.RGBA {
	stored := image.NewRGBA(image.Rect(0, 0, demoWidth, demoHeight))
	for y := range demoHeight {
		for x := range demoWidth {
			from := upright.PixOffset(demoHeight-1-y, x)
			copy(stored.Pix[stored.PixOffset(x, y):][:4], upright.Pix[from:from+4])
		}
	}
	return stored
}

// withEXIF puts an APP1 segment behind the JPEG's first marker.
func withEXIF(photo, tiff []byte) []byte {
	payload := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, photo[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)+2))
	out = append(out, payload...)
	return append(out, photo[2:]...)
}

// demoEXIF is a TIFF block with orientation 6 and a place: 47° 22' N, 8° 32' E.
// https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E
func demoEXIF() []byte {
	const (
		octet, ascii, short, long, rational = 1, 2, 3, 4, 5
		ifd0, gps, values                   = 8, 8 + 2 + 2*12 + 4, 8 + 2 + 2*12 + 4 + 2 + 5*12 + 4
	)
	be := binary.BigEndian
	b := append([]byte("MM\x00\x2a"), 0, 0, 0, ifd0)
	entry := func(tag, kind uint16, n uint32, value []byte) {
		b = be.AppendUint16(b, tag)
		b = be.AppendUint16(b, kind)
		b = be.AppendUint32(b, n)
		b = append(b, append(value, 0, 0, 0, 0)[:4]...)
	}
	at := func(offset uint32) []byte { return be.AppendUint32(nil, offset) }
	b = be.AppendUint16(b, 2)
	entry(0x0112, short, 1, []byte{0, 6})
	entry(0x8825, long, 1, at(gps))
	b = be.AppendUint32(b, 0)
	b = be.AppendUint16(b, 5)
	entry(0, octet, 4, []byte{2, 3, 0, 0}) // the version of what follows
	entry(1, ascii, 2, []byte("N"))
	entry(2, rational, 3, at(values))
	entry(3, ascii, 2, []byte("E"))
	entry(4, rational, 3, at(values+24))
	b = be.AppendUint32(b, 0)
	for _, v := range []uint32{47, 1, 22, 1, 0, 1, 8, 1, 32, 1, 0, 1} {
		b = be.AppendUint32(b, v)
	}
	return b
}
