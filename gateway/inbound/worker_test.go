package inbound_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// hang lets calls wait until the returned function is called, or until the
// caller gives up.
func hang() (wait func(*http.Request), release func()) {
	gate := make(chan struct{})
	var once atomic.Bool
	return func(r *http.Request) {
			select {
			case <-gate:
			case <-r.Context().Done():
			}
		}, func() {
			if !once.Swap(true) {
				close(gate)
			}
		}
}

// hangs makes the platform's media wait until release is called.
func (h *house) hangs() (m *mediaHost, release func()) {
	h.t.Helper()
	wait, release := hang()
	return h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		wait(r)
		next.ServeHTTP(w, r)
	}), release
}

// Messages that wait for a slot or for memory are kept alive like those in work,
// or they would be taken for lost when a lease is over.
func TestMessagesThatWaitOutliveTheLease(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Slots = 2
	h.config.Work.Lease = config.Duration(time.Second)
	g := h.open()
	g.roomFor(0, 0)
	const n = 6
	for i := range n {
		g.receive(photo(fmt.Sprint("photo ", i), picture(t, 20, 20)))
	}
	m := h.answer(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if call == 1 { // the first photo alone takes longer than two leases
			select {
			case <-time.After(2500 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
		next.ServeHTTP(w, r)
	})
	g.work()
	gatewaytest.Await(t, "one waits for memory, and the others for a slot", func() bool { return m.calls.Load() == 1 && g.Originals.Waiting() == 1 })
	for _, d := range g.documents(n) {
		g.wantReady(d.Data.Photos[0])
	}
	if got := m.calls.Load(); got != n {
		t.Errorf("fetched %d times, want each photo once: %d", got, n)
	}
	for _, unwanted := range []string{"in other hands", "taken over", "unfinished"} {
		if strings.Contains(h.log.String(), unwanted) {
			t.Errorf("the log says %q", unwanted)
		}
	}
}

// Text finds its way past photos that wait.
func TestTextDoesNotWaitForPhotos(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Slots = 1
	g := h.open().work()
	_, release := h.hangs()
	defer release()
	g.receive(photo("slow 1", picture(t, 20, 20)), photo("slow 2", picture(t, 20, 20)), photo("slow 3", picture(t, 20, 20)), text("quick"))
	g.await("the text is in the queue", func(s queue.Stats) bool { return s.Delivered == 1 && s.InWork == 1 && s.Waiting == 2 })
	release()
	if got := g.documents(4)[0]; got.Data.Text != canary+"quick" || got.Data.Seq != 4 {
		t.Errorf("got %+v first, want the text with number 4", got)
	}
}

// A gateway that was thought dead finds its message in other hands. It deletes
// nothing that was delivered, and leaves none of its own pictures behind.
func TestAFencedWorker(t *testing.T) {
	for name, lease := range map[string]time.Duration{
		"learns it when it completes": time.Hour,       // no keep-alive within the test
		"learns it while it works":    3 * time.Second, // from a keep-alive
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, platform(t, twiliosim.Start))
			h.config.Work.Lease = config.Duration(lease)
			slow := h.open().work()
			wait, release := hang()
			defer release()
			m := h.answer(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if call == 2 { // the slow one has developed the first photo by now
					wait(r)
				}
				next.ServeHTTP(w, r)
			})
			slow.receive(photo("a", picture(t, 20, 20), picture(t, 30, 30)))
			gatewaytest.Await(t, "the slow one is at the second photo", func() bool { return m.calls.Load() == 2 })

			h.config.Work.Lease = config.Duration(50 * time.Millisecond)
			quick := h.open().work()
			quick.documents(1)
			if name == "learns it when it completes" {
				release()
			}
			gatewaytest.Await(t, "the slow one is done", func() bool { return strings.Contains(h.log.String(), "in other hands") })
			for _, p := range quick.documents(1)[0].Data.Photos {
				quick.wantReady(p)
			}
			if got := h.pictures(); got != 4 {
				t.Errorf("the store holds %d pictures, want the 4 that were delivered", got)
			}
		})
	}
}

// A gateway whose keep-alive comes too late for the journal takes its own
// messages over, and must not begin them twice.
func TestAWorkerTakesOverFromItself(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.lease = 20 * time.Millisecond
	h.config.Work.Lease = config.Duration(time.Second)
	g := h.open().work()
	m, release := h.hangs()
	defer release()
	g.receive(photo("a", picture(t, 20, 20)))
	gatewaytest.Await(t, "it has done so twice", func() bool { return strings.Count(h.log.String(), "in hand already") >= 2 })
	release()
	g.wantReady(g.photo())
	if got := m.calls.Load(); got != 1 {
		t.Errorf("fetched %d times, want once", got)
	}
}

