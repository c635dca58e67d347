package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// keyOf is the name of one of the queue's keys.
func keyOf(name string) string { return "{" + queue.Stream(q) + "}:" + name }

// laneKeys are those that scripts make of the name of an account's lane.
func laneKeys(account string) []string {
	lane := photo("", account).Lane
	return []string{keyOf("lane:" + lane), keyOf("window:" + lane)}
}

// photoInWork begins message a, which has photos.
func photoInWork(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
	i := photo("a", "shop")
	i.Message = hash("message a")
	acceptItems(t, j, i)
	e := takePhotos(t, j, "a")[0]
	if err := j.Begin(t.Context(), &e, i.Message); err != nil {
		t.Fatal(err)
	}
	return e
}

// crowdedPhoto begins message a, which has photos; b, c and d of the same account
// wait, with room for a and b in its window.
func crowdedPhoto(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
	a := photo("a", "shop")
	a.Message = hash("message a")
	narrow := narrow(t, client)
	acceptItems(t, narrow, a, photo("b", "shop"), photo("c", "shop"), photo("d", "shop"))
	e := one(t)(j.Take(t.Context(), q, queue.Photos, 1, 0))
	if err := j.Begin(t.Context(), &e, a.Message); err != nil {
		t.Fatal(err)
	}
	return e
}

// narrow is a journal with windows of two, of which the promise is due at once.
func narrow(t testing.TB, client redis.Cmdable) *queue.Journal {
	t.Helper()
	return journalOn(t, client.(redis.UniversalClient), queue.Options{PerAccount: 2, PromiseFor: 1})
}

// toldInWork is crowdedPhoto after it was told, in its second attempt: the first
// was kept.
func toldInWork(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
	e := crowdedPhoto(t, j, client)
	want(t, "tell", queue.Mine)(j.Tell(t.Context(), e, telling("received")))
	want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{Hold: true, Keep: true}))
	want(t, "due", 1)(j.Due(t.Context(), q, 5))
	for {
		e = one(t)(j.Take(t.Context(), q, queue.Photos, 1, 0))
		if e.Key == hash("a") {
			break
		}
	}
	if err := j.Begin(t.Context(), &e, hash("message a")); err != nil {
		t.Fatal(err)
	}
	return e
}

// telling tells message a of the party.
func telling(document string) queue.Telling {
	return queue.Telling{ID: hash("telling")[:32], Message: hash("message a"), Party: hash("party"), Document: []byte(document)}
}

// unsentInWork is crowdedPhoto whose message has been unsent meanwhile.
func unsentInWork(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
	e := crowdedPhoto(t, j, client)
	acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
	return e
}

func outcomeOf(call func(context.Context, *queue.Journal, queue.Entry) (queue.Outcome, error)) func(testing.TB, *queue.Journal, queue.Entry) (any, error) {
	return func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) { return call(t.Context(), j, e) }
}

// photoScenarios are scripts at work on messages with photos.
func photoScenarios() []scenario {
	all := append(photoSteps(), photoEnds()...)
	for i := range all {
		all[i].derived = laneKeys("shop")
	}
	return append(all,
		scenario{name: "overdue", prepare: photoWaits, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			entries, err := j.Overdue(t.Context(), q, 5)
			return len(entries), err
		}},
		scenario{name: "orphans", prepare: crowdedPhoto, reads: true, asks: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			orphans, _, err := j.Orphans(t.Context(), q, 0, 10)
			return len(orphans), err
		}},
		scenario{name: "tell", prepare: crowdedPhoto, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Tell(ctx, e, telling("received"))
		})},
		scenario{name: "tell what was told", prepare: toldInWork, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			again := telling("received")
			again.ID = hash("another")[:32]
			return j.Tell(ctx, e, again)
		}), reads: true},
	)
}

func photoWaits(t testing.TB, _ *queue.Journal, client redis.Cmdable) queue.Entry {
	photos(t, narrow(t, client), "shop", "a")
	return queue.Entry{}
}

