package queue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// An edit holds words of the message too, and shares its fate.
func TestAnUnsendDestroysTheEditsToo(t *testing.T) {
	const text = "what was said anew"
	edit := func(name string) queue.Item {
		i := named(queue.ItemEdit, name, "a")
		i.Payload = []byte(text)
		return i
	}
	forward := queue.End{Document: []byte(text), Message: hash("message a")}
	for name, test := range map[string]func(t *testing.T, j *queue.Journal){
		"that were forwarded": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, named(queue.ItemMessage, "a", "a"))
			want(t, "message", queue.Mine)(j.Complete(t.Context(), begun(t, j), forward))
			for _, name := range []string{"edit 1", "edit 2"} {
				acceptItems(t, j, edit(name))
				want(t, name, queue.Mine)(j.Complete(t.Context(), begun(t, j), forward))
			}
		},
		"that came before the message": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, edit("edit"))
			want(t, "edit", queue.Mine)(j.Complete(t.Context(), begun(t, j), forward))
			acceptItems(t, j, named(queue.ItemMessage, "a", "a"))
			want(t, "message", queue.Mine)(j.Complete(t.Context(), begun(t, j), forward))
		},
		"of a message that never came": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, edit("edit"))
			want(t, "edit", queue.Mine)(j.Complete(t.Context(), begun(t, j), forward))
		},
		"that are dead letters": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, edit("edit"))
			want(t, "edit", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{Cause: "hopeless", Message: hash("message a")}))
		},
		"that are put off": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, edit("edit"))
			want(t, "edit", queue.Mine)(j.Retry(t.Context(), begun(t, j), queue.Retry{After: time.Hour, Cause: "its message has not come"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, address string) {
				client := connect(t, address)
				j := journalOn(t, client, queue.Options{Lease: atOnce})
				test(t, j)
				unsend(t, j)
				wantCounts(t, j, counts{delivered: 1})
				if got := delivered(t, client); len(got) != 1 || got[0] != "unsent" {
					t.Errorf("got %q in the agents' queue, want the unsend alone", got)
				}
				for _, key := range []string{"edit", "edit 1"} {
					if got := acceptItems(t, j, edit(key))[0]; got.Fate == queue.FateAccepted {
						t.Errorf("%s again: got %+v, want nothing new", key, got)
					}
				}
			})
		})
	}
}

// Agents end with the last edit's text only if none comes before an older one.
func TestAnEditIsBehindOlderOnes(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		acceptItems(t, j, named(queue.ItemMessage, "a", "a"), named(queue.ItemEdit, "1", "a"), named(queue.ItemEdit, "2", "a"), named(queue.ItemEdit, "3", "a"))
		entries, err := j.Take(t.Context(), q, queue.Words, 10, 0)
		if err != nil || len(entries) != 4 {
			t.Fatalf("took %d, %v", len(entries), err)
		}
		behind := func(want string) {
			t.Helper()
			trace, err := j.Trace(t.Context(), q, hash("message a"))
			got := ""
			for _, name := range []string{"1", "2", "3"} {
				if trace.Behind(hash(name)) {
					got += name
				}
			}
			if err != nil || got != want {
				t.Errorf("got %q behind others, error %v; want %q", got, err, want)
			}
		}
		finish := func(e queue.Entry) {
			t.Helper()
			begin(t, j, &e)
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("edited"), Message: hash("message a")}))
		}
		behind("23")
		finish(entries[1])
		behind("3")
		begin(t, j, &entries[2])
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), entries[2], queue.Retry{After: time.Hour}))
		behind("3")
		unsend := acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
		workUnsend(t, j, begun(t, j))
		behind("")
		if !unsend[0].New {
			t.Errorf("got %+v", unsend)
		}
	})
}

// What an unsend destroys is listed, so there is an end to it.
func TestAMessageIsEditedSoOften(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		const most = 100
		client := connect(t, address)
		j := journalOn(t, client, queue.Options{})
		for i := range most + 2 {
			edit := named(queue.ItemEdit, fmt.Sprint("edit ", i), "a")
			wanted := queue.Accepted{New: true, Fate: queue.FateAccepted}
			if i >= most {
				wanted.Fate = queue.FateVoid
			}
			if got := acceptItems(t, j, edit)[0]; got.New != wanted.New || got.Fate != wanted.Fate {
				t.Fatalf("edit %d: got %+v, want %s", i, got, wanted.Fate)
			}
			if again := acceptItems(t, j, edit)[0]; again.Fate != queue.FateRepeated {
				t.Fatalf("edit %d again: got %+v, want a repeat", i, again)
			}
		}
		entries, err := j.Take(t.Context(), q, queue.Words, 2*most, 0)
		if err != nil || len(entries) != most {
			t.Fatalf("took %d, %v", len(entries), err)
		}
		for _, e := range entries {
			begin(t, j, &e)
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("edited"), Message: hash("message a")}))
		}
		unsend(t, j)
		if got := delivered(t, client); len(got) != 1 || got[0] != "unsent" {
			t.Errorf("got %q in the agents' queue, want the unsend alone", got)
		}
	})
}
