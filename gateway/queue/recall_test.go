package queue_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// TestRecall: each event by what became of it, in the order of the question,
// also where one question to Redis is not enough.
func TestRecall(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		accept(t, j, "done")
		e := begun(t, j)
		if _, err := j.Complete(t.Context(), e, queue.End{Document: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		accept(t, j, "waiting")
		if _, err := bury(t, j, queue.Letter{Key: hash("letter"), Cause: "broken"}); err != nil {
			t.Fatal(err)
		}
		names := []string{hash("waiting"), hash("never")}
		want := []queue.Fate{queue.FateAccepted, queue.FateUnknown}
		for i := range 1000 {
			names, want = append(names, hash(strconv.Itoa(i))), append(want, queue.FateUnknown)
		}
		names, want = append(names, hash("done"), hash("letter")), append(want, queue.FateDone, queue.FateBuried)
		got, err := j.Recall(t.Context(), q, names)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %d fates, %v, %v and %v first, %v last; want %d, %v first and %v last",
				len(got), err, got[0], got[1], got[len(got)-2:], len(want), want[:2], want[len(want)-2:])
		}
		if _, err := j.Recall(t.Context(), q, []string{"no hash"}); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("got %v, want ErrInvalid", err)
		}
	})
}

// TestWatchFrom begins behind what was there, and goes on with what comes.
func TestWatchFrom(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		want(t, "the last place of an empty queue", queue.Beginning)(j.Last(t.Context(), q))
		deliver := func(name string) {
			accept(t, j, name)
			if _, err := j.Complete(t.Context(), begun(t, j), queue.End{Document: []byte(name)}); err != nil {
				t.Fatal(err)
			}
		}
		deliver("before")
		last, err := j.Last(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		found := make(chan string)
		go func() {
			_ = j.WatchFrom(t.Context(), q, last, func(_ string, document []byte) bool { found <- string(document); return true })
		}()
		deliver("after")
		select {
		case got := <-found:
			if got != "after" {
				t.Errorf("got %q, want what came after", got)
			}
		case <-time.After(time.Minute):
			t.Error("nothing is found")
		}
	})
}
