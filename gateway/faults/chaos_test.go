package faults

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

var (
	chaosMessages = flag.Int("chaos.messages", 300, "how many messages consumers send")
	chaosKills    = flag.Int("chaos.kills", 10, "how often a gateway or redis-server is killed, at least")
	chaosGateways = flag.Int("chaos.gateways", 2, "how many gateways there are")
	chaosSeed     = flag.Uint64("chaos.seed", 0, "makes the plan and the choice of faults; 0 takes one from the clock")
)

// chaos is messages on all channels on one side, and on the other what kills,
// stops and cuts at random.
type chaos struct {
	*world
	proxy *queuetest.Proxy
	steps []step
	seed  uint64
	quit  chan struct{} // closed when no more is killed

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
		world: worldAt(s, server, proxy.Address()), proxy: proxy, seed: seed, quit: make(chan struct{}),
		steps: s.plan(rand.New(rand.NewPCG(seed, 0)), *chaosMessages), slots: make([]*gateway, *chaosGateways),
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
	t.Logf("%d calls sent in %v", len(c.steps), time.Since(begin).Round(time.Second))
	c.idle()
	t.Logf("%d kills: %d of gateways at random, %d at points, %d of redis-server; %d stops beyond the lease, %d cuts; done after %v",
		c.total(), c.kills.Load(), c.pointKills.Load(), c.redisKills.Load(), c.stops.Load(), c.cuts.Load(), time.Since(begin).Round(time.Second))
	c.noSecondNotice()
	c.unharmed = c.withoutFaults()
	c.check()
	close(end)
	slots.Wait()
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

// sendAll goes through the plan.
func (c *chaos) sendAll(send func(n int, s step)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(c.steps); n = int(next.Add(1)) - 1 {
				send(n, c.steps[n])
			}
		})
	}
	all.Wait()
}

// send makes a call when its time has come: messages last as long as the faults.
func (c *chaos) send(n int, s step) {
	for !c.over() && int64(n)*int64(*chaosKills) > (c.total()+1)*int64(len(c.steps)) {
		time.Sleep(5 * time.Millisecond)
	}
	var copies sync.WaitGroup
	for range s.copies {
		copies.Go(func() { c.deliver1(s) })
	}
	copies.Wait()
}

// deliver1 makes a call as its platform does: some give up where there is no
// answer, and what became of it is nobody's promise then.
func (c *chaos) deliver1(s step) {
	if !s.once {
		c.deliver(s.call)
		return
	}
	for _, i := range rand.Perm(len(c.slots)) {
		c.mu.Lock()
		g := c.slots[i]
		c.mu.Unlock()
		if g != nil && g.public != "" && !g.dead() {
			g.post(s.call)
			return
		}
	}
}

// noSecondNotice wants no consumer to have heard more than once of the one
// picture that was rejected.
func (c *chaos) noSecondNotice() {
	c.t.Helper()
	for channel, p := range c.platforms {
		heard := map[string]int{}
		for _, m := range p.Sent() {
			heard[m.Consumer]++
		}
		for _, consumer := range slices.Sorted(maps.Keys(heard)) {
			if heard[consumer] > 1 {
				c.t.Errorf("DOUBLE: a consumer on %s has %d notices of one picture", channel, heard[consumer])
			}
		}
	}
}

// withoutFaults is the same plan with one gateway that nothing happens to: what
// the documents of each event say.
func (c *chaos) withoutFaults() map[string]string {
	c.t.Helper()
	w := newWorldOn(c.stage)
	g := w.start()
	c.sendAll(func(_ int, s step) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if status := g.send(ctx, s.Request); status != http.StatusOK {
			c.t.Errorf("without faults a call of %s is answered %d", s.channel, status)
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
