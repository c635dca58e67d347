package media

import (
	"context"
	"fmt"
	"image"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
)

// fromPlanes makes preview and thumbnail, not yet upright, of a JPEG that is read in
// planes. They stay planes until they are files.
//
// damage says why a part of the picture is missing, where that may be shown.
func fromPlanes(ctx context.Context, head *header, colours *icc.Transform, s Settings) (preview, thumbnail *jpeg.Planes, damage, err error) {
	n, damage, err := readNegative(ctx, head, s.ShowDamaged)
	if err != nil {
		return nil, nil, nil, err
	}
	photo, size := image.Pt(head.width, head.height), head.previewSize(s)
	if head.resizesFirst(s) {
		n.resize(size)
	}
	if err := n.toSRGB(ctx, colours); err != nil {
		return nil, nil, nil, err
	}
	thumbnail, err = n.thumbnail(ctx, photo, s.Thumbnail.Side)
	if err != nil {
		return nil, nil, nil, err
	}
	return n.resized(size, image.Pt(2, 2)), thumbnail, damage, nil
}

// resizesFirst tells whether the preview has enough rows and columns for the thumbnail.
// It is made first then, and all that follows has to do with less.
func (h *header) resizesFirst(s Settings) bool {
	size := h.previewSize(s)
	return min(size.X, size.Y) >= min(h.width, h.height, s.Thumbnail.Side)
}

// readNegative reads a JPEG at the scale that was chosen for it. A picture that breaks
// off before half of it was there, or that is not to be shown in part, is corrupt; what
// is missing of another is white paper.
func readNegative(ctx context.Context, head *header, showDamaged bool) (n *negative, damage, err error) {
	planes, rows, damage := head.film.decoder.ReadPlanes(ctx)
	if head.damage != nil {
		damage = head.damage // why there are no more rows, which the decoder was not told
	}
	switch {
	case damage != nil && (!showDamaged || ctx.Err() != nil):
		return nil, nil, unreadable(ctx, damage)
	case damage != nil && 2*rows < planes[0].Height:
		return nil, nil, unreadable(ctx, fmt.Errorf("%w, and less than half of the picture is there", damage))
	}
	part := float64(head.eighths) / 8
	n = &negative{covers: head.film.covers, width: float64(head.width) * part, height: float64(head.height) * part}
	if n.Y = planes[0]; len(planes) == 3 {
		n.Cb, n.Cr = planes[1], planes[2]
	}
	n.whiten(rows)
	return n, damage, nil
}

// whiten makes the rows from that one on white.
func (n *negative) whiten(first int) {
	white := func(p *jpeg.Plane, first int, value byte) {
		for y := first; y < p.Height; y++ {
			row := p.Row(y)
			for x := range row {
				row[x] = value
			}
		}
	}
	white(&n.Y, first, 255)
	white(&n.Cb, ceilDiv(first, n.covers.Y), 128)
	white(&n.Cr, ceilDiv(first, n.covers.Y), 128)
}
