package faults

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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
	ledger *load.Ledger
	seed   uint64
	quit   chan struct{} // closed when no more is killed

	kills, redisKills, pointKills, stops, cuts atomic.Int64

	mu    sync.Mutex // guards slots
	slots []*gateway
}

// TestChaos kills gateways and redis-server while messages come in on all
// channels, at random moments and at random points, stops them past their lease
// and cuts their connections. In the end the law holds, and every message is as
// in a run without faults.
func TestChaos(t *testing.T) {
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with: -chaos.seed %d -chaos.messages %d -chaos.kills %d -chaos.gateways %d", seed, *chaosMessages, *chaosKills, *chaosGateways)
	server := queuetest.Start(t)
	proxy := queuetest.NewProxy(t, server.Address())
	s := newStage(t)
	c := &chaos{
		world: worldAt(s, server, proxy.Address(), fewAtOnce), proxy: proxy, seed: seed, quit: make(chan struct{}),
		calls: s.plan(seed, *chaosMessages), ledger: load.NewLedger(), slots: make([]*gateway, *chaosGateways),
	}
	begin := time.Now()
	var slots, harm sync.WaitGroup
	end := make(chan struct{})
	for i := range c.slots {
		slots.Go(func() { c.supervise(i, end) })
	}
	harm.Go(c.harm)
	c.sendAll(c.send)
	harm.Wait()
	t.Logf("%d calls sent in %v", len(c.calls), time.Since(begin).Round(time.Second))
	c.idle()
	t.Logf("%d kills: %d of gateways at random, %d at points, %d of redis-server; %d stops beyond the lease, %d cuts; done after %v",
		c.total(), c.kills.Load(), c.pointKills.Load(), c.redisKills.Load(), c.stops.Load(), c.cuts.Load(), time.Since(begin).Round(time.Second))
	c.saidOnce()
	c.unharmed = c.withoutFaults()
	c.byTheLedger()
	c.poisoned(c.check())
	close(end)
	slots.Wait()
}

// fewAtOnce keeps down how many messages are in work when a gateway is killed.
// One that is three times is taken for the cause.
func fewAtOnce(s settings) { s["work"].(settings)["slots"] = 4 }

// poisoned wants every dead letter to be one that was in work at three deaths, by
// the chance of so many kills, and few of them.
func (c *chaos) poisoned(b balance) {
	c.t.Helper()
	letters, err := c.journal.Letters(c.t.Context(), testQueue, b.dead+1)
	if err != nil || len(letters) != b.dead || b.dead > 2+b.accepted/100 {
		c.t.Errorf("%d dead letters, %v; want %d, and that they are few", len(letters), err, b.dead)
	}
	for _, l := range letters {
		if l.Cause != "gateways died while working on it" {
			c.t.Errorf("DEAD: %s", l.Cause)
		}
	}
}

func (c *chaos) total() int64 { return c.kills.Load() + c.pointKills.Load() + c.redisKills.Load() }

// over tells whether enough was killed.
func (c *chaos) over() bool {
	select {
	case <-c.quit:
		return true
	default:
		return false
	}
}

// supervise keeps one gateway running, as an orchestrator does. Each has its own
// random numbers.
func (c *chaos) supervise(slot int, end <-chan struct{}) {
	r := rand.New(rand.NewPCG(c.seed, uint64(slot)+1))
	for {
		var environment []string
		planned := !c.over() && r.IntN(2) == 0
		if planned {
			points := failpoint.Points()
			environment = append(environment, fault(fmt.Sprintf("%s=kill@%d", points[r.IntN(len(points))], 1+r.IntN(10))))
		}
		g := c.launch(environment...)
		for !g.dead() && !g.ready() {
			time.Sleep(5 * time.Millisecond)
		}
		c.mu.Lock()
		c.slots[slot] = g
		c.mu.Unlock()
		select {
		case <-g.ended:
		case <-end:
			return
		}
		if status, ok := g.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && !g.hurt.Load() {
			c.pointKills.Add(1)
		}
	}
}

