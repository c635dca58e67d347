package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/retry"
)

func TestPause(t *testing.T) {
	for tries, most := range map[int]time.Duration{
		0: time.Second, 1: 4 * time.Second, 2: 16 * time.Second, 9: 15 * time.Minute, 1 << 40: 15 * time.Minute,
	} {
		var longest time.Duration
		shortest := most
		for range 2000 {
			got := retry.Pause(time.Second, 15*time.Minute, tries)
			if got < 1 || got > most {
				t.Fatalf("try %d: got %v, want more than nothing and up to %v", tries, got, most)
			}
			shortest, longest = min(shortest, got), max(longest, got)
		}
		if shortest > most/10 || longest < most/2 {
			t.Errorf("try %d: got pauses from %v to %v, want them spread up to %v", tries, shortest, longest, most)
		}
	}
	if got := retry.Pause(time.Hour, time.Minute, 0); got > time.Minute {
		t.Errorf("got %v, want no more than the most", got)
	}
}

func TestAsked(t *testing.T) {
	for after, want := range map[time.Duration]time.Duration{0: 0, time.Minute: time.Minute, 24 * time.Hour: 15 * time.Minute} {
		if got := retry.Asked(&connectors.Error{Kind: connectors.Throttled, After: after}); got != want {
			t.Errorf("a platform that asks for %v: got %v, want %v", after, got, want)
		}
	}
}

func TestJitter(t *testing.T) {
	for _, span := range []time.Duration{-1, 0, 1, time.Second} {
		if got := retry.Jitter(span); got < 1 || got > max(span, 1) {
			t.Errorf("of %v: got %v", span, got)
		}
	}
}

// A step is repeated until it works, fails for good, or time is up; and then once
// more.
func TestWhile(t *testing.T) {
	away, wrong := errors.New("away"), errors.New("wrong")
	for name, row := range map[string]struct {
		answers []error
		steps   int
		want    error
	}{
		"works":     {[]error{away, away, nil}, 3, nil},
		"is wrong":  {[]error{away, wrong}, 2, wrong},
		"stays out": {[]error{away, away, away, away, away, away, away}, 5, away}, // at 0, 1, 2, 3 and at the end
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
			defer cancel()
			steps := 0
			err := retry.While(ctx, func(err error) bool { return errors.Is(err, away) }, time.Second, func() error {
				steps++
				return row.answers[steps-1]
			})
			if !errors.Is(err, row.want) || steps != row.steps {
				t.Errorf("%s: got %v after %d steps, want %v after %d", name, err, steps, row.want, row.steps)
			}
		})
	}
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 1005*time.Second)
		defer stop()
		last, rounds := time.Now(), 0
		retry.Every(ctx, time.Second, 10*time.Second, func(context.Context) {
			gap := time.Since(last)
			switch {
			case rounds == 0 && gap > time.Second+time.Nanosecond:
				t.Errorf("began after %v, want within a second", gap)
			case rounds > 0 && (gap < 9*time.Second || gap > 11*time.Second+time.Nanosecond):
				t.Errorf("round %d came after %v, want about ten seconds", rounds, gap)
			}
			last = time.Now()
			rounds++
		})
		if rounds < 91 || rounds > 112 {
			t.Errorf("got %d rounds in 1005 seconds", rounds)
		}
	})
}
