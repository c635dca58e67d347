package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// scenario is one script at work: what must be there before, and the call.
type scenario struct {
	name    string
	prepare func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry
	act     func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error)
	// moves marks a script that needs no mark of its own, because its repeat
	// finds nothing left to do; it answers that, and not what it did before.
	moves bool
	// reads marks a script that writes nothing.
	reads bool
	// derived are keys that the script makes of others, in a slot's own words.
	derived []string
	// looks marks a call that reads a conversation before it runs its script.
	looks bool
	// asks marks a call that asks Redis something before it runs its script.
	asks bool
	// touches marks a script whose repeat starts an entry's lease anew.
	touches bool
	// apart marks a script on keys that belong to no queue.
	apart bool
}

func nothing(testing.TB, *queue.Journal, redis.Cmdable) queue.Entry { return queue.Entry{} }

func taken(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
	accept(t, j, "a")
	return take(t, j)
}

func inWork(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
	accept(t, j, "a")
	return begun(t, j)
}

func putOff(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
	e := inWork(t, j, client)
	want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{Cause: "slow"}))
	return e
}

func noStreams(t testing.TB, _ *queue.Journal, client redis.Cmdable) queue.Entry {
	if err := client.Del(t.Context(), queue.Stream(q), "{"+queue.Stream(q)+"}:inbox").Err(); err != nil {
		t.Fatal(err)
	}
	return queue.Entry{}
}

// named makes an item about the message of a name.
func named(kind queue.ItemKind, name, message string) queue.Item {
	i := item(name)
	i.Kind, i.Message = kind, hash("message "+message)
	return i
}

// delivered1 leaves message a in the agents' queue.
func delivered1(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
	acceptItems(t, j, named(queue.ItemMessage, "a", "a"))
	want(t, "complete", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{Document: []byte("document")}))
	return queue.Entry{}
}

// buriedA leaves a dead letter that never was in the journal.
func buriedA(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
	want(t, "bury", true)(bury(t, j, queue.Letter{Key: hash("a"), Raw: []byte("raw")}))
	return queue.Entry{}
}

// talk is the conversation of what is posted.
var talk = hash("conversation") + " " + hash("party")

func outgoing(name string) queue.Outgoing {
	return queue.Outgoing{Key: hash(name), Conversation: hash("conversation"), Party: hash("party"), Payload: []byte(name)}
}

func posted(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
	want(t, "post", true)(j.Post(t.Context(), q, outgoing("a")))
	return queue.Entry{}
}

// claim takes what is due to be sent.
func claim(t testing.TB, j *queue.Journal) queue.Sending {
	t.Helper()
	s, err := j.Claim(t.Context(), q, talk)
	if err != nil || s == nil {
		t.Fatalf("claim: got %v, error %v; want a message", s, err)
	}
	return *s
}

