package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// A gateway that is only stopped may lose its consumer meanwhile. What is handed
// to it afterwards is in its hands all the same.
func TestAConsumerDeletedWhileItWaitsIsMadeAnew(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	client, j := connect(t, address), journal(t, address, queue.Options{})
	accept(t, j, "first") // so that the consumer is there
	e := begun(t, j)
	want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
	type answer struct {
		entries []queue.Entry
		err     error
	}
	answers := make(chan answer, 1)
	go func() {
		var got answer
		for got.err == nil && len(got.entries) == 0 {
			got.entries, got.err = j.Take(t.Context(), q, queue.Words, 1, 5*time.Second)
		}
		answers <- got
	}()
	gatewaytest.Await(t, "the worker waits", func() bool { return blocked(t, client) == 1 })
	inbox := "{" + queue.Stream(q) + "}:inbox"
	consumers := client.XInfoConsumers(t.Context(), inbox, "workers").Val()
	if len(consumers) != 1 {
		t.Fatalf("got %d consumers, want 1", len(consumers))
	}
	if err := client.XGroupDelConsumer(t.Context(), inbox, "workers", consumers[0].Name).Err(); err != nil {
		t.Fatal(err)
	}
	accept(t, journal(t, address, queue.Options{}), "second")
	got := <-answers
	e = one(t)(got.entries, got.err)
	begin(t, j, &e)
	want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
	wantCounts(t, j, counts{delivered: 2})
}

// blocked is the number of clients that wait in a reading command.
func blocked(t *testing.T, client *redis.Client) int {
	t.Helper()
	var n int
	for line := range strings.Lines(client.Info(context.Background(), "clients").Val()) {
		_, _ = fmt.Sscanf(line, "blocked_clients:%d", &n)
	}
	return n
}

// What Redis hands out to a read that is given up would lie in nobody's hands
// until the lease ends.
func TestAStopInterruptsNoRead(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	client := connect(t, address)
	j := journalOn(t, client, queue.Options{Lease: atOnce})
	accept(t, j, "a")
	ctx, stop := context.WithCancel(t.Context())
	client.AddHook(before("xreadgroup", stop))
	one(t)(j.Take(ctx, q, queue.Words, 1, 0))
	if entries, err := j.Take(ctx, q, queue.Words, 1, 0); len(entries) != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("after the stop: got %d entries, error %v; want none", len(entries), err)
	}

	ctx, stop = context.WithCancel(t.Context())
	client.AddHook(before("xautoclaim", stop))
	one(t)(j.TakeOver(ctx, q, queue.Words, 1))
	if entries, err := j.TakeOver(ctx, q, queue.Words, 1); len(entries) != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("after the stop: got %d entries, error %v; want none", len(entries), err)
	}
}

// before calls do before each command of this name.
func before(name string, do func()) redis.Hook {
	return &caller{name: name, do: do}
}

type caller struct {
	recorder
	name string
	do   func()
}

func (c *caller) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == c.name {
			c.do()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return next(ctx, cmd)
	}
}

// A worker that died left its consumer; one that has something in hand keeps it,
// or no take-over would find that again.
func TestSilentConsumersWithNothingInHandAreDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client, recorded := connect(t, address), new(recorder)
		inbox := "{" + queue.Stream(q) + "}:inbox"
		dead, busy := journal(t, address, queue.Options{}), journal(t, address, queue.Options{})
		accept(t, dead, "a")
		want(t, "complete", queue.Mine)(dead.Complete(t.Context(), begun(t, dead), queue.End{Document: []byte("document")}))
		accept(t, busy, "b")
		begun(t, busy)
		client.AddHook(recorded)
		journalOn(t, client, queue.Options{}) // no consumer is silent for an hour yet
		if got := len(client.XInfoConsumers(t.Context(), inbox, "workers").Val()); got != 2 {
			t.Fatalf("%d consumers are left, want both", got)
		}
		recorded.args[len(recorded.args)-2] = -2 // each is silent for longer, also the embedded one, which does not count it
		if err := client.Do(t.Context(), recorded.args...).Err(); err != nil {
			t.Fatal(err)
		}
		if got := client.XInfoConsumers(t.Context(), inbox, "workers").Val(); len(got) != 1 || got[0].Pending != 1 {
			t.Errorf("got %+v, want only the one with an entry in hand", got)
		}
	})
}
