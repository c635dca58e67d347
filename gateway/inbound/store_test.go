package inbound_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/media"
)

// shelf is a store in a test's hands: it counts the calls, and fails where the test
// says.
type shelf struct {
	inbound.Store
	puts, deletes atomic.Int64
	fails         func(put int64, k store.Key) bool
}

func (s *shelf) Put(ctx context.Context, k store.Key, data []byte) error {
	if n := s.puts.Add(1); s.fails != nil && s.fails(n, k) {
		return errors.New("the store is away")
	}
	return s.Store.Put(ctx, k, data)
}

func (s *shelf) DeleteAttempt(ctx context.Context, in, attempt string) error {
	s.deletes.Add(1)
	return s.Store.DeleteAttempt(ctx, in, attempt)
}

// wantRegistered checks how many attempts somebody has to look for pictures of.
func (h *house) wantRegistered(want int) {
	h.t.Helper()
	h.config.Work.Lease = config.Duration(time.Nanosecond)
	orphans, _, err := h.open().backend.Orphans(h.t.Context(), q, 0, 1000)
	if err != nil || len(orphans) != want {
		h.t.Errorf("%d attempts are registered, error %v; want %d", len(orphans), err, want)
	}
}

// openWith opens a gateway with a store that fails where the test says.
func (h *house) openWith(fails func(put int64, k store.Key) bool) (*gateway, *shelf) {
	h.t.Helper()
	g, s := h.open(), &shelf{Store: h.files, fails: fails}
	g.Store = s
	return g, s
}

// A try that has stored nothing leaves nothing to be deleted, by nobody: to look
// costs money in a bucket, and a slot where it hangs.
func TestATryThatStoredNothingAsksTheStoreForNothing(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	g, s := h.openWith(nil)
	f := h.fails(0)
	close(f.let)
	g.work().receive(captioned("a", picture(t, 20, 20)))
	g.wantReady(g.photo())
	g.stop()
	if got := s.deletes.Load(); !slices.Equal(f.fetches(), []int{2}) || got != 0 {
		t.Errorf("asked %d times to delete something over %v fetches, want not at all over 2", got, f.fetches())
	}
	h.wantRegistered(0)
}

// hanging is a darkroom that says that it has begun, and does not end by itself.
type hanging chan struct{}

func (h hanging) Develop(ctx context.Context, _ []byte, _ media.Settings) (*media.Developed, error) {
	close(h)
	<-ctx.Done()
	return nil, ctx.Err()
}

// Nor does one that is given back at a stop before it has stored anything.
func TestAReleaseThatStoredNothingAsksTheStoreForNothing(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	g, s := h.openWith(nil)
	room := make(hanging)
	g.Darkroom = room
	g.work().receive(captioned("a", picture(t, 20, 20)))
	<-room
	g.stop()
	if stats := g.stats(); stats.Waiting != 1 || s.puts.Load() != 0 || s.deletes.Load() != 0 {
		t.Errorf("got %+v after %d pictures put and %d attempts deleted; want the message given back, and none of these", stats, s.puts.Load(), s.deletes.Load())
	}
	h.wantRegistered(0)
}

// While the store takes nothing, photos are not fetched and developed in vain: one
// finds that out, and the others wait with their places.
func TestAStoreThatIsAwayCostsNoFetches(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	h.config.Work.Slots = 1
	h.config.Work.RetryMax = config.Duration(time.Hour)
	g, s := h.openWith(func(int64, store.Key) bool { return true })
	g.StoreRest = time.Hour // however long the others take to find out
	f := h.fails()
	const n = 5
	for i := range n {
		g.receive(captioned(string(rune('a'+i)), picture(t, 20, 20), picture(t, 30, 20)))
	}
	g.work()
	gatewaytest.Await(t, "each was put off", func() bool { return g.figures("lightlock_trouble_total")["ours photo"] >= n })
	g.stop()
	if puts, deletes := s.puts.Load(), s.deletes.Load(); !slices.Equal(f.fetches(), []int{1}) || puts != 1 || deletes != 1 {
		t.Errorf("%v fetches, %d pictures put and %d attempts deleted; want 1 of each", f.fetches(), puts, deletes)
	}
	lanes, err := g.backend.Lanes(t.Context(), q)
	if err != nil || len(lanes) != 1 || lanes[0].InWindow != n {
		t.Errorf("got %+v, error %v; want all %d to have kept their places", lanes, err, n)
	}
	h.wantRegistered(1)
}

// What was written of a photo whose other picture was not stays nowhere, though its
// neighbour is ready.
func TestHalfAPhotoIsLeftNowhere(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	var failed atomic.Bool
	g, _ := h.openWith(func(_ int64, k store.Key) bool {
		return k.Photo == 1 && k.Kind == store.Thumbnail && !failed.Swap(true)
	})
	g.work().receive(captioned("a", picture(t, 20, 20), picture(t, 30, 20), picture(t, 40, 20)))
	for i, p := range g.documents(1)[0].Data.Photos {
		if g.wantReady(p); p.Source.Width != 20+10*i {
			t.Errorf("photo %d is %d wide, want %d", i, p.Source.Width, 20+10*i)
		}
	}
	if got := h.pictures(); !failed.Load() || got != 6 {
		t.Errorf("the store holds %d pictures, want the 6 that were delivered", got)
	}
}

// Where there is no room to write down which photos are ready, agents are not told
// that they are: the next try develops them anew.
func TestNoPhotoIsToldWhosePicturesAreGone(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	g := h.open()
	said := captioned("a", picture(t, 20, 20), picture(t, 30, 20))
	said.Text = strings.Repeat("x", 20_000) // so that the platform's own text is left out
	g.receive(said)
	probe := g.take()
	if err := errors.Join(g.backend.Begin(t.Context(), &probe, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := g.backend.Complete(t.Context(), probe, queue.End{}); err != nil {
		t.Fatal(err)
	}
	said.ID, said.Text = "b", strings.Repeat("x", queue.MaxPayload-len(probe.Payload)+len(said.Text)-10)
	g.receive(said)
	f := h.fails(1)
	g.work().await("it is told", func(s queue.Stats) bool { return s.Delivered == 1 && s.InWork == 1 })
	for i, p := range g.raw()[0].Data.Photos {
		if p.Status != queue.Pending {
			t.Errorf("photo %d is told as %s, want pending", i, p.Status)
		}
	}
	close(f.let)
	for _, p := range g.documents(1)[0].Data.Photos {
		g.wantReady(p)
	}
	if got := f.fetches(); !slices.Equal(got, []int{2, 2}) {
		t.Errorf("got %v fetches, want each twice", got)
	}
}

// A stop deletes what an attempt has developed once, and asks for nothing where it
// has not begun.
func TestAStopDeletesOnce(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	h.config.Work.Slots, h.config.Work.PerHost = 1, 1
	g, s := h.openWith(nil)
	wait, release := hang()
	defer release()
	h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if s.puts.Load() == 2 {
			wait(r)
		}
		next.ServeHTTP(w, r)
	})
	g.receive(captioned("a", picture(t, 20, 20), picture(t, 30, 20)), captioned("b", picture(t, 20, 20)))
	g.work().await("the second photo hangs", func(st queue.Stats) bool { return s.puts.Load() == 2 && st.InWork == 1 && st.Waiting == 1 })
	g.stop()
	if got := s.deletes.Load(); got != 1 || h.pictures() != 0 {
		t.Errorf("asked %d times to delete something, and %d pictures are left; want once and none", got, h.pictures())
	}
	if got := g.stats(); got.Waiting != 2 {
		t.Errorf("after the stop: %+v, want both waiting", got)
	}
}
