package queue_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/gateway/queue"
)

// world is a few gateways at one Redis. Every entry that a gateway ever had
// stays in held, so that it goes on working on what it has long lost; a crash
// makes a new gateway, and leaves the old one's entries to be taken over.
type world struct {
	client   *redis.Client
	address  string
	t        *testing.T
	journals []*queue.Journal
	held     [][]queue.Entry
	accepted map[string]bool
	// marked events have a mark by which their repeat is known. It is lost where
	// no worker runs for eight days.
	marked map[string]bool
	// won are the attempts that have ended an event.
	won    map[string]bool
	forgot bool
}

// TestTheLaw lets gateways take, begin, keep alive, finish, put off, give back,
// overtake, leave and crash in any order, and marks expire. After each step it
// checks that accepted = delivered + dead + waiting + in work + delayed, and
// that no event is delivered twice.
func TestTheLaw(t *testing.T) {
	t.Parallel()
	address := quickRedis(t)
	client := connect(t, address)
	rapid.Check(t, func(r *rapid.T) {
		client.FlushAll(t.Context())
		w := &world{
			client: client, address: address, t: t,
			journals: make([]*queue.Journal, 3), held: make([][]queue.Entry, 3),
			accepted: map[string]bool{}, marked: map[string]bool{}, won: map[string]bool{},
		}
		for i := range w.journals {
			w.start(i)
		}
		r.Repeat(map[string]func(*rapid.T){
			"accept":   w.accept,
			"take":     w.take,
			"takeover": w.takeOver,
			"begin":    w.begin,
			"complete": w.complete,
			"retry":    w.retry,
			"dead":     w.dead,
			"release":  w.release,
			"due":      w.due,
			"revive":   w.revive,
			"crash":    w.crash,
			"keep":     w.keepAlive,
			"leave":    w.leave,
			"forget":   w.forget,
			"":         w.check,
		})
		w.drain(r)
	})
}

func (w *world) start(i int) {
	j, err := queue.New(w.client, queue.Options{Lease: atOnce, PerAccount: 2})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := j.EnsureQueue(w.t.Context(), q); err != nil {
		w.t.Fatal(err)
	}
	w.journals[i], w.held[i] = j, nil
}

func (w *world) pick(r *rapid.T) (int, *queue.Journal) {
	i := rapid.IntRange(0, len(w.journals)-1).Draw(r, "gateway")
	return i, w.journals[i]
}

// entry draws any entry that the gateway ever had, often one that it has lost.
func (w *world) entry(r *rapid.T) (*queue.Journal, *queue.Entry) {
	i, j := w.pick(r)
	if len(w.held[i]) == 0 {
		r.Skip("this gateway has had nothing")
	}
	return j, &w.held[i][rapid.IntRange(0, len(w.held[i])-1).Draw(r, "entry")]
}

func (w *world) accept(r *rapid.T) {
	_, j := w.pick(r)
	var items []queue.Item
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 3).Draw(r, "events") {
		if n > 2 {
			items = append(items, photo(fmt.Sprint(n), "shop"))
			continue
		}
		items = append(items, item(fmt.Sprint(n)))
	}
	got, err := j.Accept(w.t.Context(), q, items)
	if err != nil {
		r.Fatal(err)
	}
	for i, one := range got {
		if one.New == w.marked[items[i].Key] {
			r.Fatalf("event %s: new is %v", items[i].Payload, one.New)
		}
		w.accepted[items[i].Key], w.marked[items[i].Key] = true, true
	}
}

// forget lets the mark of an event expire that is not finished. A message with
// photos is known by its record too.
func (w *world) forget(r *rapid.T) {
	key := item(fmt.Sprint(rapid.IntRange(0, 5).Draw(r, "event"))).Key
	if mark := "{" + queue.Stream(q) + "}:seen:" + key; strings.HasPrefix(w.client.Get(w.t.Context(), mark).Val(), "accepted ") {
		w.client.Del(w.t.Context(), mark)
		w.marked[key] = w.client.HExists(w.t.Context(), keyOf("photos:data"), key).Val()
		w.forgot = w.forgot || !w.marked[key]
	}
}

