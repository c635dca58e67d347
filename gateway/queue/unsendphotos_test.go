package queue_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// A message with photos is destroyed wherever it is when its sender takes it
// back, and makes room for who waits behind it.
func TestUnsendOfPhotosAtEveryMoment(t *testing.T) {
	const text = "what was said"
	message := photo("a", "shop")
	message.Message, message.Payload = hash("message a"), []byte(text)
	end := queue.End{Document: []byte(text), Message: message.Message, Party: hash("party")}
	start := func(t *testing.T, j *queue.Journal) queue.Entry {
		t.Helper()
		acceptItems(t, j, message, photo("behind", "shop"))
		e := takePhotos(t, j, text)[0]
		if err := j.Begin(t.Context(), &e, message.Message); err != nil {
			t.Fatal(err)
		}
		return e
	}
	tell := func(t *testing.T, j *queue.Journal, e queue.Entry) {
		t.Helper()
		want(t, "tell", queue.Mine)(j.Tell(t.Context(), e, telling(text)))
	}
	for name, test := range map[string]func(t *testing.T, j *queue.Journal){
		"in line": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, photo("before", "shop"), message, photo("behind", "shop"))
			unsend(t, j)
			e := beginPhoto(t, j, "before")
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{}))
		},
		"while it stands in the inbox": func(t *testing.T, j *queue.Journal) {
			acceptItems(t, j, message, photo("behind", "shop"))
			unsend(t, j)
			e := takePhotos(t, j, text)[0]
			if err := j.Begin(t.Context(), &e, end.Message); !errors.Is(err, queue.ErrWithdrawn) {
				t.Errorf("got %v, want ErrWithdrawn", err)
			}
		},
		"while it is put off in its place": func(t *testing.T, j *queue.Journal) {
			e := start(t, j)
			tell(t, j, e)
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{After: time.Hour, Hold: true, Keep: true}))
			if got := unsend(t, j); !got.Forwarded || !slices.Equal(got.Attempts, []string{e.Attempt}) {
				t.Errorf("got %+v, want the kept attempt of what was told", got)
			}
		},
		"while it is put off": func(t *testing.T, j *queue.Journal) {
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), start(t, j), queue.Retry{After: time.Hour}))
			takePhotos(t, j, "behind")
			unsend(t, j)
			if err := j.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if entries, err := j.TakeOver(t.Context(), q, queue.Photos, 1); err != nil || len(entries) != 1 || j.Release(t.Context(), entries[0]) != nil {
				t.Fatalf("got %v, %v", entries, err)
			}
		},
		"while it is worked on": func(t *testing.T, j *queue.Journal) {
			e := start(t, j)
			tell(t, j, e)
			unsend(t, j)
			want(t, "tell", queue.Other)(j.Tell(t.Context(), e, queue.Telling{ID: hash("other"), Message: end.Message, Document: []byte(text)}))
			want(t, "complete", queue.Withdrawn)(j.Complete(t.Context(), e, end))
			want(t, "and again", queue.Withdrawn)(j.Complete(t.Context(), e, end))
		},
		"before it is told": func(t *testing.T, j *queue.Journal) {
			e := start(t, j)
			unsend(t, j)
			want(t, "tell", queue.Withdrawn)(j.Tell(t.Context(), e, telling(text)))
			want(t, "retry", queue.Withdrawn)(j.Retry(t.Context(), e, queue.Retry{Keep: true}))
			want(t, "and again", queue.Withdrawn)(j.Retry(t.Context(), e, queue.Retry{Keep: true}))
		},
		"after its worker has withdrawn it": func(t *testing.T, j *queue.Journal) {
			e := start(t, j)
			tell(t, j, e)
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{Hold: true, Keep: true}))
			want(t, "due", 1)(j.Due(t.Context(), q, 1))
			acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
			again := takePhotos(t, j, text)[0]
			for range 2 {
				if err := j.Begin(t.Context(), &again, end.Message); !errors.Is(err, queue.ErrWithdrawn) || !slices.Equal(again.Kept, []string{e.Attempt}) {
					t.Errorf("got %v, kept %q; want ErrWithdrawn and what is to be destroyed", err, again.Kept)
				}
			}
			if got := workUnsend(t, j, begun(t, j)); !slices.Equal(got.Attempts, []string{e.Attempt}) {
				t.Errorf("got %+v, want the trace of what was kept", got)
			}
		},
		"after it was settled": func(t *testing.T, j *queue.Journal) {
			e := start(t, j)
			tell(t, j, e)
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{Hold: true, Keep: true}))
			want(t, "due", 1)(j.Due(t.Context(), q, 1))
			again := beginPhoto(t, j, text)
			end := end
			end.Told = again.Told
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), again, end))
			if got := unsend(t, j); !got.Forwarded || !slices.Equal(got.Attempts, []string{again.Attempt, e.Attempt}) {
				t.Errorf("got %+v, want the trace of both attempts", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, address string) {
				client := connect(t, address)
				j := journalOn(t, client, queue.Options{Lease: atOnce, PerAccount: 1})
				test(t, j)
				takePhotos(t, j, "behind")
				wantCounts(t, j, counts{delivered: 1, inWork: 1})
				if got := delivered(t, client); len(got) != 1 || got[0] != "unsent" {
					t.Errorf("got %q in the agents' queue, want the unsend alone", got)
				}
				if strings.Contains(address, "/") {
					holdsNothing(t, client, text)
				}
				want(t, "told", int64(0))(told(t, j), nil)
			})
		})
	}
}
