package spool

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// journal opens the real one.
func journal(t *testing.T, address string) *queue.Backend {
	t.Helper()
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	b, err := queue.Open(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	return b
}

// What the journal has done and could not say is in both places for a while, and
// has one effect.
func TestWhatTheJournalHasAlreadyIsARepeat(t *testing.T) {
	proxy := queuetest.NewProxy(t, queuetest.Redis(t))
	j := journal(t, proxy.Address())
	if err := j.Prepare(t.Context(), []string{q}); err != nil {
		t.Fatal(err)
	}
	s := open(t, t.TempDir(), j)
	proxy.Arm(queuetest.CutAfter, 100, queuetest.Scripts())
	accept(t, s, "a", "b")
	letter := queue.Letter{Key: key("letter"), Cause: "broken", Raw: []byte("raw")}
	if _, err := s.Bury(t.Context(), q, []queue.Letter{letter}); err != nil {
		t.Error(err)
	}
	proxy.Disarm()
	stats, err := j.Stats(t.Context(), q)
	if err != nil || stats.Waiting != 1 || len(s.Pending()) != 3 {
		t.Fatalf("before: %+v, %v, pending %d; want the first in both places", stats, err, len(s.Pending()))
	}
	run(t, s)
	gatewaytest.Await(t, "all is handed in", func() bool { return len(s.Pending()) == 0 })
	stats, err = j.Stats(t.Context(), q)
	if err != nil || stats.Waiting != 2 || stats.Dead != 1 {
		t.Errorf("after: %+v, %v; want two waiting and a dead letter", stats, err)
	}
	letters, err := j.Letters(t.Context(), q, 10)
	if err != nil || len(letters) != 1 || string(letters[0].Raw) != "raw" || letters[0].Cause != "broken" {
		t.Errorf("got letters %+v, %v", letters, err)
	}
}

// A Redis that is full takes nothing in, and what comes meanwhile waits here.
func TestARedisThatIsFull(t *testing.T) {
	// The scripts alone take more than one of these.
	server := queuetest.Start(t, "--maxmemory", "4mb")
	j := journal(t, server.Address())
	if err := j.EnsureQueue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	s := open(t, t.TempDir(), j, fast)
	n := 0
	for ; len(s.Pending()) < 5; n++ {
		large := item(n)
		large.Payload = make([]byte, 200<<10)
		if _, err := s.Accept(t.Context(), q, []queue.Item{large}); err != nil {
			t.Fatal(err)
		}
		if n > 100 {
			t.Fatal("it never becomes full")
		}
	}
	run(t, s)
	taken := 0
	gatewaytest.Await(t, "all is handed in, as room is made", func() bool {
		entries, err := j.Take(t.Context(), q, queue.Words, 10, time.Millisecond)
		if err != nil {
			t.Error(err)
		}
		for _, e := range entries {
			if e.Key != key(taken) {
				t.Errorf("entry %d is another's", taken)
			}
			taken++
			if err := j.Begin(t.Context(), &e, ""); err != nil {
				t.Error(err)
			}
			if _, err := j.Complete(t.Context(), e, queue.End{Document: []byte("{}")}); err != nil {
				t.Error(err)
			}
		}
		return taken == n || t.Failed()
	})
	gatewaytest.Await(t, "nothing waits", func() bool { return len(s.Pending()) == 0 })
}
