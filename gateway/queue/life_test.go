package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

func TestAMessageTravelsFromAcceptToTheAgentsQueue(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		accepted := accept(t, j, "a")[0]
		wantCounts(t, j, counts{waiting: 1})

		e := begun(t, j)
		if string(e.Payload) != "a" || e.Key != hash("a") || e.Seq != 1 || e.Conversation != accepted.Conversation {
			t.Errorf("got entry %+v for %+v", e, accepted)
		}
		if e.Starts != 1 || e.Tries != 0 || e.AcceptedAt.IsZero() || len(e.Attempt) != 32 {
			t.Errorf("got entry %+v", e)
		}
		wantCounts(t, j, counts{inWork: 1})

		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
		wantCounts(t, j, counts{delivered: 1})
		if got := delivered(t, connect(t, address)); len(got) != 1 || got[0] != "document" {
			t.Errorf("got %q in the agents' queue", got)
		}
		if again := accept(t, j, "a")[0]; again.New {
			t.Error("a finished event was accepted again")
		}
		wantCounts(t, j, counts{delivered: 1})
	})
}

func TestAStaleWorkerIsFencedAfterATakeOver(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		slow, quick := journal(t, address, queue.Options{}), journal(t, address, queue.Options{Lease: atOnce})
		accept(t, slow, "a")
		stale := begun(t, slow)
		fresh := takeOver(t, quick)
		if fresh.Attempt == stale.Attempt {
			t.Fatal("two attempts have one id")
		}

		check := func(when string) {
			t.Helper()
			want(t, when+": complete", queue.Other)(slow.Complete(t.Context(), stale, queue.End{Document: []byte("stale")}))
			want(t, when+": retry", queue.Other)(slow.Retry(t.Context(), stale, queue.Retry{Cause: "stale"}))
			want(t, when+": dead", queue.Other)(slow.Complete(t.Context(), stale, queue.End{Cause: "stale", Document: []byte("stale")}))
			for what, err := range map[string]error{
				"keep alive": slow.KeepAlive(t.Context(), stale),
				"release":    slow.Release(t.Context(), stale),
				"begin":      slow.Begin(t.Context(), &stale, ""),
				"child died": func() error { _, err := slow.ChildDied(t.Context(), stale, 0); return err }(),
			} {
				if !errors.Is(err, queue.ErrFenced) {
					t.Errorf("%s: %s: got %v, want ErrFenced", when, what, err)
				}
			}
		}
		check("before the new worker begins")
		wantCounts(t, quick, counts{inWork: 1})
		begin(t, quick, &fresh)
		check("while it works")
		wantCounts(t, quick, counts{inWork: 1})
		want(t, "fresh", queue.Mine)(quick.Complete(t.Context(), fresh, queue.End{Document: []byte("fresh")}))
		check("after it has finished")
		wantCounts(t, quick, counts{delivered: 1})
		if got := delivered(t, connect(t, address)); got[0] != "fresh" {
			t.Errorf("got %q in the agents' queue, want the fresh one", got)
		}
	})
}

// A gateway may take over its own entry, when its keep-alive was late. The
// consumer's name is the same then, so the attempt must tell the two apart.
func TestAStaleAttemptOfTheSameConsumerIsFenced(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{Lease: atOnce})
		accept(t, j, "a")
		stale := begun(t, j)
		fresh := takeOver(t, j)
		if err := j.Release(t.Context(), fresh); !errors.Is(err, queue.ErrFenced) {
			t.Fatalf("release of an attempt that has not begun, beside one that has: got %v", err)
		}
		begin(t, j, &fresh)
		want(t, "stale", queue.Other)(j.Complete(t.Context(), stale, queue.End{Document: []byte("stale")}))
		if err := j.Release(t.Context(), stale); !errors.Is(err, queue.ErrFenced) {
			t.Fatalf("stale release: got %v, want ErrFenced", err)
		}
		if err := j.KeepAlive(t.Context(), stale); !errors.Is(err, queue.ErrFenced) {
			t.Fatalf("stale keep-alive: got %v, want ErrFenced", err)
		}
		want(t, "fresh", queue.Mine)(j.Complete(t.Context(), fresh, queue.End{Document: []byte("fresh")}))
		wantCounts(t, j, counts{delivered: 1})
	})
}

