package queue_test

import (
	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/gateway/queue"
)

// call makes a call and lets its worker act on the answer. Where the reply is lost,
// it acts on that of the repeat, which go-redis makes at some later time: others may
// have gone on meanwhile.
func (o *office) call(r *rapid.T, do func() (queue.Outcome, error), act func(*rapid.T, queue.Outcome)) {
	outcome, err := do()
	if err != nil {
		r.Fatal(err)
	}
	if rapid.IntRange(0, 3).Draw(r, "reply") > 0 {
		act(r, outcome)
		return
	}
	o.late = append(o.late, func(r *rapid.T) {
		again, err := do()
		if err != nil {
			r.Fatal(err)
		}
		act(r, again)
	})
}

// repeat repeats one of the calls whose reply was lost.
func (o *office) repeat(r *rapid.T) {
	if len(o.late) == 0 {
		r.Skip("no reply was lost")
	}
	i := rapid.IntRange(0, len(o.late)-1).Draw(r, "late")
	again := o.late[i]
	o.late = append(o.late[:i:i], o.late[i+1:]...)
	again(r)
}

// dieAndLive lets some messages die and retries a letter, so that repeats meet
// what has a life behind it.
func (o *office) dieAndLive(r *rapid.T) {
	i := o.pick(r)
	entries, err := o.journals[i].Take(o.t.Context(), q, queue.Photos, 2, 0)
	for _, e := range o.keep(r, i, entries, err) {
		o.beginOne(r, i, &e)
		o.finishOne(r, i, e, true)
	}
	o.revive(r)
}

// revive retries any dead letter. What it is answered is only shown to people.
func (o *office) revive(r *rapid.T) {
	j := o.journals[o.pick(r)]
	letters, err := j.Letters(o.t.Context(), q, 100)
	if err != nil {
		r.Fatal(err)
	}
	if len(letters) == 0 {
		r.Skip("nothing is dead")
	}
	l := letters[rapid.IntRange(0, len(letters)-1).Draw(r, "letter")]
	outcome, err := j.Revive(o.t.Context(), q, l)
	if err != nil || outcome == queue.Other {
		r.Fatalf("revive %+v: got %v, error %v", l, outcome, err)
	}
	if outcome == queue.Mine {
		o.lives[nameOf(&queue.Entry{Payload: l.Raw})]++
	}
	args := o.last.args
	if rapid.Bool().Draw(r, "reply") {
		o.late = append(o.late, func(r *rapid.T) {
			if err := o.client.Do(o.t.Context(), args...).Err(); err != nil {
				r.Fatal(err)
			}
		})
	}
}
