package media

import (
	"context"
	"fmt"
	"math"

	"github.com/lightlock/lightlock/media/jpeg"
)

// Qualities of a JPEG. Below the worst a smaller picture looks better than a
// coarser one; above the best hardly more than the file grows.
const (
	bestQuality  = 90
	worstQuality = 40
)

// encode makes a JPEG that keeps to the target's bytes and uses them as far as it
// helps: of the best quality that fits, and smaller where none does.
func encode(ctx context.Context, p *jpeg.Planes, t Target) (Picture, error) {
	f := fitting{planes: p, limit: t.MaxBytes}
	return f.run(ctx)
}

// fitting looks for the size at which a picture fits.
type fitting struct {
	planes *jpeg.Planes
	limit  int // bytes
	best   Picture
	// low is the longest side of best, if there is one; high is the smallest
	// that does not fit.
	low, high int
	shrinks   int
}

// maxShrinks is how often a picture is shrunken for the sake of more bytes. One
// or two do in ordinary cases.
const maxShrinks = 4

func (f *fitting) run(ctx context.Context) (Picture, error) {
	side := max(f.planes.Y.Width, f.planes.Y.Height)
	f.high = side + 1
	for side > 0 {
		size, err := f.try(ctx, side)
		if err != nil {
			return Picture{}, err
		}
		side = f.next(side, size)
	}
	if f.low == 0 {
		return Picture{}, fmt.Errorf("media: a pixel does not fit into %d bytes", f.limit)
	}
	return f.best, nil
}

// try encodes the picture with that longest side. It returns the bytes of what
// fits, or those of the worst quality, which does not.
func (f *fitting) try(ctx context.Context, side int) (size int, err error) {
	p := f.planes
	if side < max(p.Y.Width, p.Y.Height) {
		f.shrinks++
		p = shrinkPlanes(p, side)
	}
	data, size, err := jpeg.Within(ctx, p, f.limit, worstQuality, bestQuality)
	switch {
	case err != nil:
		return 0, fmt.Errorf("media: %w", err)
	case data == nil:
		f.high = side
	default:
		f.low, f.best = side, Picture{Data: data, Width: p.Y.Width, Height: p.Y.Height}
	}
	return size, nil
}

// next is the side to try after one that took so many bytes; 0 ends the search.
// Bytes grow with the 1.6th power of the side of most photos, and faster in
// noise, which then gets a better quality. The root of 1.6 is made of square
// roots, since those are exact on every processor.
func (f *fitting) next(side, size int) int {
	room := math.Sqrt(float64(f.limit) / float64(size))
	switch {
	case f.low == 0 && side == 1:
		return 0
	case f.low == 0:
		factor := room * math.Sqrt(math.Sqrt(room))
		return max(1, int(float64(side)*min(factor, 0.95)))
	case f.high-f.low == 1 || f.shrinks >= maxShrinks || f.low == side && size >= f.enough():
		return 0
	case f.low == side: // even the best quality leaves much of the limit
		return min(max(int(float64(side)*room), f.low+1), f.high-1)
	default:
		return (f.low + f.high) / 2
	}
}

// enough is how much of its limit a shrunken picture must use.
func (f *fitting) enough() int { return f.limit - f.limit/8 }