// harm does one thing after the other until enough is killed.
func (c *chaos) harm() {
	defer close(c.quit)
	r := rand.New(rand.NewPCG(c.seed, 1<<32))
	for c.total() < int64(*chaosKills) {
		time.Sleep(time.Duration(100+r.IntN(900)) * time.Millisecond)
		c.mu.Lock()
		g := c.slots[r.IntN(len(c.slots))]
		c.mu.Unlock()
		if g == nil || g.dead() {
			continue
		}
		switch dice := r.IntN(100); {
		case dice < 55:
			g.hurt.Store(true)
			g.kill()
			c.kills.Add(1)
		case dice < 70:
			c.server.Kill()
			c.redisKills.Add(1)
			time.Sleep(time.Duration(r.IntN(700)) * time.Millisecond)
			c.server.Restart()
		case dice < 80:
			g.signal(syscall.SIGSTOP)
			c.stops.Add(1)
			time.Sleep(lease + time.Duration(r.IntN(1500))*time.Millisecond)
			g.resume()
		case dice < 90:
			c.proxy.Arm([]queuetest.Fault{queuetest.CutBefore, queuetest.CutAfter, queuetest.Mute}[r.IntN(3)], 1+r.IntN(3), queuetest.Scripts())
			c.cuts.Add(1)
		default:
			c.proxy.Down()
			time.Sleep(time.Duration(r.IntN(500)) * time.Millisecond)
			c.proxy.Up()
			c.cuts.Add(1)
		}
	}
	c.proxy.Disarm()
}

// senders is how many calls platforms have open at once.
const senders = 8

// plan is what consumers say on all channels, with copies, messages that are
// taken back or edited, and forged ones.
func (s *stage) plan(seed uint64, messages int) []*load.Call {
	s.t.Helper()
	names := slices.Concat(goodPictures, goodPictures, badPictures)
	p := load.Plan{
		Seed: seed, Name: canary, Messages: messages, Consumers: 50, Photos: 0.5,
		Duplicates: 0.15, Unsends: 0.08, Edits: 0.05, Forged: 0.02,
	}
	for _, name := range names {
		p.Originals = append(p.Originals, picture(name))
	}
	var calls []*load.Call
	for call, err := range p.Calls(s.speakers) {
		if err != nil {
			s.t.Fatal(err)
		}
		calls = append(calls, call)
		e := call.Event
		one := said{channel: channelOf(call), kind: e.Kind, text: e.Text, message: e.Key}
		if e.Of != nil {
			one.message = e.Of.Key
		}
		if e.Photos > 0 {
			one.pictures = names[e.Photo : e.Photo+1]
		}
		if !call.Forged {
			s.said[e.Key] = one
		}
	}
	return calls
}

// channelOf is the channel of a call.
func channelOf(call *load.Call) string {
	channel, _, _ := strings.Cut(call.Speaker.Name(), "/")
	return channel
}

// sendAll goes through the plan.
func (c *chaos) sendAll(send func(n int, call *load.Call)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(c.calls); n = int(next.Add(1)) - 1 {
				send(n, c.calls[n])
			}
		})
	}
	all.Wait()
}

// send makes a call when its time has come, for messages last as long as the
// faults, and now and then twice at once.
func (c *chaos) send(n int, call *load.Call) {
	for !c.over() && int64(n)*int64(*chaosKills) > (c.total()+1)*int64(len(c.calls)) {
		time.Sleep(5 * time.Millisecond)
	}
	var copies sync.WaitGroup
	for range 1 + n%10/9 {
		copies.Go(func() { c.persist(call) })
	}
	copies.Wait()
}

// persist makes a call as its platform does: again until it is answered 2xx, but
// for Twilio, which gives up, and for a forger, who should.
func (c *chaos) persist(call *load.Call) {
	once := call.Forged || channelOf(call) == "twilio"
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		c.mu.Lock()
		g := c.slots[rand.IntN(len(c.slots))]
		c.mu.Unlock()
		if g == nil || g.dead() {
			continue
		}
		c.ledger.Sent(call, time.Now())
		status := g.hear(call)
		c.ledger.Answered(call, status)
		if call.Forged && status != http.StatusUnauthorized && status != 0 {
			c.t.Errorf("a forged call of %s is answered %d", channelOf(call), status)
		}
		if once || status/100 == 2 {
			return
		}
	}
	c.t.Errorf("a call of %s is never accepted", channelOf(call))
}

// hear takes a call of the load tool's, over a connection of its own, and
// answers with its status, or 0.
func (g *gateway) hear(call *load.Call) int {
	client, err := load.NewClient("http://" + g.listens())
	if err != nil {
		return 0
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	status, err := client.Send(ctx, call)
	if err != nil {
		return 0
	}
	return status
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
	b := w.settle()
	c.t.Logf("without faults: %v", b)
	a, found := w.audit(), map[string]string{}
	for key, documents := range a.found {
		found[key] = w.outcome(documents)
	}
	g.kill()
	return found
}
