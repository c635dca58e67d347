package inbound_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
)

// What a dead gateway has left is taken over in its turn, however long the line of
// those that wait for a slot.
func TestTakingOverDoesNotWaitForTheBacklog(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Slots = 1
	h.config.Work.Lease = config.Duration(300 * time.Millisecond)
	dead := h.open()
	dead.receive(photo("left", picture(t, 77, 20)))
	dead.take()
	g := h.open()
	const patience = 100
	var over atomic.Bool // until then the line is never empty
	small := picture(t, 20, 20)
	h.answer(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if call < patience && !over.Load() {
			for _, webhook := range h.webhooks(photo("another "+strings.Repeat("i", int(call)), small)) {
				if err := g.Receive(r.Context(), g.route(), webhook); err != nil {
					t.Error(err)
				}
			}
		}
		next.ServeHTTP(w, r)
	})
	for _, name := range []string{"a", "b", "c"} {
		g.receive(photo(name, small))
	}
	g.work()
	var before int
	await(t, "what was left is forwarded", func() bool {
		before = 0
		for _, d := range g.raw() {
			if len(d.Data.Photos) == 1 && d.Data.Photos[0].Source != nil && d.Data.Photos[0].Source.Width == 77 {
				return true
			}
			before++
		}
		return false
	})
	over.Store(true)
	if before >= patience {
		t.Errorf("%d photos that came later were forwarded before", before)
	}
	g.await("all are forwarded", func(s queue.Stats) bool { return s.Unfinished() == 0 })
}
