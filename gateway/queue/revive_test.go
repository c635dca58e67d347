package queue_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// letter returns the dead letter of event a.
func letter(t testing.TB, j *queue.Journal) queue.Letter {
	t.Helper()
	found, err := j.FindLetters(t.Context(), q, hash("a"), 2)
	if err != nil || len(found) != 1 {
		t.Fatalf("got %d letters, error %v; want one", len(found), err)
	}
	return found[0]
}

func dies(t testing.TB, j *queue.Journal, e queue.Entry, end queue.End) {
	t.Helper()
	end.Cause = "hopeless"
	want(t, "die", queue.Mine)(j.Complete(t.Context(), e, end))
}

// diedA leaves message a, which has no photos, as a dead letter that nobody was
// told of.
func diedA(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
	dies(t, j, inWork(t, j, client), queue.End{Message: hash("message a")})
	return queue.Entry{}
}

// diedTold leaves message a, which has photos, as a dead letter whose text has
// reached the agents with its photos given up.
func diedTold(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
	dies(t, j, photoInWork(t, j, client), queue.End{
		Message: hash("message a"), Party: hash("party"), Document: []byte("received"), Named: hash("named")[:32],
	})
	return queue.Entry{}
}

func TestARevivedLetterIsWorkedOnAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		accept(t, j, "a")
		e := begun(t, j)
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{}))
		want(t, "due", 1)(j.Due(t.Context(), q, 1))
		dies(t, j, begun(t, j), queue.End{})
		l := letter(t, j)
		want(t, "revive", queue.Mine)(j.Revive(t.Context(), q, l))
		want(t, "revive again", queue.Other)(j.Revive(t.Context(), q, l))
		wantCounts(t, j, counts{waiting: 1})
		if again := accept(t, j, "a"); again[0].New {
			t.Error("a platform's repeat was accepted")
		}
		got := begun(t, j)
		if got.Key != e.Key || string(got.Payload) != "a" || got.Conversation != e.Conversation || got.Seq != e.Seq ||
			!got.AcceptedAt.Equal(e.AcceptedAt) || got.Tries != 0 || got.Starts != 1 || got.Told != "" {
			t.Errorf("got %+v, want %+v with all its tries before it", got, e)
		}
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), got, queue.End{Document: []byte("received")}))
		wantCounts(t, j, counts{delivered: 1})
	})
}

// What agents know already does not come again: only its photos follow, and they
// can die and be retried as often as anybody likes.
func TestOnlyThePhotosFollowAMessageThatWasTold(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client := journal(t, address, queue.Options{}), connect(t, address)
		diedTold(t, j, client)
		first := letter(t, j)
		for range 2 {
			want(t, "revive", queue.Mine)(j.Revive(t.Context(), q, letter(t, j)))
			want(t, "tell", queue.Other)(j.Tell(t.Context(), queue.Entry{Queue: q, Key: hash("a")}, telling("a second received")))
			e := beginPhoto(t, j, "a")
			if e.Told != hash("named")[:32] || !slices.Contains(e.Kept, first.Attempt) {
				t.Fatalf("got %+v, want it told under the name that agents know, with the first attempt's pictures", e)
			}
			end := queue.End{Message: hash("message a"), Party: hash("party"), Document: []byte("a second received")}
			want(t, "as if it had not been told", queue.Told)(j.Complete(t.Context(), e, end))
			end.Told, end.Document = e.Told, []byte("settled")
			dies(t, j, e, end)
		}
		want(t, "revive", queue.Mine)(j.Revive(t.Context(), q, letter(t, j)))
		last := beginPhoto(t, j, "a")
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), last, queue.End{
			Message: hash("message a"), Document: []byte("settled"), Told: last.Told,
		}))
		if got, want := delivered(t, client), []string{"received", "settled", "settled", "settled"}; !slices.Equal(got, want) {
			t.Errorf("agents got %q, want %q", got, want)
		}
		wantCounts(t, j, counts{delivered: 4})
		acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
		trace := workUnsend(t, j, begun(t, j))
		if !slices.Contains(trace.Attempts, first.Attempt) || !slices.Contains(trace.Attempts, last.Attempt) {
			t.Errorf("the unsend finds %q, want the pictures of the first attempt, %s, and of the last, %s", trace.Attempts, first.Attempt, last.Attempt)
		}
		if got := delivered(t, client); !slices.Equal(got, []string{"unsent"}) {
			t.Errorf("agents still find %q after the unsend", got)
		}
	})
}

// Whoever lost the reply to the end of an entry must not take away what the
// revived letter names.
func TestTheEndOfARevivedLetterIsRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		e, end := photoInWork(t, j, nil), queue.End{Message: hash("message a"), Document: []byte("received")}
		dies(t, j, e, end)
		want(t, "revive", queue.Mine)(j.Revive(t.Context(), q, letter(t, j)))
		dies(t, j, e, end)
		want(t, "another end", queue.Other)(j.Complete(t.Context(), e, end))
		wantCounts(t, j, counts{waiting: 1, delivered: 1})
	})
}

func TestWhatAgentsHaveInFullIsNotRevived(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		accept(t, j, "a")
		dies(t, j, begun(t, j), queue.End{Document: []byte("received")})
		want(t, "revive", queue.Told)(j.Revive(t.Context(), q, letter(t, j)))
		wantCounts(t, j, counts{dead: 1, delivered: 1})
	})
}

