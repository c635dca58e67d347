package queue_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
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
	server.Restart()
	gatewaytest.Await(t, "it is ready", b.Ready)
	groups := connect(t, server.Address()).XInfoGroups(t.Context(), queue.Stream(q)).Val()
	if b.Err() != nil || len(groups) != 1 {
		t.Errorf("got %v and groups %v, want the agents' group", b.Err(), groups)
	}
	accept(t, b.Journal, "a")
	wantCounts(t, b.Journal, counts{waiting: 1})
}

// What is wrong at the start is told there; where Redis was away then, the
// gateway has to stop with the same sentence.
func TestARedisThatForgetsIsNotPrepared(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t, "--maxmemory-policy", "allkeys-lru", "--appendonly", "no")
	early := open(t, queue.OpenOptions{Redis: at(server.Address())})
	defer shut(t, early)
	refused := early.Prepare(t.Context(), []string{q})
	if refused == nil || errors.Is(refused, queue.ErrAway) || !strings.Contains(refused.Error(), "maxmemory-policy is \"allkeys-lru\"") ||
		!strings.Contains(refused.Error(), "appendonly is \"no\"") || early.Ready() {
		t.Errorf("got %v, ready %t", refused, early.Ready())
	}

	server.Kill()
	b := open(t, queue.OpenOptions{Redis: at(server.Address())})
	if err := b.Prepare(t.Context(), []string{q}); !errors.Is(err, queue.ErrAway) {
		t.Fatal(err)
	}
	server.Restart()
	<-b.Ended()
	if got := b.Err(); got == nil || got.Error() != refused.Error() || b.Ready() {
		t.Errorf("got %v, ready %t; want %v", got, b.Ready(), refused)
	}
	shut(t, b)
	if got := b.Err(); got == nil || got.Error() != refused.Error() {
		t.Errorf("after Close: got %v", got)
	}
}

// A gateway that serves goes on when somebody spoils its Redis, and says so.
func TestARedisThatIsSpoiledLaterIsAWarning(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	client := connect(t, server.Address())
	b := open(t, queue.OpenOptions{Redis: at(server.Address())})
	defer shut(t, b)
	if err := b.Prepare(t.Context(), []string{q}); err != nil {
		t.Fatal(err)
	}
	spoil := func(policy string) {
		t.Helper()
		if err := client.ConfigSet(t.Context(), "maxmemory-policy", policy).Err(); err != nil {
			t.Fatal(err)
		}
		queue.ExamineSoon(b)
	}
	spoil("allkeys-lru")
	gatewaytest.Await(t, "it is a warning", func() bool {
		wrong := b.Condition().Wrong
		return len(wrong) == 1 && strings.Contains(wrong[0], "noeviction")
	})
	accept(t, b.Journal, "a")
	spoil("noeviction")
	gatewaytest.Await(t, "it is none any more", func() bool { return len(b.Condition().Wrong) == 0 })
	if b.Err() != nil || !b.Ready() {
		t.Errorf("got %v, ready %t", b.Err(), b.Ready())
	}
}

// A Redis that is back before anybody has missed it is asked again all the same, and
// the queue that it has lost is named.
func TestARedisThatComesBackEmptyAtOnceIsNoticed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := queuetest.StartIn(t, dir)
	var told atomic.Value
	b := open(t, queue.OpenOptions{Redis: at(server.Address()), Journal: queue.Options{OnBreach: func(b queue.Breach) { told.Store(b.What) }}})
	defer shut(t, b)
	if err := b.Prepare(t.Context(), []string{q}); err != nil {
		t.Fatal(err)
	}
	look := queue.Looker(b)
	look(t.Context())
	server.Kill()
	if err := os.RemoveAll(filepath.Join(dir, "appendonlydir")); err != nil {
		t.Fatal(err)
	}
	queuetest.StartIn(t, dir, "--appendonly", "no")
	look(t.Context()) // long before the doctor would ask again
	if wrong := b.Condition().Wrong; len(wrong) != 1 || !strings.Contains(wrong[0], "appendonly") {
		t.Errorf("got %v, want its missing file named", wrong)
	}
	if got := told.Load(); got != "redis has come back without the queue" {
		t.Errorf("it is told that %v", got)
	}
	accept(t, b.Journal, "a")
}

// A private server that ends takes the gateway with it, and Close says why.
func TestAPrivateServerThatEndsEndsTheBackend(t *testing.T) {
	t.Parallel()
	b := open(t, queue.OpenOptions{Data: t.TempDir()})
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	_ = queue.ClientOf(b).Do(t.Context(), "SHUTDOWN", "NOSAVE")
	select {
	case <-b.Ended():
	case <-time.After(20 * time.Second):
		t.Fatal("it has not ended")
	}
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "start again") {
		t.Errorf("got %v", err)
	}
	_ = b.Close(context.Background())
}
