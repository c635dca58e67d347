package jpeg

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Decoder reads the pixels of one JPEG, row by row from the top or as planes: baseline,
// extended sequential and progressive, in Huffman codes, 8 bits per sample, 1, 3
// or 4 components of any sampling whose ratios are whole numbers.
//
// A sequential picture whose components come in one scan becomes samples block by block
// while it is read. In rows, no more than two rows of its MCUs are held; planes are held
// whole, at the size that Scale made them. Of any other picture the coefficients that
// this size needs are held too, two bytes for each, and of a progressive one eight more
// for each block.
type Decoder struct {
	header
	stream bool // rows are read while they are asked for
	scan   scan
	work   block // of a streamed scan

	row    int   // the next to be given out
	bands  int   // how many rows of MCUs can be had, as far as is known
	ready  int   // how many of them have become samples
	damage error // why there are no more rows, or why they are coarse
	ended  error // the context's
}

// NewDecoder reads a JPEG's headers up to its first scan. data is the file from
// its SOI on. What is not part of the picture is stepped over.
//
// The error is ErrCutOff where the data ends before the first scan begins, and
// ErrNoPicture where the file ends without one.
func NewDecoder(data []byte) (*Decoder, error) {
	d := &Decoder{}
	d.segments.Data = data
	if len(data) < 2 {
		return nil, ErrCutOff
	}
	if data[0] != 0xff || data[1] != SOI {
		return nil, errors.New("no start of an image")
	}
	d.segments.Pos = 2
	switch err := d.nextScan(&d.scan); {
	case errors.Is(err, io.EOF) && d.endless:
		return nil, ErrCutOff
	case errors.Is(err, io.EOF):
		return nil, ErrNoPicture
	case err != nil:
		return nil, err
	}
	if d.frame.Marker != SOF2 && len(d.scan.parts) == len(d.planes) {
		d.stream, d.bands = true, d.mcusHigh
	}
	return d, nil
}

// Size returns the size in pixels of the picture as it is read: as it is stored,
// unless Scale made it smaller.
func (d *Decoder) Size() (width, height int) { return d.width, d.height }

// Scale has the picture read at side eighths of its size, rounded up: each block of
// 8 x 8 samples becomes side x side, from 1 to 8. It has to come before what it makes
// smaller is read.
func (d *Decoder) Scale(side int) { d.scale(side) }

// Components returns how many samples a pixel has: 1, 3 or 4.
func (d *Decoder) Components() int { return len(d.planes) }

// Memory returns how many bytes the first ReadRow allocates, but for tables of a few
// thousand bytes. Later ones allocate nothing.
func (d *Decoder) Memory() int64 { return d.memory(d.held) }

// PlanesMemory returns how many bytes ReadPlanes allocates, but for tables of a few
// thousand bytes.
func (d *Decoder) PlanesMemory() int64 { return d.memory(d.mcusHigh) }

// memory is what it takes to hold so many bands as samples.
func (d *Decoder) memory(bands int) int64 {
	total := int64(0)
	for i := range d.planes {
		p := &d.planes[i]
		total += int64(p.stride() * p.side * p.V * bands)
		if !d.stream {
			total += 2 * int64(p.coefficients())
		}
		if d.frame.Marker == SOF2 {
			total += 8 * int64(p.wide*p.high)
		}
	}
	return total
}

// ReadRow reads the next row into dst: Components() * width samples, those of a
// pixel together, as the file has them: no colour is converted and no ink
// inverted. Components of less resolution are brought to the picture's.
//
// It returns io.EOF behind the last row of a whole picture. A damaged one gives
// all rows that can be had first: of a sequential picture those above the
// damage, in whole rows of MCUs; of a progressive one those whose average
// brightness came, however coarse. Then it returns ErrCutOff where the data
// ended before the picture did, and another error where the data is broken. It
// returns ctx's error once ctx has ended, and from then on.
func (d *Decoder) ReadRow(ctx context.Context, dst []byte) error {
	if len(dst) != len(d.planes)*d.width {
		return fmt.Errorf("room for %d samples, but a row has %d", len(dst), len(d.planes)*d.width)
	}
	if d.row < d.height {
		need := d.row/d.bandHeight() + 1
		if d.held > 1 && (d.row+1)%d.bandHeight() == 0 {
			need++ // the next band too, where components are to be smoothed
		}
		d.prepare(ctx, need)
	}
	switch {
	case d.ended != nil:
		return d.ended
	case d.row < d.rows():
		for i := range d.planes {
			d.planes[i].row(dst[i:], len(d.planes), d.row, d.ready)
		}
		d.row++
		return nil
	case d.damage != nil:
		return d.damage
	}
	return io.EOF
}

