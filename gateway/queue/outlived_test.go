package queue_test

import (
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
)

// TestAnEventThatOutlivesItsMarkIsNotBuriedAlive: a gateway that was off for days
// gives up what it had spooled, and cannot know that it was accepted all the same
// and waits still.
func TestAnEventThatOutlivesItsMarkIsNotBuriedAlive(t *testing.T) {
	for name, test := range map[string]struct {
		waits  func(t *testing.T, j *queue.Journal) // makes event a wait
		hidden bool                                 // where nobody can look for it
		from   queue.Inbox
	}{
		"in the inbox": {func(t *testing.T, j *queue.Journal) { accept(t, j, "a") }, true, queue.Words},
		"put off": {func(t *testing.T, j *queue.Journal) {
			accept(t, j, "a")
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), begun(t, j), queue.Retry{}))
		}, false, queue.Words},
		"with photos": {func(t *testing.T, j *queue.Journal) { photos(t, j, "shop", "a") }, false, queue.Photos},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, address string) {
				j, client := journal(t, address, queue.Options{}), connect(t, address)
				test.waits(t, j)
				client.Del(t.Context(), keyOf("seen:"+hash("a")))
				want(t, "bury", test.hidden)(bury(t, j, queue.Letter{Key: hash("a"), Raw: []byte("a")}))
				want(t, "bury again", false)(bury(t, j, queue.Letter{Key: hash("a"), Raw: []byte("a")}))
				if _, err := j.Due(t.Context(), q, 1); err != nil {
					t.Fatal(err)
				}
				e := one(t)(j.Take(t.Context(), q, test.from, 2, 0))
				begin(t, j, &e)
				want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("received")}))
				wantCounts(t, j, counts{delivered: 1})
			})
		})
	}
}

// One that was buried may still be told and unsent.
func TestAnEventThatIsBuriedAliveIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client := journal(t, address, queue.Options{PromiseFor: 1}), connect(t, address)
		photos(t, j, "shop", "a")
		client.Set(t.Context(), keyOf("seen:"+hash("a")), "buried "+hash("nonce")[:32], 0)
		e := one(t)(j.Overdue(t.Context(), q, 2))
		want(t, "tell", queue.Mine)(j.Tell(t.Context(), e, queue.Telling{ID: hash("id")[:32], Document: []byte("pending")}))
	})
}
