package faults

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

var (
	manyPhotos = flag.Int("photos", 5000, "how many photos one account has on a host that hangs; the long form has 100000")
	flood      = flag.Int("flood", 1500, "how many messages come at once")
)

// TestRow14: one account has thousands of photos on a host that hangs. Another
// account's photo reaches the queue before the first of them has given up, as if
// it were alone; and at that moment every one of them is accounted for.
func TestRow14(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s settings) { s["work"].(settings)["slots"] = 4 })
	g := w.start()
	var ended atomic.Int64
	host := w.mediaHost(func(_ int, _ http.ResponseWriter, r *http.Request, _ http.Handler) {
		<-r.Context().Done()
		ended.Add(1)
	})
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
	gaveUp, begin := ended.Load(), time.Now()
	other := w.say(message{channel: "viber", id: "other", consumer: "bob", pictures: []string{"grey"}})[0]
	g.accepts(other)
	err := w.journal.Watch(t.Context(), testQueue, func(document []byte) bool {
		return !bytes.Contains(document, []byte(other.keys[0])) || !bytes.Contains(document, []byte(`"ready"`))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the other photo took %v; %d fetches of the hanging host had ended before, %d after", time.Since(begin), gaveUp, ended.Load())
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the other photo took %v, as long as a host may hang", took)
	}
	g.kill()
	b := w.check()
	if left := b.waiting + b.inWork + b.delayed; left != *manyPhotos || b.delivered != 1 {
		t.Errorf("%v; want %d that wait and one delivered", b, *manyPhotos)
	}
}

// TestRow23: far more calls at once than Redis has room for. All are answered
// 2xx, in bounded time: first from Redis, then from the spool. When there is room
// it drains, and the law holds.
func TestRow23(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.start()
	w.inspector.Set("maxmemory", fmt.Sprint(w.inspector.UsedMemory()+2<<20))
	var calls []call
	for i := range *flood {
		calls = append(calls, w.say(message{channel: channelNames[i%len(channelNames)], id: fmt.Sprint(i), consumer: fmt.Sprint(i % 100), text: canary})...)
	}
	took := make([]time.Duration, len(calls))
	var next atomic.Int64
	var senders sync.WaitGroup
	for range 32 {
		senders.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(calls); n = int(next.Add(1)) - 1 {
				begin := time.Now()
				if status := g.post(calls[n]); status != http.StatusOK {
					t.Errorf("call %d is answered %d", n, status)
				}
				took[n] = time.Since(begin)
			}
		})
	}
	senders.Wait()
	waiting := len(w.spooled())
	slices.Sort(took)
	t.Logf("%d calls: median %v, p99 %v, %d of them spooled at the end", len(calls), took[len(took)/2], took[len(took)*99/100], waiting)
	if waiting == 0 {
		t.Error("nothing is spooled, so this was no flood")
	}
	w.inspector.Set("maxmemory", fmt.Sprint(w.inspector.UsedMemory()+100<<20))
	w.awaitStats("the backlog is drained", func(s queue.Stats) bool { return s.Unfinished() == 0 })
	if b := w.settle(); b.delivered != len(calls) {
		t.Errorf("%v; want %d delivered", b, len(calls))
	}
}
