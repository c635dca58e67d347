// Package retry says how long to wait between two tries, the same for photos and
// for messages to consumers, and between two rounds of what is done again and
// again. It is our own because a library's curve keeps its state in memory, and the
// tries of one message may be made by different gateways.
package retry

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// longestAsked caps what a platform may ask for: beyond it a mistake in a header
// would park photos until the platform has deleted them.
const longestAsked = 15 * time.Minute

// Asked is how long a platform wants us to leave a photo, or its host, alone, with
// a cap of 15 minutes; zero if it did not say.
func Asked(err error) time.Duration { return min(connectors.AfterOf(err), longestAsked) }

// Pause is full jitter over a bound that grows fourfold with each try, from
// bound up to most, and never zero.
func Pause(bound, most time.Duration, tries int) time.Duration {
	for ; tries > 0 && bound < most; tries-- {
		bound *= 4
	}
	return Jitter(min(bound, most))
}

// Jitter is a random part of a span, and never zero.
func Jitter(span time.Duration) time.Duration {
	return rand.N(max(span, 1)) + 1 //nolint:gosec // jitter needs no secrecy
}

// While repeats a step as long as its error may pass, with a pause between. When
// ctx ends it is tried once more, with what time the step gives itself.
func While(ctx context.Context, mayPass func(error) bool, pause time.Duration, step func() error) error {
	for {
		err := step()
		if err == nil || !mayPass(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Every does something within first, and then about once in each pause, not at the
// same moment as other gateways, until ctx ends.
func Every(ctx context.Context, first, pause time.Duration, do func(context.Context)) {
	wait := Jitter(first)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		do(ctx)
		wait = pause - pause/10 + Jitter(pause/5)
	}
}
