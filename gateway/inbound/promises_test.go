package inbound

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// A text waits for its photos ten seconds at the most, and is looked for now and
// then: there must be time left to tell it, of which one look more is the measure.
func TestThePromiseIsKeptWithinTenSeconds(t *testing.T) {
	promise := time.Duration(config.Default().Work.Promise)
	if left := 10*time.Second - promise - promiseEvery; left < promiseEvery {
		t.Errorf("due after %v and looked for every %v, of ten seconds %v are left to tell it in", promise, promiseEvery, left)
	}
}

// overdue opens a journal in which what is accepted is overdue at once.
func overdue(t *testing.T, redis *config.Redis) *queue.Backend {
	t.Helper()
	b, err := queue.Open(t.Context(), queue.OpenOptions{Redis: redis, Journal: queue.Options{PromiseFor: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
	return b
}

// A gateway that stops, or whose Redis is away, does not wait for one message after
// the other.
func TestPromisesAreLeftToOthers(t *testing.T) {
	backend := overdue(t, &config.Redis{Address: "127.0.0.1:1"})
	payload, err := encodeJob(jobOf(1))
	if err != nil {
		t.Fatal(err)
	}
	e := queue.Entry{Queue: "support", Key: strings.Repeat("0", 64), Conversation: strings.Repeat("0", 32), AcceptedAt: time.Now(), Seq: 1, Payload: payload}
	c := &crew{Line: &Line{Journal: backend.Journal, Metrics: ops.NewMetrics(), Log: slog.New(slog.DiscardHandler), Now: time.Now}}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, test := range map[string]struct {
		ctx         context.Context
		least, most int
	}{
		"redis is away": {t.Context(), 1, toldAtOnce},
		"stopping":      {stopped, 0, 0},
	} {
		tried := 0
		if err := c.keepThese(test.ctx, slices.Repeat([]queue.Entry{e}, promisedAtOnce)); err != nil {
			tried = strings.Count(err.Error(), queue.ErrAway.Error())
		}
		if tried < test.least || tried > test.most {
			t.Errorf("%s: %d of %d messages were tried, want %d to %d", name, tried, promisedAtOnce, test.least, test.most)
		}
	}
}

// Who tells one after the other tells the last of many too late.
func TestPromisesAreKeptAtOnce(t *testing.T) {
	backend := overdue(t, &config.Redis{Address: queuetest.Redis(t)})
	payload, err := encodeJob(jobOf(1))
	if err != nil {
		t.Fatal(err)
	}
	items := make([]queue.Item, toldAtOnce)
	for i := range items {
		items[i] = queue.Item{
			Kind: queue.ItemMessage, Key: fmt.Sprintf("%064x", i), Party: fmt.Sprintf("%064x", i), Lane: strings.Repeat("ab", 16), Payload: payload,
		}
	}
	if _, err := backend.Accept(t.Context(), "support", items); err != nil {
		t.Fatal(err)
	}
	entries, err := backend.Overdue(t.Context(), "support", promisedAtOnce)
	if err != nil || len(entries) != len(items) {
		t.Fatalf("got %d overdue, %v; want %d", len(entries), err, len(items))
	}
	var told sync.WaitGroup
	told.Add(toldAtOnce)
	all, enough := context.WithCancel(t.Context())
	go func() {
		told.Wait()
		enough()
	}()
	together := func() time.Time { // who asks for the time waits for the others
		told.Done()
		<-all.Done()
		return time.Now()
	}
	c := &crew{Line: &Line{Journal: backend.Journal, Metrics: ops.NewMetrics(), Log: slog.New(slog.DiscardHandler), Now: together}}
	late := time.AfterFunc(10*time.Second, func() {
		t.Error("a message was told while no other was")
		enough()
	})
	defer late.Stop()
	if err := c.keepThese(t.Context(), entries); err != nil {
		t.Error(err)
	}
}