func (w *world) keepAlive(r *rapid.T) {
	j, e := w.entry(r)
	w.noteFence(r, j.KeepAlive(w.t.Context(), *e))
}

func (w *world) leave(r *rapid.T) {
	_, j := w.pick(r)
	if err := j.Close(w.t.Context()); err != nil {
		r.Fatal(err)
	}
}

func (w *world) keep(r *rapid.T, i int, entries []queue.Entry, err error) {
	if err != nil {
		r.Fatal(err)
	}
	w.held[i] = append(w.held[i], entries...)
}

func (w *world) take(r *rapid.T) {
	i, j := w.pick(r)
	entries, err := j.Take(w.t.Context(), q, inbox(r), 2, 0)
	w.keep(r, i, entries, err)
}

func (w *world) takeOver(r *rapid.T) {
	i, j := w.pick(r)
	entries, err := j.TakeOver(w.t.Context(), q, inbox(r), 1)
	w.keep(r, i, entries, err)
}

func inbox(r *rapid.T) queue.Inbox {
	return rapid.SampledFrom([]queue.Inbox{queue.Words, queue.Photos}).Draw(r, "inbox")
}

func (w *world) begin(r *rapid.T) {
	j, e := w.entry(r)
	w.noteFence(r, j.Begin(w.t.Context(), e, ""))
}

func (w *world) release(r *rapid.T) {
	j, e := w.entry(r)
	w.noteFence(r, j.Release(w.t.Context(), *e))
}

func (w *world) retry(r *rapid.T) {
	j, e := w.entry(r)
	if _, err := j.Retry(w.t.Context(), *e, queue.Retry{Cause: "slow", Hold: rapid.Bool().Draw(r, "hold")}); err != nil {
		r.Fatal(err)
	}
}

func (w *world) complete(r *rapid.T) {
	j, e := w.entry(r)
	w.end(r, j, e, queue.End{Document: []byte(e.Key)})
}

// end ends an entry. What was revived after agents had heard of it has photos
// that follow.
func (w *world) end(r *rapid.T, j *queue.Journal, e *queue.Entry, end queue.End) {
	outcome, err := j.Complete(w.t.Context(), *e, end)
	if outcome == queue.Told {
		if end.Told, err = j.ToldAs(w.t.Context(), *e); err != nil {
			r.Fatal(err)
		}
		end.Document = append(end.Document, " settled by "+e.Attempt...)
		outcome, err = j.Complete(w.t.Context(), *e, end)
	}
	w.noteOutcome(r, e, outcome, err)
}

func (w *world) dead(r *rapid.T) {
	j, e := w.entry(r)
	var document []byte
	if rapid.Bool().Draw(r, "with text") {
		document = []byte(e.Key)
	}
	w.end(r, j, e, queue.End{Cause: "hopeless", Document: document})
}

func (w *world) due(r *rapid.T) {
	_, j := w.pick(r)
	if _, err := j.Due(w.t.Context(), q, 2); err != nil {
		r.Fatal(err)
	}
}

func (w *world) crash(r *rapid.T) {
	i, _ := w.pick(r)
	w.start(i)
}

// revive retries any dead letter. What has reached the agents has no photos that
// could follow.
func (w *world) revive(r *rapid.T) {
	_, j := w.pick(r)
	letters, err := j.Letters(w.t.Context(), q, 100)
	if err != nil {
		r.Fatal(err)
	}
	if len(letters) == 0 {
		r.Skip("nothing is dead")
	}
	l := letters[rapid.IntRange(0, len(letters)-1).Draw(r, "letter")]
	outcome, err := j.Revive(w.t.Context(), q, l)
	if err != nil || outcome == queue.Withdrawn || outcome == queue.Told && l.Told == "" {
		r.Fatalf("revive %+v: got %v, error %v", l, outcome, err)
	}
	if outcome == queue.Mine {
		w.marked[l.Key] = true
	}
}

