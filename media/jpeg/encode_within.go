package jpeg

import (
	"context"
	"fmt"
	mathbits "math/bits"
)

// Within makes the file of the best quality, between worst and best, that keeps
// to limit bytes. Where not even the worst does it returns no data, and the size
// in bytes that the worst takes. What is left of the limit is less than the next
// quality needs, or not worth the search: less than a fortieth.
//
// A model of size against quality says which qualities to try, and what a try
// takes is counted, for half the work, before anything is written. So all takes
// two or three times what one Encode does. It looks for the context's end before
// each try.
func (p *Plan) Within(ctx context.Context, limit, worst, best int) (data []byte, size int, err error) {
	s := qualitySearch{plan: p, limit: limit, worst: worst, high: tried{quality: best + 1}}
	return s.run(ctx)
}

// qualitySearch closes in on the best quality. Each try leaves fewer between low
// and high, so that the end depends on no model.
type qualitySearch struct {
	plan        *Plan
	limit       int
	worst       int
	low, before *coding // the best that fits as counted, if any; and the one before
	high        tried   // the worst that is too large
	passes      int     // over the picture: an encode is two, to count and to write
	inRow       int     // tries since the other end moved, negative where high did
}

// tried is what a quality was found to take; nothing where it is known without.
type tried struct{ quality, size int }

func (s *qualitySearch) run(ctx context.Context) (data []byte, size int, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, 0, fmt.Errorf("jpeg: encoding: %w", err)
		}
		switch {
		case s.high.quality-s.next() > 0 && (s.low == nil || s.low.size < s.enough()):
			s.try(s.guess())
		case s.low == nil:
			return nil, s.high.size, nil
		default:
			if data := s.write(); len(data) <= s.limit {
				return data, len(data), nil
			}
		}
	}
}

// next is the lowest quality of which nothing is known.
func (s *qualitySearch) next() int {
	if s.low == nil {
		return s.worst
	}
	return s.low.quality + 1
}

// try counts what a quality takes and moves one of the ends.
func (s *qualitySearch) try(quality int) {
	s.passes++
	c := s.plan.code(quality)
	if c.size > s.limit {
		s.high, s.inRow = tried{quality, c.size}, min(s.inRow, 0)-1
	} else {
		s.low, s.before, s.inRow = c, s.low, max(s.inRow, 0)+1
	}
}

// write writes what fits as counted. Where so much is stuffed that it does not,
// the search goes on below.
func (s *qualitySearch) write() []byte {
	s.passes++
	data := s.plan.write(s.low)
	if len(data) > s.limit {
		s.high = tried{s.low.quality, len(data)}
		s.low, s.before = s.before, nil
	}
	return data
}

// enough is what makes a better quality not worth a try.
func (s *qualitySearch) enough() int { return s.limit - s.limit/40 }

// guess says which quality to try: the best at first, then that of the model, and
// the middle where the model came from the same side twice, or often.
func (s *qualitySearch) guess() int {
	low, high := s.next(), s.high.quality-1
	switch {
	case s.high.size == 0:
		return high
	case s.passes > 4 || s.low != nil && max(s.inRow, -s.inRow) > 1:
		return (low + high) / 2
	}
	// Logarithms of size and of coarseness are nearly on a line. It falls by
	// two for three in ordinary photos, until two points show it; where that
	// was not far enough, the next step is twice as long.
	x, y := log2(coarseness(s.high.quality)), log2(s.high.size)
	across, down := 3<<max(-s.inRow-1, 0), 2
	if s.low != nil {
		across, down = log2(coarseness(s.low.quality))-x, max(y-log2(s.low.size), 1)
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
