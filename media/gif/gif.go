// Package gif reads a frame of a GIF row by row (CompuServe GIF89a).
//
// It is given the parts of the frame, already walked, and unpacks its data. A
// frame that is not interlaced takes one row of memory, however large it is. A
// file that is damaged gives the rows before the damage, and then the reason
// why there are no more.
//
// It agrees with image/gif on which data is broken and on every pixel.
package gif

import (
	"errors"
	"fmt"
)

// ErrCutOff says that the data ends before the picture does.
var ErrCutOff = errors.New("the picture is cut off")

// ErrTooMuch says that the picture is whole, and that there is data left over.
var ErrTooMuch = errors.New("there is more data than the picture needs")

// unpacking is what the reader of compress/lzw takes, our table of colours, and
// what is lost where memory is given out in pages.
const unpacking = 32 << 10

// Frame is what the blocks of a GIF say of one picture. Whoever fills it in has
// judged the size; anything else that makes no sense is an error of the first
// Read.
type Frame struct {
	// Width and Height are in pixels.
	Width, Height int
	// Interlaced is set where the rows come in four passes (appendix E).
	Interlaced bool
	// Palette is the colour table that counts, local or global: three bytes
	// for each colour, red, green and blue.
	Palette []byte
	// Transparent is the index of the transparent colour, or -1. It may lie
	// beyond the palette, and then makes what is between transparent too.
	Transparent int
	// Data is what follows the colour table: the LZW minimum code size and the
	// blocks of data up to the empty one. Of a file that is cut off, it is what
	// there is.
	Data []byte
}

// Channels returns how many values a pixel has in what Read gives: 3 RGB, 4 RGB
// and alpha.
func (f Frame) Channels() int {
	if f.Transparent >= 0 {
		return 4
	}
	return 3
}

// Memory returns how many bytes reading takes at its peak. Nothing is taken
// before the first Read.
func (f Frame) Memory() int64 {
	rows := 1
	if f.Interlaced {
		rows = f.Height
	}
	return unpacking + int64(f.Width)*int64(rows)
}

// Open starts reading at the first row.
func (f Frame) Open() *Rows { return &Rows{frame: f} }

// judge finds what would make reading impossible.
func (f Frame) judge() error {
	switch n := len(f.Palette); {
	case f.Width <= 0 || f.Height <= 0:
		return fmt.Errorf("a frame of %d x %d pixels", f.Width, f.Height)
	case n == 0:
		return errors.New("there is no colour table")
	case n%3 != 0 || n > 3*256:
		return fmt.Errorf("a colour table of %d bytes", n)
	case f.Transparent > 255:
		return fmt.Errorf("the transparent colour is number %d", f.Transparent)
	case len(f.Data) == 0:
		return ErrCutOff
	case f.Data[0] < 2 || f.Data[0] > 8:
		return fmt.Errorf("an LZW code size of %d", f.Data[0])
	}
	return nil
}

// colours are the values of all indexes, and how many of them there are.
func (f Frame) colours() (*[256][4]uint16, int) {
	table := new([256][4]uint16)
	for i, v := range f.Palette {
		table[i/3][i%3], table[i/3][3] = uint16(v)*0x101, 0xffff
	}
	if f.Transparent >= 0 {
		table[f.Transparent] = [4]uint16{}
	}
	return table, max(len(f.Palette)/3, f.Transparent+1)
}
