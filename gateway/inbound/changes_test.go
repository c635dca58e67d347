package inbound_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/media"
)

// unsend is LINE's call about the photo of message a.
func unsend(t *testing.T, p *linesim.Platform) *connectors.Request {
	t.Helper()
	return sign(t, p, p.BotID, []any{map[string]any{
		"type": "unsend", "mode": "active", "timestamp": time.Now().UnixMilli(), "webhookEventId": "unsend",
		"source": map[string]any{"type": "user", "userId": linesim.UserID(consumer)},
		"unsend": map[string]any{"messageId": linesim.MessageID("a", "photo0")},
	}})
}

func (g *gateway) hand(r *connectors.Request) {
	g.h.t.Helper()
	if err := g.Receive(g.h.t.Context(), g.route(), r); err != nil {
		g.h.t.Fatalf("receive: %v", err)
	}
}

// entries reads the agents' queue as it is.
func (g *gateway) entries() (types []string, raw []string) {
	g.h.t.Helper()
	for _, d := range g.raw() {
		types = append(types, d.Type)
		text, _ := json.Marshal(d)
		raw = append(raw, string(text))
	}
	return types, raw
}

func wantTypes(t *testing.T, g *gateway, want ...queue.DocumentType) {
	t.Helper()
	got, raw := g.entries()
	if len(got) != len(want) {
		t.Fatalf("got %q in the queue, want %q\n%s", got, want, raw)
	}
	for i := range want {
		if got[i] != string(want[i]) {
			t.Errorf("got %q in the queue, want %q", got, want)
		}
	}
}

func TestUnsendBeforeTheMessageComes(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open().work()
	g.hand(unsend(t, p))
	g.receive(photo("a", picture(t, 40, 30)))
	g.documents(1)
	wantTypes(t, g, queue.MessageUnsent)
	if n := h.pictures(); n != 0 {
		t.Errorf("got %d pictures, want none", n)
	}
	g.wantFigure("lightlock_settled_total", "line/acme withdrawn", 1)
}

func TestUnsendAfterTheMessageWasForwarded(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open().work()
	g.receive(photo("a", picture(t, 40, 30)), text("b"))
	g.documents(2)
	if n := h.pictures(); n != 2 {
		t.Fatalf("got %d pictures, want preview and thumbnail", n)
	}
	g.hand(unsend(t, p))
	g.await("the unsend is forwarded", func(s queue.Stats) bool { return s.Unfinished() == 0 && s.Delivered == 2 })
	wantTypes(t, g, queue.MessageReceived, queue.MessageUnsent)
	if n := h.pictures(); n != 0 {
		t.Errorf("got %d pictures, want none", n)
	}
	g.hand(unsend(t, p)) // delivered again
	g.wantFigure("lightlock_duplicates_total", "line/acme", 1)
}

// An unsend is never given up: what it is about would stay.
func TestAnUnsendOutlivesGateways(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open().work()
	g.receive(photo("a", picture(t, 40, 30)))
	g.documents(1)
	g.stop()
	g.hand(unsend(t, p))
	h.die(queue.MaxStarts + 1)
	last := h.open().work()
	last.await("the unsend is forwarded", func(s queue.Stats) bool { return s.Unfinished() == 0 })
	wantTypes(t, last, queue.MessageUnsent)
	last.letters(0)
	if n := h.pictures(); n != 0 {
		t.Errorf("got %d pictures, want none", n)
	}
}

// stalling is a darkroom that waits in the middle of its work.
type stalling struct {
	inbound.Darkroom
	begun, goOn chan struct{}
}

func (s stalling) Develop(ctx context.Context, original []byte, settings media.Settings) (*media.Developed, error) {
	s.begun <- struct{}{}
	<-s.goOn
	return s.Darkroom.Develop(ctx, original, settings)
}

func TestUnsendWhileThePhotoIsDeveloped(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open()
	room := stalling{theDarkroom(), make(chan struct{}, 1), make(chan struct{})}
	g.Darkroom = room
	g.work()
	g.receive(photo("a", picture(t, 40, 30)))
	<-room.begun
	g.hand(unsend(t, p))
	g.await("the unsend is forwarded", func(s queue.Stats) bool { return s.Delivered == 1 })
	close(room.goOn)
	g.documents(1)
	wantTypes(t, g, queue.MessageUnsent)
	gatewaytest.Await(t, "it is settled", func() bool { return g.figures("lightlock_settled_total")[" withdrawn"] == 1 })
	if n := h.pictures(); n != 0 {
		t.Errorf("got %d pictures, want none", n)
	}
}

