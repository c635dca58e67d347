package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/problem"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// errStore marks an error of the store or the archive: they cannot be read at the
// moment, or what lies there cannot.
var errStore = errors.New("the store cannot be read")

// away is how long a caller waits for a Redis or a store that is away.
const away = 5 * time.Second

// problemOf is the one table of what can go wrong. A problem is itself.
func problemOf(err error) *problem.Problem {
	var already *problem.Problem
	var theirs *queue.NotTheirsError
	var channel *connectors.Error
	switch {
	case errors.As(err, &already):
		return already
	case errors.Is(err, identity.ErrUnauthenticated), errors.Is(err, identity.ErrCrossOrigin):
		return problem.Of(problem.Unauthenticated, "")
	case errors.Is(err, queue.ErrNoConversation), errors.Is(err, store.ErrNotFound):
		return problem.Of(problem.NotFound, "")
	case errors.Is(err, queue.ErrConversationOver):
		return problem.Of(problem.Closed, "")
	case errors.As(err, &theirs):
		return with(theirs.Agent, problem.NotAssigned)
	case errors.Is(err, outbound.ErrNothing):
		return problem.Of(problem.NothingToSay, "")
	case errors.Is(err, outbound.ErrTooLong):
		return problem.Of(problem.TooLong, "a text may become ten messages at most")
	case errors.As(err, &channel) && channel.Kind == connectors.Misconfigured:
		return problem.Of(problem.CannotReply, "the channel or its account is not configured any more")
	case errors.Is(err, identity.ErrAway), errors.Is(err, queue.ErrAway), errors.Is(err, queue.ErrFull), errors.Is(err, queue.ErrLogin),
		errors.Is(err, errStore), errors.Is(err, context.DeadlineExceeded):
		return &problem.Problem{Kind: problem.Unavailable, After: away}
	case errors.Is(err, queue.ErrInvalid):
		return problem.Of(problem.Invalid, "")
	}
	return problem.Of(problem.Broken, "")
}

// with is a problem about a conversation that somebody has, or nobody.
func with(who queue.Agent, kind problem.Kind) *problem.Problem {
	p := &problem.Problem{Kind: kind}
	if who.ID != "" {
		p.Agent = &who
	}
	return p
}

// seldom logs at most a line a second, so that callers cannot flood the log.
type seldom struct {
	out     *slog.Logger
	limit   *rate.Limiter
	leftOut atomic.Int64
}

func newSeldom(out *slog.Logger) *seldom {
	return &seldom{out: out, limit: rate.NewLimiter(rate.Every(time.Second), 1)}
}

func (s *seldom) log(ctx context.Context, level slog.Level, message string, args ...any) {
	if !s.limit.Allow() {
		s.leftOut.Add(1)
		return
	}
	if n := s.leftOut.Swap(0); n > 0 {
		args = append(args, "left_out", n)
	}
	s.out.Log(ctx, level, message, args...)
}

// slogLevel: that something is away is known from elsewhere too.
func slogLevel(k problem.Kind) slog.Level {
	if k == problem.Unavailable {
		return slog.LevelWarn
	}
	return slog.LevelError
}