func TestAnUnsentMessageIsNotRevived(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client := journal(t, address, queue.Options{}), connect(t, address)
		diedTold(t, j, client)
		l := letter(t, j)
		acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
		want(t, "revive", queue.Withdrawn)(j.Revive(t.Context(), q, l))
		wantCounts(t, j, counts{waiting: 1, delivered: 1}) // the unsend itself, which has not been worked on
		workUnsend(t, j, begun(t, j))
		want(t, "revive behind it", queue.Other)(j.Revive(t.Context(), q, l))
	})
}

// Marks expire long before letters do.
func TestALetterWhoseMarkHasExpired(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client, slot := journal(t, address, queue.Options{}), connect(t, address), "{"+queue.Stream(q)+"}:"
		diedTold(t, j, client)
		client.Del(t.Context(), slot+"seen:"+hash("a"), slot+"message:"+hash("message a"))
		l := letter(t, j)
		want(t, "revive", queue.Mine)(j.Revive(t.Context(), q, l))
		e := beginPhoto(t, j, "a")
		if e.Told != l.Told || !slices.Contains(e.Kept, l.Attempt) {
			t.Errorf("got %+v, want it told as the letter says", e)
		}
		acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
		want(t, "complete", queue.Withdrawn)(j.Complete(t.Context(), e, queue.End{Message: hash("message a"), Told: l.Told, Document: []byte("settled")}))
		trace := workUnsend(t, j, begun(t, j))
		if !slices.Contains(trace.Attempts, l.Attempt) {
			t.Errorf("the unsend finds %q, want the pictures of the attempt that died", trace.Attempts)
		}
	})
}

// After its mark, a platform's repeat is something new; its letter must not make
// it two.
func TestALetterOfWhatWasAcceptedAnewIsRemoved(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		for name, repeat := range map[string]func(t *testing.T, j *queue.Journal){
			"without photos": func(t *testing.T, j *queue.Journal) { accept(t, j, "a") },
			"with photos":    func(t *testing.T, j *queue.Journal) { photos(t, j, "shop", "a") },
		} {
			j, client := journal(t, address, queue.Options{}), connect(t, address)
			client.FlushAll(t.Context())
			if err := j.EnsureQueue(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			diedA(t, j, client)
			client.Del(t.Context(), "{"+queue.Stream(q)+"}:seen:"+hash("a"))
			repeat(t, j)
			want(t, name, queue.Other)(j.Revive(t.Context(), q, letter(t, j)))
			wantCounts(t, j, counts{waiting: 1})
		}
	})
}

func TestReviveRefusesWhatNeverWasInTheJournal(t *testing.T) {
	t.Parallel()
	j := journal(t, queuetest.Redis(t), queue.Options{})
	buriedA(t, j, nil)
	good := queue.Letter{Key: hash("a"), Conversation: hash("c"), Attempt: hash("t")}
	for name, edit := range map[string]func(*queue.Letter){
		"buried":    func(l *queue.Letter) { *l = letter(t, j) },
		"key":       func(l *queue.Letter) { l.Key = "../x" },
		"lane":      func(l *queue.Letter) { l.Lane = "../x" },
		"too large": func(l *queue.Letter) { l.Raw = make([]byte, queue.MaxPayload+1) },
	} {
		l := good
		edit(&l)
		if _, err := j.Revive(t.Context(), q, l); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

// The count's key is made by the scripts, and is looked at like those that they
// are given.
func TestEachScriptWritesNothingIfTheCountHasAWrongType(t *testing.T) {
	t.Parallel()
	client := connect(t, queuetest.Redis(t))
	key, refused := "{"+queue.Stream(q)+"}:counts", map[string]bool{}
	for _, s := range scenarios() {
		client.FlushAll(t.Context())
		j := journalOn(t, client, queue.Options{})
		e := s.prepare(t, j, client)
		client.Del(t.Context(), key)
		client.SAdd(t.Context(), key, "a set")
		before := dump(t, client)
		if _, err := s.act(t, j, e); err == nil {
			continue
		}
		refused[strings.Fields(s.name)[0]] = true
		if got := changed(before, dump(t, client)); len(got) != 0 && s.name != "lost" { // whose call takes the entry first
			t.Errorf("%s has changed %v", s.name, got)
		}
	}
	for _, name := range []string{"accept", "begin", "complete", "retry", "lost", "revive", "ensure", "stats", "due", "lanes"} {
		if !refused[name] {
			t.Errorf("%s did not look at the count's key", name)
		}
	}
}

// The letter of an edit names the message too, which stays what it was.
func TestARevivedEditIsNotTheMessage(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		for name, before := range map[string][]queue.Item{
			"of a message":               {named(queue.ItemMessage, "message", "a")},
			"of a message yet to come":   nil,
			"of a message that was sent": {named(queue.ItemMessage, "message", "a"), named(queue.ItemEdit, "edit", "a")},
		} {
			j, client := journal(t, address, queue.Options{}), connect(t, address)
			client.FlushAll(t.Context())
			if err := j.EnsureQueue(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			acceptItems(t, j, append(before, named(queue.ItemEdit, "a", "a"))...)
			entries, err := j.Take(t.Context(), q, queue.Words, 10, 0)
			if err != nil {
				t.Fatal(err)
			}
			last := entries[len(entries)-1]
			begin(t, j, &last)
			dies(t, j, last, queue.End{Message: hash("message a")})
			was := client.Get(t.Context(), keyOf("message:"+hash("message a"))).Val()
			want(t, name, queue.Mine)(j.Revive(t.Context(), q, letter(t, j)))
			if got := client.Get(t.Context(), keyOf("message:"+hash("message a"))).Val(); got != was {
				t.Errorf("%s: its name is %q after the revival, and was %q", name, got, was)
			}
		}
	})
}
