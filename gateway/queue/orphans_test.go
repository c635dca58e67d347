package queue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// wantOrphans looks through all attempts.
func wantOrphans(t *testing.T, j *queue.Journal, when string, want ...string) {
	t.Helper()
	var got []string
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		orphans, next, err := j.Orphans(t.Context(), q, cursor, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range orphans {
			if got = append(got, o.Attempt); o.Age < 0 || o.Age > time.Minute {
				t.Errorf("%s: got the age %v", when, o.Age)
			}
		}
		cursor = next
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(slices.Compact(got), want) {
		t.Errorf("%s: got %q, want %q", when, got, want)
	}
}

func TestAnAttemptIsAnOrphanOnceNobodyNamesIt(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{Lease: atOnce})
		photos(t, j, "shop", "a")
		died := beginPhoto(t, j, "a")
		wantOrphans(t, j, "in work")
		wantOrphans(t, journal(t, address, queue.Options{Lease: time.Hour}), "younger than a lease")
		kept := one(t)(j.TakeOver(t.Context(), q, queue.Photos, 1))
		begin(t, j, &kept)
		wantOrphans(t, j, "after a take-over", died.Attempt)
		if err := j.Swept(t.Context(), q, []string{died.Attempt}); err != nil {
			t.Fatal(err)
		}
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), kept, queue.Retry{Keep: true}))
		wantOrphans(t, j, "kept")
		want(t, "due", 1)(j.Due(t.Context(), q, 1))
		vain := beginPhoto(t, j, "a")
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), vain, queue.Retry{}))
		wantOrphans(t, j, "put off with nothing", vain.Attempt)
		want(t, "due", 1)(j.Due(t.Context(), q, 1))
		empty := beginPhoto(t, j, "a")
		for range 2 { // and its repeat
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), empty, queue.Retry{Empty: true}))
		}
		wantOrphans(t, j, "put off without a blob", vain.Attempt)
		want(t, "due", 1)(j.Due(t.Context(), q, 1))
		back := beginPhoto(t, j, "a")
		if err := j.Release(t.Context(), back); err != nil {
			t.Fatal(err)
		}
		wantOrphans(t, j, "given back", vain.Attempt, back.Attempt)
		won := beginPhoto(t, j, "a")
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), won, queue.End{Document: []byte("received")}))
		wantOrphans(t, j, "delivered", vain.Attempt, back.Attempt)
		if err := j.Swept(t.Context(), q, []string{vain.Attempt, back.Attempt}); err != nil {
			t.Fatal(err)
		}
		if left := connect(t, address).HGetAll(t.Context(), keyOf("attempts")).Val(); len(left) != 0 {
			t.Errorf("these are still registered: %v", left)
		}
	})
}

// A text develops nothing, and leaves nothing to be swept.
func TestATextIsNotRegistered(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{Lease: atOnce})
		accept(t, j, "a")
		begun(t, j)
		e := takeOver(t, j)
		begin(t, j, &e)
		wantOrphans(t, j, "a text")
	})
}
