package queue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
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
		j := journal(t, address, queue.Options{Lease: 2 * time.Millisecond, PerAccount: 2, PromiseFor: 5 * time.Millisecond})
		accepting.Go(func() {
			for n := range events {
				got, err := j.Accept(t.Context(), q, []queue.Item{someItem(n)})
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
	seen, tellings := map[string]bool{}, int64(0)
	for _, key := range delivered(t, connect(t, address)) {
		if strings.HasPrefix(key, "told ") {
			tellings++
			if seen[strings.TrimPrefix(key, "told ")] {
				t.Errorf("%s after it was settled", key)
			}
		}
		if seen[key] {
			t.Errorf("event %s is twice in the agents' queue", key)
		}
		seen[key] = true
	}
	if got := count(t, journal(t, address, queue.Options{})); got != (counts{dead: got.dead, delivered: int64(len(seen))}) || len(seen) != events+int(tellings) {
		t.Errorf("got %+v and %d documents, want %d", got, len(seen), events)
	}
}

// someItem is a text, or a message with photos of one of three accounts.
func someItem(n int) queue.Item {
	if n%4 == 0 {
		return item(fmt.Sprint(n))
	}
	return photo(fmt.Sprint(n), fmt.Sprint(n%3))
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
		from := queue.Inbox(w.random.IntN(2))
		taken, errTaken := w.j.Take(w.t.Context(), q, from, 3, 0)
		over, errOver := w.j.TakeOver(w.t.Context(), q, from, 2)
		_, errDue := w.j.Due(w.t.Context(), q, 5)
		if err := errors.Join(errTaken, errOver, errDue, w.tell()); err != nil {
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
		_, retry := w.j.Retry(ctx, e, queue.Retry{After: time.Millisecond, Cause: "slow", Hold: w.random.IntN(2) == 0})
		return errors.Join(err, retry)
	case 1:
		return errors.Join(err, w.complete(e, queue.End{Cause: "hopeless", Document: []byte(e.Key)}))
	case 2:
		return errors.Join(err, w.j.Release(ctx, e))
	case 3:
		return errors.Join(err, w.j.EnsureQueue(ctx, q), w.j.Close(ctx)) // and leave the entry to others
	}
	return errors.Join(err, w.complete(e, queue.End{Document: []byte(e.Key)}))
}

func (w *restless) complete(e queue.Entry, end queue.End) error {
	end.Told = e.Told
	outcome, err := w.j.Complete(w.t.Context(), e, end)
	if outcome != queue.Told {
		return err
	}
	if end.Told, err = w.j.ToldAs(w.t.Context(), e); err == nil {
		_, err = w.j.Complete(w.t.Context(), e, end)
	}
	return err
}

func (w *restless) tell() error {
	overdue, err := w.j.Overdue(w.t.Context(), q, 3)
	for _, e := range overdue {
		_, told := w.j.Tell(w.t.Context(), e, queue.Telling{ID: hash(fmt.Sprint(w.random.Uint64())), Document: []byte("told " + e.Key)})
		err = errors.Join(err, told)
	}
	return err
}
