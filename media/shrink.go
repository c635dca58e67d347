package media

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
)

// shrink makes preview, of that size, and thumbnail in one pass over the sheet.
func shrink(ctx context.Context, src sheet, colours *icc.Transform, size image.Point, s Settings) (preview, thumbnail *jpeg.Planes, damage, err error) {
	large, small := reducers(src, colours, size, s.Thumbnail.Side)
	damage, err = reduce(ctx, src, s.ShowDamaged, large, small)
	return large.planes, small.planes, damage, err
}

// reducers are those of the preview, of that size, and of the thumbnail, of that side.
//
// The preview is scaled in the numbers of the original and converted to sRGB
// afterwards, when there are few pixels left. The thumbnail, which is much
// smaller, is scaled in proportion to light: the average of a fine pattern in
// black and white would else be far too dark.
func reducers(src sheet, colours *icc.Transform, size image.Point, side int) (preview, thumbnail *reducer) {
	whole := region{0, 0, float64(src.width), float64(src.height)}
	preview = newReducer(src, whole, size, 2, fine())
	preview.convert = colours.Convert
	cut, square := middle(src.width, src.height, side)
	thumbnail = newReducer(src, cut, square, 4, mild())
	thumbnail.light, thumbnail.convert = colours.Light, colours.ConvertLight
	return preview, thumbnail
}

// reduce reads the sheet once, for all reducers. A picture that breaks off before
// half of it was there, or that is not to be shown in part, is corrupt; what is
// missing of another is white paper.
func reduce(ctx context.Context, src sheet, showDamaged bool, reducers ...*reducer) (damage, err error) {
	row := make([]uint16, src.channels*src.width)
	for y := range src.height {
		if ctx.Err() != nil {
			return nil, unreadable(ctx, ctx.Err())
		}
		if damage == nil {
			damage = readRow(ctx, src, row)
		}
		switch {
		case damage != nil && !showDamaged:
			return nil, unreadable(ctx, damage)
		case damage != nil && 2*(y-src.first) < src.end-src.first:
			return nil, unreadable(ctx, fmt.Errorf("%w, and less than half of the picture is there", damage))
		}
		if damage != nil {
			blank(row, src.channels)
		}
		for _, r := range reducers {
			r.add(y, row)
		}
	}
	if damage == nil {
		damage = readEnd(ctx, src, row)
	}
	if damage != nil && (!showDamaged || ctx.Err() != nil) {
		return nil, unreadable(ctx, damage)
	}
	return damage, nil
}

// readRow reads a row, or tells what is wrong with the file.
func readRow(ctx context.Context, src sheet, row []uint16) error {
	damage := src.next(ctx, row)
	if damage == io.EOF { //nolint:errorlint // a wrapped one would be a fault
		return errCutOff
	}
	return damage
}

// readEnd makes sure that the reader is content with the file.
func readEnd(ctx context.Context, src sheet, row []uint16) error {
	switch damage := src.next(ctx, row); {
	case damage == io.EOF, isTooMuch(damage): //nolint:errorlint // a wrapped EOF would be a fault
		return nil
	case damage == nil:
		return errors.New("there are more rows than the picture has")
	default:
		return damage
	}
}

// reducer makes a smaller picture in sRGB of a sheet's rows, with a sample of colour
// for each pixel.
type reducer struct {
	boxes  *boxes
	scaler *scaler
	planes *jpeg.Planes
	height int // of the sheet
	// first and end are the columns of the sheet that play a part.
	first, end int
	// light is what is done to a row before it is scaled, if anything; convert
	// makes sRGB of a row that was scaled.
	light   func(dst, src []uint16)
	convert func(dst []uint8, src []uint16)
	lit     []uint16
	colours []uint8
}

// newReducer makes a picture of the given size from the part in cut. Boxes are
// averaged before, as long as keep pixels are left for each of the picture.
func newReducer(src sheet, cut region, size image.Point, keep float64, by kernel) *reducer {
	side := boxSide(min(cut.width/float64(size.X), cut.height/float64(size.Y)), keep)
	k := float64(side)
	across := by.taps(cut.x/k, cut.width/k, float64(src.width)/k, size.X)
	down := by.taps(cut.y/k, cut.height/k, float64(src.height)/k, size.Y)
	r := &reducer{
		boxes:   newBoxes(side, src.channels, src.width),
		scaler:  newScaler(src.channels, across, down),
		planes:  &jpeg.Planes{Y: jpeg.NewPlane(size.X, size.Y)},
		height:  src.height,
		lit:     make([]uint16, src.channels*src.width),
		colours: make([]uint8, 3*size.X),
	}
	if src.channels > 1 {
		r.planes.Cb, r.planes.Cr = jpeg.NewPlane(size.X, size.Y), jpeg.NewPlane(size.X, size.Y)
	}
	first, end := r.scaler.columns()
	r.first, r.end = first*side, min(end*side, src.width)
	return r
}

// add takes row y of the sheet. Rows come from top to bottom.
func (r *reducer) add(y int, row []uint16) {
	side, n := r.boxes.side, r.boxes.channels
	if !r.scaler.wants(y / side) {
		return
	}
	if r.light != nil {
		r.light(r.lit[n*r.first:n*r.end], row[n*r.first:n*r.end])
		row = r.lit
	}
	if side > 1 {
		r.boxes.add(row, r.first, r.end)
		if (y+1)%side != 0 && y+1 != r.height {
			return
		}
		row = r.boxes.take(r.first, r.end)
	}
	r.scaler.add(y/side, row, r.finish)
}

// finish writes a row that was scaled into the picture.
func (r *reducer) finish(y int, row []uint16) {
	r.convert(r.colours, row)
	putRow(r.planes, y, r.colours)
}
