package queue_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/gateway/queue"
)

// The messages of TestTheLawOfUnsends are named by a digit; e and u before it
// name its edit and its unsend.

// TestTheLawOfUnsends lets gateways do what TestTheLaw does with messages that
// are edited and unsent meanwhile, in any order. In the end each message is
// forwarded once, or has been unsent and is nowhere.
func TestTheLawOfUnsends(t *testing.T) {
	t.Parallel()
	address := quickRedis(t)
	client := connect(t, address)
	rapid.Check(t, func(r *rapid.T) {
		client.FlushAll(t.Context())
		w := &unsending{world: &world{
			client: client, address: address, t: t,
			journals: make([]*queue.Journal, 3), held: make([][]queue.Entry, 3),
			accepted: map[string]bool{}, marked: map[string]bool{},
		}, unsent: map[string]bool{}}
		for i := range w.journals {
			w.start(i)
		}
		r.Repeat(map[string]func(*rapid.T){
			"accept": w.accept, "take": w.take, "takeover": w.takeOver, "due": w.due, "crash": w.crash,
			"begin": func(r *rapid.T) { j, e := w.entry(r); w.begin(r, j, e) },
			"finish": func(r *rapid.T) {
				j, e := w.entry(r)
				w.finish(r, j, *e, rapid.Bool().Draw(r, "dead"))
			},
			"retry": func(r *rapid.T) {
				j, e := w.entry(r)
				if _, err := j.Retry(t.Context(), *e, queue.Retry{Cause: "slow"}); err != nil {
					r.Fatal(err)
				}
			},
			"work": func(r *rapid.T) { // from its beginning to its end
				i, j := w.pick(r)
				w.take(r)
				for _, e := range w.held[i] {
					w.begin(r, j, &e)
					w.finish(r, j, e, rapid.Bool().Draw(r, "dead"))
				}
			},
			"put off": func(r *rapid.T) {
				i, j := w.pick(r)
				w.take(r)
				for _, e := range w.held[i] {
					w.begin(r, j, &e)
					if _, err := j.Retry(t.Context(), e, queue.Retry{Cause: "slow"}); err != nil {
						r.Fatal(err)
					}
				}
			},
			"release": func(r *rapid.T) { j, e := w.entry(r); w.note(r, j.Release(t.Context(), *e)) },
		})
		w.drain(r)
		w.check(r)
	})
}

type unsending struct {
	*world
	unsent map[string]bool // by the message's digit
}

func (w *unsending) accept(r *rapid.T) {
	_, j := w.pick(r)
	n := rapid.SampledFrom([]string{"0", "1"}).Draw(r, "message")
	kind := rapid.SampledFrom([]string{"", "", "e", "u"}).Draw(r, "kind")
	got := acceptItems(w.t, j, named(map[string]queue.ItemKind{
		"": queue.ItemMessage, "e": queue.ItemEdit, "u": queue.ItemUnsend,
	}[kind], kind+n, n))[0]
	if got.Fate == queue.FateAccepted {
		w.accepted[kind+n] = true
	}
	w.unsent[n] = w.unsent[n] || kind == "u"
}

// note passes over what is in other hands or withdrawn.
func (w *unsending) note(r *rapid.T, err error) {
	if err != nil && !errors.Is(err, queue.ErrFenced) && !errors.Is(err, queue.ErrWithdrawn) {
		r.Fatal(err)
	}
}

// guard is the message's name where the entry may be withdrawn.
func guard(e *queue.Entry) string {
	if name := string(e.Payload); name[0] != 'u' {
		return hash("message " + name[len(name)-1:])
	}
	return ""
}

func (w *unsending) begin(r *rapid.T, j *queue.Journal, e *queue.Entry) {
	w.note(r, j.Begin(w.t.Context(), e, guard(e)))
}

func (w *unsending) finish(r *rapid.T, j *queue.Journal, e queue.Entry, dead bool) {
	end := queue.End{Document: e.Payload, Message: guard(&e)}
	if name := string(e.Payload); name[0] == 'u' {
		trace, err := j.Trace(w.t.Context(), q, hash("message "+name[1:]))
		if err != nil || !trace.Unsent {
			r.Fatalf("trace of what %s unsends: %+v, %v", name, trace, err)
		}
		end.Erase = &trace
	} else if dead {
		end.Cause = "hopeless"
	}
	if _, err := j.Complete(w.t.Context(), e, end); err != nil {
		r.Fatal(err)
	}
}

func (w *unsending) drain(r *rapid.T) {
	w.start(0)
	j := w.journals[0]
	for round := 0; ; round++ {
		if now := count(w.t, j); now.waiting+now.inWork+now.delayed == 0 {
			return
		} else if round > 50 {
			r.Fatalf("cannot be drained: %+v", now)
		}
		w.due(r)
		taken, errTaken := j.Take(w.t.Context(), q, queue.Words, 10, 0)
		over, errOver := j.TakeOver(w.t.Context(), q, queue.Words, 10)
		if err := errors.Join(errTaken, errOver); err != nil {
			r.Fatal(err)
		}
		for _, e := range append(taken, over...) {
			w.begin(r, j, &e)
			w.finish(r, j, e, false)
		}
	}
}

// check is the law, once nothing is under way.
func (w *unsending) check(r *rapid.T) {
	found := map[string]int{}
	for _, name := range delivered(w.t, w.client) {
		found[name]++
	}
	for _, n := range []string{"0", "1"} {
		for _, kind := range []string{"", "e", "u"} {
			want := 0
			if w.accepted[kind+n] && (kind == "u" || !w.unsent[n]) {
				want = 1
			}
			if found[kind+n] != want {
				r.Fatalf("%s%s is %d times in the agents' queue, want %d; unsent: %v", kind, n, found[kind+n], want, w.unsent)
			}
		}
	}
	letters, err := w.journals[0].Letters(w.t.Context(), q, 100)
	checkLetterBytes(r, w.client)
	if err != nil {
		r.Fatal(err)
	}
	for _, letter := range letters {
		if name := string(letter.Raw); w.unsent[name[len(name)-1:]] {
			r.Fatalf("the letter of %s outlives its unsend", name)
		}
	}
}
