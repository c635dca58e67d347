package inbound_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/gateway/queue"
)

// What is not the platform's is refused before anybody looks at what it says:
// this body would become a dead letter if it were parsed.
func TestNothingIsParsedBeforeItIsVerified(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open()
	r := h.webhooks(text("a"))[0]
	r.Body = []byte("{ no JSON")
	if err := g.Receive(t.Context(), g.route(), r); connectors.KindOf(err) != connectors.Unauthentic {
		t.Errorf("got %v, want kind Unauthentic", err)
	}
	g.letters(0)
	if got := g.stats(); got != (queue.Stats{ReaderSilent: got.ReaderSilent}) {
		t.Errorf("something was stored: %+v", got)
	}
	if got := g.figures("lightlock_events_total"); len(got) != 0 {
		t.Errorf("events were counted: %v", got)
	}
}

func TestNothingIsAcceptedThatIsNotDurable(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open()
	r := h.webhooks(text("a"))[0]
	h.redis.Kill()
	if err := g.Receive(t.Context(), g.route(), r); err == nil || connectors.KindOf(err) == connectors.Unauthentic {
		t.Errorf("with Redis away: got %v, want an error that makes the platform repeat", err)
	}
	h.redis.Restart()
	if err := g.Receive(t.Context(), g.route(), r); err != nil {
		t.Fatalf("the repeat: %v", err)
	}
	if got := g.work().documents(1)[0]; got.Data.Text != canary+"a" {
		t.Errorf("got %+v", got)
	}
}

func TestOneBadEventLeavesItsNeighboursAlone(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open().work()
	events := append(p.Events(text("before")), map[string]any{"type": "message", "webhookEventId": "01BROKEN", "message": "no object"})
	events = append(events, p.Events(text("after"))...)
	for range 2 { // a redelivery changes nothing
		if err := g.Receive(t.Context(), g.route(), sign(t, p, p.BotID, events)); err != nil {
			t.Fatal(err)
		}
	}
	if got := g.documents(2); got[0].Subject != got[1].Subject || got[0].Data.Seq+got[1].Data.Seq != 3 {
		t.Errorf("got %+v, want one conversation", got)
	}
	if letter := g.letters(1)[0]; !strings.Contains(string(letter.Raw), "01BROKEN") || letter.Cause != "message event does not parse" {
		t.Errorf("got letter %+v with %s", letter, letter.Raw)
	}
	g.wantFigure("lightlock_duplicates_total", "line/acme", 2)
}

// sign makes a webhook of these events for a bot.
func sign(t *testing.T, p *linesim.Platform, bot string, events []any) *connectors.Request {
	t.Helper()
	body, err := json.Marshal(map[string]any{"destination": bot, "events": events})
	if err != nil {
		t.Fatal(err)
	}
	return signed(p, string(body))
}

func signed(p *linesim.Platform, body string) *connectors.Request {
	r := p.Sign(base+"/webhooks/line/acme", []byte(body))
	r.ReceivedAt = time.Now()
	return r
}