func TestKeepAliveHoldsOffATakeOver(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		holder, other := journal(t, address, queue.Options{}), journal(t, address, queue.Options{})
		accept(t, holder, "a")
		e := begun(t, holder)
		silence(t, connect(t, address), 2*holder.Lease())
		if err := holder.KeepAlive(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if entries, err := other.TakeOver(t.Context(), q, queue.Words, 1); err != nil || len(entries) != 0 {
			t.Fatalf("got %d entries, error %v; want none after a keep-alive", len(entries), err)
		}
		silence(t, connect(t, address), 2*holder.Lease())
		takeOver(t, other)
		if err := holder.KeepAlive(t.Context(), e); !errors.Is(err, queue.ErrFenced) {
			t.Fatalf("keep-alive after the take-over: got %v, want ErrFenced", err)
		}
		if entries, err := holder.TakeOver(t.Context(), q, queue.Words, 1); err != nil || len(entries) != 0 {
			t.Fatalf("got %d entries, error %v; want the lease of the new owner respected", len(entries), err)
		}
	})
}

// silence makes Redis believe that an entry's owner has said nothing for a time.
func silence(t *testing.T, client *redis.Client, idle time.Duration) {
	t.Helper()
	inbox := "{" + queue.Stream(q) + "}:inbox"
	pending, err := client.XPendingExt(t.Context(), &redis.XPendingExtArgs{
		Stream: inbox, Group: "workers", Start: "-", End: "+", Count: 10,
	}).Result()
	if err != nil || len(pending) != 1 {
		t.Fatalf("got %v, %v; want one pending entry", pending, err)
	}
	args := []any{"XCLAIM", inbox, "workers", pending[0].Consumer, 0, pending[0].ID, "IDLE", idle.Milliseconds(), "JUSTID"}
	if err := client.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestAnEntryIsTakenOverAfterItsLeaseOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{Lease: time.Hour})
		accept(t, j, "a", "b", "c")
		if entries, err := j.Take(t.Context(), q, queue.Words, 3, 0); err != nil || len(entries) != 3 {
			t.Fatalf("got %d entries, error %v", len(entries), err)
		}
		if entries, err := j.TakeOver(t.Context(), q, queue.Words, 3); err != nil || len(entries) != 0 {
			t.Fatalf("got %d entries, error %v; want none within the lease", len(entries), err)
		}
		entries, err := journal(t, address, queue.Options{Lease: atOnce}).TakeOver(t.Context(), q, queue.Words, 2)
		if err != nil || len(entries) != 2 {
			t.Fatalf("got %d entries, error %v; want 2", len(entries), err)
		}
	})
}

func TestStartsCountWhatDidNotEndInAnOrderlyWay(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		first := journal(t, address, queue.Options{Lease: atOnce})
		accept(t, first, "a")
		e := begun(t, first)
		want(t, "retry", queue.Mine)(first.Retry(t.Context(), e, queue.Retry{Cause: "host is slow"}))
		want(t, "due", 1)(first.Due(t.Context(), q, 10))
		e = begun(t, first)
		if e.Starts != 1 || e.Tries != 1 {
			t.Fatalf("after a retry: got %d starts, %d tries; want 1 and 1", e.Starts, e.Tries)
		}
		if err := first.Release(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		e = begun(t, first)
		if e.Starts != 1 || e.Tries != 1 {
			t.Fatalf("after a release: got %d starts, %d tries; want 1 and 1", e.Starts, e.Tries)
		}
		for deaths := 1; deaths <= queue.MaxStarts; deaths++ {
			next := journal(t, address, queue.Options{Lease: atOnce})
			e = takeOver(t, next)
			begin(t, next, &e)
			if e.Starts != deaths+1 {
				t.Fatalf("after %d deaths: got %d starts", deaths, e.Starts)
			}
			first = next
		}
		if e.Starts <= queue.MaxStarts {
			t.Errorf("three deaths give %d starts, which is not beyond MaxStarts", e.Starts)
		}
		want(t, "dead", queue.Mine)(first.Complete(t.Context(), e, queue.End{Cause: "three gateways died on it", Document: []byte("text")}))
		wantCounts(t, first, counts{dead: 1, delivered: 1})
	})
}

