package queue_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Messages that are older than they are kept leave a conversation that stays open.
func TestOutdate(t *testing.T) {
	t.Parallel()
	client := connect(t, quickRedis(t))
	j := journalOn(t, client, queue.Options{})
	e := write(t, j, "a", "b", "c", "d") // received a minute after another
	c := assign(t, j, e.Conversation, ben)
	want(t, "reply", true)(j.Reply(t.Context(), q, reply(e, "answer", ben))) // of an hour later
	before := items(t, j, c.ID)
	for _, row := range []struct {
		cutoff     time.Time
		gone, left int
		unread     int64
		last       string
	}{
		{at9, 0, 5, 4, "answer"},
		{before[2].At(), 2, 3, 2, "answer"}, // of the very time stays
		{before[2].At(), 0, 3, 2, "answer"},
		{at9.Add(time.Hour), 2, 1, 0, "answer"},
		{at9.Add(2 * time.Hour), 1, 0, 0, ""},
		{at9.Add(3 * time.Hour), 0, 0, 0, ""},
	} {
		was := conversation(t, j, c.ID)
		place, err := j.LastChange(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n, err := j.Outdate(t.Context(), q, c.ID, row.cutoff)
		left, now := items(t, j, c.ID), conversation(t, j, c.ID)
		if err != nil || n != row.gone || !slices.EqualFunc(left, before[len(before)-row.left:], func(a, b queue.ConversationItem) bool { return reflect.DeepEqual(a, b) }) {
			t.Errorf("before %v: got %d, %v, and %d are left; want %d, and the last %d as they were", row.cutoff, n, err, len(left), row.gone, row.left)
		}
		if now.Unread() != row.unread || now.Last.Text != row.last || now.State != queue.ConversationAssigned || (now.Version > was.Version) != (n > 0) {
			t.Errorf("before %v: the head is %+v", row.cutoff, now)
		}
		if told, err := j.Changes(t.Context(), q, place, 10, 0); err != nil || len(told) != min(n, 1) {
			t.Errorf("before %v: got %d changes, %v, want that it is told once", row.cutoff, len(told), err)
		}
	}
	// It goes on where it was: numbers, positions and the pointer.
	next := write(t, j, "e")
	if left := items(t, j, c.ID); next.Conversation != c.ID || len(left) != 1 || left[0].Position != queue.Position(5) || left[0].Arrival != 5 {
		t.Errorf("the next message: got %+v in %s, want the fifth in %s", left, next.Conversation, c.ID)
	}
	want(t, "reply", true)(j.Reply(t.Context(), q, reply(e, "another", ben)))
	for _, field := range client.HKeys(t.Context(), "{"+queue.Stream(q)+"}:chat:"+c.ID+":items").Val() {
		if slices.Contains([]string{hash("a"), hash("answer")}, field[:64]) {
			t.Errorf("%s is left", field)
		}
	}
}

// Pages go on where they were while what is before them is destroyed.
func TestOutdateWhileSomebodyPages(t *testing.T) {
	t.Parallel()
	j := journalOn(t, connect(t, quickRedis(t)), queue.Options{})
	e := write(t, j, "a", "b", "c", "d", "e", "f")
	page, more, err := j.Items(t.Context(), q, e.Conversation, queue.ItemRange{Limit: 2})
	if err != nil || !more || len(page) != 2 {
		t.Fatalf("got %d items, more: %t, %v", len(page), more, err)
	}
	if n, err := j.Outdate(t.Context(), q, e.Conversation, at9.Add(4*time.Minute)); err != nil || n != 3 {
		t.Fatalf("got %d, %v, want three gone", n, err)
	}
	before, more, err := j.Items(t.Context(), q, e.Conversation, queue.ItemRange{Before: page[0].Position, Limit: 2})
	if err != nil || more || len(before) != 1 || before[0].ID != hash("d") {
		t.Errorf("the page before: got %+v, more: %t, %v, want what is left", before, more, err)
	}
	closing(t, j, e.Conversation)
	if n, err := j.Outdate(t.Context(), q, e.Conversation, at9.AddDate(1, 0, 0)); err != nil || n != 0 {
		t.Errorf("of a closed one: got %d, %v, want that it is left to the archive", n, err)
	}
	if n, err := j.Outdate(t.Context(), q, hash("none")[:32], at9); err != nil || n != 0 {
		t.Errorf("of none: got %d, %v", n, err)
	}
}
