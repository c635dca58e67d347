package queue_test

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/gateway/queue"
)

// perAccount is the width of the windows in these tests.
const perAccount = 2

// The messages of TestTheLawOfLanes are named by a digit, and have photos but for
// the last; e, u and c before a digit name an edit, an unsend and a close. The
// payload of a message is its name and then the attempts whose blobs it names,
// and so is its document, behind what kind it is.
func account(digit string) string {
	if digit == "5" {
		return ""
	}
	return map[bool]string{true: "even", false: "odd"}[strings.Contains("024", digit)]
}

// office is a few gateways at one Redis, and the blobs that they have written.
type office struct {
	t        *testing.T
	client   *redis.Client
	journals []*queue.Journal
	held     [][]queue.Entry // every entry that a gateway ever had
	accepted map[string]bool
	unsent   map[string]bool // by digit
	blobs    map[string]bool // by attempt
	ended    map[string]bool // attempts whose worker has called their end, which it does once
	lives    map[string]int  // by name, how often a dead letter was revived
	last     *recorder       // the last script
	late     []func(r *rapid.T)
}

// TestTheLawOfLanes lets gateways do all there is to do with messages that have
// photos, that are told before these are settled, edited, unsent, closed and
// repeated meanwhile, and revived, in any order, and die in the midst of it. A reply
// may be lost, and the call be repeated at any later time. After each step it checks
// what must hold always, and in the end that nothing is left over.
func TestTheLawOfLanes(t *testing.T) {
	t.Parallel()
	client, last := connect(t, quickRedis(t)), new(recorder)
	client.AddHook(last)
	rapid.Check(t, func(r *rapid.T) {
		client.FlushAll(t.Context())
		o := &office{
			t: t, client: client, journals: make([]*queue.Journal, 3), held: make([][]queue.Entry, 3),
			accepted: map[string]bool{}, unsent: map[string]bool{}, blobs: map[string]bool{}, ended: map[string]bool{},
			lives: map[string]int{}, last: last,
		}
		for i := range o.journals {
			o.start(i)
		}
		r.Repeat(map[string]func(*rapid.T){
			"accept": o.accept, "accept another": o.accept, "take": o.take, "take over": o.takeOver, "due": o.due,
			"begin": o.begin, "finish": o.finish, "retry": o.retry, "release": o.release, "keep alive": o.keepAlive,
			"work": o.work, "put off": o.putOff, "tell": o.tell, "sweep": o.sweep, "crash": o.crash,
			"look after": o.lookAfter, "revive": o.revive, "die and live": o.dieAndLive, "repeat": o.repeat, "": o.check,
		})
		o.drain(r)
		for len(o.late) > 0 {
			o.repeat(r)
			o.check(r)
		}
		o.drain(r)
		o.checkNothingIsLeft(r)
	})
}

func (o *office) start(i int) {
	o.journals[i] = journalOn(o.t, o.client, queue.Options{
		Lease: atOnce, PerAccount: perAccount, PromiseFor: 1,
		OnBreach: func(b queue.Breach) { o.t.Errorf("breach: %+v", b) },
	})
	o.held[i] = nil
}

func (o *office) pick(r *rapid.T) int {
	return rapid.IntRange(0, len(o.journals)-1).Draw(r, "gateway")
}

func (o *office) entry(r *rapid.T) (int, *queue.Entry) {
	i := o.pick(r)
	if len(o.held[i]) == 0 {
		r.Skip("this gateway has had nothing")
	}
	return i, &o.held[i][rapid.IntRange(0, len(o.held[i])-1).Draw(r, "entry")]
}

// note passes over what is in other hands or withdrawn.
func (o *office) note(r *rapid.T, err error) {
	if err != nil && !errors.Is(err, queue.ErrFenced) && !errors.Is(err, queue.ErrWithdrawn) {
		r.Fatal(err)
	}
}

func (o *office) accept(r *rapid.T) {
	var items []queue.Item
	for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{
		"0", "1", "2", "3", "4", "5", "0", "2", "4", "e0", "u0", "e1", "u1", "u2", "u4", "e5", "u5", "c0",
	}), 1, 3).Draw(r, "events") {
		digit := name[len(name)-1:]
		i := named(map[string]queue.ItemKind{
			"": queue.ItemMessage, "e": queue.ItemEdit, "u": queue.ItemUnsend, "c": queue.ItemClose,
		}[strings.TrimSuffix(name, digit)], name, digit)
		if i.Kind == queue.ItemMessage && account(digit) != "" {
			i.Lane = photo("", account(digit)).Lane
		}
		items = append(items, i)
	}
	got, err := o.journals[o.pick(r)].Accept(o.t.Context(), q, items)
	if err != nil {
		r.Fatal(err)
	}
	for i, one := range got {
		name := string(items[i].Payload)
		if one.Fate == queue.FateAccepted {
			o.accepted[name] = true
		}
		o.unsent[name[len(name)-1:]] = o.unsent[name[len(name)-1:]] || name[0] == 'u'
	}
}

