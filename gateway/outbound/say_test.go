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
	}
}

func TestSayALongText(t *testing.T) {
	h := onMessenger(t)
	sentence := "Here is " + canary + strings.Repeat("word ", 150) + "end. "
	text := strings.TrimSpace(strings.Repeat(sentence, 4))
	if fresh, err := h.line.Say(t.Context(), h.speech("a", text)); !fresh || err != nil {
		t.Fatalf("got %v, %v", fresh, err)
	}
	if fresh, err := h.line.Say(t.Context(), h.speech("a", text)); fresh || err != nil {
		t.Errorf("again: got %v, %v, want a repeat", fresh, err)
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
	} {
		s := h.speech(name, "hello")
		row.edit(&s)
		if fresh, err := h.line.Say(t.Context(), s); fresh || !row.is(err) {
			t.Errorf("%s: got %v, %v", name, fresh, err)
		}
	}
}
