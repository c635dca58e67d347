package queue_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// unsend accepts an unsend of message a, and works on it as the line does.
func unsend(t *testing.T, j *queue.Journal) queue.Trace {
	t.Helper()
	acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
	return workUnsend(t, j, begun(t, j))
}

func workUnsend(t *testing.T, j *queue.Journal, e queue.Entry) queue.Trace {
	t.Helper()
	trace, err := j.Trace(t.Context(), q, hash("message a"))
	if err != nil || !trace.Unsent {
		t.Fatalf("trace: got %+v, %v; want an unsent message", trace, err)
	}
	want(t, "unsend", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("unsent"), Erase: &trace}))
	return trace
}

// holdsNothing checks that no key holds the message's text.
func holdsNothing(t *testing.T, client redis.Cmdable, text string) {
	t.Helper()
	for name, value := range dump(t, client) {
		if strings.Contains(value, text) {
			t.Errorf("%s still holds the text", name)
		}
	}
}

// A message is destroyed wherever it is when its sender takes it back.
func TestUnsendAtEveryMoment(t *testing.T) {
	const text = "what was said"
	message := named(queue.ItemMessage, "a", "a")
	message.Payload = []byte(text)
	end := queue.End{Document: []byte(text), Message: hash("message a"), Party: hash("party")}
	for name, test := range map[string]func(t *testing.T, j *queue.Journal){
		"before it comes": func(t *testing.T, j *queue.Journal) {
			unsend(t, j)
			if got := acceptItems(t, j, message)[0]; got.Fate != queue.FateWithdrawn || !got.New {
				t.Errorf("got %+v, want a new message that is withdrawn", got)
			}
			if got := acceptItems(t, j, message)[0]; got.Fate != queue.FateRepeated {
				t.Errorf("again: got %+v, want a repeat", got)
			}
		},
		"while it waits": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, message, named(queue.ItemUnsend, "unsend", "a"))
			e, u := one(t)(j.Take(t.Context(), q, queue.Words, 1, 0)), one(t)(j.Take(t.Context(), q, queue.Words, 1, 0))
			begin(t, j, &u)
			workUnsend(t, j, u)
			if err := j.Begin(t.Context(), &e, end.Message); !errors.Is(err, queue.ErrWithdrawn) || e.Lost != "" {
				t.Errorf("got %v, want ErrWithdrawn", err)
			}
		},
		"while it is put off": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, message)
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), begun(t, j), queue.Retry{After: time.Hour, Cause: "slow"}))
			unsend(t, j)
			if got := acceptItems(t, j, message)[0]; got.Fate != queue.FateRepeated {
				t.Errorf("again: got %+v, want a repeat", got)
			}
		},
		"while it is worked on": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, message)
			e := begun(t, j)
			unsend(t, j)
			want(t, "complete", queue.Withdrawn)(j.Complete(t.Context(), e, end))
			want(t, "and again", queue.Withdrawn)(j.Complete(t.Context(), e, end))
		},
		"after its worker has died": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, message)
			dead := begun(t, j)
			unsend(t, j)
			e := takeOver(t, j)
			if err := j.Begin(t.Context(), &e, end.Message); !errors.Is(err, queue.ErrWithdrawn) || e.Lost != dead.Attempt {
				t.Errorf("got %v with lost attempt %q, want ErrWithdrawn with %q", err, e.Lost, dead.Attempt)
			}
		},
		"after it was forwarded": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, message)
			e := begun(t, j)
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, end))
			if got := unsend(t, j); !got.Forwarded || !slices.Equal(got.Attempts, []string{e.Attempt}) || got.Key != hash("a") {
				t.Errorf("got %+v, want the trace of what was forwarded", got)
			}
		},
		"as a dead letter": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, message)
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{Cause: "hopeless", Message: hash("message a")}))
			unsend(t, j)
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, address string) {
				client := connect(t, address)
				j := journalOn(t, client, queue.Options{Lease: atOnce})
				test(t, j)
				wantCounts(t, j, counts{delivered: 1})
				if got := delivered(t, client); len(got) != 1 || got[0] != "unsent" {
					t.Errorf("got %q in the agents' queue, want the unsend alone", got)
				}
				if strings.Contains(address, "/") {
					holdsNothing(t, client, text)
				}
			})
		})
	}
}

func TestAnUnsendIsForwardedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		unsend(t, j)
		got := acceptItems(t, j, named(queue.ItemUnsend, "another", "a"), named(queue.ItemEdit, "edit", "a"))
		if got[0].Fate != queue.FateVoid || got[1].Fate != queue.FateWithdrawn {
			t.Errorf("got %+v, want nothing left to unsend or edit", got)
		}
		wantCounts(t, j, counts{delivered: 1})
	})
}

func TestAnEventAboutAMessageIsInItsConversation(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		first := acceptItems(t, j, named(queue.ItemMessage, "a", "a"))[0]
		closing := queue.Item{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")}
		got := acceptItems(t, j, closing, item("b"), named(queue.ItemEdit, "edit", "a"), named(queue.ItemEdit, "stray", "x"))
		if got[0].Conversation != first.Conversation || got[2].Conversation != first.Conversation || got[2].Seq != 1 {
			t.Errorf("got %+v, want close and edit in conversation %s", got, first.Conversation)
		}
		if got[1].Conversation == first.Conversation || got[1].Seq != 1 || got[3].Conversation != got[1].Conversation {
			t.Errorf("got %+v, want a message in a new conversation, and with it what names no message we know", got)
		}
		if again := acceptItems(t, j, closing)[0]; again.Fate != queue.FateRepeated {
			t.Errorf("got %+v, want a repeated close to close nothing", again)
		}
		if next := acceptItems(t, j, item("c"))[0]; next.Conversation != got[1].Conversation || next.Seq != 2 {
			t.Errorf("got %+v, want message 2 of conversation %s", next, got[1].Conversation)
		}
	})
}

func TestAMessageOfAClosedConversationIsLate(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client := connect(t, address)
		j := journalOn(t, client, queue.Options{})
		accept(t, j, "a")
		e := begun(t, j)
		acceptItems(t, j, queue.Item{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")})
		end := queue.End{Document: []byte("in time"), Party: hash("party"), Notice: &queue.Notice{Key: hash("notice")}}
		want(t, "complete", queue.Late)(j.Complete(t.Context(), e, end))
		wantCounts(t, j, counts{inWork: 1, waiting: 1})
		end.Document, end.Late = []byte("late"), true
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, end))
		if got := delivered(t, client); len(got) != 1 || got[0] != "late" {
			t.Errorf("got %q, want the late document", got)
		}
		want(t, "notices", int64(0))(j.Outstanding(t.Context(), q))
	})
}

// A close and the message after it may come in one call.
func TestAMessageBehindACloseOpensAnotherConversation(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		got := acceptItems(t, j, item("a"), queue.Item{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")}, item("b"))
		if got[0].Conversation != got[1].Conversation || got[2].Conversation == got[0].Conversation || got[2].Seq != 1 {
			t.Errorf("got %+v, want the last one in a conversation of its own", got)
		}
	})
}