// scenarios are all scripts.
func scenarios() []scenario {
	var trace queue.Trace     // of what is being unsent
	var sending queue.Sending // what is being sent
	var dead queue.Letter     // what is being revived
	died := func(prepare func(testing.TB, *queue.Journal, redis.Cmdable) queue.Entry) func(testing.TB, *queue.Journal, redis.Cmdable) queue.Entry {
		return func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			prepare(t, j, client)
			dead = letter(t, j)
			return queue.Entry{}
		}
	}
	claimed := func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
		posted(t, j, client)
		sending = claim(t, j)
		return queue.Entry{}
	}
	return append(slices.Concat(photoScenarios(), sessionScenarios(), chatScenarios(), agentScenarios(), forgetScenarios()), []scenario{
		{name: "accept", prepare: nothing, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			got, err := j.Accept(t.Context(), q, []queue.Item{item("a"), item("b"), {Kind: queue.ItemMessage, Key: hash("c"), Party: hash("other")}})
			for i := range got {
				got[i].Conversation = "" // random
			}
			return fmt.Sprint(got), err
		}},
		{name: "begin", prepare: taken, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			err := j.Begin(t.Context(), &e, "")
			return e.Starts, err
		}},
		{name: "keepalive", prepare: inWork, touches: true, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return nil, j.KeepAlive(t.Context(), e)
		}},
		{name: "accept about messages", prepare: delivered1, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			got, err := j.Accept(t.Context(), q, []queue.Item{
				named(queue.ItemEdit, "edit", "a"), named(queue.ItemUnsend, "unsend", "a"), named(queue.ItemUnsend, "again", "a"),
				named(queue.ItemEdit, "too late", "a"), named(queue.ItemMessage, "twice", "a"), named(queue.ItemUnsend, "early", "b"),
				{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")}, {Kind: queue.ItemClose, Key: hash("closed"), Party: hash("party")},
			})
			fates := make([]queue.Fate, len(got))
			for i := range got {
				fates[i] = got[i].Fate
			}
			return fmt.Sprint(fates), err
		}},
		{name: "begin what was unsent", prepare: func(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
			acceptItems(t, j, named(queue.ItemMessage, "a", "a"))
			e := take(t, j)
			acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
			return e
		}, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			err := j.Begin(t.Context(), &e, hash("message a"))
			if errors.Is(err, queue.ErrWithdrawn) {
				err = nil
			}
			return e.Lost, err
		}},
		{name: "complete", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Complete(t.Context(), e, queue.End{Document: []byte("document")})
		}},
		{name: "complete with a notice", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Complete(t.Context(), e, queue.End{
				Document: []byte("document"), Message: hash("message a"), Party: hash("party"),
				Notice: &queue.Notice{Key: hash("notice"), Payload: []byte("too large")},
			})
		}},
		{name: "complete an unsend", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			delivered1(t, j, client)
			acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
			var err error
			if trace, err = j.Trace(t.Context(), q, hash("message a")); err != nil {
				t.Fatal(err)
			}
			return begun(t, j)
		}, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Complete(t.Context(), e, queue.End{Document: []byte("unsent"), Erase: &trace})
		}},
		{name: "complete what was unsent", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			acceptItems(t, j, named(queue.ItemMessage, "a", "a"))
			e := begun(t, j)
			acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
			return e
		}, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Complete(t.Context(), e, queue.End{Document: []byte("document"), Message: hash("message a")})
		}},
		{name: "complete as a dead letter", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Complete(t.Context(), e, queue.End{Cause: "hopeless", Document: []byte("document")})
		}},
		{name: "post", prepare: nothing, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Post(t.Context(), q, outgoing("a"))
		}},
		{name: "claim", prepare: posted, touches: true, derived: []string{keyOf("told:" + hash("a"))}, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			s, err := j.Claim(t.Context(), q, talk)
			if s == nil {
				return nil, err
			}
			return fmt.Sprint(s.Key, s.Interrupted, s.Tries, s.Part, s.Open, string(s.Payload)), err
		}},
		{name: "conclude", prepare: claimed, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Conclude(t.Context(), sending, queue.ResultSent, "id")
		}},
		{name: "conclude by another try", prepare: claimed, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.PutOff(t.Context(), sending, time.Hour)
		}},
		{name: "conclude by giving back", prepare: claimed, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.GiveBack(t.Context(), sending, time.Hour)
		}},
		{name: "retry", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Retry(t.Context(), e, queue.Retry{Cause: "slow"})
		}},
		{name: "release begun", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return nil, j.Release(t.Context(), e)
		}},
		{name: "release not begun", prepare: taken, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return nil, j.Release(t.Context(), e)
		}},
		{name: "due", prepare: putOff, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Due(t.Context(), q, 5)
		}},
		{name: "bury", prepare: nothing, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return bury(t, j, queue.Letter{Key: hash("a"), Cause: "broken", Raw: []byte("raw")})
		}},
		{name: "expire", prepare: func(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
			want(t, "bury", true)(bury(t, j, queue.Letter{Key: hash("a")}))
			waitAMillisecond(t, j)
			return queue.Entry{}
		}, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Expire(t.Context(), q, 0, 5)
		}},
		{name: "drop", prepare: buriedA, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.DropLetters(t.Context(), q, hash("a"))
		}},
		{name: "unbury", prepare: buriedA, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Unbury(t.Context(), q, hash("a"))
		}},
		{name: "revive", prepare: died(diedA), act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Revive(t.Context(), q, dead)
		}},
		{name: "revive what was told", prepare: died(diedTold), act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Revive(t.Context(), q, dead)
		}},
		{name: "childdied", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.ChildDied(t.Context(), e, 3)
		}},
		{name: "ensure", prepare: noStreams, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return nil, j.EnsureQueue(t.Context(), q)
		}},
		{name: "leave", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := inWork(t, j, client)
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
			return e
		}, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return nil, j.Close(t.Context())
		}},
		{name: "stats", prepare: inWork, reads: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			s, err := j.Stats(t.Context(), q)
			return s.InWork, err
		}},
	}...)
}

// waitAMillisecond waits until the oldest dead letter has an age.
func waitAMillisecond(t testing.TB, j *queue.Journal) {
	t.Helper()
	gatewaytest.Await(t, "a letter has an age", func() bool {
		s, err := j.Stats(t.Context(), q)
		return err == nil && s.OldestDead > 0
	})
}
