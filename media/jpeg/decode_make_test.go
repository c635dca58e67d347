package jpeg

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"io"
	"testing"
)

// scenery is a picture of edges, gradients and a little noise, always the same.
func scenery(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	state := uint32(1)
	for y := range height {
		for x := range width {
			state = state*1664525 + 1013904223
			c := color.RGBA{uint8(255 * x / width), uint8(255 * y / height), uint8(x ^ y), 255}
			if (x/13+y/7)%3 == 0 {
				c.R, c.B = c.B, c.R/2
			}
			c.G ^= uint8(state >> 29)
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func madeByStandard(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, scenery(width, height), &stdjpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decodeRows reads all rows that can be had, and returns nil for io.EOF.
func decodeRows(t testing.TB, data []byte) ([][]byte, error) {
	t.Helper()
	d, err := NewDecoder(data)
	if err != nil {
		return nil, err
	}
	return d.rowsLeft(t)
}

func (d *Decoder) rowsLeft(t testing.TB) ([][]byte, error) {
	t.Helper()
	width, height := d.Size()
	rows := [][]byte{}
	all := make([]byte, width*height*d.Components())
	for {
		size := min(width*d.Components(), len(all))
		row := all[:size]
		if size == 0 { // one row more than the picture has
			row = make([]byte, width*d.Components())
		}
		if err := d.ReadRow(t.Context(), row); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return rows, err
		}
		rows, all = append(rows, row), all[size:]
	}
}
