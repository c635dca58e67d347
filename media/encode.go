package media

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	jpegours "github.com/lightlock/lightlock/media/jpeg"
	"math"
)

// Qualities of a JPEG. Below the worst a smaller picture looks better than a
// coarser one.
const (
	bestQuality  = 90
	worstQuality = 40
)

// encode makes a JPEG that keeps to the target's bytes, of the best quality
// that does, and smaller where none does. image/jpeg writes no metadata and the
// same bytes for the same pixels.
func encode(ctx context.Context, img *image.RGBA, t Target, _ jpegours.Sampling) (Picture, error) {
	for {
		out, err := bestWithin(ctx, img, t.MaxBytes)
		if err != nil {
			return Picture{}, err
		}
		if out.fits() {
			return Picture{Data: out.Bytes(), Width: img.Rect.Dx(), Height: img.Rect.Dy()}, nil
		}
		longest := max(img.Rect.Dx(), img.Rect.Dy())
		if longest == 1 {
			return Picture{}, fmt.Errorf("media: a pixel does not fit into %d bytes", t.MaxBytes)
		}
		if img, err = shrinkPicture(ctx, img, smaller(longest, out)); err != nil {
			return Picture{}, err
		}
	}
}

// smaller returns the next side to try: bytes go with the square of the side,
// but not quite, so it goes down by a twentieth at least and by half at most.
func smaller(side int, tooLarge *limitedBuffer) int {
	factor := math.Sqrt(float64(tooLarge.limit) / float64(tooLarge.size))
	next := float64(side) * min(max(factor, 0.5), 0.95)
	return max(1, min(side-1, int(next)))
}

// bestWithin searches the best quality within limit. Where none is, it returns
// the worst.
func bestWithin(ctx context.Context, img *image.RGBA, limit int) (*limitedBuffer, error) {
	out, err := encodeAt(ctx, img, bestQuality, limit)
	if err != nil || out.fits() {
		return out, err
	}
	best, err := encodeAt(ctx, img, worstQuality, limit)
	if err != nil || !best.fits() {
		return best, err
	}
	for low, high := worstQuality, bestQuality; high-low > 1; {
		middle := (low + high) / 2
		out, err := encodeAt(ctx, img, middle, limit)
		if err != nil {
			return nil, err
		}
		if out.fits() {
			low, best = middle, out
		} else {
			high = middle
		}
	}
	return best, nil
}

func encodeAt(ctx context.Context, img *image.RGBA, quality, limit int) (*limitedBuffer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("media: encoding: %w", err)
	}
	out := &limitedBuffer{limit: limit}
	if err := jpeg.Encode(out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("media: encoding: %w", err)
	}
	return out, nil
}

// limitedBuffer keeps no more than its limit and counts the rest: how much too
// large a picture is says how much smaller it must be.
type limitedBuffer struct {
	bytes.Buffer
	limit, size int
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.size += len(p); b.size > b.limit {
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

func (b *limitedBuffer) fits() bool { return b.size <= b.limit }
