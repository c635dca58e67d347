package queue_test

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

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
	// touches marks a script whose repeat starts an entry's lease anew.
	touches bool
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
	want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, 0, "slow"))
	return e
}

func noStreams(t testing.TB, _ *queue.Journal, client redis.Cmdable) queue.Entry {
	if err := client.Del(t.Context(), queue.Stream(q), "{"+queue.Stream(q)+"}:inbox").Err(); err != nil {
		t.Fatal(err)
	}
	return queue.Entry{}
}

// scenarios are all scripts.
func scenarios() []scenario {
	return []scenario{
		{name: "accept", prepare: nothing, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			got, err := j.Accept(t.Context(), q, []queue.Item{item("a"), item("b"), {Key: hash("c"), Party: hash("other")}})
			for i := range got {
				got[i].Conversation = "" // random
			}
			return fmt.Sprint(got), err
		}},
		{name: "begin", prepare: taken, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			err := j.Begin(t.Context(), &e)
			return e.Starts, err
		}},
		{name: "keepalive", prepare: inWork, touches: true, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return nil, j.KeepAlive(t.Context(), e)
		}},
		{name: "complete", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Complete(t.Context(), e, []byte("document"))
		}},
		{name: "retry", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Retry(t.Context(), e, 0, "slow")
		}},
		{name: "dead", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Dead(t.Context(), e, "hopeless", []byte("document"))
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
			return j.Bury(t.Context(), q, queue.Letter{Key: hash("a"), Cause: "broken", Raw: []byte("raw")})
		}},
		{name: "expire", prepare: func(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
			want(t, "bury", true)(j.Bury(t.Context(), q, queue.Letter{Key: hash("a")}))
			waitAMillisecond(t, j)
			return queue.Entry{}
		}, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Expire(t.Context(), q, 0, 5)
		}},
		{name: "childdied", prepare: inWork, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.ChildDied(t.Context(), e, 3)
		}},
		{name: "ensure", prepare: noStreams, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return nil, j.EnsureQueue(t.Context(), q)
		}},
		{name: "leave", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := inWork(t, j, client)
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, []byte("document")))
			return e
		}, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return nil, j.Close(t.Context())
		}},
		{name: "stats", prepare: inWork, reads: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			s, err := j.Stats(t.Context(), q)
			return s.InWork, err
		}},
	}
}

// waitAMillisecond waits until the oldest dead letter has an age.
func waitAMillisecond(t testing.TB, j *queue.Journal) {
	t.Helper()
	await(t, "a letter has an age", func() bool {
		s, err := j.Stats(t.Context(), q)
		return err == nil && s.OldestDead > 0
	})
}