func TestChildDeathsAreCountedPerPhotoOverAllAttempts(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{Lease: atOnce})
		accept(t, j, "a")
		e := begun(t, j)
		want(t, "first death", 1)(j.ChildDied(t.Context(), e, 0))
		want(t, "another photo", 1)(j.ChildDied(t.Context(), e, 1))
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{Cause: "child died"}))
		want(t, "due", 1)(j.Due(t.Context(), q, 10))
		other := journal(t, address, queue.Options{})
		e = begun(t, other)
		want(t, "second death", 2)(other.ChildDied(t.Context(), e, 0))
	})
}

func TestReleaseGivesBackWhatWasTakenButNotBegun(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		accept(t, j, "a")
		e := take(t, j)
		for range 2 {
			if err := j.Release(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		wantCounts(t, j, counts{waiting: 1})
		if again := begun(t, j); again.Starts != 1 || again.Seq != e.Seq || !again.AcceptedAt.Equal(e.AcceptedAt) {
			t.Errorf("got %+v back for %+v", again, e)
		}
	})
}

// Begin may have had its effect though its caller was told that Redis is away.
func TestReleaseOfAnEntryWhoseBeginGotNoAnswer(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		accept(t, j, "a")
		e := take(t, j)
		unheard := e
		begin(t, j, &unheard)
		if err := j.Release(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, j, counts{waiting: 1})
		if again := begun(t, j); again.Starts != 1 {
			t.Errorf("got %d starts, want the orderly end not counted", again.Starts)
		}
	})
}

func TestADelayedEntryWaitsForItsTime(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		accept(t, j, "later")
		later := begun(t, j)
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), later, queue.Retry{After: time.Hour, Cause: "throttled"}))
		accept(t, j, "a\x00b\nc\xff")
		soon := begun(t, j)
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), soon, queue.Retry{Cause: "throttled"}))
		wantCounts(t, j, counts{delayed: 2})
		want(t, "due", 1)(j.Due(t.Context(), q, 10))
		wantCounts(t, j, counts{delayed: 1, waiting: 1})
		back := begun(t, j)
		if back.Key != soon.Key || string(back.Payload) != "a\x00b\nc\xff" || back.Seq != 2 ||
			back.Conversation != soon.Conversation || !back.AcceptedAt.Equal(soon.AcceptedAt) {
			t.Errorf("got %+v back for %+v", back, soon)
		}
	})
}

// A worker may hold entries that wait for their turn. They are alive as long as
// it says so, until it or somebody else has begun another attempt.
func TestKeepAliveOfAnEntryThatWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		first, second := journal(t, address, queue.Options{}), journal(t, address, queue.Options{Lease: atOnce})
		accept(t, first, "a")
		waits := take(t, first)
		if err := first.KeepAlive(t.Context(), waits); err != nil {
			t.Fatalf("keep-alive of an entry that nobody has begun: %v", err)
		}
		begin(t, first, &waits)
		fresh := takeOver(t, second)
		if err := second.KeepAlive(t.Context(), fresh); err != nil {
			t.Fatalf("keep-alive of an entry that a worker before has begun: %v", err)
		}
		if err := first.KeepAlive(t.Context(), waits); !errors.Is(err, queue.ErrFenced) {
			t.Fatalf("keep-alive after the take-over: got %v, want ErrFenced", err)
		}
		begin(t, second, &fresh)
		again := takeOver(t, second)
		if err := second.KeepAlive(t.Context(), again); !errors.Is(err, queue.ErrFenced) {
			t.Fatalf("keep-alive beside this worker's own attempt: got %v, want ErrFenced", err)
		}
	})
}