func TestWhatBelongsNowhereBecomesADeadLetter(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open()
	for name, test := range map[string]struct {
		r     *connectors.Request
		cause string
	}{
		"unknown account":     {sign(t, p, "U"+strings.Repeat("0", 32), p.Events(text("a"))), `no account with the platform's id "U` + strings.Repeat("0", 32) + `" is configured`},
		"envelope, not JSON":  {signed(p, "{ no JSON"), "webhook does not parse"},
		"envelope, no object": {signed(p, `["list"]`), "webhook does not parse"},
	} {
		before := letters(t, g)
		for range 2 {
			if err := g.Receive(t.Context(), g.route(), test.r); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := since(before, letters(t, g)); len(got) != 1 || got[0].Cause != test.cause || len(got[0].Raw) == 0 {
			t.Errorf("%s: got letters %+v, want one with cause %q", name, got, test.cause)
		}
	}
	if got := g.stats(); got.Unfinished() != 0 || got.Delivered != 0 {
		t.Errorf("got %+v, want dead letters only", got)
	}
}

func letters(t *testing.T, g *gateway) []queue.Letter {
	t.Helper()
	all, err := g.backend.Letters(t.Context(), q, 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// since returns the letters that were not there before.
func since(before, after []queue.Letter) []queue.Letter {
	return slices.DeleteFunc(after, func(l queue.Letter) bool {
		return slices.ContainsFunc(before, func(b queue.Letter) bool { return b.Key == l.Key })
	})
}

func TestWhatAgentsHaveNoUseForIsCountedAndNoMore(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open()
	user := map[string]any{"type": "user", "userId": linesim.UserID(consumer)}
	for _, test := range []struct {
		event  map[string]any
		labels string
	}{
		{map[string]any{"type": "follow", "source": user}, "line/acme ignored follow"},
		{map[string]any{"type": "invented", "source": user}, "line/acme ignored unknown_event_type"},
		{map[string]any{"type": "message", "source": map[string]any{"type": "group", "userId": "U1"}}, "line/acme ignored group"},
		{map[string]any{"type": "message", "source": map[string]any{"type": "user"}}, "line/acme ignored no_consumer"},
		{map[string]any{"type": "message", "source": user, "message": map[string]any{"type": "sticker", "id": "1"}}, "line/acme ignored sticker"},
	} {
		if err := g.Receive(t.Context(), g.route(), sign(t, p, p.BotID, []any{test.event})); err != nil {
			t.Errorf("%s: %v", test.labels, err)
		}
		g.wantFigure("lightlock_events_total", test.labels, 1)
	}
	g.letters(0)
	if got := g.stats(); got.Unfinished() != 0 || got.Delivered != 0 {
		t.Errorf("got %+v, want nothing stored", got)
	}
	if err := g.Receive(t.Context(), g.route(), sign(t, p, p.BotID, []any{})); err != nil {
		t.Errorf("LINE's Verify button: %v", err)
	}
}

func TestTheSameWebhookAtOnceIsOneEntry(t *testing.T) {
	h := newHouse(t, startLINE(t))
	gateways := []*gateway{h.open(), h.open()}
	r := h.webhooks(text("a"))[0]
	var calls sync.WaitGroup
	for i := range 8 {
		calls.Go(func() {
			g := gateways[i%2]
			if err := g.Receive(t.Context(), g.route(), r); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	for _, g := range gateways {
		g.work()
	}
	gateways[0].documents(1)
	repeats := 0.0
	for _, g := range gateways {
		repeats += g.figures("lightlock_duplicates_total")["line/acme"]
	}
	if repeats != 7 {
		t.Errorf("counted %v repeats, want 7", repeats)
	}
}

// Keys are made of the platforms' ids, so what an operator renames or adds
// doubles nothing, and finds the same conversation.
func TestRenamingDoublesNothing(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	first := h.open()
	first.receive(text("a"))
	for name, edit := range map[string]func(*config.Loaded){
		"connector renamed": func(l *config.Loaded) { l.Connectors[0].Common().Name = "shop" },
		"account added": func(l *config.Loaded) {
			c := l.Connectors[0].(*line.Config)
			second := c.Accounts[0]
			second.ID, second.Name, c.Accounts[0].Name = "U"+strings.Repeat("1", 32), "second", "first"
			c.Accounts = append(c.Accounts, second)
		},
		"another connector before": func(l *config.Loaded) {
			other := startLINE(t).Settings("aaa", q)
			l.Connectors = append([]config.Settings{l.Connectors[0], other}, l.Connectors[1:]...)
		},
	} {
		t.Log(name)
		g := h.open(edit)
		g.receive(text("a"))
		g.wantFigure("lightlock_duplicates_total", g.route().Name, 1)
	}
	renamed := h.open(func(l *config.Loaded) { l.Connectors[0].Common().Name = "shop" }).work()
	renamed.receive(text("b"))
	got := renamed.documents(2)
	if got[0].Subject != got[1].Subject {
		t.Errorf("two conversations: %s and %s", got[0].Subject, got[1].Subject)
	}
}

// The same id again with another body changes nothing, and is told from an honest
// repeat.
func TestTheFirstOfTwoBodiesWins(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open().work()
	other := text("a")
	other.Text = canary + "something else"
	g.receive(text("a"), text("a"), other)
	if got := g.documents(1)[0]; got.Data.Text != canary+"a" {
		t.Errorf("got text %q, want the first", got.Data.Text)
	}
	g.receive(text("a"), other)
	g.wantFigure("lightlock_duplicates_total", "line/acme", 4)
	if got := g.figures("lightlock_trouble_total"); got["mismatch accept"] != 2 {
		t.Errorf("trouble is %v, want two mismatches", got)
	}
}

// stub is a connector of a channel that keeps less of its promises than ours do.
type stub struct {
	connectors.Connector
	events []connectors.Event
}

func (s stub) Verify(*connectors.Request) error { return nil }

func (s stub) Parse(*connectors.Request) ([]connectors.Event, error) { return s.events, nil }

func TestOddEventsOfAConnector(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open().work()
	message := connectors.Event{
		Kind: connectors.Message, ID: "1", Account: p.BotID, Consumer: connectors.Consumer{ID: "U1"}, Text: "hello", Raw: json.RawMessage(`{}`),
	}
	for i, test := range []struct {
		name  string
		edit  func(*connectors.Event)
		cause string // of a dead letter; empty if the message is forwarded or ignored
		docs  int
	}{
		{"as it should be", func(*connectors.Event) {}, "", 1},
		{"no sender", func(e *connectors.Event) { e.Consumer.ID = "" }, "", 0},
		{"no id", func(e *connectors.Event) { e.ID = "" }, "message without an id", 0},
		{"no id, another", func(e *connectors.Event) { e.ID, e.Raw = "", json.RawMessage(`{"b":1}`) }, "message without an id", 0},
		{"more photos than any platform sends", func(e *connectors.Event) { e.Photos = make([]connectors.Photo, 21) }, "too many photos in one message", 0},
		{"endless text", func(e *connectors.Event) { e.Text = strings.Repeat("a", 300<<10) }, "message larger than any platform allows", 0},
		{"a time that no clock shows", func(e *connectors.Event) { e.SentAt = time.Unix(1<<50, 0) }, "message cannot be written down", 0},
		{"raw is no JSON", func(e *connectors.Event) { e.Raw = json.RawMessage("To=%2B1") }, "", 1},
		{"raw is endless", func(e *connectors.Event) { e.Raw = json.RawMessage(`"` + strings.Repeat("<", 200<<10) + `"`) }, "", 1},
	} {
		e := message
		e.ID = fmt.Sprint("event ", i)
		test.edit(&e)
		route := *g.route()
		route.Connector = stub{events: []connectors.Event{e}}
		before, dead := g.stats().Delivered, letters(t, g)
		if err := g.Receive(t.Context(), &route, &connectors.Request{ReceivedAt: time.Now()}); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		g.documents(int(before) + test.docs)
		var cause string
		if got := since(dead, letters(t, g)); len(got) > 0 {
			cause = got[0].Cause
		}
		if cause != test.cause {
			t.Errorf("%s: got cause %q, want %q", test.name, cause, test.cause)
		}
	}
	g.wantFigure("lightlock_events_total", "line/acme ignored no_consumer", 1)
}
