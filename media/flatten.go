package media

import (
	"context"
	"image"

	"github.com/lightlock/lightlock/media/icc"
)

// sheet is an opaque picture that is read row by row: 1, 3 or 4 values of 16 bits
// a pixel, as header.channels has them. Rows are made when they are asked for, so
// that there is never a second copy of a large picture.
type sheet struct {
	width, height int
	channels      int
	next          rows
	// first and end are the rows that the file holds something of; those above
	// and below are white.
	first, end int
}

// flatten lays the picture on white paper: what is transparent, and what a GIF's
// first frame leaves free, is white. It returns what the colours of the sheet
// are: those of a picture with transparency are converted before, because all
// programs mix what is half transparent in the numbers of sRGB.
func flatten(read rows, head *header, colours *icc.Transform) (sheet, *icc.Transform) {
	if head.decoder.alpha {
		n, width := head.decoder.channels, head.frame.Dx()
		if plain := plainColours(head.channels); colours != plain {
			read, colours = inSRGB(read, n, width, colours), plain
		}
		read = onWhite(read, n, width)
	}
	paper := image.Rect(0, 0, head.width, head.height)
	if head.frame != paper {
		read = onPaper(read, head)
	}
	if head.film != nil {
		width, height := head.film.decoder.Size()
		return sheet{width, height, head.channels, read, 0, height}, colours
	}
	shown := head.frame.Intersect(paper)
	return sheet{head.width, head.height, head.channels, read, shown.Min.Y, shown.Max.Y}, colours
}

// inSRGB converts the first of n values of a pixel, all but alpha. Those of a
// gray one stay gray.
func inSRGB(read rows, n, width int, colours *icc.Transform) rows {
	numbers, codes := make([]uint16, (n-1)*width), make([]uint8, 3*width)
	return func(ctx context.Context, dst []uint16) error {
		if err := read(ctx, dst); err != nil {
			return err
		}
		for x := range width {
			copy(numbers[x*(n-1):(x+1)*(n-1)], dst[x*n:])
		}
		colours.Convert(codes, numbers)
		for x := range width {
			for c := range n - 1 {
				dst[x*n+c] = wide(codes[3*x+c])
			}
		}
		return nil
	}
}

// onWhite takes away alpha, the last of n values.
func onWhite(read rows, n, width int) rows {
	row := make([]uint16, n*width)
	return func(ctx context.Context, dst []uint16) error {
		if err := read(ctx, row); err != nil {
			return err
		}
		for from, to := row, dst; len(from) >= n; from, to = from[n:], to[n-1:] {
			layOnWhite(to[:n-1], from[:n])
		}
		return nil
	}
}

// layOnWhite lays one pixel on white. Its values are not yet multiplied with
// alpha.
func layOnWhite(dst, px []uint16) {
	alpha := uint32(px[len(dst)])
	if alpha == 0xffff {
		copy(dst, px)
		return
	}
	for c := range dst {
		dst[c] = uint16((uint32(px[c])*alpha + 0xffff*(0xffff-alpha) + 0x7fff) / 0xffff)
	}
}

// onPaper puts a frame at its place on the paper, which is nowhere smaller.
func onPaper(read rows, head *header) rows {
	n, y, frame := head.channels, -1, head.frame
	return func(ctx context.Context, dst []uint16) error {
		if y++; y == head.height {
			return read(ctx, dst)
		}
		blank(dst, n)
		if y < frame.Min.Y || y >= frame.Max.Y {
			return nil
		}
		return read(ctx, dst[n*frame.Min.X:n*frame.Max.X])
	}
}

// blank makes a row of n values a pixel white: all light, or no ink.
func blank(row []uint16, n int) {
	white := uint16(0xffff)
	if n == 4 {
		white = 0
	}
	for i := range row {
		row[i] = white
	}
}
