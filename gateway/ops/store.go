package ops

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
)

// storeTime is how long one try of the store may take. Whoever asks does not wait
// that long.
const storeTime = 10 * time.Second

// StoreCheck is /readyz's line about the pictures' store. A store that fails
// delays photos and loses nothing, so it is a warning. It is tried once in every
// at most, however often anybody asks.
func StoreCheck(check func(context.Context) error, every time.Duration) Check {
	s := &seldom{check: check, every: every}
	return func(ctx context.Context) []Line {
		err := s.ask(ctx)
		switch {
		case err == nil:
			return []Line{{"store", OK, ""}}
		case errors.Is(err, store.ErrUnfit):
			return []Line{{"store", Warn, err.Error()}}
		}
		return []Line{{"store", Warn, "photos are delayed: " + err.Error()}}
	}
}

// seldom asks once for many who want to know.
type seldom struct {
	check func(context.Context) error
	every time.Duration

	mu     sync.Mutex
	asked  time.Time     // when the last try began
	answer chan struct{} // closed when it has ended; nil before the first
	err    error         // how it has ended
}

// ask returns how the last try went, after a new one if that is a while ago. It
// waits no longer than ctx, and leaves the answer to whoever asks next.
func (s *seldom) ask(ctx context.Context) error {
	answer := s.begin(ctx)
	select {
	case <-answer:
	case <-ctx.Done():
		return fmt.Errorf("the store has not answered in %v", time.Since(s.since()).Round(time.Millisecond))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *seldom) since() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// begin begins a try if none is under way and the last is old, and returns what
// is closed when there is an answer.
func (s *seldom) begin(ctx context.Context) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil && (time.Since(s.asked) < s.every || !over(s.answer)) {
		return s.answer
	}
	answer := make(chan struct{})
	s.asked, s.answer = time.Now(), answer
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	go func() {
		defer cancel()
		err := s.check(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = err
		close(answer)
	}()
	return answer
}

// over tells whether a try has ended.
func over(answer <-chan struct{}) bool {
	select {
	case <-answer:
		return true
	default:
		return false
	}
}
