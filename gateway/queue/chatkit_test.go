package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// ana is who writes in these tests.
var ana = queue.Consumer{ID: "U1", Name: "Ana"}

// at9 is when the first of these tests' messages is received.
var at9 = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// news is what an event does to the conversation of a party.
func news(kind queue.ItemKind, party string, i queue.ConversationItem) *queue.ChatUpdate {
	return &queue.ChatUpdate{
		Kind: kind, Party: hash(party), Channel: "line", Account: "line/acme", AccountID: "B1", Consumer: ana,
		ReceivedAt: at9.Add(time.Duration(i.Position>>20) * time.Minute), Item: i,
	}
}

// said is an entry's message in its conversation; its text is its payload.
func said(e queue.Entry, photos ...queue.Photo) *queue.ChatUpdate {
	return saidIn("party", e, photos...)
}

func saidIn(party string, e queue.Entry, photos ...queue.Photo) *queue.ChatUpdate {
	return news(queue.ItemMessage, party, queue.ConversationItem{ID: e.Key, Position: queue.Position(e.Seq), Message: &queue.MessageData{
		Conversation: e.Conversation, Account: "line/acme", Channel: "line", Consumer: ana, Seq: e.Seq, Text: string(e.Payload), Photos: photos,
		ReceivedAt: at9.Add(time.Duration(e.Seq) * time.Minute),
	}})
}

// ended is the end of an entry that is a message of the party.
func ended(e queue.Entry) queue.End {
	return queue.End{Document: []byte(e.Key), Party: hash("party"), Chat: said(e)}
}

func editOf(name, text string, seq int64) *queue.ChatUpdate {
	return news(queue.ItemEdit, "party", queue.ConversationItem{
		ID: hash(name), Position: queue.Position(seq), Edit: &queue.ItemEdited{Text: text, At: at9},
	})
}

func unsendOf(name string, seq int64) *queue.ChatUpdate {
	return news(queue.ItemUnsend, "party", queue.ConversationItem{ID: hash(name), Position: queue.Position(seq), UnsentAt: at9})
}

// write lets the party write messages, which reach their conversation.
func write(t testing.TB, j *queue.Journal, names ...string) queue.Entry {
	t.Helper()
	var e queue.Entry
	for _, name := range names {
		acceptItems(t, j, named(queue.ItemMessage, name, name))
		e = begun(t, j)
		end := ended(e)
		end.Message = hash("message " + name)
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, end))
	}
	return e
}

// leave lets the consumer close the conversation.
func leave(t testing.TB, j *queue.Journal) {
	t.Helper()
	acceptItems(t, j, queue.Item{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")})
	e := begun(t, j)
	want(t, "close", queue.Mine)(j.Complete(t.Context(), e, queue.End{
		Document: []byte("closed"), Chat: news(queue.ItemClose, "party", queue.ConversationItem{Position: queue.Position(50)}),
	}))
}

func conversation(t testing.TB, j *queue.Journal, id string) queue.Conversation {
	t.Helper()
	c, err := j.Conversation(t.Context(), q, id)
	if err != nil {
		t.Fatalf("conversation: %v", err)
	}
	return c
}

func items(t testing.TB, j *queue.Journal, id string) []queue.ConversationItem {
	t.Helper()
	list, _, err := j.Items(t.Context(), q, id, queue.ItemRange{Limit: 100})
	if err != nil {
		t.Fatalf("items: %v", err)
	}
	return list
}

// ben and eva are agents.
var ben, eva = queue.Agent{ID: "ben", Name: "Ben"}, queue.Agent{ID: "oidc:eva@example.com", Name: "Eva"}

func byAgent(a queue.Agent) queue.Actor { return queue.Actor{Kind: queue.ActorAgent, Agent: a} }

// assign gives a conversation to an agent, whoever has it.
func assign(t testing.TB, j *queue.Journal, id string, to queue.Agent) queue.Conversation {
	t.Helper()
	c, err := j.Assign(t.Context(), q, id, queue.Assignment{To: to, From: queue.AnyAgent})
	if err != nil {
		t.Fatalf("assign: %v", err)
	}
	return c
}

// reply is what an agent says in the party's conversation.
func reply(e queue.Entry, name string, by queue.Agent) queue.Reply {
	return queue.Reply{
		Outgoing: queue.Outgoing{Key: hash(name), Conversation: e.Conversation, Party: hash("party"), Payload: []byte(name)},
		Agent:    by.ID, Said: queue.ReplyData{By: byAgent(by), Text: name, At: at9.Add(time.Hour)},
	}
}

// wantTheirs checks who has a conversation that somebody else reached for.
func wantTheirs(t testing.TB, what string, err error, want queue.Agent) {
	t.Helper()
	if theirs, ok := errors.AsType[*queue.NotTheirsError](err); !ok || theirs.Agent != want {
		t.Errorf("%s: got %v, want it to be %q's", what, err, want.ID)
	}
}

// send claims what is due in an entry's conversation and concludes it.
func send(t testing.TB, j *queue.Journal, e queue.Entry, r queue.Result, detail, receipt string) {
	t.Helper()
	s, err := j.Claim(t.Context(), q, e.Conversation+" "+hash("party"))
	if err != nil || s == nil {
		t.Fatalf("claim: got %v, error %v; want a message", s, err)
	}
	s.Receipt = receipt
	want(t, "conclude", queue.Mine)(j.Conclude(t.Context(), *s, r, detail))
}
