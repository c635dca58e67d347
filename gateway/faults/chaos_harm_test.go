package faults

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

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

// operators are the points that only an operator's command gets to.
var operators = []failpoint.Point{failpoint.MidRetake, failpoint.BeforeUnlist, failpoint.BeforeRevive, failpoint.AfterRevive}

// open are the points at which no gateway was killed yet.
func (c *chaos) open() []failpoint.Point {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(failpoint.Points(), func(p failpoint.Point) bool { return c.killed[p] > 0 || slices.Contains(operators, p) })
}

// lastPart is how long the last fifth of the messages takes where each point is to
// be met: what is seldom hit has its time then.
const lastPart = time.Minute

// share is how much of it all is done.
func (c *chaos) share() float64 {
	done := float64(c.total()+1) / float64(*chaosKills)
	switch reached := c.reached.Load(); {
	case !*chaosPoints:
		return done
	case reached == nil:
		return 0.8 * min(1, done)
	default:
		return 0.8 + 0.2*float64(time.Since(*reached))/float64(lastPart)
	}
}

// supervise keeps one gateway running, as an orchestrator does. Each has its own
// random numbers.
func (c *chaos) supervise(slot int, end <-chan struct{}) {
	r := rand.New(rand.NewPCG(c.seed, uint64(slot)+1))
	for {
		var environment []string
		plan := c.deaths(r)
		if len(plan) > 0 {
			environment = append(environment, fault(plan...))
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
			c.died(g, plan)
		}
	}
}

// deaths plans at which point a gateway dies: every second one at any, or each one
// at whichever it comes to first of those that are open.
func (c *chaos) deaths(r *rand.Rand) []string {
	points := []failpoint.Point{failpoint.Points()[r.IntN(len(failpoint.Points()))]}
	switch open := c.open(); {
	case c.over():
		return nil
	case *chaosPoints && len(open) > 0:
		points = open
	case r.IntN(2) == 0:
		return nil
	}
	var plan []string
	for _, p := range points {
		if len(points) < 10 && *chaosPoints {
			plan = append(plan, at(p, "kill")) // they are seldom hit at all
		} else {
			plan = append(plan, fmt.Sprintf("%s=kill@%d", p, 2+r.IntN(10)))
		}
	}
	return plan
}

// died notes at which of the points of its plan a gateway was killed.
func (c *chaos) died(g *gateway, plan []string) {
	hit := hits(c.hitsFile(g.name))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range plan {
		var number int
		name, rest, _ := strings.Cut(one, "=kill@")
		if _, err := fmt.Sscan(rest, &number); err == nil && hit[failpoint.Point(name)] >= number {
			c.killed[failpoint.Point(name)]++
		}
	}
}

// harm does one thing after the other until enough is killed.
func (c *chaos) harm() {
	defer close(c.quit)
	r := rand.New(rand.NewPCG(c.seed, 1<<32))
	for !c.enough() {
		time.Sleep(time.Duration(100+r.IntN(900)) * time.Millisecond)
		c.mu.Lock()
		g := c.slots[r.IntN(len(c.slots))]
		c.mu.Unlock()
		if g == nil || g.dead() {
			continue
		}
		switch dice := r.IntN(100); {
		case dice < 55 && c.reached.Load() != nil: // they live until they come to a point
		case dice < 55:
			g.hurt.Store(true)
			g.kill()
			c.kills.Add(1)
		case dice < 70:
			c.server.Kill()
			c.redisKills.Add(1)
			time.Sleep(time.Duration(r.IntN(700)) * time.Millisecond)
			c.server.Restart()
			if c.server.Torn() {
				c.torn.Add(1)
			}
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

// enough tells whether enough was killed, and at each point, or time is up.
func (c *chaos) enough() bool {
	if c.total() < int64(*chaosKills) {
		return false
	}
	if now := time.Now(); *chaosPoints {
		c.reached.CompareAndSwap(nil, &now)
	}
	return !*chaosPoints || len(c.open()) == 0 || c.share() > 1.2
}

// sicken lets the hosts of photos fail: one time in ten, and for one photo in
// fifty each time until they are healed.
func (c *chaos) sicken() {
	for _, p := range c.platforms {
		p.Wrap(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h := fnv.New32a()
				_, _ = h.Write([]byte(r.URL.Path))
				switch {
				case r.Method != http.MethodGet || c.healed.Load(), h.Sum32()%50 > 0 && rand.IntN(10) > 0:
					next.ServeHTTP(w, r)
				case rand.IntN(3) == 0:
					c.failed.Add(1)
					panic(http.ErrAbortHandler)
				default:
					c.failed.Add(1)
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			})
		})
	}
}

// operate gives some dead letters another try from time to time, while everything
// fails around it.
func (c *chaos) operate() {
	for n := 0; !c.over(); n++ {
		time.Sleep(time.Second)
		c.mu.Lock()
		g := c.slots[0]
		c.mu.Unlock()
		if g != nil {
			point := []failpoint.Point{failpoint.BeforeRevive, failpoint.AfterRevive}[n%2]
			c.mayDie(point, func(fault ...string) int {
				return c.dead([]string{"retry", "--cause", "photo", "--limit", "3", "--config", g.file}, fault...)
			})
		}
	}
}

// mayDie runs an operator's command, which is killed at a point unless one was.
func (c *chaos) mayDie(at failpoint.Point, command func(fault ...string) int) {
	c.mu.Lock()
	open := c.killed[at] == 0
	c.mu.Unlock()
	if !open {
		command()
	} else if command(fault(string(at)+"=kill@1")) < 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.killed[at]++
	}
}

// heal ends all faults. Gateways learn of the account that they did not know, and
// an operator, who is killed at each point of his own, gives the dead letters
// another try until there are none.
func (c *chaos) heal() {
	c.t.Helper()
	c.healed.Store(true)
	c.world.mu.Lock()
	c.known()
	c.world.mu.Unlock()
	c.restart()
	c.inspector.Hasten(testQueue) // what waits for a host that gateways no longer know as a bad one
	c.idle()
	g := c.alive()
	c.t.Logf("%d dead letters", c.stats().Dead)
	for _, p := range operators {
		c.mayDie(p, func(fault ...string) int { return c.retry(g, fault...) })
	}
	c.await("no dead letter is left", func() bool {
		c.retry(g)
		c.idle()
		return c.stats().Dead == 0
	})
}

// restart lets each gateway be replaced by a new one. Where one has just died, its
// successor may have read its files before they were changed: it is waited for, and
// replaced as well.
func (c *chaos) restart() {
	c.t.Helper()
	for i := range c.slots {
		var g *gateway
		c.await("it is there", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			g = c.slots[i]
			return g.ready() && !g.dead()
		})
		if code := g.terminate(); code > 0 { // the last of those that were to die may have
			c.t.Errorf("%s ended with %d, want 0", g.name, code)
		}
		c.await("it is replaced", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.slots[i] != g && c.slots[i].ready()
		})
	}
}

// everywhere prints at which points somebody was killed. In the long form that is
// each of them.
func (c *chaos) everywhere() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range failpoint.Points() {
		c.t.Logf("killed at %-16s %d", p, c.killed[p])
		if c.killed[p] == 0 && *chaosPoints {
			c.t.Errorf("nobody was killed at %s", p)
		}
	}
}