// photoSteps are those between the beginning and the end.
func photoSteps() []scenario {
	return []scenario{
		{name: "accept photos", prepare: nothing, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			got, err := j.Accept(t.Context(), q, []queue.Item{photo("a", "shop"), photo("b", "shop"), photo("c", "shop")})
			for i := range got {
				got[i].Conversation = "" // random
			}
			return fmt.Sprint(got), err
		}},
		{name: "begin photos", prepare: func(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
			photos(t, j, "shop", "a")
			return takePhotos(t, j, "a")[0]
		}, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			err := j.Begin(t.Context(), &e, "")
			return fmt.Sprint(e.Starts, string(e.Payload)), err
		}},
		{name: "retry, holding its place and keeping blobs", prepare: crowdedPhoto, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Retry(ctx, e, queue.Retry{Hold: true, Keep: true})
		})},
		{name: "retry, making room", prepare: crowdedPhoto, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Retry(ctx, e, queue.Retry{})
		})},
		{name: "retry what was unsent", prepare: unsentInWork, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Retry(ctx, e, queue.Retry{})
		})},
		{name: "release photos", prepare: crowdedPhoto, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return nil, j.Release(t.Context(), e)
		}},
		{name: "keepalive photos", prepare: crowdedPhoto, touches: true, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return nil, j.KeepAlive(t.Context(), e)
		}},
		{name: "due photos", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := crowdedPhoto(t, j, client)
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{}))
			return e
		}, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Due(t.Context(), q, 5)
		}},
		{name: "lost", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			photos(t, j, "shop", "a")
			client.HDel(t.Context(), keyOf("photos:data"), hash("a"))
			return queue.Entry{}
		}, moves: true, asks: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			entries, err := j.Take(t.Context(), q, queue.Photos, 1, 0)
			return len(entries), err
		}},
		{name: "ensure a lane", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := crowdedPhoto(t, j, client)
			client.XDel(t.Context(), keyOf("photos"), e.ID)
			return e
		}, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return nil, j.EnsureQueue(t.Context(), q)
		}},
		{name: "lanes", prepare: crowdedPhoto, reads: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			lanes, err := j.Lanes(t.Context(), q)
			return len(lanes), err
		}},
		{name: "stats of lanes", prepare: crowdedPhoto, reads: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			s, err := j.Stats(t.Context(), q)
			return s.Waiting, err
		}},
	}
}

// photoEnds are the ways in which a message with photos leaves the journal.
func photoEnds() []scenario {
	var trace queue.Trace // of what is being unsent
	return []scenario{
		{name: "complete photos", prepare: crowdedPhoto, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(ctx, e, queue.End{Document: []byte("document")})
		})},
		{name: "complete what was told", prepare: toldInWork, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(ctx, e, queue.End{Document: []byte("settled"), Told: e.Told})
		})},
		{name: "begin photos that were unsent", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := crowdedPhoto(t, j, client)
			acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
			if err := j.Release(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			entries, err := j.Take(t.Context(), q, queue.Photos, 10, 0)
			if err != nil || len(entries) != 2 || entries[1].Key != e.Key {
				t.Fatalf("took %+v, %v", entries, err)
			}
			return entries[1]
		}, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			err := j.Begin(t.Context(), &e, hash("message a"))
			if errors.Is(err, queue.ErrWithdrawn) {
				err = nil
			}
			return fmt.Sprint(e.Lost, e.Kept), err
		}},
		{name: "complete photos that were unsent", prepare: unsentInWork, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(ctx, e, queue.End{Document: []byte("document"), Message: hash("message a")})
		})},
		{name: "complete an unsend of photos that are put off", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := toldInWork(t, j, client)
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{Keep: true}))
			acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
			var err error
			if trace, err = j.Trace(t.Context(), q, hash("message a")); err != nil {
				t.Fatal(err)
			}
			return begun(t, j)
		}, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(ctx, e, queue.End{Document: []byte("unsent"), Erase: &trace})
		})},
	}
}
