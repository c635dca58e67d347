package faults

import (
	"context"
	"flag"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/load"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

var (
	chaosMessages = flag.Int("chaos.messages", 300, "how many messages consumers send")
	chaosKills    = flag.Int("chaos.kills", 10, "how often a gateway or redis-server is killed, at least")
	chaosGateways = flag.Int("chaos.gateways", 2, "how many gateways there are")
	chaosPoints   = flag.Bool("chaos.points", false, "kill at each point at least once, as the long form does")
	chaosSeed     = flag.Uint64("chaos.seed", 0, "makes the plan and the choice of faults; 0 takes one from the clock")
)

// chaos is messages on all channels on one side, and on the other what kills,
// stops and cuts at random.
type chaos struct {
	*world
	proxy  *queuetest.Proxy
	calls  []*load.Call
	strays []call // messages to an account that gateways learn of later
	ledger *load.Ledger
	seed   uint64
	quit   chan struct{} // closed when no more is killed
	healed atomic.Bool   // photos' hosts fail no more
	// reached is when there were as many kills as wanted, and only points were left.
	reached atomic.Pointer[time.Time]

	kills, redisKills, torn, pointKills, stops, cuts, failed atomic.Int64

	mu     sync.Mutex // guards what follows
	slots  []*gateway
	killed map[failpoint.Point]int
}

// TestChaos kills gateways and redis-server while messages come in on all
// channels, at random moments and at random points, stops them past their lease,
// cuts their connections, and lets photos' hosts fail. An operator gives dead
// letters another try, and is killed as well. In the end the law holds, nothing is
// dead any more, and every message is as in a run without faults.
func TestChaos(t *testing.T) {
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with: -chaos.seed %d -chaos.messages %d -chaos.kills %d -chaos.gateways %d -chaos.points=%v",
		seed, *chaosMessages, *chaosKills, *chaosGateways, *chaosPoints)
	server := queuetest.Start(t)
	proxy := queuetest.NewProxy(t, server.Address())
	s := newStage(t)
	c := &chaos{
		world: worldAt(s, server, proxy.Address(), forChaos), proxy: proxy, seed: seed, quit: make(chan struct{}),
		calls: s.plan(seed, *chaosMessages), strays: s.strays(*chaosMessages), ledger: load.NewLedger(),
		slots: make([]*gateway, *chaosGateways), killed: map[failpoint.Point]int{},
	}
	c.ledger.Alone = true
	c.sicken()
	begin := time.Now()
	took := func() time.Duration { return time.Since(begin).Round(time.Second) }
	var slots, harm sync.WaitGroup
	end := make(chan struct{})
	for i := range c.slots {
		slots.Go(func() { c.supervise(i, end) })
	}
	harm.Go(c.harm)
	harm.Go(c.operate)
	c.sendAll(c.send)
	harm.Wait()
	t.Logf("%d calls sent in %v", len(c.calls)+len(c.strays), took())
	c.heal()
	t.Logf("%d kills: %d of gateways at random, %d at points, %d of redis-server (%d while it wrote); %d stops beyond the lease, %d cuts, %d failures of photos' hosts; done after %v",
		c.total(), c.kills.Load(), c.pointKills.Load(), c.redisKills.Load(), c.torn.Load(), c.stops.Load(), c.cuts.Load(), c.failed.Load(), took())
	c.everywhere()
	c.saidOnce()
	c.unharmed = c.withoutFaults()
	c.byTheLedger()
	if b := c.check(); b.dead > 0 {
		t.Errorf("%v; want no dead letter left", b)
	}
	close(end)
	slots.Wait()
	t.Logf("compared with a run without faults after %v", took())
}

// forChaos lets photos be given up that fail again and again.
func forChaos(s settings) {
	s["work"].(settings)["slots"] = 4
	s["work"].(settings)["attempts"] = 3
}

// saidOnce wants consumers to have been told no more than the journal knows of:
// what was sent, and what may have been.
func (c *chaos) saidOnce() {
	c.t.Helper()
	sent := 0
	for _, p := range c.platforms {
		sent += len(p.Sent())
	}
	told := c.inspector.Ledger(testQueue).Told
	c.t.Logf("notices by their results: %v; consumers have %d", told, sent)
	if least, most := told["sent"], told["sent"]+told["unknown"]; sent < least || sent > most || told["waiting"] > 0 {
		c.t.Errorf("consumers have %d notices, want from %d to %d, and none that waits", sent, least, most)
	}
}

// byTheLedger holds the load tool's list of what was answered 2xx against the
// queue, and adds it to our own.
func (c *chaos) byTheLedger() {
	c.t.Helper()
	for _, e := range c.ledger.Acked() {
		c.acked[e.Key] = time.Now()
	}
	for _, entry := range c.inspector.Ledger(testQueue).Documents {
		if _, _, err := c.ledger.Found(entry.Text, time.Now()); err != nil {
			c.t.Error(err)
		}
	}
	b, err := c.ledger.Balance(context.Background(), c.journal.Recall)
	if err != nil || !b.Good() || b.Waiting > 0 || b.Unsettled > 0 {
		c.t.Errorf("by the load tool's ledger: %+v, %v", b, err)
	}
	c.t.Logf("by the load tool's ledger: accepted %d, delivered %d, withdrawn %d, taken %d, dead %d, lost %d, doubled %d, forged %d, revived %d",
		b.Accepted, b.Delivered, b.Withdrawn, b.Taken, b.Dead, len(b.Lost), len(b.Doubled), len(b.Forged), len(b.Revived))
}

// withoutFaults is the same plan with one gateway that nothing happens to: what
// the documents of each event say.
func (c *chaos) withoutFaults() map[string]string {
	c.t.Helper()
	w := newWorldOn(c.stage)
	g := w.start()
	c.sendAll(func(_ int, call *load.Call) {
		want := http.StatusOK
		if call.Forged {
			want = http.StatusUnauthorized
		}
		if status := g.hear(call); status != want {
			c.t.Errorf("without faults a call of %s is answered %d, want %d", channelOf(call), status, want)
		}
	})
	g.accepts(c.strays...)
	b := w.settle()
	c.t.Logf("without faults: %v", b)
	a, found := w.audit(), map[string]string{}
	for key, documents := range a.found {
		found[key] = w.outcome(documents)
	}
	g.kill()
	return found
}
