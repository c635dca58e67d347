package queue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// TestTrim removes what is old enough, read or not, and only where that is wanted.
func TestTrim(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		forever, short := journal(t, address, queue.Options{}), journal(t, address, queue.Options{EntriesFor: 50 * time.Millisecond})
		n := 0
		deliver := func() {
			accept(t, forever, fmt.Sprint(n))
			n++
			if _, err := forever.Complete(t.Context(), begun(t, forever), queue.End{Document: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
		}
		const old = 250 // more than a node
		for range old {
			deliver()
		}
		time.Sleep(60 * time.Millisecond) // what was delivered is old now
		deliver()
		want(t, "trimmed where nothing is to be", 0)(forever.Trim(t.Context(), q, 100))
		removed := 0
		for got := 100; got >= 100; {
			var err error
			if got, err = short.Trim(t.Context(), q, 100); err != nil {
				t.Fatal(err)
			}
			removed += got
		}
		left, err := forever.Stats(t.Context(), q)
		if err != nil || removed < old || left.Delivered != int64(n-removed) {
			t.Errorf("removed %d and left %d, %v; want %d and what is young", removed, left.Delivered, err, old)
		}
	})
}
