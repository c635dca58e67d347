package outbound_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

func (h *house) speech(name, text string) outbound.Speech {
	return outbound.Speech{
		Key: hash(name), Channel: "messenger", Account: h.line.Routes.All()[0].Accounts[0].ID, Consumer: h.consumer,
		Party: hash("party"), Conversation: h.conversation, Text: text, Since: time.Now(),
		By: queue.Actor{Kind: queue.ActorAgent, Agent: ben},
	}
}

// ben is the agent who has the conversation.
var ben = queue.Agent{ID: "ben", Name: "Ben"}

// reply returns a reply as it stands in the conversation.
func (h *house) reply(name string) queue.ReplyData {
	h.t.Helper()
	items, err := h.journal.ItemsByID(h.t.Context(), q, h.conversation, []string{hash(name)})
	if err != nil || len(items) != 1 || items[0].Reply == nil {
		h.t.Fatalf("got %+v, %v", items, err)
	}
	return *items[0].Reply
}

func TestAReplySaysWhatBecameOfIt(t *testing.T) {
	h := onMessenger(t)
	for _, name := range []string{"a", "b"} {
		s := h.speech(name, "hello "+name)
		if name == "b" {
			s.Since = time.Now().Add(-8 * 24 * time.Hour)
		}
		if _, _, err := h.line.Say(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	h.work()
	h.told("b")
	if got := h.reply("a"); got.Delivery.State != queue.ResultSent || got.Delivery.Detail != "" || got.By.Agent != ben {
		t.Errorf("got %+v", got)
	}
	if got := h.reply("b"); got.Delivery.State != queue.ResultFailed || got.Delivery.Detail == "" {
		t.Errorf("got %+v", got)
	}
}

// What an agent has said is sent although the agent has closed the conversation.
func TestAReplyBeforeTheClose(t *testing.T) {
	h := onMessenger(t)
	if _, _, err := h.line.Say(t.Context(), h.speech("a", "goodbye")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.journal.CloseConversation(t.Context(), q, h.conversation, queue.Closing{By: queue.Actor{Kind: queue.ActorAgent, Agent: ben}, From: "ben"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.line.Say(t.Context(), h.speech("b", "too late")); !errors.Is(err, queue.ErrConversationOver) {
		t.Errorf("got %v, want ErrConversationOver", err)
	}
	h.work()
	h.wantTold("a", queue.ResultSent)
	if got := h.reply("a"); got.Delivery.State != queue.ResultSent {
		t.Errorf("got %+v", got)
	}
}

func TestSayALongText(t *testing.T) {
	h := onMessenger(t)
	sentence := "Here is " + canary + strings.Repeat("word ", 150) + "end. "
	text := strings.TrimSpace(strings.Repeat(sentence, 4))
	item, fresh, err := h.line.Say(t.Context(), h.speech("a", text))
	if !fresh || err != nil || item.Reply == nil || item.Reply.Text != text || item.Reply.Delivery.State != queue.ResultWaiting {
		t.Fatalf("got %v, %v, %+v", fresh, err, item)
	}
	again, fresh, err := h.line.Say(t.Context(), h.speech("a", "another text"))
	if fresh || err != nil || again.ID != item.ID || again.Reply.Text != text {
		t.Errorf("again: got %v, %v, %+v, want a repeat", fresh, err, again)
	}
	h.work()
	h.wantTold("a", queue.ResultSent)
	var got []string
	for _, m := range h.platform.Sent() {
		if !strings.HasSuffix(m.Text, "end.") {
			t.Errorf("a part ends with %q, want the end of a sentence", m.Text[len(m.Text)-20:])
		}
		got = append(got, m.Text)
	}
	if len(got) != 2 || strings.Join(got, " ") != text {
		t.Errorf("got %d parts of %d characters, want 2 and all of %d", len(got), len(strings.Join(got, " ")), len(text))
	}
}

func TestSayRefuses(t *testing.T) {
	h := onMessenger(t)
	for name, row := range map[string]struct {
		edit func(*outbound.Speech)
		is   func(error) bool
	}{
		"nothing":    {func(s *outbound.Speech) { s.Text = " \n" }, func(err error) bool { return errors.Is(err, outbound.ErrNothing) }},
		"too much":   {func(s *outbound.Speech) { s.Text = strings.Repeat("word ", 4001) }, func(err error) bool { return errors.Is(err, outbound.ErrTooLong) }},
		"no account": {func(s *outbound.Speech) { s.Account = "1" }, func(err error) bool { return connectors.KindOf(err) == connectors.Misconfigured }},
		"no key":     {func(s *outbound.Speech) { s.Key = "" }, func(err error) bool { return errors.Is(err, queue.ErrInvalid) }},
		"nobody":     {func(s *outbound.Speech) { s.By = queue.Actor{} }, func(err error) bool { return errors.Is(err, queue.ErrInvalid) }},
		"another agent": {func(s *outbound.Speech) { s.By.ID = "eva" }, func(err error) bool {
			theirs, ok := errors.AsType[*queue.NotTheirsError](err)
			return ok && theirs.Agent == ben
		}},
		"no conversation": {func(s *outbound.Speech) { s.Conversation = hash("none") }, func(err error) bool { return errors.Is(err, queue.ErrNoConversation) }},
	} {
		s := h.speech(name, "hello")
		row.edit(&s)
		if _, fresh, err := h.line.Say(t.Context(), s); fresh || !row.is(err) {
			t.Errorf("%s: got %v, %v", name, fresh, err)
		}
	}
}