func (o *office) keep(r *rapid.T, i int, entries []queue.Entry, err error) []queue.Entry {
	if err != nil {
		r.Fatal(err)
	}
	before := len(o.held[i])
	o.held[i] = append(o.held[i], entries...)
	return o.held[i][before:]
}

func (o *office) takeSome(r *rapid.T, i int) []queue.Entry {
	from := queue.Inbox(rapid.IntRange(0, 1).Draw(r, "inbox"))
	entries, err := o.journals[i].Take(o.t.Context(), q, from, 2, 0)
	return o.keep(r, i, entries, err)
}

func (o *office) take(r *rapid.T) { o.takeSome(r, o.pick(r)) }

func (o *office) takeOver(r *rapid.T) {
	i, from := o.pick(r), queue.Inbox(rapid.IntRange(0, 1).Draw(r, "inbox"))
	entries, err := o.journals[i].TakeOver(o.t.Context(), q, from, 1)
	o.keep(r, i, entries, err)
}

func (o *office) due(r *rapid.T) {
	if _, err := o.journals[o.pick(r)].Due(o.t.Context(), q, 2); err != nil {
		r.Fatal(err)
	}
}

func (o *office) crash(r *rapid.T) { o.start(o.pick(r)) }

func (o *office) lookAfter(r *rapid.T) {
	j := o.journals[o.pick(r)]
	if err := errors.Join(j.EnsureQueue(o.t.Context(), q), j.Close(o.t.Context())); err != nil {
		r.Fatal(err)
	}
}

// nameOf is the first word of an entry's payload.
func nameOf(e *queue.Entry) string { return strings.Fields(string(e.Payload))[0] }

// guardOf is the message by which an entry may be withdrawn.
func guardOf(e *queue.Entry) string {
	name := nameOf(e)
	if name[0] == 'u' || name[0] == 'c' {
		return ""
	}
	return hash("message " + name[len(name)-1:])
}

func (o *office) begin(r *rapid.T) { i, e := o.entry(r); o.beginOne(r, i, e) }

// beginOne registers an attempt and writes its blobs.
func (o *office) beginOne(r *rapid.T, i int, e *queue.Entry) {
	if o.ended[e.Attempt] {
		return
	}
	err := o.journals[i].Begin(o.t.Context(), e, guardOf(e))
	o.note(r, err)
	delete(o.blobs, e.Lost)
	if errors.Is(err, queue.ErrWithdrawn) {
		o.destroy(*e)
	}
	if err != nil || e.Lane == "" {
		return
	}
	if got := strings.Fields(string(e.Payload))[1:]; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(e.Kept))) {
		r.Fatalf("the record of %s names the blobs of %v, and %v were kept", nameOf(e), got, e.Kept)
	}
	o.blobs[e.Attempt] = true
}

// destroy deletes what a message that was unsent has left.
func (o *office) destroy(e queue.Entry) {
	delete(o.blobs, e.Attempt)
	for _, attempt := range e.Kept {
		delete(o.blobs, attempt)
	}
}

func (o *office) keepAlive(r *rapid.T) {
	i, e := o.entry(r)
	o.note(r, o.journals[i].KeepAlive(o.t.Context(), *e))
}

func (o *office) release(r *rapid.T) {
	i, e := o.entry(r)
	if !o.end(e.Attempt) {
		return
	}
	err := o.journals[i].Release(o.t.Context(), *e)
	o.note(r, err)
	if err == nil {
		delete(o.blobs, e.Attempt)
	}
}

// end notes that a worker calls the end of its attempt, unless it has.
func (o *office) end(attempt string) bool {
	if o.ended[attempt] {
		return false
	}
	o.ended[attempt] = true
	return true
}

func (o *office) retry(r *rapid.T) { i, e := o.entry(r); o.retryOne(r, i, *e) }

func (o *office) retryOne(r *rapid.T, i int, e queue.Entry) {
	if !o.end(e.Attempt) {
		return
	}
	how := queue.Retry{Cause: "slow", Hold: rapid.Bool().Draw(r, "hold"), Keep: rapid.Bool().Draw(r, "keep")}
	if how.Keep && e.Lane != "" {
		e.Payload = fmt.Append(slices.Clone(e.Payload), " ", e.Attempt)
	}
	j := o.journals[i]
	o.call(r, func() (queue.Outcome, error) { return j.Retry(o.t.Context(), e, how) }, func(_ *rapid.T, outcome queue.Outcome) {
		switch {
		case outcome == queue.Withdrawn:
			o.destroy(e)
		case outcome == queue.Other, !how.Keep:
			delete(o.blobs, e.Attempt)
		}
	})
}

func (o *office) finish(r *rapid.T) {
	i, e := o.entry(r)
	o.finishOne(r, i, *e, rapid.Bool().Draw(r, "dead"))
}

