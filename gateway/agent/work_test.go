package agent_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
)

// does makes a call about a conversation.
func (h *house) does(token, id, what, body string) answer {
	h.Helper()
	return h.call(token, http.MethodPost, "/v1/conversations/"+id+"/"+what, body)
}

// Of all who reach for a conversation one gets it, and the others are told who.
func TestOneOfManyTakesIt(t *testing.T) {
	h := open(t)
	id := h.wait("hello")
	answers := make([]answer, 12)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = h.does([]string{benToken, evaToken, bothToken}[i%3], id, "take", "") })
	}
	all.Wait()
	owner := read[chat](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+id, "")).Agent
	for i, a := range answers {
		who := []string{"ben", "eva", "both"}[i%3]
		if who == owner.ID {
			if c := read[chat](t, a.want(t, who, http.StatusOK)); !c.Mine || c.State != "assigned" || !c.Can.Reply {
				t.Errorf("%s has it: got %+v", who, c)
			}
			continue
		}
		a.want(t, who, http.StatusConflict, "taken")
		if !strings.Contains(a.body, fmt.Sprintf(`"agent":{"id":%q,"name":%q}`, owner.ID, owner.Name)) {
			t.Errorf("%s is told %s, and not that %s has it", who, a.body, owner.ID)
		}
	}
}

func TestPutBackAndClose(t *testing.T) {
	h := open(t)
	id, photo := h.in(mine)
	c := read[chat](t, h.does(benToken, id, "transfer", `{"to":null}`))
	if c.State != "waiting" || c.Agent.ID != "" || c.Mine || c.Can.Reason != "not_taken" {
		t.Errorf("put back: got %+v", c)
	}
	h.call(benToken, http.MethodGet, "/v1/photos/"+photo+"/preview", "").want(t, "its photo", http.StatusNotFound)
	h.does(deskToken, id, "transfer", `{"to":"eva"}`).want(t, "a service assigns it", http.StatusOK)
	h.does(deskToken, id, "transfer", `{"to":"zoe","agent":"ben"}`).want(t, "a service, for Ben", http.StatusConflict, "not_assigned")
	h.does(deskToken, id, "close", `{"agent":"eva"}`).want(t, "a service closes it, for Eva", http.StatusOK)
	c = read[chat](t, h.call(evaToken, http.MethodGet, "/v1/conversations/"+id, ""))
	if c.State != "closed" || !c.Mine || c.ClosedBy.Kind != queue.ActorAgent || c.ClosedBy.ID != "eva" || c.Can.Reason != "closed" {
		t.Errorf("closed: got %+v", c)
	}
	next := h.hear(said{queue: support, consumer: "P1", text: "one more thing"})
	n := read[chat](t, h.call(evaToken, http.MethodGet, "/v1/conversations/"+next, ""))
	if next == id || n.Previous != id || n.State != "waiting" {
		t.Errorf("the next: got %+v after %s", n, id)
	}
	if c = read[chat](t, h.call(evaToken, http.MethodGet, "/v1/conversations/"+id, "")); c.Next != next {
		t.Errorf("before it is archived: got %q after it, want %q", c.Next, next)
	}
}

// Read never goes back, and is the owner's alone.
func TestRead(t *testing.T) {
	h := open(t)
	id, _ := h.in(mine)
	seen := func(token, body string, want int64) {
		t.Helper()
		h.does(token, id, "read", body).want(t, body, http.StatusNoContent)
		if c := read[chat](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+id, "")); c.Read != want || c.Unread != 2-want {
			t.Errorf("after %s: read %d, unread %d, want %d", body, c.Read, c.Unread, want)
		}
	}
	seen(evaToken, `{"arrival":2}`, 0)
	seen(benToken, `{"arrival":1}`, 1)
	seen(benToken, `{"arrival":0}`, 1)
	seen(deskToken, `{"arrival":2,"agent":"ben"}`, 2)
	seen(benToken, `{"arrival":900}`, 2)
	for _, body := range []string{`{}`, `{"arrival":-1}`, `{"arrival":"1"}`, `{"arrival":1.5}`, `{"arrival":null}`} {
		h.does(benToken, id, "read", body).want(t, body, http.StatusBadRequest, "invalid")
	}
	h.does(deskToken, id, "read", `{"arrival":1}`).want(t, "a service for nobody", http.StatusBadRequest, "invalid")
}

// Photos are told to the owner with their addresses, and to others without.
func TestWhoSeesAPhotoInAMessage(t *testing.T) {
	h := open(t)
	id, photo := h.in(mine)
	for token, want := range map[string]bool{benToken: true, evaToken: false, bothToken: false, deskToken: true} {
		p := read[pageOf](t, h.call(token, http.MethodGet, "/v1/conversations/"+id+"/messages", ""))
		got := p.Messages[1].Photos[0]
		if got.ID != photo || got.Status != "ready" || got.Visible != want || (got.Preview != nil) != want || (got.Thumbnail != nil) != want {
			t.Errorf("%.8s: got %+v", token, got)
		}
	}
}

// A photo that is too large is told with the account's limit.
func TestARejectedPhoto(t *testing.T) {
	h := open(t)
	id := h.hear(said{queue: support, consumer: "U1", photos: []queue.Photo{{
		ID: "support." + strings.Repeat("0a", 16) + ".0", Status: queue.Rejected, Reason: "too_large", Source: &queue.Source{Type: "image/jpeg", Bytes: 32715571},
	}}})
	p := read[pageOf](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+id+"/messages", ""))
	if got := p.Messages[0].Photos[0]; got.Reason != "too_large" || got.LimitBytes != 10<<20 || got.Visible {
		t.Errorf("got %+v", got)
	}
}