// ReadPlanes reads the whole picture, each component as a plane of its own, of as many
// samples as the file has of it. Rows from that number on, of the picture's, could not
// be had: what their samples are means nothing, and err says why they are missing, or
// why others are coarse, as ReadRow does. It is nil where the picture is whole.
//
// A Decoder gives out planes or rows, and once.
func (d *Decoder) ReadPlanes(ctx context.Context) (planes []Plane, rows int, err error) {
	d.hold(d.mcusHigh)
	d.prepare(ctx, d.mcusHigh)
	if d.ended != nil {
		return nil, 0, d.ended
	}
	for i := range d.planes {
		p := &d.planes[i]
		planes = append(planes, Plane{p.width, p.height, p.stride(), p.samples})
	}
	return planes, d.rows(), d.damage
}

// rows is how many rows of the picture have become samples.
func (d *Decoder) rows() int { return min(d.height, d.ready*d.bandHeight()) }

// prepare makes samples of so many bands, as far as there are.
func (d *Decoder) prepare(ctx context.Context, need int) {
	if d.planes[0].samples == nil {
		d.begin(ctx)
	}
	for d.ended == nil && d.ready < min(need, d.bands) {
		if d.ended = ctx.Err(); d.ended != nil {
			return
		}
		if !d.stream {
			for i := range d.planes {
				d.planes[i].render(d.ready)
			}
		} else if err := d.scan.readRow(d.ready, d.streamBlock); err != nil {
			d.damage, d.bands = err, d.ready
			return
		}
		d.ready++
	}
}

// begin allocates, and reads all scans where rows cannot be had otherwise.
func (d *Decoder) begin(ctx context.Context) {
	for i := range d.planes {
		p := &d.planes[i]
		p.samples = make([]byte, p.stride()*p.rowsHeld())
		if !d.stream {
			p.coefs = make([]int16, p.coefficients())
		}
		if d.frame.Marker == SOF2 {
			p.there = make([]uint64, p.wide*p.high)
		}
	}
	if !d.stream {
		d.readScans(ctx)
	}
}

// streamBlock reads a block of a sequential picture and renders it at once.
func (d *Decoder) streamBlock(p *part, bx, by int) error {
	clear(d.work[:8*p.plane.side]) // what lies beyond is not looked at
	flat, err := d.scan.sequential(&d.work, p)
	if err == nil {
		p.plane.put(&d.work, flat, bx, by)
	}
	return err
}

// readScans reads all scans into coefficients. It steps over those that add to a
// component in whose scan there was damage: they mean nothing without the
// rest of it. The first damage is told.
func (d *Decoder) readScans(ctx context.Context) {
	var err error
	for err == nil {
		if err = d.scan.read(ctx); ctx.Err() != nil {
			d.ended = ctx.Err()
			return
		}
		d.note(err)
		err = d.nextScan(&d.scan)
	}
	if !errors.Is(err, io.EOF) {
		d.note(err)
	} else if err := d.scans.Missing(&d.frame, d.endless); err != nil {
		d.note(err)
	}
	d.bands = d.mcusHigh
	for i := range d.planes {
		d.bands = min(d.bands, d.planes[i].bands)
	}
	if d.bands < d.mcusHigh {
		d.note(ErrCutOff)
	}
}

// note keeps the first damage.
func (d *Decoder) note(err error) {
	if d.damage == nil {
		d.damage = err
	}
}
