package queue_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestOneAgentHasAConversation(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		e := write(t, j, "a")
		take := func(a queue.Agent) (queue.Conversation, error) {
			return j.Assign(t.Context(), q, e.Conversation, queue.Assignment{To: a})
		}
		got, err := take(ben)
		if err != nil || got.State != queue.ConversationAssigned || got.Agent != ben || got != conversation(t, j, e.Conversation) {
			t.Fatalf("got %+v, %v", got, err)
		}
		if again, err := take(ben); err != nil || again != got {
			t.Errorf("again: got %+v, %v; want nothing changed", again, err)
		}
		_, err = take(eva)
		wantTheirs(t, "eva takes", err, ben)
		_, err = j.Assign(t.Context(), q, e.Conversation, queue.Assignment{To: eva, From: eva.ID})
		wantTheirs(t, "eva gives herself", err, ben)
		if err := j.SeenUpTo(t.Context(), q, e.Conversation, ben.ID, 99); err != nil {
			t.Fatal(err)
		}
		wantTheirs(t, "eva sees", j.SeenUpTo(t.Context(), q, e.Conversation, eva.ID, 1), ben)
		if c := conversation(t, j, e.Conversation); c.Read != 1 || c.Unread() != 0 {
			t.Errorf("got %+v, want all of it seen", c)
		}

		got, err = j.Assign(t.Context(), q, e.Conversation, queue.Assignment{To: eva, From: ben.ID})
		if err != nil || got.Agent != eva || got.Unread() != 1 {
			t.Errorf("got %+v, %v", got, err)
		}
		for a, n := range map[queue.Agent]int{ben: 0, eva: 1} {
			if mine, _, total, err := j.Mine(t.Context(), q, a.ID, "", 5); err != nil || len(mine) != n || total != int64(n) {
				t.Errorf("%s has %+v of %d, %v", a.ID, mine, total, err)
			}
		}
		got, err = j.Assign(t.Context(), q, e.Conversation, queue.Assignment{From: eva.ID})
		if err != nil || got.State != queue.ConversationWaiting || got.Agent != (queue.Agent{}) || !got.WaitingSince.Equal(at9.Add(time.Minute)) {
			t.Errorf("put back: got %+v, %v", got, err)
		}
		wantTheirs(t, "nobody has it", j.SeenUpTo(t.Context(), q, e.Conversation, eva.ID, 1), queue.Agent{})
	})
}

func TestAMessageStaysWithItsAgent(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		e := write(t, j, "a")
		assign(t, j, e.Conversation, ben)
		write(t, j, "b")
		if c := conversation(t, j, e.Conversation); c.Agent != ben || c.State != queue.ConversationAssigned || c.Arrived != 2 || !c.LastMessageAt.Equal(at9.Add(2*time.Minute)) {
			t.Errorf("got %+v", c)
		}
	})
}

// closedDocument reads the one that says that a conversation was closed.
func closedDocument(t *testing.T, client redis.Cmdable) (all []string) {
	t.Helper()
	for _, d := range delivered(t, client) {
		var read struct {
			ID, Subject string
			Data        struct {
				ClosedBy *queue.ClosedBy `json:"closed_by"`
			}
		}
		if json.Unmarshal([]byte(d), &read) == nil && read.Data.ClosedBy != nil {
			queuetest.CheckDocument(t, []byte(d))
			all = append(all, strings.TrimPrefix(read.ID, read.Subject)+" "+string(read.Data.ClosedBy.Kind)+" "+read.Data.ClosedBy.ID)
		}
	}
	return all
}

