package gif

import (
	"compress/lzw"
	"context"
	"errors"
	"fmt"
	"io"
)

var errTooLittle = errors.New("there is less data than the picture needs")

// Rows gives the rows of a frame from the top.
type Rows struct {
	frame   Frame
	blocks  blocks
	data    io.Reader // what the blocks hold, unpacked; nil before the first row
	err     error     // why there are no more rows
	stopped error     // the context's
	y       int       // of the next row
	// indexes is a row, or all rows of an interlaced frame.
	indexes []byte
	passes  passes
	table   *[256][4]uint16
	colours int // in the table
}

// Read puts the next row into dst, which has room for Channels values of each
// pixel. They have 16 bits. A transparent pixel is all zeros.
//
// The error is io.EOF behind the last row of a whole frame, ErrCutOff where the
// data ends early, and any other where it is broken. Damage behind the last row
// is told too, in place of io.EOF, and data that is left over as ErrTooMuch.
// Every error stays, the context's too.
//
// Of an interlaced frame the first Read reads all passes into memory. Where
// they break off, rows are given as far as the first pass reaches, and a row
// that is missing is the same as the one above it.
func (r *Rows) Read(ctx context.Context, dst []uint16) error {
	if need := r.frame.Width * r.frame.Channels(); len(dst) < need {
		return fmt.Errorf("room for %d values, and a row has %d", len(dst), need)
	}
	if !r.alive(ctx) {
		return r.stopped
	}
	if r.data == nil && r.err == nil {
		r.err = r.start()
	}
	row, err := r.next(ctx)
	if err != nil {
		return err
	}
	r.convert(dst, row)
	r.y++
	return nil
}

// alive tells whether no context of a Read has ended yet.
func (r *Rows) alive(ctx context.Context) bool {
	if r.stopped == nil {
		r.stopped = ctx.Err()
	}
	return r.stopped == nil
}

// start takes the memory and opens the data.
func (r *Rows) start() error {
	f := r.frame
	if err := f.judge(); err != nil {
		return err
	}
	r.blocks.data = f.Data[1:]
	r.data = lzw.NewReader(&r.blocks, lzw.LSB, int(f.Data[0]))
	r.table, r.colours = f.colours()
	if f.Interlaced {
		r.passes = passes{height: f.Height}
		r.indexes = make([]byte, f.Width*f.Height)
	} else {
		r.indexes = make([]byte, f.Width)
	}
	return nil
}

// next returns the indexes of the next row.
func (r *Rows) next(ctx context.Context) ([]byte, error) {
	if r.frame.Interlaced {
		if r.readPasses(ctx); r.stopped != nil {
			return nil, r.stopped
		}
		if r.y < r.passes.reach() {
			return r.row(r.passes.nearest(r.y)), nil
		}
	}
	if r.err == nil && r.y == r.frame.Height {
		r.err = r.finish()
	}
	if r.err == nil {
		r.err = r.readRow(r.indexes)
	}
	return r.indexes, r.err
}

// readPasses reads all passes, or as far as they go.
func (r *Rows) readPasses(ctx context.Context) {
	for r.err == nil && !r.passes.whole() && r.alive(ctx) {
		if r.err = r.readRow(r.row(r.passes.y())); r.err == nil {
			r.passes.add()
		}
	}
}

func (r *Rows) row(y int) []byte {
	return r.indexes[y*r.frame.Width:][:r.frame.Width]
}

// readRow unpacks a row. An index beyond the palette is an error as with
// image/gif: nothing says that the data behind it is any better.
func (r *Rows) readRow(row []byte) error {
	if _, err := io.ReadFull(r.data, row); err != nil {
		return broken(err)
	}
	if r.colours == len(r.table) {
		return nil
	}
	for _, index := range row {
		if int(index) >= r.colours {
			return fmt.Errorf("a pixel of colour %d, of %d", index, r.colours)
		}
	}
	return nil
}

// finish looks for the end behind the last row, and unpacks not one byte of
// picture more than it takes to see that there is one. An end code is not asked
// for: giflib writes GIFs without.
func (r *Rows) finish() error {
	var more [1]byte
	n, err := r.data.Read(more[:])
	switch {
	case n > 0:
		return ErrTooMuch
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return r.blocks.finish()
	}
	return broken(err)
}

// convert puts the colours of a row into dst.
func (r *Rows) convert(dst []uint16, row []byte) {
	if r.frame.Channels() == 3 {
		for _, index := range row {
			colour, to := &r.table[index], dst[:3]
			to[0], to[1], to[2] = colour[0], colour[1], colour[2]
			dst = dst[3:]
		}
		return
	}
	for _, index := range row {
		*(*[4]uint16)(dst) = r.table[index]
		dst = dst[4:]
	}
}

// broken says what the error of compress/lzw means here. The end is an end code
// or an empty block: that of the file is told by blocks.
func broken(err error) error {
	switch {
	case errors.Is(err, ErrCutOff):
		return ErrCutOff
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errTooLittle
	}
	return fmt.Errorf("the picture's data: %w", err)
}
