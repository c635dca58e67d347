package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
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
func encode(ctx context.Context, img *image.RGBA, t Target) (Picture, error) {
	for {
		data, err := bestWithin(ctx, img, t.MaxBytes)
		if err != nil {
			return Picture{}, err
		}
		if data != nil {
			return Picture{Data: data, Width: img.Rect.Dx(), Height: img.Rect.Dy()}, nil
		}
		longest := max(img.Rect.Dx(), img.Rect.Dy())
		if longest == 1 {
			return Picture{}, fmt.Errorf("media: a pixel does not fit into %d bytes", t.MaxBytes)
		}
		side := min(longest-1, int(math.Round(float64(longest)*0.9)))
		if img, err = shrink(ctx, sheetOf(img), side); err != nil {
			return Picture{}, err
		}
	}
}

// bestWithin searches the best quality within limit. It returns nil where even
// the worst is too large.
func bestWithin(ctx context.Context, img *image.RGBA, limit int) ([]byte, error) {
	data, err := encodeAt(ctx, img, bestQuality, limit)
	if err != nil || data != nil {
		return data, err
	}
	best, err := encodeAt(ctx, img, worstQuality, limit)
	if err != nil || best == nil {
		return nil, err
	}
	for low, high := worstQuality, bestQuality; high-low > 1; {
		middle := (low + high) / 2
		data, err := encodeAt(ctx, img, middle, limit)
		if err != nil {
			return nil, err
		}
		if data == nil {
			high = middle
		} else {
			low, best = middle, data
		}
	}
	return best, nil
}

// encodeAt returns nil where the picture takes more than limit bytes.
func encodeAt(ctx context.Context, img *image.RGBA, quality, limit int) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("media: encoding: %w", err)
	}
	w := &limitedBuffer{limit: limit}
	err := jpeg.Encode(w, img, &jpeg.Options{Quality: quality})
	if errors.Is(err, errOverLimit) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("media: encoding: %w", err)
	}
	return w.Bytes(), nil
}

var errOverLimit = errors.New("over the limit")

// limitedBuffer refuses what goes over its limit, so that an encode in vain
// ends early.
type limitedBuffer struct {
	bytes.Buffer
	limit int
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.limit {
		return 0, errOverLimit
	}
	return b.Buffer.Write(p)
}
