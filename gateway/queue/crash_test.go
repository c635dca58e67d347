package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestWhatWasAcknowledgedSurvivesAKillOfRedis(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	var mu sync.Mutex
	var acknowledged []string
	var writers sync.WaitGroup
	for w := range 8 {
		j := journal(t, server.Address(), queue.Options{})
		writers.Go(func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%d-%d", w, n)
				if _, err := j.Accept(t.Context(), q, []queue.Item{item(name)}); err != nil {
					if !errors.Is(err, queue.ErrAway) {
						t.Errorf("got %v, want ErrAway", err)
					}
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, name)
				mu.Unlock()
			}
		})
	}
	gatewaytest.Await(t, "some events were accepted", func() bool { mu.Lock(); defer mu.Unlock(); return len(acknowledged) > 200 })
	server.Kill()
	writers.Wait()
	server.Restart()

	j := journal(t, server.Address(), queue.Options{})
	kept := map[string]bool{}
	for {
		entries, err := j.Take(t.Context(), q, queue.Words, 100, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			kept[string(e.Payload)] = true
		}
	}
	for _, name := range acknowledged {
		if !kept[name] {
			t.Errorf("event %s was acknowledged and is gone", name)
		}
	}
	// The sender repeats what it saw no answer to; nothing is doubled by that.
	for _, answer := range accept(t, j, acknowledged...) {
		if answer.New {
			t.Fatal("an acknowledged event is new again")
		}
	}
}

func TestADeadlineBoundsTheWaitForASleepingRedis(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	b, err := queue.Open(t.Context(), queue.OpenOptions{Redis: at(server.Address())})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.EnsureQueue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = b.Accept(ctx, q, []queue.Item{item("a")})
	if !errors.Is(err, queue.ErrAway) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want ErrAway by the deadline", err)
	}
	server.Continue()
	// Whether the first call had an effect is open; its repeat has one.
	want(t, "the repeat", 1)(func() (int, error) {
		_, err := b.Accept(t.Context(), q, []queue.Item{item("a")})
		return int(count(t, b.Journal).waiting), err
	}())
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTakeGoesOnAfterRedisCameBackEmpty(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		connect(t, address).FlushAll(t.Context())
		accept(t, j, "a")
		begun(t, j)
		connect(t, address).FlushAll(t.Context())
		if entries, err := j.TakeOver(t.Context(), q, queue.Words, 1); err != nil || len(entries) != 0 {
			t.Errorf("got %v, %v; want nothing to take over", entries, err)
		}
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAConsumerIsDeletedOnlyWithNothingInItsHands(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client := connect(t, address)
		inbox := "{" + queue.Stream(q) + "}:inbox"
		consumers := func() int { return len(client.XInfoConsumers(t.Context(), inbox, "workers").Val()) }
		j := journal(t, address, queue.Options{})
		accept(t, j, "a")
		e := begun(t, j)
		if err := j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := consumers(); got != 1 {
			t.Fatalf("%d consumers while one entry is in work, want 1", got)
		}
		other := journal(t, address, queue.Options{Lease: atOnce})
		if err := other.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, other, counts{inWork: 1})
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
		if err := j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := consumers(); got != 0 {
			t.Errorf("%d consumers with nothing in work, want none", got)
		}
	})
}

func TestBreachesAreTold(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	client, slot := connect(t, address), "{"+queue.Stream(q)+"}:"
	var told []queue.Breach
	j := journal(t, address, queue.Options{Lease: atOnce, OnBreach: func(b queue.Breach) { told = append(told, b) }})
	expect := func(what, id string) {
		t.Helper()
		if len(told) != 1 || told[0].What != what || told[0].Queue != q || len(told[0].IDs) != 1 || told[0].IDs[0] != id {
			t.Errorf("got %+v, want %q of %s", told, what, id)
		}
		told = nil
	}

	accept(t, j, "deleted by somebody else")
	e := take(t, j)
	client.XDel(t.Context(), slot+"inbox", e.ID)
	if entries, err := j.TakeOver(t.Context(), q, queue.Words, 5); err != nil || len(entries) != 0 {
		t.Errorf("got %d entries, error %v", len(entries), err)
	}
	expect("pending entry was deleted from the journal", e.ID)

	client.ZAdd(t.Context(), slot+"delayed", zAt(0, hash("lost")))
	want(t, "due", 0)(j.Due(t.Context(), q, 5))
	expect("delayed entry has no record", hash("lost"))
}
