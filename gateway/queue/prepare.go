package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// askEvery is how often a Redis that is away is asked whether it is back.
const askEvery = time.Second

// Prepare asks Doctor, and makes the queues. It unwraps to ErrAway if Redis does
// not answer; another error says why this Redis must not be used, a line for each
// reason.
func (b *Backend) Prepare(ctx context.Context, queues []string) error {
	checkup, err := b.Doctor(ctx)
	if err != nil {
		return err
	}
	for _, finding := range checkup.Findings {
		err = errors.Join(err, fmt.Errorf("redis: %s", finding))
	}
	if err != nil {
		return err
	}
	for _, name := range queues {
		if err := b.EnsureQueue(ctx, name); err != nil {
			return err
		}
	}
	b.prepared.Store(true)
	return nil
}

// Ready tells whether Prepare has succeeded: only then is it known that Redis
// keeps what it acknowledges.
func (b *Backend) Ready() bool { return b.prepared.Load() }

// Await asks until Prepare succeeds or ctx ends, and tells of its success, which
// is nil, and of a Redis that must not be used as it is.
func (b *Backend) Await(ctx context.Context, queues []string, tell func(error)) {
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, ioTimeout)
		err := b.Prepare(limited, queues)
		cancel()
		if err == nil || !errors.Is(err, ErrAway) && ctx.Err() == nil {
			tell(err)
		}
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(askEvery):
		}
	}
}
