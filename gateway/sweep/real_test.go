package sweep_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/store/s3test"
	"github.com/lightlock/lightlock/gateway/sweep"
)

// q is the queue of these tests, and lease its journal's.
const (
	q     = "support"
	lease = 200 * time.Millisecond
)

// TestRealJournal has attempts that died, that were taken over and that were
// delivered, in a real journal, and sweeps them out of both kinds of store.
func TestRealJournal(t *testing.T) {
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		realJournal(t, config.Config{Data: t.TempDir()})
	})
	t.Run("S3", func(t *testing.T) {
		t.Parallel()
		realJournal(t, config.Config{Store: s3test.Start(t).Store()})
	})
}

// scene is a journal and a store.
type scene struct {
	t       *testing.T
	backend *queue.Backend
	store   store.Store
}

func realJournal(t *testing.T, c config.Config) {
	backend, err := queue.Open(t.Context(), queue.OpenOptions{
		Redis: &config.Redis{Address: queuetest.Redis(t)}, Journal: queue.Options{Lease: lease},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close(context.Background()) })
	if err := backend.EnsureQueue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	pictures, err := store.New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer pictures.Close()
	s := &scene{t, backend, pictures}
	const n = 5
	keep, lost := map[string]bool{}, map[string]bool{}
	for i := range n {
		s.accept(i)
		e := s.take()
		s.put(e.Attempt) // and this gateway dies
		lost[e.Attempt] = true
	}
	for range n {
		e := s.takeOver()
		s.put(e.Attempt)
		keep[e.Attempt] = true
		if got, err := backend.Complete(t.Context(), e, queue.End{Document: []byte("{}")}); err != nil || got != queue.Mine {
			t.Fatalf("complete: got %v, %v", got, err)
		}
	}
	s.accept(n)
	alive := s.take()
	s.put(alive.Attempt)
	keep[alive.Attempt] = true
	s.sweep(alive, keep, lost)
}

// sweep runs two sweepers at once until the orphans are gone, and sees that the
// others are not.
func (s *scene) sweep(alive queue.Entry, keep, lost map[string]bool) {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	metrics := ops.NewMetrics()
	for range 2 {
		running.Go(func() {
			(&sweep.Sweeper{
				Journal: s.backend.Journal, Store: s.store, Queues: []string{q}, Lease: lease, Keep: 48 * time.Hour,
				Metrics: metrics, Log: slog.New(slog.DiscardHandler),
			}).Run(ctx, 0)
		})
	}
	for end := time.Now().Add(time.Minute); s.stored(lost) > 0 || s.registered() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%d of %d orphans are stored, and %d registered", s.stored(lost), len(lost), s.registered())
		}
		if err := s.backend.KeepAlive(s.t.Context(), alive); err != nil {
			s.t.Fatalf("keep alive: %v", err)
		}
	}
	if got := s.stored(keep); got != len(keep) {
		s.t.Errorf("%d of %d attempts that are alive or delivered are stored", got, len(keep))
	}
	if metric(s.t, metrics, sweptTotal) == "0" || metric(s.t, metrics, troubleTotal) != "0" {
		s.t.Errorf("%s swept, %s times trouble", metric(s.t, metrics, sweptTotal), metric(s.t, metrics, troubleTotal))
	}
}

// registered is how many orphans the journal names.
func (s *scene) registered() (n int) {
	s.t.Helper()
	for cursor := uint64(0); ; {
		orphans, next, err := s.backend.Orphans(s.t.Context(), q, cursor, 100)
		if err != nil {
			s.t.Fatal(err)
		}
		n += len(orphans)
		if next == 0 {
			return n
		}
		cursor = next
	}
}

func (s *scene) accept(i int) {
	s.t.Helper()
	name := fmt.Sprintf("%064x", i+1)
	item := queue.Item{Kind: queue.ItemMessage, Key: name, Party: name, Lane: name, Payload: []byte("{}")}
	if _, err := s.backend.Accept(s.t.Context(), q, []queue.Item{item}); err != nil {
		s.t.Fatal(err)
	}
}

// take begins on the one entry that waits.
func (s *scene) take() queue.Entry {
	s.t.Helper()
	entries, err := s.backend.Take(s.t.Context(), q, queue.Photos, 1, time.Second)
	if err != nil || len(entries) != 1 {
		s.t.Fatalf("took %d entries, %v", len(entries), err)
	}
	return s.begin(entries[0])
}

// takeOver begins on one whose worker has died, as soon as its lease is over.
func (s *scene) takeOver() queue.Entry {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		entries, err := s.backend.TakeOver(s.t.Context(), q, queue.Photos, 1)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(entries) == 1 {
			return s.begin(entries[0])
		}
	}
	s.t.Fatal("nothing could be taken over")
	return queue.Entry{}
}

func (s *scene) begin(e queue.Entry) queue.Entry {
	s.t.Helper()
	if err := s.backend.Begin(s.t.Context(), &e, ""); err != nil {
		s.t.Fatal(err)
	}
	return e
}

func (s *scene) put(attempt string) {
	s.t.Helper()
	for _, kind := range []store.Kind{store.Preview, store.Thumbnail} {
		if err := s.store.Put(s.t.Context(), store.Key{Queue: q, Attempt: attempt, Kind: kind}, []byte("picture")); err != nil {
			s.t.Fatal(err)
		}
	}
}

// stored is of how many of these attempts there are pictures.
func (s *scene) stored(attempts map[string]bool) (n int) {
	s.t.Helper()
	err := s.store.List(s.t.Context(), func(queue, attempt string, _ time.Duration) error {
		if queue == q && attempts[attempt] {
			n++
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}
