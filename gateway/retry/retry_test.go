package retry_test

import (
	"testing"
	"time"

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
