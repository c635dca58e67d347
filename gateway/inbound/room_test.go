package inbound_test

import (
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/budget"
)

// A fetch that finds no memory is put off as trouble of our own: the platform is
// not blamed, and the photo loses no try.
func TestAFetchWithoutRoomUsesUpNoTries(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Attempts = 1
	g := h.open()
	largest := int64(g.Routes.LargestPhoto())
	// Room for the largest one, and for another to begin and not to go on.
	g.Originals = budget.NewOriginals(budget.Plan{Largest: largest, Originals: 2*largest + 8<<20}, time.Nanosecond)
	other, err := g.Originals.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g.work().receive(photo("a", picture(t, 20, 20)))
	await(t, "it was put off twice", func() bool { return g.figures("lightlock_trouble_total")["ours photo"] >= 2 })
	other.End()
	g.wantReady(g.photo())
	if held := g.Originals.Held(); held != 0 {
		t.Errorf("%d bytes are held when all is done", held)
	}
}
