package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

func newArchive(d store.Documents, r *redis) *Archive {
	return &Archive{
		Journal: r, Heads: r, Documents: d, Queues: []string{q}, Keep: 400 * 24 * time.Hour,
		Metrics: ops.NewMetrics(), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon },
	}
}

var errDied = errors.New("it died")

// hand is a mover that makes one call at a time, when it is let, until it dies.
type hand struct {
	shelf *shelf
	*redis
	ask  chan struct{} // it wants to make a call
	let  chan error    // it may, or dies
	done chan error
}

func (h *hand) wait() error {
	h.ask <- struct{}{}
	return <-h.let
}

// Documents of a hand.
type handDocuments struct{ h *hand }

func (d handDocuments) Put(ctx context.Context, name string, data []byte) error {
	if err := d.h.wait(); err != nil {
		return err
	}
	return d.h.shelf.Put(ctx, name, data)
}

func (d handDocuments) Get(ctx context.Context, name string) ([]byte, error) {
	if err := d.h.wait(); err != nil {
		return nil, err
	}
	return d.h.shelf.Get(ctx, name)
}

func (d handDocuments) Delete(ctx context.Context, name string) error {
	if err := d.h.wait(); err != nil {
		return err
	}
	return d.h.shelf.Delete(ctx, name)
}

func (d handDocuments) List(ctx context.Context, folder, after string, limit int) ([]string, error) {
	if err := d.h.wait(); err != nil {
		return nil, err
	}
	return d.h.shelf.List(ctx, folder, after, limit)
}

func (h *hand) Snapshot(ctx context.Context, in, id string) (queue.Snapshot, error) {
	if err := h.wait(); err != nil {
		return queue.Snapshot{}, err
	}
	return h.redis.Snapshot(ctx, in, id)
}

func (h *hand) Archived(ctx context.Context, in, id string, version int64) (bool, error) {
	if err := h.wait(); err != nil {
		return false, err
	}
	return h.redis.Archived(ctx, in, id, version)
}

func (h *hand) Forgotten(context.Context, string, string) (bool, error) { return false, nil }

// start starts a mover, and returns when it wants to make its first call.
func start(s *shelf, r *redis) *hand {
	h := &hand{shelf: s, redis: r, ask: make(chan struct{}), let: make(chan error), done: make(chan error, 1)}
	a := newArchive(handDocuments{h}, r)
	a.Journal = h
	go func() {
		_, err := a.move(context.Background(), q, conv)
		h.done <- err
	}()
	<-h.ask
	return h
}

// step lets it make its call, or die at it, and tells whether it goes on.
func (h *hand) step(err error) bool {
	h.let <- err
	for {
		select {
		case <-h.ask:
			if err == nil {
				return true
			}
			h.let <- err // the dead make no calls
		case <-h.done:
			return false
		}
	}
}

// Whatever the interleavings of two movers that may die at any call, of late
// messages, edits and unsends: a reader sees each item once at any moment, as it is
// now, and in the end nothing is left in Redis, and one of each document.
func TestMovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, r := newShelf(), newRedis()
		reader := newArchive(s, r)
		movers := [2]*hand{}
		r.say(queue.Pending)
		for range rapid.IntRange(5, 80).Draw(t, "steps") {
			id := fmt.Sprintf("%064x", rapid.IntRange(1, len(r.truth)).Draw(t, "item"))
			i := rapid.IntRange(0, 1).Draw(t, "mover")
			switch what := rapid.IntRange(0, 15).Draw(t, "what"); {
			case what == 0:
				r.say(queue.Pending)
			case what == 1:
				r.settle(id, queue.Ready)
			case what == 2:
				r.settle(id, queue.Rejected)
			case what == 3:
				r.edit(id)
			case what == 4:
				r.unsend(id)
			case what == 5:
				r.close()
			case what == 6 && movers[i] != nil:
				movers[i].step(errDied)
				movers[i] = nil
			case movers[i] == nil:
				movers[i] = start(s, r)
			case !movers[i].step(nil):
				movers[i] = nil
			}
			if err := r.shows(reader.Get(context.Background(), q, conv)); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range movers {
			for m != nil && m.step(nil) {
			}
		}
		r.close()
		if _, err := reader.Move(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if r.here != nil {
			t.Fatalf("still in Redis: %+v", r.here)
		}
		wantTidy(t, reader, s, r)
	})
}

// wantTidy wants one of each document once it was tidied, and no word of what was
// taken back in any.
func wantTidy(t *rapid.T, reader *Archive, s *shelf, r *redis) {
	if _, err := reader.Expire(t.Context(), noon.Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := r.shows(reader.Get(t.Context(), q, conv)); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{folderConversations, folderClosed, folderParties} {
		if n := s.count(folder); n != 1 {
			t.Errorf("%d documents in %s, want one", n, folder)
		}
	}
	page, err := reader.List(t.Context(), Query{Queues: []string{q}, Limit: 10})
	if err != nil || len(page.Conversations) != 1 {
		t.Errorf("list: got %+v, %v, want one", page, err)
	}
	for name := range s.papers {
		var text map[string]any
		if strings.HasPrefix(name, folderParties) {
			continue
		}
		if err := reader.read(t.Context(), name, &text); err != nil {
			t.Fatal(err)
		}
		for id, item := range r.truth {
			if words := "words of " + id[60:]; !item.UnsentAt.IsZero() && strings.Contains(fmt.Sprint(text), words) {
				t.Errorf("%s holds %q, which was taken back", name, words)
			}
		}
	}
}
