package queue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

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
	want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, []byte("document")))
	type answer struct {
		entries []queue.Entry
		err     error
	}
	answers := make(chan answer)
	go func() {
		entries, err := j.Take(t.Context(), q, 1, 5*time.Second)
		answers <- answer{entries, err}
	}()
	await(t, "the worker waits", func() bool { return blocked(t, client) == 1 })
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
	want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, []byte("document")))
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
