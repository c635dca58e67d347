// Package png reads the picture of a PNG row by row (W3C PNG, third edition).
//
// It is given the chunks, already walked, and unpacks what they hold. A picture
// that is not interlaced takes two rows of memory, however large it is. A file
// that is damaged gives the rows before the damage, and then the reason why
// there are no more.
//
// It agrees with image/png on which data is broken and on every pixel. That
// includes where both are milder than the specification: an index beyond the
// palette is opaque black, as with libpng.
package png

import (
	"errors"
	"fmt"
	"math"
)

// ErrCutOff says that the data ends before the picture does.
var ErrCutOff = errors.New("the picture is cut off")

// ErrTooMuch says that the picture is whole, and that there is data left over.
var ErrTooMuch = errors.New("there is more data than the picture needs")

// Colour types (W3C PNG, 11.2.1).
const (
	gray      = 0
	rgb       = 2
	paletted  = 3
	grayAlpha = 4
	rgbAlpha  = 6
)

// unpacking is what zlib's reader takes: its window of 32 KiB, 4 KiB to read
// into, and code tables. With it come our own colours of a palette, and what is
// lost where memory is given out in pages. The tables are made anew for every
// block of zlib's; what that leaves behind is garbage, and not counted.
const unpacking = 56 << 10

// Image is what the chunks of a PNG say. Whoever fills it in has judged the
// size; anything else that makes no sense is an error of the first Read.
type Image struct {
	// Width and Height are in pixels.
	Width, Height int
	// Depth is bits per sample, Colour the colour type (11.2.1).
	Depth, Colour byte
	// Interlaced is set for Adam7 (8.1).
	Interlaced bool
	// Palette and Transparent are the contents of PLTE and tRNS, empty where
	// there is none. A palette beside true colours is not looked at.
	Palette, Transparent []byte
	// Data are the contents of the IDAT chunks in order. Of a file that is cut
	// off, the last one may be a part.
	Data [][]byte
}

// Channels returns how many values a pixel has in what Read gives: 1 gray,
// 2 gray and alpha, 3 RGB, 4 RGB and alpha. A transparent colour is an alpha
// too.
func (i Image) Channels() int {
	n := i.Samples()
	if i.Colour == paletted {
		n = 3
	}
	if i.hasKey() || (i.Colour == paletted && len(i.Transparent) > 0) {
		n++
	}
	return n
}

// Bytes returns how many bytes the data has at least once it is unpacked.
func (i Image) Bytes() int64 {
	row := i.rowBytes(i.Width)
	if row > 0 && int64(i.Height) > math.MaxInt64/row {
		return math.MaxInt64
	}
	return row * int64(i.Height)
}

// Memory returns how many bytes reading takes at its peak. Nothing is taken
// before the first Read.
func (i Image) Memory() int64 {
	total := unpacking + 2*(i.rowBytes(i.Width)+1)
	if i.Interlaced {
		total += min(i.Bytes(), math.MaxInt64-total)
	}
	return total
}

// Open starts reading at the first row.
func (i Image) Open() *Rows { return &Rows{image: i, chunks: chunks{rest: i.Data}} }

// Samples returns how many numbers a pixel has in the file.
func (i Image) Samples() int {
	switch i.Colour {
	case gray, paletted:
		return 1
	case grayAlpha:
		return 2
	case rgb:
		return 3
	case rgbAlpha:
		return 4
	}
	return 0
}

// pixelBits is how many bits a pixel takes in the file.
func (i Image) pixelBits() int { return i.Samples() * int(i.Depth) }

// rowBytes is how many bytes so many pixels take in the file, without the byte
// that names their filter.
func (i Image) rowBytes(pixels int) int64 {
	return (int64(pixels)*int64(i.pixelBits()) + 7) / 8
}

// hasKey tells whether one colour stands for transparent.
func (i Image) hasKey() bool {
	return (i.Colour == gray || i.Colour == rgb) && len(i.Transparent) > 0
}

// judge finds what would make reading impossible.
func (i Image) judge() error {
	switch {
	case i.Width <= 0 || i.Height <= 0:
		return fmt.Errorf("%d x %d pixels", i.Width, i.Height)
	case !i.ValidDepth():
		return fmt.Errorf("%d bits per sample with colour type %d", i.Depth, i.Colour)
	case i.hasKey() && len(i.Transparent) != 2*i.Samples():
		return fmt.Errorf("tRNS has %d bytes", len(i.Transparent))
	case i.Colour == paletted:
		return i.judgePalette()
	}
	return nil
}

// judgePalette checks the lengths (11.2.2, 11.3.1.1). Like image/png, it lets
// tRNS be longer than the palette.
func (i Image) judgePalette() error {
	n := len(i.Palette)
	switch {
	case n == 0:
		return errors.New("the palette is missing")
	case n%3 != 0 || n/3 > 1<<i.Depth:
		return fmt.Errorf("a palette of %d bytes for %d bits per pixel", n, i.Depth)
	case len(i.Transparent) > 256:
		return fmt.Errorf("tRNS has %d bytes", len(i.Transparent))
	}
	return nil
}

// ValidDepth tells whether the colour type may have that many bits per sample
// (11.2.1, table 12).
func (i Image) ValidDepth() bool {
	switch i.Depth {
	case 1, 2, 4:
		return i.Colour == gray || i.Colour == paletted
	case 8:
		return i.Samples() > 0
	case 16:
		return i.Samples() > 0 && i.Colour != paletted
	}
	return false
}
