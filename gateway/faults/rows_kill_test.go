package faults

import (
	"fmt"
	"testing"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue"
)

// at plans an action for the first message that gets to a point. The darkroom has
// developed a photo of its own by then.
func at(point failpoint.Point, action string) string {
	first := 1
	if point == failpoint.MidDevelop {
		first = 2
	}
	return fmt.Sprintf("%s=%s@%d", point, action, first)
}

// TestRow01: killed before the accept script. The platform has no 2xx, nothing
// is in the journal, and the repeat gives one entry.
func TestRow01(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start(fault("before-accept=kill@1"))
	c := w.say(message{channel: "line", id: "a", consumer: "ana", text: canary, pictures: []string{"sideways"}})[0]
	if status := first.post(c); status != 0 {
		t.Errorf("answered %d by a gateway that was killed", status)
	}
	first.awaitDeath()
	if keys := w.inspector.Ledger(testQueue).Keys(); len(keys) != 0 {
		t.Errorf("%d events are in the journal, want none", len(keys))
	}
	w.start().accepts(c)
	if b := w.settle(); b.delivered != len(c.keys) {
		t.Errorf("%v; want %d delivered", b, len(c.keys))
	}
}

// TestRow02: killed after the accept script and before 2xx. The repeat is
// recognised and answered 2xx, and there is one entry.
func TestRow02(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start(fault("after-accept=kill@1"))
	c := w.say(message{channel: "line", id: "a", consumer: "ana", text: canary, pictures: []string{"sideways"}})[0]
	if status := first.post(c); status != 0 {
		t.Errorf("answered %d by a gateway that was killed", status)
	}
	first.awaitDeath()
	if keys := w.inspector.Ledger(testQueue).Keys(); len(keys) != len(c.keys) {
		t.Errorf("%d events are in the journal, want %d", len(keys), len(c.keys))
	}
	second := w.start()
	second.accepts(c)
	if got := second.metric("lightlock_duplicates_total", "line"); got != float64(len(c.keys)) {
		t.Errorf("%v duplicates are counted, want %d", got, len(c.keys))
	}
	if b := w.settle(); b.delivered != len(c.keys) {
		t.Errorf("%v; want %d delivered", b, len(c.keys))
	}
}

// TestRow03: a gateway is killed at each point of its work. Another takes over
// after the lease; there is one entry, and what the first has stored is swept. How
// often each point was hit is printed when all tests are over.
func TestRow03(t *testing.T) {
	for _, point := range []failpoint.Point{
		failpoint.AfterRead, failpoint.AfterBegin, failpoint.MidFetch, failpoint.MidDevelop,
		failpoint.MidBlobs, failpoint.AfterBlobs, failpoint.BeforeEnd, failpoint.AfterEnd,
	} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first := w.start(fault(at(point, "kill")))
			calls := w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"sideways"}})
			first.post(calls[0]) // which may kill it before it has answered
			first.awaitDeath()
			second := w.start()
			w.deliver(calls[0])
			if b := w.settle(); b.delivered != 1 || b.documents != 1 {
				t.Errorf("%v; want one delivered", b)
			}
			if left := point != failpoint.AfterEnd; second.said("message taken over") != left {
				t.Errorf("it is said to be taken over: %v, want %v", !left, left)
			}
		})
	}
	t.Run("retries", killedAtRetries)
	t.Run("letters", killedOverLetters)
	t.Run("spool", killedAtTheSpool)
	t.Run("sweep", killedAtTheSweep)
	t.Run("three deaths", threeDeaths)
}

// TestRow04: a gateway is stopped past its lease and then continued. The second
// finishes; the first is fenced, and deletes nothing that was delivered.
func TestRow04(t *testing.T) {
	for _, point := range []failpoint.Point{
		failpoint.AfterRead, failpoint.AfterBegin, failpoint.MidFetch, failpoint.MidDevelop, failpoint.AfterBlobs, failpoint.BeforeEnd, failpoint.AfterEnd,
	} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first := w.start(fault(at(point, "stop")))
			c := w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})[0]
			first.post(c) // which may stop it before it has answered
			first.awaitStopped()
			w.start().accepts(c)
			w.awaitStats("the second has finished", func(s queue.Stats) bool { return s.Unfinished() == 0 && s.Delivered == 1 })
			first.resume()
			// The first has found out once it has done something else.
			first.accepts(w.say(message{channel: "whatsapp", id: "b", consumer: "ana", pictures: []string{"grey"}})...)
			if point != failpoint.AfterEnd {
				w.await("the first knows that it is fenced", func() bool { return first.said("message is in other hands") })
			}
			if b := w.settle(); b.delivered != 2 || b.documents != 2 {
				t.Errorf("%v; want both delivered", b)
			}
		})
	}
	t.Run("retries", stoppedAtRetries)
	t.Run("spool", stoppedAtTheSpool)
}
