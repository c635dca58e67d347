package queue_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/gateway/queue"
)

// check is what holds after each step.
func (o *office) check(r *rapid.T) {
	o.checkWindows(r)
	o.checkQueue(r)
	unfinished, told := 0, 0
	for name := range o.accepted {
		mark := o.client.Get(o.t.Context(), keyOf("seen:"+hash(name))).Val()
		if mark == "" {
			r.Fatalf("%s has no mark", name)
		}
		if strings.HasPrefix(mark, "accepted ") {
			unfinished++
			if o.client.HExists(o.t.Context(), keyOf("photos:told"), hash(name)).Val() {
				told++
			}
		}
	}
	s, err := o.journals[0].Stats(o.t.Context(), q)
	if err != nil || s.Unfinished() != int64(unfinished) || s.Told != int64(told) {
		r.Fatalf("%d events are not finished, %d of them told; the figures are %+v, %v", unfinished, told, s, err)
	}
}

// checkWindows: no window is wider than it may be, nobody waits while there is
// room, and whoever is inside is somewhere.
func (o *office) checkWindows(r *rapid.T) {
	ctx := o.t.Context()
	for _, name := range []string{"even", "odd"} {
		keys := laneKeys(name)
		window := o.client.HGetAll(ctx, keys[1]).Val()
		if len(window) > perAccount {
			r.Fatalf("%s: %d are inside the window: %v", name, len(window), window)
		}
		for key, id := range window {
			_, err := o.client.ZScore(ctx, keyOf("photos:delayed"), key).Result()
			if putOff := err == nil; putOff != (id == "-") {
				r.Fatalf("%s: %s is at %s, and put off is %v", name, key, id, putOff)
			}
			if id != "-" && len(o.client.XRange(ctx, keyOf("photos"), id, id).Val()) != 1 {
				r.Fatalf("%s: %s is not in the stream at %s", name, key, id)
			}
		}
		for _, one := range o.client.LRange(ctx, keys[0], 0, -1).Val() {
			if key, _, _ := strings.Cut(one, " "); len(window) < perAccount && o.client.HExists(ctx, keyOf("photos:data"), key).Val() {
				r.Fatalf("%s: %s waits, and the window is %v", name, key, window)
			}
		}
	}
	if in, inside := o.client.XLen(ctx, keyOf("photos")).Val(), o.standing(); in != int64(inside) {
		r.Fatalf("%d entries are in the stream of photos, and windows name %d", in, inside)
	}
}

// standing counts those that windows place in the stream.
func (o *office) standing() (n int) {
	for _, name := range []string{"even", "odd"} {
		for _, id := range o.client.HVals(o.t.Context(), laneKeys(name)[1]).Val() {
			if id != "-" {
				n++
			}
		}
	}
	return n
}

// checkQueue: each message is received once or told once, settled once and only
// after it was told, and neither after it was unsent.
func (o *office) checkQueue(r *rapid.T) {
	seen := map[string]bool{}
	for _, document := range delivered(o.t, o.client) {
		words := strings.Fields(document)
		kind, name := words[0], words[1]
		digit := name[len(name)-1:]
		first := kind == "received" || kind == "pending"
		switch {
		case seen[kind+name], first && (seen["received"+name] || seen["pending"+name]):
			r.Fatalf("%s is twice in the agents' queue", document)
		case strings.HasPrefix(kind, "settled") && !seen["pending"+name] && !seen["received"+name]:
			r.Fatalf("%s was settled and not told", name)
		case kind == "settled0" && !seen["pending"+name]:
			r.Fatalf("%s was settled after it had been received whole", name)
		case kind != "unsent" && kind != "closed" && seen["unsentu"+digit]:
			r.Fatalf("%q comes after the unsend", document)
		}
		seen[kind+name] = true
	}
}

// drain is a new gateway that finishes whatever is left.
func (o *office) drain(r *rapid.T) {
	o.start(0)
	j := o.journals[0]
	for round := 0; ; round++ {
		s, err := j.Stats(o.t.Context(), q)
		if err != nil || round > 50 {
			r.Fatalf("cannot be drained: %+v, %v", s, err)
		}
		if s.Unfinished() == 0 {
			return
		}
		o.held[0] = nil
		_, errDue := j.Due(o.t.Context(), q, 10)
		for _, from := range []queue.Inbox{queue.Words, queue.Photos} {
			taken, errTaken := j.Take(o.t.Context(), q, from, 10, 0)
			over, errOver := j.TakeOver(o.t.Context(), q, from, 10)
			o.keep(r, 0, append(taken, over...), errors.Join(errDue, errTaken, errOver))
		}
		for _, e := range o.held[0] {
			o.beginOne(r, 0, &e)
			o.finishOne(r, 0, e, false)
		}
		o.check(r)
	}
}

// checkNothingIsLeft: each message is in the agents' queue, or was unsent and is
// nowhere; no blob is there that no document names, and none is missing; and the
// journal holds nothing but marks.
func (o *office) checkNothingIsLeft(r *rapid.T) {
	o.sweep(r)
	o.check(r)
	named, done := map[string]bool{}, map[string]bool{}
	for _, document := range delivered(o.t, o.client) {
		words := strings.Fields(document)
		done[words[1]] = done[words[1]] || words[0] != "pending"
		for _, attempt := range words[2:] {
			named[attempt] = true
		}
	}
	if !maps.Equal(named, o.blobs) {
		r.Fatalf("documents name the blobs %v, and these are stored: %v", slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(o.blobs)))
	}
	for name := range o.accepted {
		digit := name[len(name)-1:]
		gone := o.unsent[digit] && name[0] != 'u' && name[0] != 'c'
		if done[name] == gone {
			r.Fatalf("%s is done: %v; unsent: %v", name, done[name], o.unsent)
		}
	}
	for _, kind := range []string{"delayed*", "photos:*", "promised", "attempts", "lane*", "window:*", "work:*"} {
		if left := o.client.Keys(o.t.Context(), strings.NewReplacer("{", `\{`).Replace(keyOf(kind))).Val(); len(left) != 0 {
			r.Fatalf("something is left: %v", fmt.Sprint(left))
		}
	}
	letters, err := o.journals[0].Letters(o.t.Context(), q, 100)
	if err != nil {
		r.Fatal(err)
	}
	for _, letter := range letters {
		if name := strings.Fields(string(letter.Raw))[0]; o.unsent[name[len(name)-1:]] {
			r.Fatalf("the letter of %s outlives its unsend", name)
		}
	}
}
