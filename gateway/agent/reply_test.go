package agent_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// answers replies in a conversation, under a key.
func (h *house) answers(token, id, key, body string) answer {
	h.Helper()
	return h.call(token, http.MethodPost, "/v1/conversations/"+id+"/replies", body, "Idempotency-Key", key)
}

// outgoing counts what waits to be sent in support.
func (h *house) outgoing() int64 {
	h.Helper()
	n, err := h.journal.Outstanding(h.Context(), support)
	h.must(err)
	return n
}

// send sends what waits the longest, as the line does.
func (h *house) send(name string) {
	h.Helper()
	talks, err := h.journal.Talks(h.Context(), name, 1)
	h.must(err)
	if len(talks) != 1 {
		h.Fatal("nothing waits to be sent")
	}
	s, err := h.journal.Claim(h.Context(), name, talks[0])
	h.must(err)
	_, err = h.journal.Conclude(h.Context(), *s, queue.ResultSent, "m7")
	h.must(err)
}

// The same key is sent once, and answered in the same way; with another text it is a
// mistake. Keys of others, and of other conversations, have nothing to do with it.
func TestReplies(t *testing.T) {
	h := open(t)
	id, _ := h.in(mine)
	other, _ := h.in(mine)
	first := read[note](t, h.answers(benToken, id, "one", `{"text":"Thank you.","reply_to":"m1"}`).want(t, "a reply", http.StatusAccepted))
	if first.From != "agent" || first.Agent.ID != "ben" || first.Text != "Thank you." || first.Delivery.State != queue.ResultWaiting {
		t.Errorf("got %+v", first)
	}
	again := read[note](t, h.answers(benToken, id, "one", `{"text":"Thank you.","reply_to":"m1"}`).want(t, "a repeat", http.StatusAccepted))
	if again.ID != first.ID || again.Position != first.Position || h.outgoing() != 1 {
		t.Errorf("got %+v after %+v, and %d wait to be sent", again, first, h.outgoing())
	}
	for _, body := range []string{`{"text":"Thanks.","reply_to":"m1"}`, `{"text":"Thank you."}`, `{"text":"Thank you.","reply_to":"m2"}`} {
		h.answers(benToken, id, "one", body).want(t, body, http.StatusUnprocessableEntity, "idempotency_mismatch")
	}
	h.answers(benToken, id, "two", `{"text":"Thank you."}`).want(t, "another key", http.StatusAccepted)
	h.answers(benToken, other, "one", `{"text":"Hello."}`).want(t, "another conversation", http.StatusAccepted)
	h.answers(deskToken, id, "one", `{"text":"From the desk."}`).want(t, "another caller", http.StatusAccepted)
	h.answers(deskToken, id, "three", `{"text":"For Ben.","agent":"ben"}`).want(t, "a service for Ben", http.StatusAccepted)
	h.answers(deskToken, id, "four", `{"text":"For Eva.","agent":"eva"}`).want(t, "a service for Eva", http.StatusConflict, "not_assigned")
	p := read[pageOf](t, h.call(evaToken, http.MethodGet, "/v1/conversations/"+id+"/messages", ""))
	var said []string
	for _, m := range p.Messages {
		said = append(said, m.From+" "+m.Agent.ID+": "+m.Text)
	}
	want := "consumer : look, consumer : here, agent ben: Thank you., agent ben: Thank you., service desk: From the desk., agent ben: For Ben."
	if got := strings.Join(said, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c := read[chat](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+id, ""))
	if c.Last.Text != "For Ben." || !c.Can.Reply {
		t.Errorf("got %+v", c)
	}
}

