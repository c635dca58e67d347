package inbound

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// hanging is a store that answers when nobody listens any more.
type hanging struct{}

func (hanging) Put(ctx context.Context, _ store.Key, _ []byte) error { <-ctx.Done(); return ctx.Err() }

func (hanging) DeleteAttempt(ctx context.Context, _, _ string) error { <-ctx.Done(); return ctx.Err() }

// However many steps end an attempt, and whatever they wait for, the gateway's stop
// has one end. The clock is the bubble's, which goes by itself.
func TestAllLastWordsHaveOneEnd(t *testing.T) {
	const grace = 14 * time.Second
	steps := map[string]func(l *Line, ctx context.Context){
		"a step": func(l *Line, ctx context.Context) {
			_, _ = l.settle(ctx, func(ctx context.Context) (queue.Outcome, error) {
				<-ctx.Done()
				return queue.Other, fmt.Errorf("%w: %w", queue.ErrAway, ctx.Err())
			})
		},
		"pictures": func(l *Line, ctx context.Context) { l.discard(ctx, queue.Entry{}, "a", "b", "c") },
		"a step within a step": func(l *Line, ctx context.Context) {
			within, cancel := settling(ctx)
			defer cancel()
			<-within.Done()
			l.discard(within, queue.Entry{}, "a")
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &Line{Store: hanging{}, Log: slog.New(slog.DiscardHandler)}
				ctx, stop := context.WithCancel(t.Context())
				stopping, hurry, end := withEnd(ctx, grace)
				defer end()
				time.Sleep(time.Hour)
				stop()
				begun := time.Now()
				if <-hurry.Done(); time.Since(begun) != grace {
					t.Errorf("what is in work had %v, want %v", time.Since(begun), grace)
				}
				for range 4 {
					step(l, withStop(hurry, stopping))
				}
				if took := time.Since(begun); took > grace+LastWord {
					t.Errorf("four times took %v, want %v at most", took, grace+LastWord)
				}
			})
		})
	}
}
