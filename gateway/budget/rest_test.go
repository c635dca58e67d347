package budget

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Memory is given back once, when no photo has been there for a while, and not
// between two photos of a burst.
func TestMemoryIsGivenBackAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var given atomic.Int64
		o := originals(1<<20, 3)
		o.rest.giveUp = func() { given.Add(1) }
		want := func(n int64, when string) {
			t.Helper()
			synctest.Wait()
			if got := given.Load(); got != n {
				t.Fatalf("%s: memory was given back %d times, want %d", when, got, n)
			}
		}
		for burst := range int64(2) {
			for range 3 {
				first, second := begin(t, o), begin(t, o)
				time.Sleep(2 * restAfter)
				first.End()
				time.Sleep(2 * restAfter)
				want(burst, "while photos are in hand")
				second.End()
				time.Sleep(restAfter - time.Nanosecond)
				want(burst, "between two photos")
			}
			time.Sleep(time.Nanosecond)
			want(burst+1, "after the last photo")
			time.Sleep(time.Hour)
			want(burst+1, "an hour later")
		}
	})
}
