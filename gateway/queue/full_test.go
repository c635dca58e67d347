package queue_test

import (
	"errors"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestAFullRedisTakesNothingInAndLetsWorkersFinish(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	j, client := journal(t, address, queue.Options{Lease: atOnce}), connect(t, address)
	accept(t, j, "done", "put off", "given back", "dead", "taken over")
	if err := client.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	before := dump(t, client)
	if _, err := j.Accept(t.Context(), q, []queue.Item{item("new")}); !errors.Is(err, queue.ErrFull) {
		t.Errorf("accept: got %v, want ErrFull", err)
	}
	if _, err := bury(t, j, queue.Letter{Key: hash("broken")}); !errors.Is(err, queue.ErrFull) {
		t.Errorf("bury: got %v, want ErrFull", err)
	}
	if got := changed(before, dump(t, client)); len(got) != 0 {
		t.Errorf("what was refused has changed %v", got)
	}
	drainFull(t, j)
	wantCounts(t, j, counts{waiting: 2, dead: 1, delivered: 2})
	waitAMillisecond(t, j)
	want(t, "expire", 1)(j.Expire(t.Context(), q, 0, 5))
	if err := client.ConfigSet(t.Context(), "maxmemory", "1gb").Err(); err != nil {
		t.Fatal(err)
	}
	accept(t, j, "new")
	wantCounts(t, j, counts{waiting: 3, delivered: 2})
}

// drainFull does everything that a worker does.
func drainFull(t *testing.T, j *queue.Journal) {
	t.Helper()
	entries, err := j.Take(t.Context(), q, queue.Words, 5, 0)
	if err != nil || len(entries) != 5 {
		t.Fatalf("got %d entries, error %v", len(entries), err)
	}
	for i := range entries[:4] {
		begin(t, j, &entries[i])
		if err := j.KeepAlive(t.Context(), entries[i]); err != nil {
			t.Errorf("keep alive: %v", err)
		}
	}
	want(t, "child died", 1)(j.ChildDied(t.Context(), entries[0], 0))
	want(t, "complete", queue.Mine)(j.Complete(t.Context(), entries[0], queue.End{Document: []byte("document")}))
	want(t, "retry", queue.Mine)(j.Retry(t.Context(), entries[1], queue.Retry{Cause: "slow"}))
	want(t, "dead", queue.Mine)(j.Complete(t.Context(), entries[3], queue.End{Cause: "hopeless"}))
	if err := j.Release(t.Context(), entries[2]); err != nil {
		t.Errorf("release: %v", err)
	}
	want(t, "due", 1)(j.Due(t.Context(), q, 1))
	e := takeOver(t, j)
	begin(t, j, &e)
	want(t, "complete what was taken over", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
}

// A gateway that starts on a full Redis is the one that will empty it.
func TestAGatewayStartsOnAFullRedis(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	client := connect(t, address)
	accept(t, journal(t, address, queue.Options{}), "waits")
	if err := client.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	b := open(t, queue.OpenOptions{Redis: at(address)})
	if err := b.EnsureQueue(t.Context(), q); err != nil {
		t.Errorf("a queue that is there: %v", err)
	}
	if err := b.EnsureQueue(t.Context(), "another"); err != nil {
		t.Errorf("a queue that is not there yet: %v", err)
	}
	e := begun(t, b.Journal)
	want(t, "complete", queue.Mine)(b.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
	shut(t, b)
}
