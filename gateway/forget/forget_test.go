package forget_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/gateway/forget"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/store"
)

var (
	canary = person{"Ucanary71c4", "line/acme", bot}
	other  = person{"Uother", "line/acme", bot}
	// namesake is another person, who has the canary's id on another account.
	namesake = person{"Ucanary71c4", "line/shop", "Bot2"}
)

// filled is a world in which two people are everywhere.
func filled(t *testing.T, address string, people ...person) (*world, map[person][]queue.Entry) {
	t.Helper()
	w, inHand := newWorld(t, address), map[person][]queue.Entry{}
	for _, p := range people {
		inHand[p] = w.everywhere(p)
	}
	for _, p := range people {
		w.wait(p)
	}
	return w, inHand
}

const everything = "[{line/acme dead letters 3} {line/acme messages that waited 8} {line/acme conversations 1} {line/acme messages in conversations 3}" +
	" {line/acme messages not sent yet 1} {line/acme closed conversations in the archive 1} {line/acme entries in the agents' queue 3} {line/acme photos 2}]"

// TestNothingIsLeft of somebody who was everywhere, and all of everybody else.
func TestNothingIsLeft(t *testing.T) {
	w, inHand := filled(t, queuetest.Redis(t), canary, other)
	if got := w.count(canary, ""); got != everything {
		t.Errorf("there is\n%s, want\n%s", got, everything)
	}
	before, pictures := w.count(other, ""), w.pictures()
	if w.holds(canary) == nil || len(pictures) != 10 {
		t.Fatalf("%v, %d attempts with pictures, so this test proves nothing", w.holds(canary), len(pictures))
	}
	r, err := w.forgetter().Forget(t.Context(), q, canary.who())
	if err != nil {
		t.Fatal(err)
	}
	want := "[{line/acme dead letters 3} {line/acme messages that waited 6} {line/acme messages in work 2} {line/acme conversations 1} {line/acme messages in conversations 3}" +
		" {line/acme messages not sent yet 1} {line/acme closed conversations in the archive 1} {line/acme entries in the agents' queue 3} {line/acme photos 2}]"
	if got := fmt.Sprint(r.Found()); got != want {
		t.Errorf("destroyed\n%s, want\n%s", got, want)
	}
	w.wantForgotten(canary, inHand[canary])
	if got := w.count(other, ""); got != before || len(w.pictures()) != 5 {
		t.Errorf("of the other there is\n%s and %d attempts' pictures, want\n%s and 5", got, len(w.pictures()), before)
	}
	w.wantAlive(other, inHand[other])
}

// wantForgotten checks that nothing is left of a person, and that what a worker has in
// hand has no effect.
func (w *world) wantForgotten(p person, inHand []queue.Entry) {
	w.t.Helper()
	for _, e := range inHand {
		for _, end := range []queue.End{{Document: []byte(p.id), Party: p.party(), Late: true}, {Cause: "hopeless"}} {
			if got, err := w.journal.Complete(w.t.Context(), e, end); err != nil || got == queue.Mine {
				w.t.Errorf("what was in work ends as %v, %v", got, err)
			}
		}
	}
	if list := w.holds(p); len(list) > 0 {
		w.t.Errorf("something is left at %v", list)
	}
	if got := w.count(p, ""); got != "[]" {
		w.t.Errorf("there is still %s", got)
	}
	if n := w.unaccounted(); n != 0 {
		w.t.Errorf("%d events are not accounted for", n)
	}
}

// wantAlive checks that a person's messages in hand still have their effect, and that
// a message that follows is theirs.
func (w *world) wantAlive(p person, inHand []queue.Entry) {
	w.t.Helper()
	for i, e := range inHand {
		w.end(p, e, fmt.Sprint(i), "")
	}
	if n := w.unaccounted(); n != 0 {
		w.t.Errorf("%d events are not accounted for", n)
	}
}

// A consumer who writes again is somebody new.
func TestWhoWritesAgainIsNew(t *testing.T) {
	w, _ := filled(t, queuetest.Redis(t), canary)
	open, err := w.journal.ConversationsOf(t.Context(), q, canary.party())
	if err != nil || len(open) == 0 {
		t.Fatal(open, err)
	}
	if _, err := w.forgetter().Forget(t.Context(), q, canary.who()); err != nil {
		t.Fatal(err)
	}
	e := w.begin(canary, "again", true)
	w.end(canary, e, "again", "", w.picture(canary, e))
	c, err := w.journal.Conversation(t.Context(), q, e.Conversation)
	if err != nil || e.Seq != 1 || slices.Contains(open, c.ID) || c.Previous != "" || c.Partial {
		t.Errorf("got %+v, %v, and seq %d; want a conversation of its own", c, err, e.Seq)
	}
	if len(w.pictures()) != 1 {
		t.Errorf("there are %d attempts' pictures, want one", len(w.pictures()))
	}
}

