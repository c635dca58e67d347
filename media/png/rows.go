package png

import (
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
)

var errTooLittle = errors.New("there is less data than the picture needs")

// Rows gives the rows of a picture from the top.
type Rows struct {
	image  Image
	chunks chunks
	data   io.Reader // what the chunks hold, unpacked; nil before the first row
	err    error     // why there are no more rows
	y      int       // of the next row
	// row and above are a row and the one before it, each behind the byte that
	// names its filter.
	row, above []byte
	colours    colours
	passes     passes
}

// Read puts the next row into dst, which has room for Channels values of each
// pixel. They have 16 bits, fewer bits being scaled up, and are not multiplied
// with alpha.
//
// The error is io.EOF behind the last row of a whole picture, ErrCutOff where
// the data ends early, and any other where it is broken. Damage behind the last
// row is told too, in place of io.EOF, and data that is left over as ErrTooMuch.
// Every error stays, the context's too.
//
// Of an interlaced picture the first Read reads all passes into memory. Where
// they break off, rows are given as far as the first pass reaches, each missing
// pixel in the colour of the last earlier pixel whose block it lies in, as
// browsers show it while it is loading.
func (r *Rows) Read(ctx context.Context, dst []uint16) error {
	if need := r.image.Width * r.image.Channels(); len(dst) < need {
		return fmt.Errorf("room for %d values, and a row has %d", len(dst), need)
	}
	r.chunks.ctx = ctx
	if err := r.chunks.alive(); err != nil {
		return err
	}
	if r.data == nil && r.err == nil {
		r.err = r.start()
	}
	row, err := r.next()
	if r.chunks.stopped != nil { // half-read passes are no damage
		return r.chunks.stopped
	}
	if err != nil {
		return err
	}
	r.colours.convert(dst, row, r.image.Width)
	r.y++
	return nil
}

// start takes the memory and opens the data.
func (r *Rows) start() error {
	if err := r.image.judge(); err != nil {
		return err
	}
	data, err := zlib.NewReader(&r.chunks)
	if err != nil {
		return broken(err)
	}
	r.data = data
	n := int(r.image.rowBytes(r.image.Width))
	r.row, r.above = make([]byte, 1+n), make([]byte, 1+n)
	r.colours = newColours(r.image)
	if r.image.Interlaced {
		r.passes = newPasses(r.image)
	}
	return nil
}

// next returns the next row as the file has it, unfiltered.
func (r *Rows) next() ([]byte, error) {
	if r.image.Interlaced {
		r.readPasses()
		if r.y < r.passes.reach() {
			return r.passes.rowAt(r.y), nil
		}
	}
	if r.err == nil && r.y == r.image.Height {
		r.err = r.finish()
	}
	if r.err != nil {
		return nil, r.err
	}
	var row []byte
	row, r.err = r.readRow(len(r.row) - 1)
	return row, r.err
}

// readPasses reads all passes, or as far as they go.
func (r *Rows) readPasses() {
	for r.err == nil && !r.passes.whole() && r.chunks.alive() == nil {
		if r.passes.row == 0 {
			clear(r.above)
		}
		var row []byte
		if row, r.err = r.readRow(int(r.image.rowBytes(r.passes.width()))); r.err == nil {
			r.passes.add(row)
		}
	}
}

// readRow unpacks and unfilters the next n bytes of picture.
func (r *Rows) readRow(n int) ([]byte, error) {
	row, above := r.row[:1+n], r.above[:1+n]
	if _, err := io.ReadFull(r.data, row); err != nil {
		return nil, broken(err)
	}
	if err := unfilter(row[0], row[1:], above[1:], max(1, r.image.pixelBits()/8)); err != nil {
		return nil, err
	}
	r.row, r.above = r.above, r.row
	return row[1:], nil
}

// finish reads the checksum behind the last row, and not one byte of picture
// more than it takes to see that there is one. Data behind the checksum is
// judged as image/png does it: what lies beyond the last 4 KiB that zlib has
// asked for, in the same chunk, is too much.
func (r *Rows) finish() error {
	var more [1]byte
	switch n, err := io.ReadFull(r.data, more[:]); {
	case n > 0 || (err == io.EOF && len(r.chunks.now) > 0):
		return ErrTooMuch
	case err == io.EOF:
		return io.EOF
	default:
		return broken(err)
	}
}

// broken says what zlib's error means here. The end is its own end: that of the
// file is told by chunks.
func broken(err error) error {
	switch {
	case errors.Is(err, ErrCutOff):
		return ErrCutOff
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errTooLittle
	}
	return fmt.Errorf("the picture's data: %w", err)
}
