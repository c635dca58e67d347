package queue_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// forget forgets the party, with all that comes in the same millisecond.
func forget(t testing.TB, j *queue.Journal) queue.Forgetting {
	t.Helper()
	f, err := j.Forget(t.Context(), q, hash("party"))
	if err != nil {
		t.Fatalf("forget: %v", err)
	}
	for !time.Now().After(f.At.Add(time.Millisecond)) {
	}
	return f
}

// forgetScenarios are scripts that destroy what there is of a party.
func forgetScenarios() []scenario {
	var f queue.Forgetting
	forgotten := func(prepare func(testing.TB, *queue.Journal, redis.Cmdable) queue.Entry) func(testing.TB, *queue.Journal, redis.Cmdable) queue.Entry {
		return func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := prepare(t, j, client)
			f = forget(t, j)
			return e
		}
	}
	event := func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
		got, err := j.ForgetEvent(t.Context(), f, e)
		return got.There, err
	}
	all := []scenario{
		{name: "forgetchat", prepare: forgotten(benHas), moves: true, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			got, err := j.ForgetConversation(t.Context(), f, e.Conversation, []string{hash("answer")})
			return got.Messages, err
		}, derived: append(chatKeys(), agentKey(ben), keyOf("told:"+hash("answer")))},
		{name: "forgetevent", prepare: forgotten(inWork), act: event},
		{name: "forgetevent delayed", prepare: forgotten(func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := putOff(t, j, client)
			e.ID = ""
			return e
		}), act: event},
		{name: "forgetevent with photos", prepare: forgotten(crowdedPhoto), act: event, derived: laneKeys("shop")},
		{name: "forgetletter", prepare: forgotten(diedA), act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.ForgetLetter(t.Context(), f, hash("a"))
		}},
	}
	return append(all, scenario{name: "forget", prepare: inWork, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
		_, err := j.Forget(t.Context(), q, hash("party"))
		return nil, err
	}}, scenario{name: "bury what was forgotten", prepare: forgotten(nothing), act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
		return bury(t, j, queue.Letter{Key: hash("a"), Party: hash("party"), ReceivedAt: f.At, Raw: []byte("words")})
	}}, scenario{name: "accept what was forgotten", prepare: forgotten(nothing), act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
		i := item("a")
		i.ReceivedAt = f.At
		got, err := j.Accept(t.Context(), q, []queue.Item{i})
		return len(got) == 1 && got[0].Fate == queue.FateWithdrawn, err
	}, derived: []string{keyOf("forgotten")}})
}

// allJournaled is all that the journal has.
func allJournaled(t *testing.T, j *queue.Journal) (all []queue.Entry) {
	t.Helper()
	for e, err := range j.Journaled(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// Wherever an event stands, it is found and taken out, and who has it in hand hears
// of it; nobody else's is touched.
func TestForgetEventsWhereverTheyAre(t *testing.T) {
	for name, prepare := range map[string]func(testing.TB, *queue.Journal, redis.Cmdable) queue.Entry{
		"waiting": func(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
			accept(t, j, "a")
			return queue.Entry{}
		},
		"taken": taken, "in work": inWork, "put off": putOff,
		"told": toldInWork, "photos in a window and its line": crowdedPhoto,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := quickRedis(t)
			client := connect(t, address)
			j := journalOn(t, client, queue.Options{PerAccount: 2})
			mine := prepare(t, j, client)
			other := item("other")
			other.Party = hash("somebody else")
			acceptItems(t, j, other)
			f := forget(t, j)
			later := acceptItems(t, j, item("later"))[0]
			inHand := false
			for _, e := range allJournaled(t, j) {
				if e.Key == hash("other") {
					continue
				}
				got, err := j.ForgetEvent(t.Context(), f, e)
				if err != nil || got.There != (e.Key != hash("later")) {
					t.Errorf("%.8s: got %+v, %v", e.Key, got, err)
				}
				inHand = inHand || got.InWork
			}
			if left := allJournaled(t, j); len(left) != 2 || later.Seq != 1 {
				t.Errorf("%d are left, want the other's and the later one, whose number is %d", len(left), later.Seq)
			}
			want := counts{waiting: 2}
			if name == "told" {
				want.delivered = 1 // which is looked through apart
			}
			wantCounts(t, j, want)
			if mine.Attempt == "" || name == "taken" || name == "put off" {
				return
			}
			if !inHand {
				t.Error("nobody is said to have it in hand")
			}
			wantOther(t)(j.Complete(t.Context(), mine, queue.End{Document: []byte("words"), Party: hash("party"), Late: true}))
			if err := j.KeepAlive(t.Context(), mine); !errors.Is(err, queue.ErrFenced) {
				t.Errorf("keep alive: got %v, want %v", err, queue.ErrFenced)
			}
		})
	}
}

func wantOther(t *testing.T) func(queue.Outcome, error) {
	return want(t, "what was forgotten", queue.Other)
}

