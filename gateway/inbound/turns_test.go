package inbound_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
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
		time.Sleep(10 * time.Millisecond) // so that a hundred last longer than the lease, on any machine
		next.ServeHTTP(w, r)
	})
	for _, name := range []string{"a", "b", "c"} {
		g.receive(photo(name, small))
	}
	g.work()
	var before int
	gatewaytest.Await(t, "what was left is forwarded", func() bool {
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

// A beginning whose answer is lost, and with it those of all repeats that the client
// makes by itself, is repeated: nobody waits for the lease, and no start is counted
// that nobody takes back.
func TestABeginningThatIsNotAnswered(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Lease = config.Duration(time.Hour)
	h.proxy = queuetest.NewProxy(t, h.redis.Address())
	g := h.open()
	g.receive(photo("a", picture(t, 20, 20)))
	begin := func(command []string) bool { // by its keys: how many there are, and the first
		return queuetest.Scripts()(command) && len(command) > 3 && command[2] == "11" && strings.HasSuffix(command[3], ":photos")
	}
	h.proxy.Arm(queuetest.CutAfter, 4, begin)
	g.work()
	g.wantReady(g.photo())
	if got := h.proxy.Struck(); got != 4 {
		t.Errorf("%d answers were lost, want 4", got)
	}
	if strings.Contains(h.log.String(), "unfinished") {
		t.Error("it was left unfinished")
	}
}
