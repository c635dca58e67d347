package faults

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/load"
	"github.com/lightlock/lightlock/gateway/spool"
)

var (
	manyPhotos = flag.Int("photos", 5000, "how many photos one account has on a host that hangs; the long form has 100000")
	usualRate  = flag.Int("rate", 50, "how many messages come in a second on a usual day")
	floodFor   = flag.Duration("flood", 3*time.Second, "for how long ten times as many come; the long form has 60s")
)

// TestRow14: one account has thousands of photos on a host that hangs. Another
// account's photo reaches the queue as if it were alone: before it come no more of
// them than the host had places for; and at that moment every one of them is
// accounted for.
func TestRow14(t *testing.T) {
	t.Parallel()
	const slots = 4
	w := newWorld(t, func(s settings) { s["work"].(settings)["slots"] = slots })
	g := w.start()
	host := w.mediaHost(func(_ int, _ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() })
	const batch = 100
	for i := range *manyPhotos / batch {
		var messages []message
		for j := range batch {
			id := fmt.Sprintf("%d %d", i, j)
			messages = append(messages, message{channel: "line", id: id, consumer: fmt.Sprint(j), pictures: []string{"red"}})
		}
		g.accepts(w.say(messages...)...)
	}
	w.await("the host hangs", func() bool { return len(host.all()) > 0 })
	before := len(host.all())
	other := w.say(message{channel: "viber", id: "other", consumer: "bob", pictures: []string{"grey"}})[0]
	g.accepts(other)
	w.awaitReady(other)
	if begun := len(host.all()) - before; begun >= slots {
		t.Errorf("%d photos of the hanging host were begun before the other one was there, want less than %d", begun, slots)
	}
	g.kill()
	b := w.check()
	if left := b.waiting + b.inWork + b.delayed; left != *manyPhotos || b.delivered != 1 {
		t.Errorf("%v; want %d that wait and one delivered", b, *manyPhotos)
	}
}

// TestRow23: a usual day, and then ten times as much as that, for longer than Redis
// has room. All are answered 2xx within the platform's time: first from Redis, then,
// when nothing is admitted there any more, from the spool. How fast is printed. When
// agents read there is room, it drains, and the law holds.
func TestRow23(t *testing.T) {
	t.Parallel()
	// Open conversations would keep the memory that is to be had again.
	w := newWorld(t, func(s settings) { s["conversations"] = settings{"enabled": false} })
	w.elsewhere = true
	g := w.start()
	usual, many := 2**usualRate, int(floodFor.Seconds()*10*float64(*usualRate))
	f := &flood{world: w, gateway: g, calls: w.texts(usual + many)}
	w.inspector.Set("maxmemory", fmt.Sprint(w.inspector.UsedMemory()+int64(len(f.calls))*1500))
	f.send(f.calls[:usual], *usualRate)
	if n := len(w.spooled()); n > 0 {
		t.Errorf("%d calls are spooled on a usual day", n)
	}
	f.send(f.calls[usual:], 10**usualRate)
	waiting := len(w.spooled())
	t.Logf("%-40s %8s %10s %10s %10s", "", "calls", "p50", "p99", "longest")
	f.table("at the usual rate", f.sent[:usual])
	until, rest := f.untilFull(f.sent[usual:])
	f.table("ten times that, while Redis takes it", until)
	f.table("and when it takes nothing any more", rest)
	t.Logf("%d are spooled at the end", waiting)
	if late := f.late.Load(); late > 0 {
		t.Errorf("%d of %d calls were answered later than %v after they had left", late, len(f.calls), platformTime)
	}
	// Not by when the first was spooled: one that a slow disk keeps is spooled, too.
	if waiting == 0 || waiting >= many {
		t.Errorf("%d of %d calls are spooled; want some, and some in Redis", waiting, many)
	}
	w.await("admission has stopped", func() bool { return g.metric("lightlock_admission_closed", "") == 1 })
	gone := w.desk()
	w.idle()
	gone()
	if b := w.settle(); b.delivered != len(f.calls) {
		t.Errorf("%v; want %d delivered", b, len(f.calls))
	}
	w.await("admission goes on", func() bool { return g.metric("lightlock_admission_closed", "") == 0 })
}

// flood is calls at a rate, whether or not the ones before are answered.
type flood struct {
	*world
	gateway *gateway
	calls   []*load.Call
	sent    []timed                   // in the order of calls
	full    atomic.Pointer[time.Time] // when the first was spooled
	late    atomic.Int64              // answers that a platform would not have waited for
}

// timed is when a call should have left, and how long it took from then on.
type timed struct {
	due  time.Time
	took time.Duration
}

// send makes calls at so many a second.
func (f *flood) send(calls []*load.Call, rate int) {
	sent := make([]timed, len(calls))
	begin := time.Now()
	var next atomic.Int64
	var senders sync.WaitGroup
	for range 32 {
		senders.Go(func() {
			client, err := load.NewClient("http://" + f.gateway.listens())
			if err != nil {
				f.t.Error(err)
				return
			}
			defer client.Close()
			for n := int(next.Add(1)) - 1; n < len(calls); n = int(next.Add(1)) - 1 {
				due := begin.Add(time.Duration(n) * time.Second / time.Duration(rate))
				time.Sleep(time.Until(due))
				left := time.Now()
				status, err := client.Send(context.Background(), calls[n])
				if time.Since(left) > platformTime {
					f.late.Add(1)
				}
				if err != nil || status != http.StatusOK {
					f.t.Errorf("call %d is answered %d, %v", n, status, err)
				}
				sent[n] = timed{due, time.Since(due)}
				f.accepted(calls[n])
			}
		})
	}
	over := make(chan struct{})
	go f.lookOut(over)
	senders.Wait()
	close(over)
	f.sent = append(f.sent, sent...)
}

// accepted notes that a call was answered 2xx.
func (f *flood) accepted(c *load.Call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acked[c.Event.Key] = time.Now()
}

// lookOut notes when the first call is spooled.
func (f *flood) lookOut(over <-chan struct{}) {
	for f.full.Load() == nil {
		now := time.Now()
		if found, err := spool.Look(f.spoolFolder(0)); err == nil && slices.ContainsFunc(found, func(c spool.Contents) bool { return len(c.Keys) > 0 }) {
			f.full.Store(&now)
		}
		select {
		case <-over:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// untilFull parts calls by the moment when admission stopped.
func (f *flood) untilFull(sent []timed) (until, rest []timed) {
	full := f.full.Load()
	n := len(sent)
	if full != nil {
		n = sort.Search(n, func(i int) bool { return sent[i].due.After(*full) })
	}
	return sent[:n], sent[n:]
}

// table prints how long calls took.
func (f *flood) table(name string, sent []timed) {
	took := []time.Duration{0}
	for _, s := range sent {
		took = append(took, s.took.Round(10*time.Microsecond))
	}
	slices.Sort(took)
	f.t.Logf("%-40s %8d %10v %10v %10v", name, len(sent), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}
