package queue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// TestGatewaysAtOnce lets gateways accept the same events and work on them at
// the same time, with a lease so short that they take them from each other.
func TestGatewaysAtOnce(t *testing.T) {
	t.Parallel()
	const gateways, events = 4, 60
	address := queuetest.Redis(t)
	var accepting, working sync.WaitGroup
	accepted := make(chan struct{})
	fresh := make([]int, gateways)
	for g := range gateways {
		j := journal(t, address, queue.Options{Lease: 2 * time.Millisecond})
		accepting.Go(func() {
			for n := range events {
				got, err := j.Accept(t.Context(), q, []queue.Item{item(fmt.Sprint(n))})
				if err != nil {
					t.Error(err)
					return
				}
				if got[0].New {
					fresh[g]++
				}
			}
		})
		for worker := range 2 {
			w := &restless{t: t, j: j, random: rand.New(rand.NewPCG(uint64(g), uint64(worker)))}
			working.Go(func() { w.workUntil(accepted) })
		}
	}
	accepting.Wait()
	close(accepted)
	working.Wait()
	total := 0
	for _, n := range fresh {
		total += n
	}
	if total != events {
		t.Errorf("%d events were new, want %d", total, events)
	}
	seen := map[string]bool{}
	for _, key := range delivered(t, connect(t, address)) {
		if seen[key] {
			t.Errorf("event %s is twice in the agents' queue", key)
		}
		seen[key] = true
	}
	if got := count(t, journal(t, address, queue.Options{})); got != (counts{dead: got.dead, delivered: int64(len(seen))}) || len(seen) != events {
		t.Errorf("got %+v and %d documents, want %d", got, len(seen), events)
	}
}

// restless is a worker that does with each entry what comes to its mind.
type restless struct {
	t      *testing.T
	j      *queue.Journal
	random *rand.Rand
}

// workUntil works until everything is accepted and finished.
func (w *restless) workUntil(accepted <-chan struct{}) {
	for {
		taken, errTaken := w.j.Take(w.t.Context(), q, queue.Words, 3, 0)
		over, errOver := w.j.TakeOver(w.t.Context(), q, queue.Words, 2)
		_, errDue := w.j.Due(w.t.Context(), q, 5)
		if err := errors.Join(errTaken, errOver, errDue); err != nil {
			w.t.Error(err)
			return
		}
		for _, e := range append(taken, over...) {
			if err := w.handle(e); err != nil && !errors.Is(err, queue.ErrFenced) {
				w.t.Error(err)
			}
		}
		select {
		case <-accepted:
			if s, err := w.j.Stats(w.t.Context(), q); err != nil || s.Unfinished() == 0 {
				return
			}
		default:
		}
	}
}

func (w *restless) handle(e queue.Entry) error {
	ctx := w.t.Context()
	if w.random.IntN(10) == 0 {
		return w.j.Release(ctx, e)
	}
	if err := w.j.Begin(ctx, &e, ""); err != nil {
		return err
	}
	err := w.j.KeepAlive(ctx, e)
	switch w.random.IntN(8) {
	case 0:
		_, retry := w.j.Retry(ctx, e, queue.Retry{After: time.Millisecond, Cause: "slow"})
		return errors.Join(err, retry)
	case 1:
		_, dead := w.j.Complete(ctx, e, queue.End{Cause: "hopeless", Document: []byte(e.Key)})
		return errors.Join(err, dead)
	case 2:
		return errors.Join(err, w.j.Release(ctx, e))
	case 3:
		return errors.Join(err, w.j.EnsureQueue(ctx, q), w.j.Close(ctx)) // and leave the entry to others
	}
	_, complete := w.j.Complete(ctx, e, queue.End{Document: []byte(e.Key)})
	return errors.Join(err, complete)
}
