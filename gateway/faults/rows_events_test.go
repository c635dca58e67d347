package faults

import (
	"bytes"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/queue"
)

// TestRow17: the same event a hundred times at once, at two gateways; again after
// seven days; and with another body. There is one entry, and the first body wins.
func TestRow17(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gateways := []*gateway{w.start(), w.start()}
	m := message{channel: "whatsapp", id: "a", consumer: "ana", text: canary + " first", pictures: []string{"red"}, at: time.Now()}
	c := w.say(m)[0]
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			if status := gateways[i%2].post(c); status != http.StatusOK {
				t.Errorf("copy %d is answered %d", i, status)
			}
		})
	}
	all.Wait()
	if b := w.settle(); b.accepted != 1 || b.documents != 1 {
		t.Errorf("after a hundred copies: %v; want one entry", b)
	}
	if n := gateways[0].metric("lightlock_duplicates_total", "") + gateways[1].metric("lightlock_duplicates_total", ""); n != 99 {
		t.Errorf("%v duplicates are counted, want 99", n)
	}
	w.inspector.Age(testQueue, 7*24*time.Hour)
	gateways[0].accepts(c)
	p := w.platforms["whatsapp"]
	m.text = canary + " second"
	other, err := p.Webhook(webhookURL("whatsapp"), m.said())
	if err != nil || bytes.Equal(other[0].Body, c.Body) {
		t.Fatalf("no other body: %v", err)
	}
	gateways[1].accepts(call{channel: "whatsapp", Request: other[0]})
	if n := gateways[1].metric("lightlock_trouble_total", "mismatch"); n != 1 {
		t.Errorf("%v mismatches are counted, want 1", n)
	}
	if b := w.settle(); b.accepted != 1 || b.documents != 1 {
		t.Errorf("after seven days, and with another body: %v; want one entry", b)
	}
}

// TestRow18: of three events in one call the second is of a known type and does
// not parse. It is a dead letter with its raw event; its neighbours go on, and
// the call is answered 2xx.
func TestRow18(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.start()
	p := w.line()
	first, broken, third := said1("a"), said1("b"), said1("c")
	events := p.Events(first)
	e := p.Event(broken, "text", linesim.Object{"type": "text", "id": 17, "text": []int{1}})
	events = append(append(events, e), p.Events(third)...)
	r, err := p.Call(webhookURL("line"), events...)
	g.accepts(w.own("line", r, err))
	if b := w.settle(); b.delivered != 2 || b.dead != 1 {
		t.Errorf("%v; want two delivered and one dead letter", b)
	}
	letters, err := w.journal.Letters(t.Context(), testQueue, 10)
	if err != nil || len(letters) != 1 || !bytes.Contains(letters[0].Raw, []byte(`"text":[1]`)) {
		t.Errorf("got %+v, %v; want one letter with the raw event", letters, err)
	}
}

func said1(id string) sim.Said {
	return message{channel: "line", id: id, consumer: "ana", text: canary + " " + id}.said()
}

// TestRow19: a message is taken back before it is developed, while it is, after
// that, and before it has arrived itself. No picture of it is left, and no
// received follows its unsent.
func TestRow19(t *testing.T) {
	moments := map[string]func(w *world, m message){
		"before its development": func(w *world, m message) {
			w.edits = append(w.edits, func(s settings) { s["work"].(settings)["paused"] = true })
			g := w.start()
			g.accepts(append(w.say(m), w.unsend(m))...)
			g.kill()
			w.edits = nil
			w.start()
		},
		"while it is developed": func(w *world, m message) {
			g := w.start(fault("after-blobs=sleep:1500ms@1"))
			g.accepts(w.say(m)...)
			w.await("its pictures are stored", func() bool { return len(w.stored()) == 1 })
			g.accepts(w.unsend(m))
		},
		"while a dead gateway has it": func(w *world, m message) {
			g := w.start(fault("after-blobs=kill@1"))
			g.accepts(w.say(m)...)
			g.awaitDeath()
			w.start().accepts(w.unsend(m))
		},
		"after it was forwarded": func(w *world, m message) {
			g := w.start()
			g.accepts(w.say(m)...)
			w.idle()
			g.accepts(w.unsend(m))
		},
		"and the gateway is killed": func(w *world, m message) {
			g := w.start(fault("mid-unsend=kill@1"))
			g.accepts(w.say(m)...)
			w.idle()
			g.post(w.unsend(m))
			g.awaitDeath()
			w.start()
			w.deliver(w.unsend(m))
		},
		"before it has arrived": func(w *world, m message) {
			g := w.start()
			g.accepts(w.unsend(m))
			w.idle()
			g.accepts(w.say(m)...)
		},
	}
	for moment, do := range moments {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for channel, p := range w.platforms {
				if _, can := p.(sim.Unsender); !can {
					delete(w.platforms, channel)
				}
			}
			for channel := range w.platforms {
				m := message{channel: channel, id: "a", consumer: "ana", text: "", pictures: []string{"sideways"}, at: time.Now()}
				do(w, m)
				w.idle()
				for _, g := range w.gateways {
					g.kill() // each moment begins with gateways of its own
				}
			}
			b := w.settle()
			if n := len(w.platforms); n < 3 || b.withdrawn != n || b.delivered != n || b.documents != n || b.pictures != 0 || len(w.stored()) != 0 {
				t.Errorf("%v, pictures of %v; want each of %d messages withdrawn, and its unsent alone delivered", b, w.stored(), n)
			}
		})
	}
}

// TestRow20: a consumer ends the conversation while a photo is in work. The
// message is late in its own conversation, behind the close, which waits again; the
// next one opens another.
func TestRow20(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.start(fault("after-blobs=sleep:1500ms@1"))
	g.accepts(w.say(message{channel: "apple", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})...)
	w.await("its pictures are stored", func() bool { return len(w.stored()) == 1 })
	p := w.platforms["apple"].(*applesim.Platform)
	r, err := p.Call(webhookURL("apple"), p.Event(sim.Said{ID: "close", Consumer: "ana"}, "close"))
	closing := w.own("apple", r, err)
	g.accepts(closing)
	w.idle()
	g.accepts(w.say(message{channel: "apple", id: "b", consumer: "ana", text: "me again"})...)
	w.settle()
	a := w.audit()
	var late, again document
	for key, s := range w.said {
		switch {
		case s.kind == connectors.Message && len(s.pictures) > 0:
			late = a.found[key][0]
		case s.kind == connectors.Message:
			again = a.found[key][0]
		}
	}
	closed := a.found[closing.keys[0]]
	if len(closed) != 1 || closed[0].Type != string(queue.ConversationClosed) || !late.Data.Late || late.Data.Conversation != closed[0].Data.Conversation {
		t.Errorf("got %+v and %+v; want a close, and a late message in its conversation", closed, late)
	}
	if again.Data.Late || again.Data.Seq != 1 || again.Data.Conversation == late.Data.Conversation {
		t.Errorf("got %+v; want the first message of another conversation", again)
	}
	c, err := w.journal.Conversation(t.Context(), testQueue, late.Data.Conversation)
	if err != nil || c.State != queue.ConversationWaiting || !c.Late || c.Open() {
		t.Errorf("got %+v, %v; want a closed conversation that waits again", c, err)
	}
}
