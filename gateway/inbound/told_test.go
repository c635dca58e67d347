package inbound_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// captioned is a message with text and photos.
func captioned(name string, photos ...[]byte) sim.Said {
	said := photo(name, photos...)
	said.Text = canary + name
	return said
}

// flaky answers 502 to the first fetch of the photos with these numbers, in the
// order in which they are fetched, and then waits until it is let on. It counts
// the fetches of each.
type flaky struct {
	mu     sync.Mutex
	order  []string
	counts map[string]int
	let    chan struct{}
}

// fails puts a media host in front of the house's first platform. Photos are told
// apart by their addresses, and only what looks like one counts.
func (h *house) fails(photos ...int) *flaky {
	f := &flaky{counts: map[string]int{}, let: make(chan struct{})}
	h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		number, count := f.note(r.URL.Path)
		for _, photo := range photos {
			switch {
			case photo != number:
			case count == 1:
				w.WriteHeader(http.StatusBadGateway)
				return
			default:
				select {
				case <-f.let:
				case <-r.Context().Done():
				}
			}
		}
		next.ServeHTTP(w, r)
	})
	return f
}

func (f *flaky) note(path string) (number, count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !strings.Contains(path, "/Media/") && !strings.Contains(path, ".jpg") {
		return -1, 0 // where Twilio's API leads to
	}
	if f.counts[path] == 0 {
		f.order = append(f.order, path)
	}
	f.counts[path]++
	for i, known := range f.order {
		if known == path {
			number = i
		}
	}
	return number, f.counts[path]
}

// fetches are how often each photo was fetched, in their order.
func (f *flaky) fetches() (counts []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, path := range f.order {
		counts = append(counts, f.counts[path])
	}
	return counts
}

// The text of a message goes to the agents when a try of its photo has failed. The
// photo follows once, under the name that it had.
func TestATextGoesAheadOfAPhotoThatFails(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	h.promise = time.Hour // it is the failed try that counts
	g := h.open().work()
	f := h.fails(0)
	g.receive(captioned("a", picture(t, 20, 20)))
	g.await("the text is there, and the photo is tried again", func(s queue.Stats) bool { return s.Delivered == 1 && s.InWork == 1 })
	d := g.raw()[0]
	if p := d.Data.Photos; d.Type != string(queue.MessageReceived) || d.Data.Text != canary+"a" || len(p) != 1 || p[0].Status != queue.Pending || p[0].Preview != nil {
		t.Errorf("got %+v, want the text and a pending photo", d)
	}
	close(f.let)
	g.wantReady(g.photo())
	wantTypes(t, g, queue.MessageReceived, queue.PhotoSettled)
	g.wantFigure("lightlock_told_total", q, 1)
	g.wantFigure("lightlock_forwarded_total", q, 1)
	g.wantFigure("lightlock_photos_total", "twilio/acme  ready", 1)
}

// A text does not wait for a photo whose host hangs either: somebody tells it while
// the photo is in work, and the photo is not fetched again for it.
func TestATextGoesAheadOfAPhotoThatTakesLong(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	h.promise = 50 * time.Millisecond
	g := h.open().work()
	m, release := h.hangs()
	defer release()
	g.receive(captioned("a", picture(t, 20, 20)))
	g.await("the text is there, and the photo in work", func(s queue.Stats) bool { return s.Delivered == 1 && s.InWork == 1 })
	calls := m.calls.Load()
	release()
	g.wantReady(g.photo())
	wantTypes(t, g, queue.MessageReceived, queue.PhotoSettled)
	g.wantFigure("lightlock_told_total", q, 1)
	g.wantFigure("lightlock_trouble_total", "ours photo", 0)
	if calls != 1 {
		t.Errorf("called %d times before it went on, want once", calls)
	}
}