func TestAnAgentCloses(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		e := write(t, j, "a")
		_, err := j.CloseConversation(t.Context(), q, e.Conversation, queue.Closing{By: byAgent(ben), From: ben.ID})
		wantTheirs(t, "ben closes what is nobody's", err, queue.Agent{})
		assign(t, j, e.Conversation, ben)
		got := closing(t, j, e.Conversation)
		if got.State != queue.ConversationOver || got.Open() || got.ClosedBy != byAgent(ben) || got.Agent != ben || !got.WaitingSince.IsZero() {
			t.Errorf("got %+v", got)
		}
		if again := closing(t, j, e.Conversation); again != got {
			t.Errorf("again: got %+v; want nothing changed", again)
		}
		if docs := closedDocument(t, client); len(docs) != 1 || docs[0] != ".closed agent ben" {
			t.Errorf("software is told %q", docs)
		}
		if _, err := j.Assign(t.Context(), q, e.Conversation, queue.Assignment{To: eva, From: queue.AnyAgent}); !errors.Is(err, queue.ErrConversationOver) {
			t.Errorf("got %v, want ErrConversationOver", err)
		}
		if _, err := j.Reply(t.Context(), q, reply(e, "answer", ben)); !errors.Is(err, queue.ErrConversationOver) {
			t.Errorf("got %v, want ErrConversationOver", err)
		}
		if mine, _, _, err := j.Mine(t.Context(), q, ben.ID, "", 5); err != nil || len(mine) != 0 {
			t.Errorf("ben has %+v, %v", mine, err)
		}
		if next := write(t, j, "b"); next.Conversation == e.Conversation || conversation(t, j, next.Conversation).Previous != e.Conversation {
			t.Errorf("got %+v", next)
		}
	})
}

// A late message can be seen by whoever takes it, and its conversation closed again,
// of which software has heard.
func TestALateMessageIsClosedAgain(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		write(t, j, "a")
		accept(t, j, "b")
		late := begun(t, j)
		assign(t, j, late.Conversation, ben)
		first := closing(t, j, late.Conversation)
		end := ended(late)
		end.Late = true
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), late, end))
		if c := conversation(t, j, late.Conversation); c.State != queue.ConversationWaiting || c.Agent.ID != "" || c.ClosedAt != first.ClosedAt {
			t.Errorf("got %+v", c)
		}
		assign(t, j, late.Conversation, eva)
		if _, err := j.Reply(t.Context(), q, reply(late, "answer", eva)); !errors.Is(err, queue.ErrConversationOver) {
			t.Errorf("got %v, want ErrConversationOver", err)
		}
		got := closing(t, j, late.Conversation)
		if got.State != queue.ConversationOver || got.Agent != eva || got.ClosedAt != first.ClosedAt || got.ClosedBy != first.ClosedBy {
			t.Errorf("got %+v after %+v", got, first)
		}
		if docs := closedDocument(t, client); len(docs) != 1 {
			t.Errorf("software is told %q", docs)
		}
	})
}

// A consumer's close that is on its way is what software hears of.
func TestTwoClose(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		e := write(t, j, "a")
		acceptItems(t, j, queue.Item{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")})
		if got := closing(t, j, e.Conversation); got.State != queue.ConversationOver || got.ClosedBy.Kind != queue.ActorConsumer {
			t.Errorf("got %+v", got)
		}
		want(t, "close", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{
			Document: []byte("closed"), Chat: news(queue.ItemClose, "party", queue.ConversationItem{}),
		}))
		if docs := closedDocument(t, client); len(docs) != 0 {
			t.Errorf("software is told %q besides", docs)
		}
	})
}

func TestWhatIsNotAskedRight(t *testing.T) {
	j := journal(t, quickRedis(t), queue.Options{})
	e := write(t, j, "a")
	for name, call := range map[string]func() error{
		"a star": func() error {
			_, err := j.Assign(t.Context(), q, e.Conversation, queue.Assignment{To: queue.Agent{ID: queue.AnyAgent}})
			return err
		},
		"a long id": func() error {
			_, err := j.Assign(t.Context(), q, e.Conversation, queue.Assignment{To: queue.Agent{ID: strings.Repeat("x", 129)}})
			return err
		},
		"no hash":     func() error { _, err := j.Conversation(t.Context(), q, "../x"); return err },
		"nobody sees": func() error { return j.SeenUpTo(t.Context(), q, e.Conversation, "", 1) },
		"a reply by ?": func() error {
			r := reply(e, "a", ben)
			r.Said.By.Kind = ""
			_, err := j.Reply(t.Context(), q, r)
			return err
		},
		"a reply to ?": func() error {
			r := reply(e, "a", ben)
			r.Party = "ana"
			_, err := j.Reply(t.Context(), q, r)
			return err
		},
		"a receipt":     func() error { return j.Receipt(t.Context(), q, hash("id"), queue.ResultSent, "") },
		"another queue": func() error { _, err := j.Conversation(t.Context(), "Shop:", e.Conversation); return err },
	} {
		if err := call(); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := j.CloseConversation(t.Context(), q, hash("none"), queue.Closing{}); !errors.Is(err, queue.ErrNoConversation) {
		t.Errorf("got %v, want ErrNoConversation", err)
	}
}
