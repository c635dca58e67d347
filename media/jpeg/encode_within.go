package jpeg

import (
	"context"
	"fmt"
	mathbits "math/bits"
)

// Within makes the file of the best quality, between worst and best, that keeps
// to limit bytes. Where not even the worst does it returns no data, and the size
// in bytes that the worst takes. What is left of the limit is less than the next
// quality needs, or not worth the search: less than a fortieth. Of planes that
// Encode does not take it panics.
//
// A model of size against quality says which qualities to try. Where the best fits,
// all takes as long as one Encode, else mostly three or four times as long: to
// count what a try takes is most of the work, and of one that takes too much a
// part is not counted. It looks for the context's end before each try.
func Within(ctx context.Context, p *Planes, limit, worst, best int) (data []byte, size int, err error) {
	s := newSearch(p, limit, worst, best)
	return s.run(ctx)
}

// qualitySearch closes in on the best quality. Each try leaves fewer between low
// and high, so that the end depends on no model.
type qualitySearch struct {
	encoder *encoder
	limit   int
	worst   int
	low     fitting // the best that fits, or if none does what is below the worst
	high    tried   // the worst that is too large, or what is above the best
	tries   int
	inRow   int // tries since the other end moved, negative where high did
}

// fitting is a quality and its file, if that was made.
type fitting struct {
	quality int
	data    []byte
}

// tried is a quality and the size that it was found to have, if it was tried; that
// of the worst is exact.
type tried struct{ quality, size int }

func newSearch(p *Planes, limit, worst, best int) *qualitySearch {
	return &qualitySearch{
		encoder: newEncoder(p), limit: limit, worst: worst,
		low: fitting{quality: worst - 1}, high: tried{quality: best + 1},
	}
}

func (s *qualitySearch) run(ctx context.Context) (data []byte, size int, err error) {
	for s.high.quality-s.low.quality > 1 && (s.low.data == nil || len(s.low.data) < s.enough()) {
		if err := ctx.Err(); err != nil {
			return nil, 0, fmt.Errorf("jpeg: encoding: %w", err)
		}
		s.try(s.guess())
	}
	if s.low.data == nil {
		return nil, s.high.size, nil
	}
	return s.low.data, len(s.low.data), nil
}

// try writes the file of a quality, if it fits, and moves one of the ends.
func (s *qualitySearch) try(quality int) {
	s.tries++
	c := s.encoder.code(quality, s.limit, quality == s.worst)
	if c.size <= s.limit {
		data := s.encoder.write(c)
		if len(data) <= s.limit {
			s.low, s.inRow = fitting{quality, data}, max(s.inRow, 0)+1
			return
		}
		c.size = len(data) // more was stuffed than there was room
	}
	s.high, s.inRow = tried{quality, c.size}, min(s.inRow, 0)-1
}

// enough is what makes a better quality not worth a try.
func (s *qualitySearch) enough() int { return s.limit - s.limit/40 }

// guess says which quality to try: the best at first, then that of the model, and
// the middle where the model came from the same side twice, or often.
func (s *qualitySearch) guess() int {
	low, high := s.low.quality+1, s.high.quality-1
	switch {
	case s.high.size == 0:
		return high
	case s.tries > 3 || s.low.data != nil && max(s.inRow, -s.inRow) > 1:
		return (low + high) / 2
	}
	// Logarithms of size and of coarseness are nearly on a line. It falls by
	// two for three in ordinary photos, until two points show it; where that
	// was not far enough, the next step is twice as long.
	x, y := log2(coarseness(s.high.quality)), log2(s.high.size)
	across, down := 3<<max(-s.inRow-1, 0), 2
	if s.low.data != nil {
		across, down = log2(coarseness(s.low.quality))-x, max(y-log2(len(s.low.data)), 1)
	}
	want := x + (y-log2((s.limit+s.enough())/2))*across/down
	for q := high; q > low; q-- {
		if log2(coarseness(q)) >= want {
			return q
		}
	}
	return low
}

// log2 is the logarithm of a positive number in parts of 1024. It is made of
// whole numbers, since those of package math differ between processors.
func log2(n int) int {
	whole := mathbits.Len(uint(n)) - 1
	rest := uint64(n) << (63 - whole) >> 32 // from 1 to 2, with 31 bits behind the point
	for range 10 {
		rest = rest * rest >> 31
		whole = whole<<1 | int(rest>>32)
		rest >>= rest >> 32
	}
	return whole
}