// A message that waits for a slot is told too, and by a gateway that cannot work on
// it.
func TestATextDoesNotWaitForASlot(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	h.promise = 50 * time.Millisecond
	h.config.Work.Slots = 1
	g := h.open().work()
	_, release := h.hangs()
	defer release()
	const n = 120
	for i := range n {
		g.receive(captioned(string(rune('a'+i)), picture(t, 20, 20)))
	}
	g.await("all texts are there", func(s queue.Stats) bool { return s.Delivered == n && s.InWork == 1 })
	for _, d := range g.raw() {
		if len(d.Data.Photos) != 1 || d.Data.Photos[0].Status != queue.Pending {
			t.Fatalf("got %+v, want a pending photo", d)
		}
	}
}

// What has been developed is not fetched again because its neighbour failed, and
// agents have it at once. The consumer hears of the one that was rejected, once.
func TestSettledPhotosAreKept(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	g := h.open().work()
	f := h.fails(1, 3)
	g.receive(captioned("a", picture(t, 40, 20), picture(t, 30, 20), moving(t), picture(t, 20, 20)))
	g.await("the text is there, and the second photo is tried again", func(s queue.Stats) bool { return s.Delivered == 1 && s.InWork == 1 })
	told := g.raw()[0].Data.Photos
	g.wantReady(told[0])
	g.wantRejected(told[2], "animated")
	for _, i := range []int{1, 3} {
		if told[i].Status != queue.Pending {
			t.Errorf("photo %d is %+v, want it pending", i, told[i])
		}
	}
	close(f.let)
	photos := g.documents(1)[0].Data.Photos
	for i, width := range map[int]int{0: 40, 1: 30, 3: 20} {
		g.wantReady(photos[i])
		if photos[i].ID != told[i].ID || photos[i].Source.Width != width {
			t.Errorf("photo %d is %+v, want the one of width %d, known as %s", i, photos[i], width, told[i].ID)
		}
	}
	if settled := g.raw()[1].Data.Photos; len(settled) != 2 {
		t.Errorf("got %+v settled later, want the two that were pending", settled)
	}
	if got := f.fetches(); !slices.Equal(got, []int{1, 2, 1, 2}) {
		t.Errorf("got %v fetches, want 1 2 1 2", got)
	}
	if n := h.pictures(); n != 6 {
		t.Errorf("got %d pictures, want two of each", n)
	}
	if n, err := g.backend.Outstanding(t.Context(), q); n != 1 || err != nil {
		t.Errorf("got %d notices, %v; want one", n, err)
	}
	g.wantFigure("lightlock_photos_total", "twilio/acme  ready", 3)
	g.wantFigure("lightlock_photos_total", "twilio/acme animated rejected", 1)
}

// A photo that is rejected after its message was told is no secret to its sender.
func TestANoticeAboutAPhotoThatWasPending(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	g := h.open().work()
	f := h.fails(0)
	g.receive(captioned("a", moving(t)))
	g.await("the text is there", func(s queue.Stats) bool { return s.Delivered == 1 })
	if n, _ := g.backend.Outstanding(t.Context(), q); n != 0 {
		t.Errorf("got %d notices before the photo was judged", n)
	}
	close(f.let)
	g.wantRejected(g.photo(), "animated")
	if n, err := g.backend.Outstanding(t.Context(), q); n != 1 || err != nil {
		t.Errorf("got %d notices, %v; want one", n, err)
	}
}

// startMessenger starts a platform whose messages hold several photos and can be
// taken back and edited.
func startMessenger(t *testing.T) *messengersim.Platform { return platform(t, messengersim.Start) }

// toldHalf receives a message of two photos, of which the second fails once, and
// waits until its text and its first photo are there.
func (h *house) toldHalf(g *gateway) (said sim.Said, f *flaky) {
	h.t.Helper()
	f = h.fails(1)
	said = photo("a", picture(h.t, 20, 20), picture(h.t, 30, 20))
	g.receive(said)
	gatewaytest.Await(h.t, "its second photo is tried again", func() bool { return slices.Equal(f.fetches(), []int{1, 2}) })
	g.await("the message is told", func(s queue.Stats) bool { return s.Delivered == 1 && s.InWork == 1 })
	if n := h.pictures(); n != 2 {
		h.t.Errorf("got %d pictures, want those of the first photo", n)
	}
	return said, f
}

