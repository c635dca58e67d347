package faults

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue"
)

// What follows is TestRow03's and TestRow04's at the points that a message gets to
// only where something else has gone wrong before.

// failing lets LINE's host of photos fail until it is told otherwise.
func (w *world) failing() (sick *atomic.Bool) {
	sick = &atomic.Bool{}
	sick.Store(true)
	w.mediaHost(func(_ int, answer http.ResponseWriter, r *http.Request, next http.Handler) {
		if sick.Load() {
			answer.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(answer, r)
	})
	return sick
}

// failsOnce lets it fail at its first call alone.
func (w *world) failsOnce() *calls {
	return w.mediaHost(func(call int, answer http.ResponseWriter, r *http.Request, next http.Handler) {
		if call == 1 {
			answer.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(answer, r)
	})
}

// killedAtRetries: after a try that failed. The text is told once, at once or with
// its photo.
func killedAtRetries(t *testing.T) {
	t.Parallel()
	for point, documents := range map[failpoint.Point]int{
		failpoint.BeforeRetry: 1, failpoint.AfterRetry: 1, failpoint.BeforeTell: 1,
		failpoint.AfterTell: 2, failpoint.BeforeSettle: 2, failpoint.AfterSettle: 2,
	} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.failsOnce()
			first := w.start(fault(at(point, "kill")))
			first.accepts(w.say(message{channel: "line", id: "a", consumer: "ana", pictures: []string{"red"}})...)
			first.awaitDeath()
			w.start()
			if b := w.settle(); b.delivered != 1 || b.documents != documents {
				t.Errorf("%v; want one delivered, with %d documents", b, documents)
			}
		})
	}
}

// killedOverLetters: over what becomes a dead letter, and over one that is given
// another try.
func killedOverLetters(t *testing.T) {
	t.Parallel()
	for _, point := range []failpoint.Point{failpoint.BeforeBury, failpoint.AfterBury} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first := w.start(fault(at(point, "kill")))
			p := w.line()
			r, err := p.Call(webhookURL("line"), p.Event(said1("a"), "text", linesim.Object{"type": "text", "id": 17, "text": []int{1}}))
			broken := w.own("line", r, err)
			if status := first.post(broken); status != 0 {
				t.Errorf("answered %d by a gateway that was killed", status)
			}
			first.awaitDeath()
			w.start().accepts(broken)
			if b := w.settle(); b.accepted != 1 || b.dead != 1 {
				t.Errorf("%v; want one dead letter", b)
			}
		})
	}
	for _, point := range []failpoint.Point{failpoint.BeforeDead, failpoint.AfterDead, failpoint.BeforeRevive, failpoint.AfterRevive} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s settings) { s["work"].(settings)["attempts"] = 1 })
			sick := w.failing()
			plan := fault(at(point, "kill"))
			g := w.start(plan)
			g.accepts(w.say(message{channel: "line", id: "a", consumer: "ana", pictures: []string{"red"}})...)
			if point == failpoint.BeforeDead || point == failpoint.AfterDead {
				g.awaitDeath()
				g = w.start()
			}
			w.awaitStats("it is a dead letter", func(s queue.Stats) bool { return s.Dead == 1 && s.Unfinished() == 0 })
			if a := w.audit(); a.documents != 1 {
				t.Errorf("%d documents; want the message with what became of its photo", a.documents)
			}
			sick.Store(false)
			if killed := w.retry(g, plan) < 0; killed != (point == failpoint.BeforeRevive || point == failpoint.AfterRevive) {
				t.Errorf("dead retry killed: %v", killed)
			}
			if w.retry(g) != 0 {
				t.Error("dead retry failed")
			}
			if b := w.settle(); b.delivered != 1 || b.dead != 0 || b.documents != 2 {
				t.Errorf("%v; want one delivered, and then its photo", b)
			}
		})
	}
	for _, point := range []failpoint.Point{failpoint.MidRetake, failpoint.BeforeUnlist} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			without := w.start()
			without.accepts(w.stray(message{channel: "line", id: "a", consumer: "ana", text: canary}))
			w.awaitStats("it is a dead letter", func(s queue.Stats) bool { return s.Dead == 1 })
			without.kill()
			w.known()
			with := w.start()
			if w.retry(with, fault(at(point, "kill"))) >= 0 {
				t.Error("dead retry was not killed")
			}
			if w.retry(with) != 0 {
				t.Error("dead retry failed")
			}
			if b := w.settle(); b.delivered != 1 || b.dead != 0 || b.documents != 1 {
				t.Errorf("%v; want one delivered", b)
			}
		})
	}
}

// otherBot is an account of LINE's that gateways do not know at first.
const otherBot = "U0123456789abcdef0123456789abcdef"

// stray is the call of a message to that account.
func (s *stage) stray(m message) call {
	s.t.Helper()
	p := s.line()
	own := p.BotID
	p.BotID = otherBot
	defer func() { p.BotID = own }()
	return s.say(m)[0]
}

// known lets gateways that start from now on know it.
func (s *stage) known() {
	settings := s.settings["line"].(*line.Config)
	other := settings.Accounts[0]
	settings.Accounts[0].Name, other.Name, other.ID = "first", "other", otherBot
	settings.Accounts = append(settings.Accounts, other)
}

