package webhook

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// seldom logs at most a line a second, so that strangers cannot flood the log,
// and says how many it has left out.
type seldom struct {
	out     *slog.Logger
	limit   *rate.Limiter
	leftOut atomic.Int64
}

func newSeldom(out *slog.Logger) *seldom {
	return &seldom{out: out, limit: rate.NewLimiter(rate.Every(time.Second), 1)}
}

func (s *seldom) log(level slog.Level, message string, args ...any) {
	if !s.limit.Allow() {
		s.leftOut.Add(1)
		return
	}
	if n := s.leftOut.Swap(0); n > 0 {
		args = append(args, "left_out", n)
	}
	s.out.Log(context.Background(), level, message, args...)
}
