package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/store/s3test"
)

// house is an archive on a real journal and a real store.
type house struct {
	*Archive
	t       *testing.T
	journal *queue.Journal
}

func newHouse(t *testing.T, c config.Config) *house {
	t.Helper()
	backend, err := queue.Open(t.Context(), queue.OpenOptions{
		Redis: &config.Redis{Address: queuetest.Redis(t)}, Journal: queue.Options{Lease: time.Minute, ArchiveAfter: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close(context.Background()) })
	if err := backend.EnsureQueue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	s, err := store.New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &house{t: t, journal: backend.Journal, Archive: &Archive{
		Journal: backend.Journal, Heads: backend.Journal, Open: backend.Journal, Documents: s.Documents(), Queues: []string{q}, Keep: 400 * 24 * time.Hour,
		Metrics: ops.NewMetrics(), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}}
}

func digest(n int) string { return fmt.Sprintf("%064x", n) }

// take accepts an event, and begins to work on it.
func (h *house) take(kind queue.ItemKind, n int) queue.Entry {
	h.t.Helper()
	if _, err := h.journal.Accept(h.t.Context(), q, []queue.Item{{Kind: kind, Key: digest(n), Message: digest(1000 + n), Party: party, Payload: []byte("{}")}}); err != nil {
		h.t.Fatal(err)
	}
	var e queue.Entry
	gatewaytest.Await(h.t, "the entry", func() bool {
		entries, err := h.journal.Take(h.t.Context(), q, queue.Words, 1, 0)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(entries) == 1 {
			e = entries[0]
		}
		return len(entries) == 1
	})
	if err := h.journal.Begin(h.t.Context(), &e, ""); err != nil {
		h.t.Fatal(err)
	}
	return e
}

// end ends an entry with what it does to its conversation.
func (h *house) end(e queue.Entry, in string, kind queue.ItemKind, item queue.ConversationItem) {
	h.t.Helper()
	e.Conversation = in
	end := queue.End{Document: []byte("{}"), Party: party, Chat: &queue.ChatUpdate{
		Kind: kind, Party: party, Channel: "line", Account: "line/acme", AccountID: "B1", Consumer: queue.Consumer{ID: "U1", Name: "Ána"},
		ReceivedAt: time.Now(), Item: item,
	}}
	for {
		outcome, err := h.journal.Complete(h.t.Context(), e, end)
		if err == nil && outcome == queue.Late {
			end.Late = true
			continue
		}
		if err != nil || outcome != queue.Mine {
			h.t.Fatalf("complete: %v, %v", outcome, err)
		}
		return
	}
}

func message(e queue.Entry, text string) queue.ConversationItem {
	return queue.ConversationItem{ID: e.Key, Position: queue.Position(e.Seq), From: queue.ActorConsumer, Message: &queue.MessageData{
		Seq: e.Seq, Text: text, ReceivedAt: time.Now().UTC(), Photos: []queue.Photo{},
	}}
}

// closed closes a conversation and moves it.
func (h *house) closed(id string) {
	h.t.Helper()
	ben := queue.Agent{ID: "ben", Name: "Ben"}
	if _, err := h.journal.Assign(h.t.Context(), q, id, queue.Assignment{To: ben, From: queue.AnyAgent}); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.journal.CloseConversation(h.t.Context(), q, id, queue.Closing{By: queue.Actor{Kind: queue.ActorAgent, Agent: ben}, From: queue.AnyAgent}); err != nil {
		h.t.Fatal(err)
	}
	h.moved(id)
}

// moved waits until a conversation has left Redis.
func (h *house) moved(id string) {
	h.t.Helper()
	gatewaytest.Await(h.t, "the conversation leaves Redis", func() bool {
		if _, err := h.Move(h.t.Context(), q); err != nil {
			h.t.Fatal(err)
		}
		_, err := h.journal.Snapshot(h.t.Context(), q, id)
		return errors.Is(err, queue.ErrNoConversation)
	})
}

// shown returns a conversation and what its items say.
func (h *house) shown(id string) (queue.Conversation, string) {
	h.t.Helper()
	s, err := h.Get(h.t.Context(), q, id)
	if err != nil {
		h.t.Fatal(err)
	}
	var texts []string
	for _, item := range s.Items {
		switch {
		case !item.UnsentAt.IsZero():
			texts = append(texts, "-")
		case item.Edit != nil:
			texts = append(texts, item.Edit.Text+"*")
		case item.Message.Late:
			texts = append(texts, item.Message.Text+" (late)")
		default:
			texts = append(texts, item.Message.Text)
		}
	}
	return s.Conversation, strings.Join(texts, ", ")
}

// What happens to a conversation that has left Redis is seen at once, and is in the
// archive when that has left Redis too.
func TestRealJournal(t *testing.T) {
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		newHouse(t, config.Config{Data: t.TempDir()}).wholeLife(t)
	})
	t.Run("S3", func(t *testing.T) {
		t.Parallel()
		newHouse(t, config.Config{Store: s3test.Start(t).Store()}).wholeLife(t)
	})
}

