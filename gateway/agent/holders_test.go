package agent_test

import (
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/agent"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// holders looks who has conversations, by a clock of the test's.
func (h *house) holders(clock *time.Time) *agent.Holders {
	return &agent.Holders{
		Journal: h.journal, Roll: h.people, Queues: h.routes.Queues(), Log: slog.New(slog.NewTextHandler(h.log, nil)),
		Now: func() time.Time { return *clock },
	}
}

// What somebody has who has left, or has lost the queue, waits again; everybody hears
// of it, and nobody else loses anything.
func TestWhoHasLeftHasNothing(t *testing.T) {
	h := open(t)
	late := h.late()
	taken := map[string]string{h.wait("one"): benToken, h.wait("two"): benToken, h.wait("three"): evaToken, late: benToken, h.wait("four"): bothToken}
	for id, token := range taken {
		h.does(token, id, "take", "").want(t, "take", http.StatusOK)
	}
	closed, _ := h.in(closedMine)
	clock := time.Now()
	holders := h.holders(&clock)
	holders.Look(t.Context())
	h.employ("eva", "sal", "zoe", "both in sales")
	h.benLeft()
	ears := h.listen(evaToken, "")
	for range 2 { // not yet: the second look is at the last moment
		holders.Look(t.Context())
		for id := range taken {
			if c := h.chat(id); c.State != "assigned" {
				t.Fatalf("before ten minutes are over: got %+v", c)
			}
		}
		clock = clock.Add(10*time.Minute - time.Second)
	}
	clock = clock.Add(time.Second)
	holders.Look(t.Context())
	for id, token := range taken {
		if c := h.chat(id); (c.State == "assigned") != (token == evaToken) || c.State == "waiting" && c.Agent.ID != "" {
			t.Errorf("%.8s's: got %+v", token, c)
		}
	}
	for range 4 {
		if c := of[chat](t, ears.until("conversation", anything)); c.State != "waiting" || c.Before != "ben" && c.Before != "both" {
			t.Errorf("told: got %+v", c)
		}
	}
	h.does(evaToken, late, "take", "").want(t, "taking what came back late", http.StatusOK)
	if c := h.chat(closed); c.State != "closed" || c.Agent.ID != "ben" {
		t.Errorf("what Ben had closed: got %+v", c)
	}
	if log := h.log.String(); !strings.Contains(log, "agent=ben conversations=3") || !strings.Contains(log, "agent=both conversations=1") {
		t.Errorf("the log is\n%s", log)
	}
}

// Whoever comes back in between begins anew, and a file that is wrong makes nobody
// leave; nor does anybody whom only the issuer knows.
func TestWhoComesBackKeepsWhatTheyHave(t *testing.T) {
	h := open(t)
	id, issuers := h.wait("one"), h.wait("two")
	h.does(benToken, id, "take", "").want(t, "take", http.StatusOK)
	name, random, _ := strings.Cut(issuers, ".")
	_, err := h.journal.Assign(t.Context(), name, random, queue.Assignment{To: queue.Agent{ID: "oidc:ada"}})
	h.must(err)
	clock := time.Now()
	holders := h.holders(&clock)
	look := func(after time.Duration, state string) {
		t.Helper()
		clock = clock.Add(after)
		holders.Look(t.Context())
		if c := h.chat(id); c.State != state {
			t.Errorf("got %+v, want it %s", c, state)
		}
	}
	h.employ("eva")
	h.benLeft()
	look(0, "assigned")
	h.employ("eva", "ben")
	gatewaytest.Await(t, "Ben is back", func() bool { return !h.people.Left("ben", support) })
	look(6*time.Minute, "assigned")
	h.employ("eva")
	h.benLeft()
	look(0, "assigned")
	look(6*time.Minute, "assigned")
	h.must(os.WriteFile(h.agents, []byte("agents: [{id: eva"), 0o600))
	gatewaytest.Await(t, "the file is wrong", func() bool { return !h.people.Left("ben", support) })
	look(6*time.Minute, "assigned")
	h.employ("eva")
	h.benLeft()
	look(0, "assigned")
	look(10*time.Minute, "waiting")
	if c := h.chat(issuers); c.Agent.ID != "oidc:ada" {
		t.Errorf("the issuer's agent's: got %+v", c)
	}
}

// benLeft waits until the gateway knows that Ben has left.
func (h *house) benLeft() {
	h.Helper()
	gatewaytest.Await(h, "Ben has left", func() bool { return h.people.Left("ben", support) })
}

// chat is a conversation as a service of support sees it.
func (h *house) chat(id string) chat {
	h.Helper()
	return read[chat](h, h.call(deskToken, http.MethodGet, "/v1/conversations/"+id, ""))
}

// late is a conversation that a message has put back among those that wait, after it
// had been closed.
func (h *house) late() string {
	h.Helper()
	h.number++
	s := said{queue: support, consumer: "L" + hash(h.Name(), time.Now().String())[:8], text: "first"}
	id := h.hear(s)
	s.text = "late"
	e := h.accept(s)
	h.call(deskToken, http.MethodPost, "/v1/conversations/"+id+"/close", "").want(h, "close", http.StatusOK)
	if again := h.finish(e, s); again != id {
		h.Fatalf("the late message is in %s, want %s", again, id)
	}
	return id
}