// A message that takes gateways with it is given up after three, and its text
// still arrives.
func TestAMessageThatKillsGateways(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	g := h.open()
	said := photo("a", picture(t, 20, 20))
	said.Text = canary + "beside it"
	g.receive(said)
	h.die(queue.MaxStarts)
	last := h.open().work()
	d := last.documents(1)[0]
	last.wantRejected(d.Data.Photos[0], "unreachable")
	if d.Data.Text != said.Text {
		t.Errorf("got text %q", d.Data.Text)
	}
	if got := last.letters(1)[0]; got.Cause != "gateways died while working on it" || len(got.Raw) == 0 {
		t.Errorf("got letter %+v", got)
	}
	if got := h.pictures(); got != 0 {
		t.Errorf("the store holds %d pictures", got)
	}
	if n, err := last.backend.Outstanding(t.Context(), q); n != 1 || err != nil {
		t.Errorf("got %d notices, %v; want the consumer to be told once", n, err)
	}
}

// die lets gateways die while they work on the one entry.
func (h *house) die(times int) {
	h.t.Helper()
	h.config.Work.Lease = config.Duration(time.Nanosecond)
	for range times {
		dying := h.open()
		e := dying.take()
		if err := dying.backend.Begin(h.t.Context(), &e, ""); err != nil {
			h.t.Fatal(err)
		}
	}
	h.config.Work.Lease = config.Duration(50 * time.Millisecond)
}

// take takes the one entry, from whoever has it.
func (g *gateway) take() queue.Entry {
	g.h.t.Helper()
	var entries []queue.Entry
	var failures error
	for _, from := range []queue.Inbox{queue.Words, queue.Photos} {
		over, err := g.backend.TakeOver(g.h.t.Context(), q, from, 1)
		fresh, errFresh := g.backend.Take(g.h.t.Context(), q, from, 1, 0)
		entries, failures = append(append(entries, over...), fresh...), errors.Join(failures, err, errFresh)
	}
	if err := failures; err != nil || len(entries) != 1 {
		g.h.t.Fatalf("got %d entries, error %v; want one", len(entries), err)
	}
	return entries[0]
}

const someKey = "00112233445566778899aabbccddeeff"

// put journals a payload that this release would not write.
func (g *gateway) put(payload string) {
	g.h.t.Helper()
	_, err := g.backend.Accept(g.h.t.Context(), q, []queue.Item{{Kind: queue.ItemMessage, Key: someKey, Party: someKey, Payload: []byte(payload)}})
	if err != nil {
		g.h.t.Fatal(err)
	}
}

func TestAMessageOfANewerGatewayIsLeftAlone(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Lease = config.Duration(100 * time.Millisecond)
	g := h.open()
	g.put(`{"version":2,"photos":"something else"}`)
	g.work().receive(text("ours"))
	gatewaytest.Await(t, "it was left alone twice", func() bool { return strings.Count(h.log.String(), "left for a newer gateway") >= 2 })
	g.await("our own message passes it", func(s queue.Stats) bool { return s.Delivered == 1 && s.InWork == 1 })
	g.letters(0)
	g.stop()
	h.config.Work.Lease = config.Duration(time.Nanosecond)
	newer := h.open()
	e := newer.take()
	if err := newer.backend.Begin(t.Context(), &e, ""); err != nil {
		t.Fatal(err)
	}
	if e.Tries != 0 || e.Starts != 1 || !strings.Contains(string(e.Payload), `"version":2`) {
		t.Errorf("the newer gateway finds %+v, want it untouched", e)
	}
}

func TestAMessageThatCannotBeRead(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open()
	g.put("no JSON " + canary)
	g.work().await("it is a dead letter", func(s queue.Stats) bool { return s.Dead == 1 && s.Unfinished() == 0 })
	g.documents(0)
	if got := g.letters(1)[0]; got.Cause != "journal entry does not parse" || !strings.HasPrefix(string(got.Raw), "no JSON") {
		t.Errorf("got letter %+v", got)
	}
}

// A gateway that stops while a media host hangs puts everything back at once,
// what waits and what is in work, and the next one finishes it.
func TestNothingIsLostAtAStop(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Slots, h.config.Work.PerHost = 2, 2
	h.config.Work.Lease = config.Duration(time.Hour)
	g := h.open().work()
	m, release := h.hangs()
	defer release()
	const n = 6
	for i := range n {
		g.receive(photo(fmt.Sprint("photo ", i), picture(t, 20, 20)))
	}
	gatewaytest.Await(t, "two photos hang", func() bool { return m.calls.Load() == 2 })
	g.await("the others wait", func(s queue.Stats) bool { return s.InWork == 2 && s.Waiting == n-2 })
	g.stop()
	if got := g.stats(); got.Waiting != n || got.InWork != 0 || got.Delivered != 0 {
		t.Errorf("after the stop: %+v, want all %d waiting", got, n)
	}
	if got := h.pictures(); got != 0 {
		t.Errorf("the store holds %d pictures", got)
	}
	release()
	for _, d := range h.open().work().documents(n) {
		if d.Data.Photos[0].Status != queue.Ready {
			t.Errorf("got %+v", d.Data.Photos[0])
		}
	}
}

