package media

import (
	"context"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
)

// fromRows makes preview and thumbnail, not yet upright, of a picture that is read row
// by row: all but a JPEG of brightness and colour.
//
// damage says why a part of the picture is missing, where that may be shown.
func fromRows(ctx context.Context, head *header, colours *icc.Transform, s Settings) (preview, thumbnail *jpeg.Planes, damage, err error) {
	read, err := decode(ctx, head)
	if err != nil {
		return nil, nil, nil, err
	}
	sheet, colours := flatten(read, head, colours)
	return shrink(ctx, sheet, colours, head.previewSize(s), s)
}
