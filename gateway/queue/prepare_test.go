package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestARedisThatIsAwayIsPreparedWhenItAnswers(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	server.Kill()
	b := open(t, queue.OpenOptions{Redis: at(server.Address())})
	defer shut(t, b)
	if err := b.Prepare(t.Context(), []string{q}); !errors.Is(err, queue.ErrAway) || b.Ready() {
		t.Errorf("got %v, ready %t, want %v", err, b.Ready(), queue.ErrAway)
	}
	told := make(chan error, 1)
	go b.Await(t.Context(), []string{q}, func(err error) { told <- err })
	server.Restart()
	if err := <-told; err != nil || !b.Ready() {
		t.Errorf("got %v, ready %t", err, b.Ready())
	}
	accept(t, b.Journal, "a")
	wantCounts(t, b.Journal, counts{waiting: 1})
}

// A Redis that forgets is not used, however long it is waited for, and is asked
// again, because somebody may mend it.
func TestARedisThatForgetsIsNotPrepared(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	client := connect(t, address)
	if err := client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err(); err != nil {
		t.Fatal(err)
	}
	b := open(t, queue.OpenOptions{Redis: at(address)})
	defer shut(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan error, 10)
	ended := make(chan struct{})
	go func() { defer close(ended); b.Await(ctx, []string{q}, func(err error) { told <- err }) }()
	for range 2 {
		if err := <-told; err == nil || !strings.Contains(err.Error(), "noeviction") || b.Ready() {
			t.Errorf("got %v, ready %t", err, b.Ready())
		}
	}
	if err := client.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if !b.Ready() {
		t.Error("it is mended and not used")
	}
}