// An unsend destroys all there is of a told message, what is in work included.
func TestUnsendOfAToldMessage(t *testing.T) {
	p := startMessenger(t)
	h := newHouse(t, p)
	g := h.open().work()
	said, f := h.toldHalf(g)
	r, err := p.Unsend(base+"/webhooks/messenger/acme", said)
	if err != nil {
		t.Fatal(err)
	}
	r.ReceivedAt = time.Now()
	g.hand(r)
	gatewaytest.Await(t, "the unsend is forwarded in its place", func() bool {
		all := g.raw()
		return len(all) == 1 && all[0].Type == string(queue.MessageUnsent)
	})
	close(f.let)
	g.documents(1)
	wantTypes(t, g, queue.MessageUnsent)
	gatewaytest.Await(t, "nothing is left of it", func() bool { return h.pictures() == 0 })
}

// An edit follows its message, and does not wait for the photos.
func TestEditOfAToldMessage(t *testing.T) {
	p := startMessenger(t)
	h := newHouse(t, p)
	g := h.open().work()
	said, f := h.toldHalf(g)
	r, err := p.Edit(base+"/webhooks/messenger/acme", said, canary+"new")
	if err != nil {
		t.Fatal(err)
	}
	r.ReceivedAt = time.Now()
	g.hand(r)
	g.await("the edit is forwarded", func(s queue.Stats) bool { return s.Delivered == 2 && s.InWork == 1 })
	wantTypes(t, g, queue.MessageReceived, queue.MessageEdited)
	close(f.let)
	g.documents(2)
	wantTypes(t, g, queue.MessageReceived, queue.MessageEdited, queue.PhotoSettled)
}

// A message that is told after its conversation was closed is late. What becomes of
// its photos is only about the message.
func TestCloseOfAToldMessage(t *testing.T) {
	for name, late := range map[string]bool{"before it is told": true, "after it is told": false} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, platform(t, twiliosim.Start))
			g := h.open()
			route := *g.route()
			route.Connector = closing{route.Connector}
			end := func() {
				t.Helper()
				if err := g.Receive(t.Context(), &route, h.webhooks(text("close"))[0]); err != nil {
					t.Fatal(err)
				}
			}
			f := h.fails(0)
			g.receive(captioned("a", picture(t, 20, 20)))
			if late {
				end()
			}
			g.work()
			g.await("it is told", func(s queue.Stats) bool { return s.Delivered >= 1 && s.InWork == 1 })
			if !late {
				end()
			}
			close(f.let)
			for _, d := range g.documents(2) {
				if d.Type == string(queue.MessageReceived) && d.Data.Late != late {
					t.Errorf("got %+v, want late %v", d, late)
				}
			}
		})
	}
}

// A told message that kills gateways is a dead letter whose photos are settled.
func TestAToldMessageThatKillsGateways(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	h.config.Work.RetryMin, h.config.Work.RetryMax = config.Duration(time.Second), config.Duration(time.Second)
	g := h.open().work()
	h.fails(1)
	g.receive(captioned("a", picture(t, 20, 20), picture(t, 30, 20)))
	g.await("it is told", func(s queue.Stats) bool { return s.Delivered == 1 })
	g.stop()
	g.await("it waits for its next try", func(s queue.Stats) bool {
		_, err := g.backend.Due(t.Context(), q, 10)
		return s.Waiting == 1 && err == nil
	})
	h.die(queue.MaxStarts)
	last := h.open().work()
	photos := last.documents(1)[0].Data.Photos
	last.wantReady(photos[0])
	last.wantRejected(photos[1], "unreachable")
	wantTypes(t, last, queue.MessageReceived, queue.PhotoSettled)
	last.letters(1)
	if n := h.pictures(); n != 2 {
		t.Errorf("got %d pictures, want those of the first photo", n)
	}
}