// What is in work when its party is forgotten has no effect, also before it is found.
func TestWhatIsForgottenHasNoEffect(t *testing.T) {
	end := map[string]func(j *queue.Journal, e queue.Entry) (queue.Outcome, error){
		"complete": func(j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(t.Context(), e, ended(e))
		},
		"die": func(j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(t.Context(), e, queue.End{Cause: "hopeless"})
		},
		"retry": func(j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Retry(t.Context(), e, queue.Retry{Keep: true})
		},
	}
	for name, end := range end {
		for _, prepare := range []func(testing.TB, *queue.Journal, redis.Cmdable) queue.Entry{inWork, photoInWork} {
			client := connect(t, quickRedis(t))
			client.FlushAll(t.Context())
			j := journalOn(t, client, queue.Options{})
			e := prepare(t, j, client)
			e.Party = hash("party")
			forget(t, j)
			want(t, name, queue.Withdrawn)(end(j, e))
			wantCounts(t, j, counts{})
			accept(t, j, "later")
			later := begun(t, j)
			later.Party = hash("party")
			want(t, "later", queue.Mine)(j.Complete(t.Context(), later, ended(later)))
			if c := conversation(t, j, later.Conversation); c.Arrived != 1 || later.Conversation == e.Conversation || c.Previous != "" {
				t.Errorf("%s: got %+v in %s, want one of its own", name, c, later.Conversation)
			}
		}
	}
}

// A message is not told, and what comes out of a spool later is withdrawn.
func TestWhatIsForgottenComesNotBack(t *testing.T) {
	client := connect(t, quickRedis(t))
	j := journalOn(t, client, queue.Options{})
	e := crowdedPhoto(t, j, client)
	e.Party = hash("party")
	f := forget(t, j)
	want(t, "tell", queue.Withdrawn)(j.Tell(t.Context(), e, telling("received")))
	spooled, later := item("spooled"), item("later")
	spooled.ReceivedAt, later.ReceivedAt = f.At, f.At.Add(time.Millisecond)
	got := acceptItems(t, j, spooled, later)
	if got[0].Fate != queue.FateWithdrawn || !got[0].New || got[1].Fate != queue.FateAccepted {
		t.Errorf("got %+v, want the first withdrawn", got)
	}
	for at, isNew := range map[time.Time]bool{f.At: false, f.At.Add(time.Second): true} {
		want(t, "bury", isNew)(bury(t, j, queue.Letter{Key: hash(at.String()), Party: hash("party"), ReceivedAt: at, Raw: []byte("words")}))
	}
}

// A conversation goes with all that was said, and to be said, in it; one of which
// only an edit comes later stays away.
func TestForgetConversations(t *testing.T) {
	client := connect(t, quickRedis(t))
	j := journalOn(t, client, queue.Options{})
	e := replied(t, j, client)
	want(t, "reply", true)(j.Reply(t.Context(), q, reply(e, "another", ben)))
	last, err := j.LastChange(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	f := forget(t, j)
	ids, err := j.TheirConversations(t.Context(), f)
	if err != nil || !slices.Equal(ids, []string{e.Conversation}) {
		t.Fatalf("got %v, %v", ids, err)
	}
	n := 0
	for _, err := range j.ItemsOf(t.Context(), q, e.Conversation) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	got, err := j.ForgetConversation(t.Context(), f, e.Conversation, []string{hash("answer")})
	if err != nil || n != 3 || got != (queue.ForgottenConversation{Messages: 3, Unsaid: 1}) {
		t.Errorf("got %+v of %d, %v", got, n, err)
	}
	if err := j.ConversationDone(t.Context(), f, e.Conversation); err != nil {
		t.Fatal(err)
	}
	if ids, err = j.TheirConversations(t.Context(), f); err != nil || len(ids) != 0 {
		t.Errorf("%v are left, %v", ids, err)
	}
	want(t, "forgotten", true)(j.Forgotten(t.Context(), q, e.Conversation))
	want(t, "another forgotten", false)(j.Forgotten(t.Context(), q, hash("another")[:32]))
	changes, err := j.Changes(t.Context(), q, last, 10, 0)
	if err != nil || len(changes) != 1 || !changes[0].Gone || changes[0].Agent != ben.ID {
		t.Errorf("got %+v, %v", changes, err)
	}
	for key, result := range map[string]queue.Result{"answer": queue.ResultSent, "another": queue.ResultFailed} {
		if got, detail, err := j.Told(t.Context(), q, hash(key)); err != nil || got != result || detail != "the consumer was forgotten" {
			t.Errorf("%s: got %s, %q, %v", key, got, detail, err)
		}
	}
	acceptItems(t, j, named(queue.ItemEdit, "edit", "a"))
	want(t, "edit", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{Document: []byte("edited"), Chat: editOf("a", "anew", 1)}))
	if _, err := j.Conversation(t.Context(), q, e.Conversation); !errors.Is(err, queue.ErrNoConversation) {
		t.Errorf("after an edit: got %v, want %v", err, queue.ErrNoConversation)
	}
}
