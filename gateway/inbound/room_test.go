package inbound_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// roomFor gives a gateway memory for its largest original alone, and so much more.
func (g *gateway) roomFor(more int64, patience time.Duration) {
	largest := int64(g.Routes.LargestPhoto())
	g.Originals = budget.NewOriginals(budget.Plan{Largest: largest, Originals: 2*largest + 4<<20 + more}, patience)
}

// A fetch that finds no memory is put off as trouble of our own: the platform is
// not blamed, and the photo loses no try.
func TestAFetchWithoutRoomUsesUpNoTries(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Attempts = 1
	g := h.open()
	g.roomFor(4<<20, time.Nanosecond) // another may begin and not go on
	other, err := g.Originals.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g.work().receive(photo("a", picture(t, 20, 20)))
	gatewaytest.Await(t, "it was put off twice", func() bool { return g.figures("lightlock_trouble_total")["ours photo"] >= 2 })
	other.End()
	g.wantReady(g.photo())
	if held := g.Originals.Held(); held != 0 {
		t.Errorf("%d bytes are held when all is done", held)
	}
}

// A gateway that stops gives back at once what waits for memory, whether it has
// begun to be fetched or not.
func TestWhatWaitsForMemoryIsGivenBackAtAStop(t *testing.T) {
	for name, test := range map[string]struct{ more, fetched int64 }{
		"before its fetch": {0, 0},
		"within its fetch": {4 << 20, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, startLINE(t))
			g := h.open()
			g.roomFor(test.more, 0)
			other, err := g.Originals.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m := h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) })
			// The grace is for what has begun; that waits for others, who may take long.
			g.workWithGrace(time.Hour).receive(photo("a", picture(t, 20, 20)))
			gatewaytest.Await(t, "it waits", func() bool { return g.Originals.Waiting() == 1 && m.calls.Load() == test.fetched })
			g.stop()
			if got := g.stats(); got.Waiting != 1 || got.InWork != 0 {
				t.Errorf("after the stop: %+v, want it waiting", got)
			}
			other.End()
			if held, waiting := g.Originals.Held(), g.Originals.Waiting(); held != 0 || waiting != 0 {
				t.Errorf("%d bytes are held and %d wait, want none", held, waiting)
			}
			if got := g.figures("lightlock_trouble_total"); len(got) != 0 {
				t.Errorf("got %v, want no trouble", got)
			}
			again := h.open().work()
			again.wantReady(again.photo())
		})
	}
}
