package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// There is one key for each event and each consumer of a business; none may stay
// in Redis for ever, whatever became of the event.
func TestEachKeyOfAnEventExpires(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client, j := connect(t, address), journal(t, address, queue.Options{})
		check := func(step string, want int) {
			t.Helper()
			if got := expiring(t, client); got != want {
				t.Errorf("after %s: %d keys expire, want %d", step, got, want)
			}
		}
		accept(t, j, "a")
		check("accept", 2) // seen and conv
		e := begun(t, j)
		check("begin", 3) // and work
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{Cause: "slow"}))
		check("retry", 3)
		want(t, "due", 1)(j.Due(t.Context(), q, 1))
		e = begun(t, j)
		if err := j.Release(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		check("release", 3)
		e = begun(t, j)
		late(t, client, "a")
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
		check("complete", 2)

		accept(t, j, "b")
		if err := j.Release(t.Context(), take(t, j)); err != nil {
			t.Fatal(err)
		}
		check("release of what was not begun", 4) // two seen, one conv, one work
		late(t, client, "b")
		want(t, "dead", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{Cause: "hopeless"}))
		want(t, "bury", true)(bury(t, j, queue.Letter{Key: hash("c")}))
		check("dead and bury", 4) // three seen, one conv
	})
}

// late makes the mark of an event as old as if its work had begun after days.
func late(t *testing.T, client *redis.Client, name string) {
	t.Helper()
	if !client.PExpire(t.Context(), "{"+queue.Stream(q)+"}:seen:"+hash(name), time.Hour).Val() {
		t.Fatalf("event %s has no mark", name)
	}
}

// expiring counts the keys of events and parties, and wants each to expire after
// the 8 days for which an event is known, or the 30 of a conversation and
// two more, in which it is closed.
func expiring(t *testing.T, client *redis.Client) int {
	t.Helper()
	n := 0
	for _, key := range client.Keys(t.Context(), "*").Val() {
		want := 8 * 24 * time.Hour
		switch _, name, _ := strings.Cut(key, "}:"); {
		case strings.HasPrefix(name, "conv:"):
			want = 32 * 24 * time.Hour
		case !strings.HasPrefix(name, "seen:") && !strings.HasPrefix(name, "work:"):
			continue // one for all events of the queue
		}
		n++
		if got := client.PTTL(t.Context(), key).Val(); got > want || got < want-time.Minute {
			t.Errorf("%s lives for %v, want %v", key, got, want)
		}
	}
	return n
}