// noteOutcome counts who won. The same attempt may be told so again, also when its
// dead letter has been revived since, which names its pictures.
func (w *world) noteOutcome(r *rapid.T, e *queue.Entry, outcome queue.Outcome, err error) {
	if err != nil {
		r.Fatal(err)
	}
	if outcome == queue.Mine && !w.won[e.Attempt] {
		mark := w.client.Get(w.t.Context(), "{"+queue.Stream(q)+"}:seen:"+e.Key).Val()
		if !strings.HasPrefix(mark, "done "+e.Attempt+" ") {
			r.Fatalf("attempt %s was told that it won, the mark says %q", e.Attempt, mark)
		}
		w.marked[e.Key], w.won[e.Attempt] = true, true
	}
}

func (w *world) noteFence(r *rapid.T, err error) {
	if err != nil && !errors.Is(err, queue.ErrFenced) {
		r.Fatal(err)
	}
}

// check is the law.
func (w *world) check(r *rapid.T) {
	done := map[string]bool{}
	for _, document := range delivered(w.t, w.client) {
		if done[document] {
			r.Fatalf("event %s is twice in the agents' queue", document)
		}
		done[document] = true
	}
	maps.DeleteFunc(done, func(document string, _ bool) bool { return strings.Contains(document, " settled ") })
	letters, err := w.journals[0].Letters(w.t.Context(), q, 100)
	checkLetterBytes(r, w.client)
	if err != nil {
		r.Fatal(err)
	}
	for _, letter := range letters {
		done[letter.Key] = true
	}
	for key := range done {
		if !w.accepted[key] {
			r.Fatalf("event %s was finished and never accepted", key)
		}
	}
	for _, key := range w.client.HKeys(w.t.Context(), keyOf("photos:told")).Val() {
		delete(done, key) // it has been heard of, and is in the journal again
	}
	now := count(w.t, w.journals[0])
	if got := len(done) + int(now.waiting+now.inWork+now.delayed); !w.forgot && got != len(w.accepted) {
		r.Fatalf("%d events are accounted for, %d were accepted: %+v", got, len(w.accepted), now)
	}
	for _, key := range journaled(w.t, w.client) {
		done[key] = true
	}
	if !maps.Equal(done, w.accepted) {
		r.Fatalf("these events are accounted for: %v; these were accepted: %v", done, w.accepted)
	}
}

// journaled lists the events that are not finished; after a mark has expired an
// event may stand there twice.
func journaled(t *testing.T, client *redis.Client) []string {
	slot := "{" + queue.Stream(q) + "}:"
	keys, err := client.ZRange(t.Context(), slot+"delayed", 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	messages, err := client.XRange(t.Context(), slot+"inbox", "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range messages {
		keys = append(keys, fmt.Sprint(message.Values["key"]))
	}
	return append(keys, client.HKeys(t.Context(), slot+"photos:data").Val()...)
}

// drain is a new gateway that finishes whatever is left.
func (w *world) drain(r *rapid.T) {
	w.start(0)
	j := w.journals[0]
	for round := 0; count(w.t, j) != (counts{dead: count(w.t, j).dead, delivered: count(w.t, j).delivered}); round++ {
		if round > 50 {
			r.Fatalf("cannot be drained: %+v", count(w.t, j))
		}
		w.due(r)
		for _, from := range []queue.Inbox{queue.Words, queue.Photos} {
			taken, errTaken := j.Take(w.t.Context(), q, from, 10, 0)
			over, errOver := j.TakeOver(w.t.Context(), q, from, 10)
			w.keep(r, 0, append(taken, over...), errors.Join(errTaken, errOver))
		}
		for _, e := range w.held[0] {
			w.noteFence(r, j.Begin(w.t.Context(), &e, ""))
			w.end(r, j, &e, queue.End{Document: []byte(e.Key)})
		}
	}
	w.check(r)
}
