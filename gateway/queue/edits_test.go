package queue_test

import (
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