func (h *house) wholeLife(t *testing.T) {
	one, two := h.take(queue.ItemMessage, 1), h.take(queue.ItemMessage, 2)
	late := h.take(queue.ItemMessage, 3)
	id := one.Conversation
	h.end(one, id, queue.ItemMessage, message(one, "one"))
	h.end(two, id, queue.ItemMessage, message(two, "two"))
	h.closed(id)
	c, texts := h.shown(id)
	if texts != "one, two" || c.Agent.ID != "ben" || c.ClosedBy.ID != "ben" || c.State != queue.ConversationOver || c.Arrived != 2 || c.Last.Text != "two" {
		t.Errorf("got %q, %+v", texts, c)
	}
	closed := c.ClosedAt

	edit := h.take(queue.ItemEdit, 4)
	h.end(edit, id, queue.ItemEdit, queue.ConversationItem{ID: one.Key, Position: queue.Position(one.Seq), Edit: &queue.ItemEdited{Text: "first", At: time.Now().UTC()}})
	unsend := h.take(queue.ItemUnsend, 5)
	h.end(unsend, id, queue.ItemUnsend, queue.ConversationItem{ID: two.Key, Position: queue.Position(two.Seq), UnsentAt: time.Now().UTC()})
	want := func(when, texts string) {
		t.Helper()
		c, got := h.shown(id)
		if got != texts || !c.ClosedAt.Equal(closed) || c.ClosedBy.ID != "ben" || c.Consumer.Name != "Ána" {
			t.Errorf("%s: got %q, %+v; want %q", when, got, c, texts)
		}
	}
	want("before it is moved", "first*, -")
	h.moved(id)
	want("after it", "first*, -")
	if c, _ := h.shown(id); c.Agent.ID != "ben" || c.Late || !c.Last.Unsent {
		t.Errorf("got %+v, want it as closed as it was", c)
	}

	h.end(late, id, queue.ItemMessage, message(late, "three"))
	want("a late message", "first*, -, three (late)")
	if c, _ := h.shown(id); c.State != queue.ConversationWaiting || !c.Late || c.Agent.ID != "" || c.Arrived != 3 || c.Unread() != 1 {
		t.Errorf("got %+v, want it waiting", c)
	}
	if p, err := h.List(t.Context(), Query{Queues: []string{q}, Limit: 10}); err != nil || len(p.Conversations) != 0 {
		t.Errorf("list: got %+v, %v, want none: it waits", p, err)
	}
	h.closed(id)
	want("moved again", "first*, -, three (late)")
	p, err := h.List(t.Context(), Query{Queues: []string{q}, Limit: 10})
	if err != nil || len(p.Conversations) != 1 || p.Conversations[0].Last.Text != "three" || p.Next != "" {
		t.Errorf("list: got %+v, %v", p, err)
	}
}

// A conversation may stay open for longer than its messages are kept.
func TestOldMessagesOfAnOpenConversation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, config.Config{Data: t.TempDir()})
	e := h.take(queue.ItemMessage, 1)
	h.end(e, e.Conversation, queue.ItemMessage, message(e, "one"))
	for _, step := range []struct {
		in    time.Duration
		texts string
	}{{h.Keep - day, "one"}, {h.Keep + day, ""}} {
		h.Now = func() time.Time { return time.Now().Add(step.in) }
		h.expireOld(t.Context())
		if c, texts := h.shown(e.Conversation); texts != step.texts || c.State != queue.ConversationWaiting {
			t.Errorf("in %v: got %q, %+v; want %q", step.in, texts, c, step.texts)
		}
	}
}
