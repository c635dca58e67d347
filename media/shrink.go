package media

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/lightlock/lightlock/media/icc"
)

// shrink makes preview and thumbnail in one pass over the sheet.
//
// The preview is scaled in the numbers of the original and converted to sRGB
// afterwards, when there are few pixels left. The thumbnail, which is much
// smaller, is scaled in proportion to light: the average of a fine pattern in
// black and white would else be far too dark.
//
// damage says why a part of the picture is missing, where that may be shown.
func shrink(ctx context.Context, src sheet, colours *icc.Transform, s Settings) (preview, thumbnail *image.RGBA, damage, err error) {
	whole := region{0, 0, float64(src.width), float64(src.height)}
	large := newReducer(src, whole, fit(src.width, src.height, s.Preview.Side), 2)
	large.convert = colours.Convert
	cut, size := middle(src.width, src.height, s.Thumbnail.Side)
	small := newReducer(src, cut, size, 4)
	small.light, small.convert = colours.Light, colours.ConvertLight
	damage, err = reduce(ctx, src, s.ShowDamaged, large, small)
	return large.img, small.img, damage, err
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

// reducer makes a smaller picture in sRGB of a sheet's rows.
type reducer struct {
	boxes  *boxes
	scaler *scaler
	img    *image.RGBA
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
func newReducer(src sheet, cut region, size image.Point, keep float64) *reducer {
	side := boxSide(min(cut.width/float64(size.X), cut.height/float64(size.Y)), keep)
	k := float64(side)
	cut = region{cut.x / k, cut.y / k, cut.width / k, cut.height / k}
	r := &reducer{
		boxes:   newBoxes(side, src.channels, src.width),
		scaler:  newScaler(src.channels, float64(src.width)/k, float64(src.height)/k, cut, size),
		img:     image.NewRGBA(image.Rectangle{Max: size}),
		height:  src.height,
		lit:     make([]uint16, src.channels*src.width),
		colours: make([]uint8, 3*size.X),
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
	out := r.img.Pix[y*r.img.Stride:]
	for x := range len(r.colours) / 3 {
		copy(out[4*x:4*x+3], r.colours[3*x:])
		out[4*x+3] = 0xff
	}
}

// shrinkPicture makes a picture of ours smaller, until its longest side is side.
func shrinkPicture(ctx context.Context, img *image.RGBA, side int) (*image.RGBA, error) {
	src := sheetOf(img)
	whole := region{0, 0, float64(src.width), float64(src.height)}
	r := newReducer(src, whole, fit(src.width, src.height, side), 2)
	r.convert = icc.SRGB().Convert
	_, err := reduce(ctx, src, false, r)
	return r.img, err
}

// sheetOf reads a picture of ours as a sheet.
func sheetOf(img *image.RGBA) sheet {
	s, y := sheet{width: img.Rect.Dx(), height: img.Rect.Dy(), channels: 3, end: img.Rect.Dy()}, -1
	s.next = func(ctx context.Context, dst []uint16) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if y++; y == s.height {
			return io.EOF
		}
		pix := img.Pix[y*img.Stride:]
		for x := range s.width {
			dst[3*x], dst[3*x+1], dst[3*x+2] = wide(pix[4*x]), wide(pix[4*x+1]), wide(pix[4*x+2])
		}
		return nil
	}
	return s
}