// Within its grace a gateway finishes what it has begun; what waits for a slot
// goes back at once.
func TestWhatIsInWorkIsFinishedAtAStop(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Slots = 1
	g := h.open().workWithGrace(time.Minute)
	m, release := h.hangs()
	defer release()
	g.receive(photo("a", picture(t, 20, 20)), photo("b", picture(t, 20, 20)))
	gatewaytest.Await(t, "one photo is being fetched", func() bool { return m.calls.Load() == 1 })
	g.await("the other waits", func(s queue.Stats) bool { return s.InWork == 1 && s.Waiting == 1 })
	stopped := make(chan struct{})
	go func() { defer close(stopped); g.stop() }()
	g.await("the other still waits", func(s queue.Stats) bool { return s.InWork == 1 && s.Waiting == 1 })
	release()
	<-stopped
	if got := g.stats(); got.Delivered != 1 || got.Waiting != 1 || got.InWork != 0 {
		t.Errorf("after the stop: %+v, want one delivered and one waiting", got)
	}
	h.open().work().documents(2)
}

// Redis is killed while a photo is in work. What was developed is delivered when
// it is back, without another try, and the loops go on.
func TestRedisIsKilledAndComesBack(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Lease = config.Duration(time.Hour)
	g := h.open().work()
	m, release := h.hangs()
	defer release()
	g.receive(photo("a", picture(t, 20, 20)))
	gatewaytest.Await(t, "the photo is being fetched", func() bool { return m.calls.Load() == 1 })
	h.redis.Kill()
	release()
	gatewaytest.Await(t, "the loops have noticed", func() bool { return len(g.figures("lightlock_trouble_total")) >= 2 })
	gatewaytest.Await(t, "the photo is developed", func() bool { return h.pictures() == 2 })
	h.redis.Restart()
	g.wantReady(g.photo())
	if got := m.calls.Load(); got != 1 {
		t.Errorf("fetched %d times, want once", got)
	}
	g.receive(text("b"))
	g.documents(2)
}

// Many messages on two gateways of which one is stopped and opened again and
// again: each is delivered once.
func TestNothingIsLostOrDoubled(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open().work()
	const n = 24
	said := make(chan sim.Said, n)
	for i := range n {
		s := text(fmt.Sprint("message ", i))
		s.Consumer = fmt.Sprint("consumer ", i%5)
		if i%4 == 0 {
			s.Photos = [][]byte{picture(t, 20+i, 20)}
		}
		said <- s
	}
	close(said)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; i < 8 && ctx.Err() == nil; i++ {
			h.open().work().stop()
		}
	}()
	for s := range said {
		g.receive(s, s) // and each twice
	}
	cancel()
	<-done
	numbers := map[string]bool{}
	// LINE makes two events of a text with a photo.
	for _, d := range g.documents(n + n/4) {
		numbers[fmt.Sprint(d.Subject, d.Data.Seq)] = true
	}
	if len(numbers) != n+n/4 {
		t.Errorf("got %d numbers in %d conversations' messages, want %d", len(numbers), n, n+n/4)
	}
	if got := h.pictures(); got != n/4*2 {
		t.Errorf("the store holds %d pictures, want %d", got, n/4*2)
	}
}

// A gateway that is started often sweeps too, and one that is paused, and counts what
// is accounted for no more.
func TestOldDeadLettersAreRemoved(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open()
	h.receiveBroken(t, g, p)
	g.letters(1)
	h.config.Work.KeepLetters, h.config.Work.Paused = config.Duration(time.Millisecond), true
	g.receive(text("waits"))
	second := h.open().work()
	second.await("the letter is gone", func(s queue.Stats) bool { return s.Dead == 0 })
	gatewaytest.Await(t, "it is counted", func() bool { return second.figures("lightlock_letters_expired_total")[q+" age"] == 1 })
	if got := second.stats(); got.Waiting != 1 {
		t.Errorf("got %+v, want a paused gateway to leave the message waiting", got)
	}
}

// receiveBroken delivers a message that no connector can read.
func (h *house) receiveBroken(t *testing.T, g *gateway, p *linesim.Platform) {
	t.Helper()
	broken := map[string]any{"type": "message", "webhookEventId": "broken", "source": "nobody", "message": 1}
	if err := g.Receive(t.Context(), g.route(), sign(t, p, p.BotID, []any{broken})); err != nil {
		t.Fatal(err)
	}
}