// killedAtTheSpool: over what is spooled while Redis is away, and over what is
// handed in when it is back.
func killedAtTheSpool(t *testing.T) {
	t.Parallel()
	for _, point := range []failpoint.Point{failpoint.BeforeFsync, failpoint.AfterAppend, failpoint.MidDrain} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first := w.start(fault(at(point, "kill")))
			w.server.Kill()
			c := w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})[0]
			want := 0
			if point == failpoint.MidDrain {
				want = http.StatusOK
			}
			if status := first.post(c); status != want {
				t.Errorf("answered %d, want %d", status, want)
			}
			w.server.Restart()
			first.awaitDeath()
			w.start().accepts(c)
			if b := w.settle(); b.accepted != 1 || b.delivered != 1 || b.documents != 1 {
				t.Errorf("%v; want one delivered", b)
			}
		})
	}
}

// killedAtTheSweep: over the pictures of one that was killed before.
func killedAtTheSweep(t *testing.T) {
	t.Parallel()
	for _, point := range []failpoint.Point{failpoint.BeforeSweep, failpoint.MidSweep, failpoint.AfterSweep} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			// An orphan leaves the register when it is ten leases old.
			w := newWorld(t, func(s settings) { s["work"].(settings)["lease"] = "300ms" })
			first := w.start(fault("after-blobs=kill@1"))
			first.post(w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})[0])
			first.awaitDeath()
			second := w.start()
			w.idle() // and so a lease is over
			second.kill()
			// It may be killed before it says that it is ready.
			sweeping := w.launch(fault(at(point, "kill")))
			sweeping.awaitDeath()
			w.start()
			w.await("nothing is registered", func() bool { return w.inspector.Attempts(testQueue) == 0 })
			if b := w.settle(); b.delivered != 1 || b.documents != 1 || len(w.stored()) != 1 {
				t.Errorf("%v, pictures of %v; want one delivered, with its own", b, w.stored())
			}
		})
	}
}

// threeDeaths: three gateways die over one message. It is taken for the cause, and
// is a dead letter; its text is forwarded. Another try brings its photo.
func threeDeaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})[0]
	for range queue.MaxStarts {
		g := w.start(fault("after-begin=kill@1"))
		w.deliver(c)
		g.awaitDeath()
	}
	g := w.start()
	w.awaitStats("it is a dead letter", func(s queue.Stats) bool { return s.Dead == 1 && s.Unfinished() == 0 })
	a := w.audit()
	if got, want := w.outcome(a.found[c.keys[0]]), canary+" | rejected unreachable false"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	letters, err := w.journal.Letters(t.Context(), testQueue, 2)
	if err != nil || len(letters) != 1 || letters[0].Cause != "gateways died while working on it" || len(letters[0].Raw) == 0 {
		t.Errorf("got %+v, %v; want one letter with its cause and the event", letters, err)
	}
	if w.retry(g) != 0 {
		t.Error("dead retry failed")
	}
	if b := w.settle(); b.delivered != 1 || b.dead != 0 || b.documents != 2 {
		t.Errorf("%v; want one delivered, and then its photo", b)
	}
}

// stoppedAtRetries: the first has failed at a try, and finds out that another
// has finished the message.
func stoppedAtRetries(t *testing.T) {
	t.Parallel()
	for _, point := range []failpoint.Point{failpoint.BeforeRetry, failpoint.AfterRetry, failpoint.BeforeTell, failpoint.BeforeSettle} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.failsOnce()
			first := w.start(fault(at(point, "stop")))
			first.accepts(w.say(message{channel: "line", id: "a", consumer: "ana", pictures: []string{"red"}})...)
			first.awaitStopped()
			w.start()
			w.awaitStats("the second has finished", func(s queue.Stats) bool { return s.Unfinished() == 0 && s.Delivered > 0 })
			first.resume()
			first.accepts(w.say(message{channel: "line", id: "b", consumer: "ana", pictures: []string{"grey"}})...)
			if point == failpoint.BeforeRetry || point == failpoint.BeforeSettle {
				w.await("the first knows that it is fenced", func() bool { return first.said("message is in other hands") })
			}
			if b := w.settle(); b.delivered != 2 {
				t.Errorf("%v; want both delivered", b)
			}
		})
	}
}

// stoppedAtTheSpool: the platform hears nothing of the first and comes to the
// second. What the first has on its disk is recognised as a repeat.
func stoppedAtTheSpool(t *testing.T) {
	t.Parallel()
	for _, point := range []failpoint.Point{failpoint.BeforeFsync, failpoint.AfterAppend, failpoint.MidDrain} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first := w.start(fault(at(point, "stop")))
			w.server.Kill()
			c := w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})[0]
			first.post(c) // which may stop it before it has answered
			w.server.Restart()
			first.awaitStopped()
			w.start().accepts(c)
			w.awaitStats("the second has finished", func(s queue.Stats) bool { return s.Unfinished() == 0 && s.Delivered == 1 })
			first.resume()
			if b := w.settle(); b.accepted != 1 || b.delivered != 1 || b.documents != 1 {
				t.Errorf("%v; want one delivered", b)
			}
		})
	}
}