// finishOne ends an entry as the line does, in as many calls as it takes.
func (o *office) finishOne(r *rapid.T, i int, e queue.Entry, dead bool) {
	if !o.end(e.Attempt) {
		return
	}
	j, end := o.journals[i], queue.End{Message: guardOf(&e), Told: e.Told}
	if name := nameOf(&e); len(name) == 1 {
		end.Party = hash("party")
		if dead {
			end.Cause = "hopeless"
		}
	} else if name[0] == 'u' {
		trace, err := j.Trace(o.t.Context(), q, hash("message "+name[1:]))
		if err != nil || !trace.Unsent {
			r.Fatalf("trace of what %s unsends: %+v, %v", name, trace, err)
		}
		for _, attempt := range trace.Attempts {
			delete(o.blobs, attempt)
		}
		end.Erase = &trace
	}
	o.complete(r, j, e, end)
}

// complete calls once more where the document should be another. A dead letter
// names what its document does.
func (o *office) complete(r *rapid.T, j *queue.Journal, e queue.Entry, end queue.End) {
	end.Document = o.document(e, end)
	as := e
	if end.Cause != "" && e.Lane != "" {
		as.Payload = fmt.Append(slices.Clone(e.Payload), " ", e.Attempt)
	}
	o.call(r, func() (queue.Outcome, error) { return j.Complete(o.t.Context(), as, end) }, func(r *rapid.T, outcome queue.Outcome) {
		var err error
		switch outcome {
		case queue.Late:
			end.Late = true
			o.complete(r, j, e, end)
		case queue.Told:
			if end.Told, err = j.ToldAs(o.t.Context(), e); err != nil {
				r.Fatal(err)
			}
			if end.Told != "" {
				o.complete(r, j, e, end)
			}
		case queue.Withdrawn:
			o.destroy(e)
		case queue.Other:
			delete(o.blobs, e.Attempt)
		}
	})
}

// document says what an entry was, and which blobs it names.
func (o *office) document(e queue.Entry, end queue.End) []byte {
	kind := map[byte]string{'e': "edited ", 'u': "unsent ", 'c': "closed "}[nameOf(&e)[0]]
	switch {
	case kind != "":
	case end.Told != "":
		kind = fmt.Sprintf("settled%d ", o.lives[nameOf(&e)])
	default:
		kind = "received "
	}
	document := kind + string(e.Payload)
	if e.Lane != "" {
		document += " " + e.Attempt
	}
	return []byte(document)
}

// meanwhile is what may happen while a worker is at something.
func (o *office) meanwhile(r *rapid.T) {
	happens := rapid.SampledFrom([]func(*rapid.T){
		func(*rapid.T) {}, o.tell, o.tell, o.accept, o.takeOver, o.sweep, o.due,
	}).Draw(r, "meanwhile")
	happens(r)
}

// work takes some entries from their beginning to their end, and putOff from
// there to another try.
func (o *office) work(r *rapid.T) {
	i := o.pick(r)
	for _, e := range o.takeSome(r, i) {
		o.beginOne(r, i, &e)
		o.meanwhile(r)
		o.finishOne(r, i, e, rapid.Bool().Draw(r, "dead"))
	}
}

func (o *office) putOff(r *rapid.T) {
	i := o.pick(r)
	for _, e := range o.takeSome(r, i) {
		o.beginOne(r, i, &e)
		o.meanwhile(r)
		o.retryOne(r, i, e)
	}
}

// tell tells some messages that are overdue, and perhaps one that is in work.
func (o *office) tell(r *rapid.T) {
	i := o.pick(r)
	overdue, err := o.journals[i].Overdue(o.t.Context(), q, 4)
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range o.held[i] {
		if e.Lane != "" && rapid.Bool().Draw(r, "in work too") {
			overdue = append(overdue, e)
		}
	}
	for _, e := range overdue {
		var id [16]byte
		_, _ = rand.Read(id[:])
		t := queue.Telling{
			ID: hex.EncodeToString(id[:]), Message: guardOf(&e), Party: hash("party"), Document: []byte("pending " + nameOf(&e)),
		}
		outcome, err := o.journals[i].Tell(o.t.Context(), e, t)
		if outcome == queue.Late {
			t.Late = true
			outcome, err = o.journals[i].Tell(o.t.Context(), e, t)
		}
		if err != nil || outcome == queue.Late || outcome == queue.Told {
			r.Fatalf("tell: %v, %v", outcome, err)
		}
	}
}

// sweep deletes the blobs of orphans.
func (o *office) sweep(r *rapid.T) {
	j := o.journals[o.pick(r)]
	found, _, err := j.Orphans(o.t.Context(), q, 0, 100)
	var orphans []string
	for _, orphan := range found {
		attempt := orphan.Attempt
		orphans = append(orphans, attempt)
		delete(o.blobs, attempt)
	}
	if err := errors.Join(err, j.Swept(o.t.Context(), q, orphans)); err != nil {
		r.Fatal(err)
	}
}
