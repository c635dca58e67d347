package ending_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightlock/lightlock/gateway/ending"
)

// The clock of these tests is their bubble's, which goes by itself.

// A stop is over in time though nothing ends or even listens, and every part is
// asked in its turn and has a moment for it.
func TestAStopOfWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var parts ending.Parts
		hang := make(chan struct{})
		defer close(hang)
		asked := make(chan string, 9)
		add := func(name string, by time.Duration) {
			parts.Add(name, by, func(ctx context.Context) error {
				asked <- name
				if end, bounded := ctx.Deadline(); !bounded || time.Until(end) < time.Second {
					t.Errorf("the %s has %v to end, bounded: %v", name, time.Until(end), bounded)
				}
				<-hang
				return nil
			})
		}
		add("journal", 12*time.Second)
		add("store", 10*time.Second)
		parts.Background("work", 8*time.Second, time.Second, func(context.Context, time.Duration) { <-hang })
		add("doors", 2*time.Second)
		begun := time.Now()
		err := parts.Stop()
		if took, want := time.Since(begun), 12*time.Second+ending.LastBreath; took != want {
			t.Errorf("took %v, want %v", took, want)
		}
		if len(asked) != 3 {
			t.Fatalf("%d parts were asked to end, want 3", len(asked))
		}
		for _, want := range []string{"doors", "store", "journal"} {
			if got := <-asked; got != want {
				t.Errorf("%q was asked to end, want %q", got, want)
			}
		}
		if err == nil || strings.Count(err.Error(), "did not end in time") != 4 {
			t.Errorf("got %v, want the name of each", err)
		}
	})
}

// A part has what time those before it have left, and an error of its own is no
// other's.
func TestAStopOfWhatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var parts ending.Parts
		failed := errors.New("failed")
		parts.Add("last", 20*time.Second, func(ctx context.Context) error {
			if end, _ := ctx.Deadline(); time.Until(end) != 15*time.Second {
				t.Errorf("the last has %v, want what is left", time.Until(end))
			}
			return failed
		})
		parts.Add("slow", 5*time.Second, func(ctx context.Context) error { <-ctx.Done(); return nil })
		parts.Add("first", 3*time.Second, ending.Close(func() error { return nil }))
		if err := parts.Stop(); err == nil || err.Error() != failed.Error() {
			t.Errorf("got %v, want what the last one said and no more", err)
		}
		if err := parts.Stop(); err != nil {
			t.Errorf("a second stop: %v, want nothing left to end", err)
		}
	})
}

// What has one name stops at the same time, and so do loops, or a stop would take
// the time of each.
func TestWhatEndsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var parts ending.Parts
		first, second := make(chan struct{}), make(chan struct{})
		loop := func(mine, other chan struct{}) func(context.Context, time.Duration) {
			return func(ctx context.Context, _ time.Duration) {
				<-ctx.Done()
				close(mine)
				<-other
			}
		}
		parts.Background("work", time.Second, time.Second, loop(first, second), loop(second, first))
		left, right := make(chan struct{}), make(chan struct{})
		parts.Add("doors", time.Second, func(context.Context) error { close(left); <-right; return nil })
		parts.Add("doors", time.Second, func(context.Context) error { close(right); <-left; return nil })
		begun := time.Now()
		if err := parts.Stop(); err != nil || time.Since(begun) != 0 {
			t.Errorf("took %v, error %v; want none to wait for another", time.Since(begun), err)
		}
	})
}