// An id is unique only within an account, and an account need not be configured.
func TestOnlyTheAccountThatIsMeant(t *testing.T) {
	for _, only := range []string{"line/acme", "line/shop", "line/former"} {
		t.Run(only, func(t *testing.T) {
			meant, left := canary, namesake
			former := person{canary.id, "line/former", "Bot3"}
			if only == "line/shop" {
				meant, left = namesake, canary
			}
			if only == "line/former" {
				meant, left = former, canary
			}
			w, inHand := filled(t, queuetest.Redis(t), meant, left)
			before := w.count(left, left.account)
			who := meant.who()
			who.Only = only
			if _, err := w.forgetter().Forget(t.Context(), q, who); err != nil {
				t.Fatal(err)
			}
			if got := w.count(meant, only); got != "[]" {
				t.Errorf("there is still %s", got)
			}
			if got := w.count(left, left.account); got != before {
				t.Errorf("of the other account there is\n%s, want\n%s", got, before)
			}
			w.wantAlive(left, inHand[left])
			if n := len(w.pictures()); n != 5 {
				t.Errorf("there are %d attempts' pictures, want 5", n)
			}
		})
	}
}

// cutStore is a store that ends with the run.
type cutStore struct {
	*queuetest.Scissors
	*store.Sealed
}

func (c cutStore) DeleteAttempt(ctx context.Context, queue, attempt string) error {
	return c.Cut(func() error { return c.Sealed.DeleteAttempt(ctx, queue, attempt) })
}

type cutDocuments struct {
	*queuetest.Scissors
	store.Documents
}

func (c cutDocuments) Delete(ctx context.Context, name string) error {
	return c.Cut(func() error { return c.Documents.Delete(ctx, name) })
}

// cutForgetter is one whose calls are counted and cut.
func (w *world) cutForgetter(s *queuetest.Scissors) *forget.Forgetter {
	j := w.journalOn(s)
	return &forget.Forgetter{Journal: j, Store: cutStore{s, w.store}, Archive: w.archiveOn(j, cutDocuments{s, w.store.Documents()})}
}

// TestInterrupted runs end at each of their calls, before or after its effect; one
// that is not interrupted brings it to the same end.
func TestInterrupted(t *testing.T) {
	address := queuetest.Redis(t)
	w, _ := filled(t, address, canary, other)
	whole := new(queuetest.Scissors)
	if _, err := w.cutForgetter(whole).Forget(t.Context(), q, canary.who()); err != nil {
		t.Fatal(err)
	}
	const stride = 9
	for at := 1; at <= whole.Calls(); at += stride {
		after := at/stride%2 == 1
		t.Run(fmt.Sprintf("at %d of %d, after %v", at, whole.Calls(), after), func(t *testing.T) {
			w, inHand := filled(t, address, canary, other)
			before := w.count(other, "")
			if _, err := w.cutForgetter(&queuetest.Scissors{At: at, After: after}).Forget(t.Context(), q, canary.who()); err != nil && !errors.Is(err, queuetest.ErrCut) || err == nil && at < whole.Calls()/2 {
				t.Fatalf("got %v, want it interrupted", err) // but near its end: not all runs are as long
			}
			for again := 5; again < 1000; again += 41 { // and once more, further on
				if _, err := w.cutForgetter(&queuetest.Scissors{At: again}).Forget(t.Context(), q, canary.who()); err == nil {
					break
				}
			}
			if _, err := w.forgetter().Forget(t.Context(), q, canary.who()); err != nil {
				t.Fatal(err)
			}
			w.wantForgotten(canary, inHand[canary])
			if got := w.count(other, ""); got != before || len(w.pictures()) != 5 {
				t.Errorf("of the other there is\n%s and %d attempts' pictures, want\n%s and 5", got, len(w.pictures()), before)
			}
		})
	}
}

// TestWords: what stands behind a number is one or many.
func TestWords(t *testing.T) {
	want := []string{
		"message in the spool", "dead letter", "message that waited", "message in work", "conversation", "message in conversations",
		"message not sent yet", "closed conversation in the archive", "entry in the agents' queue", "photo",
	}
	for i, place := range forget.Places() {
		if one, two := place.Words(1), place.Words(2); one != want[i] || two != string(place) {
			t.Errorf("%s: got %q and %q, want %q", place, one, two, want[i])
		}
	}
}
