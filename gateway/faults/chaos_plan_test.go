package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightlock/lightlock/gateway/load"
)

// senders is how many calls platforms have open at once.
const senders = 8

// plan is what consumers say on all channels, with copies, messages that are
// taken back or edited, and forged ones.
func (s *stage) plan(seed uint64, messages int) []*load.Call {
	s.t.Helper()
	names := slices.Concat(goodPictures, goodPictures, badPictures)
	p := load.Plan{
		Seed: seed, Name: canary, Messages: messages, Consumers: 50, Photos: 0.5,
		Duplicates: 0.15, Unsends: 0.08, Edits: 0.05, Forged: 0.02, Albums: 0.3, Closes: 0.05,
	}
	for _, name := range names {
		p.Originals = append(p.Originals, picture(name))
	}
	return s.planned(p, names)
}

// texts is a plan of messages without photos, each once, and of 1 kB.
func (s *stage) texts(messages int) []*load.Call {
	s.t.Helper()
	return s.planned(load.Plan{Seed: 1, Name: canary + strings.Repeat(".", 1000), Messages: messages, Consumers: 20}, nil)
}

// planned makes a plan's calls, and notes what they say. Its originals are the
// pictures of these names.
func (s *stage) planned(p load.Plan, names []string) []*load.Call {
	s.t.Helper()
	s.introduce(p.Consumers)
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
		for n := range e.Photos {
			one.pictures = append(one.pictures, names[(e.Photo+n)%len(names)])
		}
		if !call.Forged {
			s.said[e.Key] = one
		}
	}
	return calls
}

// strayEvery is among how many calls there is one to an account that no gateway
// knows.
const strayEvery = 40

func (s *stage) strays(messages int) []call {
	var calls []call
	for i := range messages / strayEvery {
		calls = append(calls, s.stray(message{channel: "line", id: fmt.Sprint("stray ", i), consumer: fmt.Sprint(i), text: fmt.Sprintf("%s stray %d", canary, i)}))
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
// faults, and now and then twice at once. Now and then a stray goes with it.
func (c *chaos) send(n int, call *load.Call) {
	for !c.over() && float64(n) > c.share()*float64(len(c.calls)) {
		time.Sleep(5 * time.Millisecond)
	}
	var copies sync.WaitGroup
	for range 1 + n%10/9 {
		copies.Go(func() { c.persist(call) })
	}
	if n%strayEvery == 0 && n/strayEvery < len(c.strays) {
		copies.Go(func() { c.deliver(c.strays[n/strayEvery]) })
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