func TestACloseIsAnnouncedAndTheRestIsLate(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open()
	g.receive(text("a"))
	route := *g.route()
	route.Connector = closing{route.Connector}
	r := h.webhooks(text("close"))[0]
	if err := g.Receive(t.Context(), &route, r); err != nil {
		t.Fatal(err)
	}
	g.receive(text("b"))
	g.work()
	docs := g.documents(3)
	closed, first, second := docs[0], docs[0], docs[0]
	for _, d := range docs {
		switch {
		case d.Type == string(queue.ConversationClosed):
			closed = d
		case d.Data.Text == canary+"a":
			first = d
		default:
			second = d
		}
	}
	if closed.Subject != first.Subject || !first.Data.Late || first.Data.Seq != 1 {
		t.Errorf("got %+v and %+v, want a late message in the closed conversation", closed, first)
	}
	if second.Subject == first.Subject || second.Data.Late || second.Data.Seq != 1 {
		t.Errorf("got %+v, want the first message of another conversation than %s", second, first.Subject)
	}
}

// closing makes the end of a conversation of every message.
type closing struct{ connectors.Connector }

func (c closing) Parse(r *connectors.Request) ([]connectors.Event, error) {
	events, err := c.Connector.Parse(r)
	for i := range events {
		events[i] = events[i].As(connectors.Close, "")
	}
	return events, err
}

// editing makes an edit of message "a" of every message.
type editing struct{ connectors.Connector }

func (c editing) Parse(r *connectors.Request) ([]connectors.Event, error) {
	events, err := c.Connector.Parse(r)
	for i := range events {
		events[i] = events[i].As(connectors.Edit, "")
		events[i].MessageID = linesim.MessageID("a", "text")
	}
	return events, err
}

func TestAnEditFollowsItsMessage(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open()
	route := *g.route()
	route.Connector = editing{route.Connector}
	edit := func(name string) {
		t.Helper()
		if err := g.Receive(t.Context(), &route, h.webhooks(text(name))[0]); err != nil {
			t.Fatal(err)
		}
	}
	edit("before its message")
	g.work()
	g.await("the edit waits", func(s queue.Stats) bool { return s.Delayed == 1 })
	g.receive(text("a"))
	g.await("the message is forwarded", func(s queue.Stats) bool { return s.Delivered > 0 })
	edit("after it") // while the first still waits
	docs := g.documents(3)
	wantTypes(t, g, queue.MessageReceived, queue.MessageEdited, queue.MessageEdited)
	if got := docs[1]; got.Data.Text != canary+"before its message" || got.Data.Message != docs[0].ID ||
		got.Data.MessageID != docs[0].Data.MessageID || got.Subject != docs[0].Subject {
		t.Errorf("got %+v, want the edit of %+v", got, docs[0])
	}
	if got := docs[2]; got.Data.Text != canary+"after it" || got.Data.Message != docs[0].ID {
		t.Errorf("got %+v, want another edit of %+v", got, docs[0])
	}
}

// An edit of a message that never came is forwarded all the same, in the end.
func TestAStrayEditIsForwarded(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open()
	route := *g.route()
	route.Connector = editing{route.Connector}
	if err := g.Receive(t.Context(), &route, h.webhooks(text("x"))[0]); err != nil {
		t.Fatal(err)
	}
	queuetest.Inspect(t, h.redis.Address()).Backdate(q, 2*time.Minute)
	g.work()
	if got := g.documents(1)[0]; got.Data.Text != canary+"x" || got.Data.Message != "" {
		t.Errorf("got %+v, want an edit of a message that nobody knows", got)
	}
}

// What was developed and then given back is nobody's: the next try makes its own.
func TestWhatIsReleasedLeavesNoPictures(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open()
	room := stalling{theDarkroom(), make(chan struct{}, 1), make(chan struct{})}
	g.Darkroom = room
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.Run(ctx, time.Minute)
	}()
	g.receive(photo("a", picture(t, 40, 30)))
	<-room.begun
	keys := queuetest.OpenOutgoing(t, h.redis.Address(), q)
	keys.Misuse("dead:data") // it cannot be completed
	stop()
	close(room.goOn)
	<-done
	keys.Free("dead:data")
	if s := g.stats(); s.Waiting != 1 {
		t.Errorf("got %+v, want the message given back", s)
	}
	if n := h.pictures(); n != 0 {
		t.Errorf("got %d pictures, want none", n)
	}
}