// A repeat is answered even when the conversation has changed hands, or is closed.
func TestARepeatIsAnsweredAsTheFirst(t *testing.T) {
	h := open(t)
	id, _ := h.in(mine)
	first := read[note](t, h.answers(benToken, id, "one", `{"text":"Goodbye."}`))
	h.call(benToken, http.MethodPost, "/v1/conversations/"+id+"/transfer", `{"to":"eva"}`).want(t, "transfer", http.StatusOK)
	for range 2 {
		again := read[note](t, h.answers(benToken, id, "one", `{"text":"Goodbye."}`).want(t, "a repeat", http.StatusAccepted))
		if again.ID != first.ID {
			t.Errorf("got %+v after %+v", again, first)
		}
		h.answers(benToken, id, "two", `{"text":"Goodbye."}`).want(t, "another", http.StatusConflict)
		h.call(evaToken, http.MethodPost, "/v1/conversations/"+id+"/close", "").want(t, "close", http.StatusOK)
	}
	if n := h.outgoing(); n != 1 {
		t.Errorf("%d wait to be sent, want 1", n)
	}
}

// Copies of a call that arrive at once are one reply.
func TestCopiesAtOnceAreOneReply(t *testing.T) {
	h := open(t)
	id, _ := h.in(mine)
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			ids[i] = read[note](t, h.answers(benToken, id, "same", `{"text":"Once."}`).want(t, "a copy", http.StatusAccepted)).ID
		})
	}
	all.Wait()
	for _, one := range ids {
		if one != ids[0] || one == "" {
			t.Errorf("got %q", ids)
		}
	}
	if n := h.outgoing(); n != 1 {
		t.Errorf("%d wait to be sent, want 1", n)
	}
}

func TestRepliesThatCannotBe(t *testing.T) {
	h := open(t)
	id, _ := h.in(mine)
	for body, kind := range map[string]string{
		`{"text":""}`:       "nothing_to_say",
		`{"text":" \n\t "}`: "nothing_to_say",
		`{}`:                "nothing_to_say",
		`{"text":"` + strings.Repeat("long ", 12_000) + `"}`:         "too_long",
		`{"text":"x","reply_to":"` + strings.Repeat("m", 513) + `"}`: "invalid",
		`{"text":"x","agent":"eva"}`:                                 "invalid",
	} {
		a := h.answers(benToken, id, "key", body)
		if a.status < 400 || !strings.Contains(a.body, "problem:"+kind+`"`) {
			t.Errorf("%.40s: answered %d %s, want %s", body, a.status, a.body, kind)
		}
	}
	for _, key := range []string{"", " ", "with space", strings.Repeat("k", 129), "schlüssel"} {
		h.answers(benToken, id, key, `{"text":"x"}`).want(t, "the key "+key, http.StatusBadRequest, "invalid")
	}
	if n := h.outgoing(); n != 0 {
		t.Errorf("%d wait to be sent", n)
	}
}

// WhatsApp takes answers for a day after the consumer's last message.
func TestTheTimeForAnAnswerIsOver(t *testing.T) {
	h := open(t)
	id := h.hear(said{queue: sales, consumer: "4915112345678", text: "hello"})
	h.call(salToken, http.MethodPost, "/v1/conversations/"+id+"/take", "").want(t, "take", http.StatusOK)
	c := read[chat](t, h.call(salToken, http.MethodGet, "/v1/conversations/"+id, ""))
	if left := time.Until(c.ReplyUntil); !c.Can.Reply || left > 24*time.Hour || left < 23*time.Hour {
		t.Errorf("got %+v", c)
	}
	h.answers(salToken, id, "in-time", `{"text":"hello"}`).want(t, "in time", http.StatusAccepted)
	h.clock.Store(int64(25 * time.Hour))
	c = read[chat](t, h.call(salToken, http.MethodGet, "/v1/conversations/"+id, ""))
	if c.Can.Reply || c.Can.Reason != "window_over" {
		t.Errorf("a day later: got %+v", c.Can)
	}
	h.answers(salToken, id, "too-late", `{"text":"hello"}`).want(t, "too late", http.StatusConflict, "cannot_reply")
	h.answers(salToken, id, "in-time", `{"text":"hello"}`).want(t, "a repeat of the one in time", http.StatusAccepted)
}
