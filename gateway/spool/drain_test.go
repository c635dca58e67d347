package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

func TestWhatTheJournalTakesIsNotSpooled(t *testing.T) {
	d := &desk{}
	s := open(t, t.TempDir(), d, func(o *Options) { o.OnSpooled = func(string) { t.Error("spooled") } })
	accepted, err := s.Accept(t.Context(), q, []queue.Item{item("a")})
	if err != nil || len(accepted) != 1 || !accepted[0].New {
		t.Errorf("accept: got %v, %v, want the journal's own answer", accepted, err)
	}
	fresh, err := s.Bury(t.Context(), q, []queue.Letter{{Key: key("b")}})
	if err != nil || !slices.Equal(fresh, []bool{true}) {
		t.Errorf("bury: got %v, %v, want the journal's own answer", fresh, err)
	}
	wantNothingLeft(t, s)
}

// Whatever keeps the journal from confirming: only a call that is wrong itself
// is not helped by another place.
func TestWhatTheJournalDoesNotConfirmIsSpooled(t *testing.T) {
	for what, test := range map[string]struct {
		err     error
		spooled bool
	}{
		"away":    {fmt.Errorf("queue: accept: %w", queue.ErrAway), true},
		"full":    {fmt.Errorf("queue: accept: %w", queue.ErrFull), true},
		"other":   {errors.New("WRONGTYPE"), true},
		"invalid": {fmt.Errorf("queue: accept: %w", queue.ErrInvalid), false},
	} {
		d, counted := &desk{}, 0
		d.set(test.err)
		s := open(t, t.TempDir(), d, func(o *Options) { o.OnSpooled = func(string) { counted++ } })
		accepted, err := s.Accept(t.Context(), q, []queue.Item{item("a")})
		if (err == nil) != test.spooled || len(accepted) != 0 || (counted == 1) != test.spooled {
			t.Errorf("%s: accept: got %v, %v, counted %d", what, accepted, err, counted)
		}
		fresh, err := s.Bury(t.Context(), q, []queue.Letter{{Key: key("b"), Raw: []byte("raw")}})
		if (err == nil) != test.spooled || len(fresh) != 1 || fresh[0] {
			t.Errorf("%s: bury: got %v, %v", what, fresh, err)
		}
	}
}

// A journal that hangs has a third of the caller's time, and 500 ms at most.
func TestAJournalThatHangsIsNotWaitedFor(t *testing.T) {
	var had time.Duration
	s := open(t, t.TempDir(), hanging{func(ctx context.Context) {
		deadline, _ := ctx.Deadline()
		had = time.Until(deadline)
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := s.Accept(ctx, q, []queue.Item{item("a")}); err != nil || had > 500*time.Millisecond {
		t.Errorf("got %v; the journal had %v, want at most 500 ms", err, had)
	}
	short, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
	defer cancel()
	if _, err := s.Accept(short, other, []queue.Item{item("b")}); err != nil || had > 300*time.Millisecond {
		t.Errorf("got %v; the journal had %v, want at most a third of 900 ms", err, had)
	}
	want(t, "pending", s.Pending(), keys("b", "a"))
}

// hanging is a journal that never answers.
type hanging struct{ asked func(context.Context) }

func (h hanging) Accept(ctx context.Context, _ string, _ []queue.Item) ([]queue.Accepted, error) {
	h.asked(ctx)
	<-ctx.Done()
	return nil, fmt.Errorf("%w: %w", queue.ErrAway, ctx.Err())
}

func (h hanging) Bury(ctx context.Context, _ string, _ []queue.Letter) ([]bool, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestNewWebhooksGoBehindThoseThatWait(t *testing.T) {
	d := away()
	s := open(t, t.TempDir(), d)
	accept(t, s, "first")
	d.set(nil) // it is back, and nobody has drained yet
	accept(t, s, "second")
	if got := d.got(q); len(got) != 0 {
		t.Errorf("passed those that wait: %v", got)
	}
	if _, err := s.Accept(t.Context(), other, []queue.Item{item("elsewhere")}); err != nil {
		t.Error(err)
	}
	want(t, "another queue", d.got(other), keys("elsewhere"))
	drainAll(t, s)
	accept(t, s, "third")
	want(t, "journal", d.got(q), keys("first", "second", "third"))
	wantNothingLeft(t, s)
}

// The order holds while the journal fails in between, the process starts again
// and again, and new webhooks come in all the time.
func TestTheOrderIsKept(t *testing.T) {
	folder, d, n := t.TempDir(), away(), 0
	calls := 0
	for range 4 {
		s := open(t, folder, d, fast, func(o *Options) { o.Limit = minSegment * 64 })
		d.set(queue.ErrAway)
		for range 500 {
			accept(t, s, n)
			n++
		}
		d.when(func([]queue.Item, []queue.Letter) error {
			if calls++; calls%3 != 0 {
				return nil
			}
			return queue.ErrFull
		})
		stop := run(t, s)
		for range 500 {
			accept(t, s, n)
			n++
		}
		d.set(queue.ErrAway)
		stop()
		_ = s.Close()
	}
	s := open(t, folder, d)
	d.set(nil)
	drainAll(t, s)
	want(t, "journal", d.got(q), upTo(n))
	if d.repeats != 0 {
		t.Errorf("%d were handed in twice without a kill", d.repeats)
	}
	wantNothingLeft(t, s)
}

func TestDrainsInBatchesAndWhenTheJournalIsBack(t *testing.T) {
	d := away()
	s := open(t, spooled(t, 1000), d)
	run(t, s)
	d.set(nil)
	gatewaytest.Await(t, "all is handed in", func() bool { return len(d.got(q)) == 1000 })
	if d.largest < 2 || d.largest > batchItems {
		t.Errorf("the largest step had %d events, want up to %d", d.largest, batchItems)
	}
	d.set(queue.ErrAway)
	accept(t, s, "later")
	d.set(nil)
	gatewaytest.Await(t, "what came later is handed in", func() bool { return len(d.got(q)) == 1001 })
	gatewaytest.Await(t, "the files are gone", func() bool { used, _ := s.Bytes(); return used == 0 })
}

func TestNothingIsHandedInBeforeTheJournalIsKnownToBeSafe(t *testing.T) {
	d, ready := &desk{}, false
	s := open(t, t.TempDir(), d, func(o *Options) { o.Ready = func() bool { return ready } })
	accept(t, s, "a")
	if err := s.backlogs[q].drain(t.Context()); !errors.Is(err, errNotReady) || len(d.got(q)) != 0 {
		t.Errorf("got %v, and %v in the journal", err, d.got(q))
	}
	ready = true
	drainAll(t, s)
	want(t, "journal", d.got(q), keys("a"))
}

// What has waited for more than seven days becomes a dead letter with its raw
// event.
func TestOldRecordsBecomeDeadLetters(t *testing.T) {
	folder, d, now := t.TempDir(), away(), time.Now().Add(-tooOld-time.Minute)
	s := open(t, folder, d, func(o *Options) { o.Now = func() time.Time { return now } })
	accept(t, s, "old")
	if _, err := s.Bury(t.Context(), q, []queue.Letter{{Key: key("letter"), Cause: "its own", Raw: []byte("raw")}}); err != nil {
		t.Fatal(err)
	}
	now = time.Now().Add(-forgotten - time.Minute)
	accept(t, s, "very old")
	now = time.Now().Add(-tooOld + time.Minute)
	accept(t, s, "young")
	now = time.Now()
	if got := s.Stats()[1].Oldest; got < tooOld {
		t.Errorf("the oldest is %v old, want more than %v", got, tooOld)
	}
	d.set(nil)
	drainAll(t, s)
	if len(d.letters) != 3 || len(d.got(q)) != 4 {
		t.Fatalf("got letters %+v and %v", d.letters, d.got(q))
	}
	old, own := d.letters[0], d.letters[1]
	if old.Key != key("old") || !bytes.Equal(old.Raw, item("old").Payload) || !strings.HasPrefix(old.Cause, "in the spool since ") {
		t.Errorf("got %+v with %s", old, old.Raw)
	}
	if own.Cause != "its own" || string(own.Raw) != "raw" {
		t.Errorf("got %+v with %s", own, own.Raw)
	}
	if very := d.letters[2]; old.Doubtful || !very.Doubtful || !strings.HasSuffix(very.Cause, ", and may have been delivered") {
		t.Errorf("got %+v and %+v, want the second alone in doubt", old, very)
	}
}

// A webhook that the journal refuses again and again does not hold up those
// behind it.
func TestAWebhookThatIsRefusedBecomesADeadLetter(t *testing.T) {
	d := away()
	s := open(t, spooled(t, 5), d)
	wrong := key(2)
	d.when(func(items []queue.Item, _ []queue.Letter) error {
		if slices.ContainsFunc(items, func(i queue.Item) bool { return i.Key == wrong }) {
			return errors.New("WRONGTYPE")
		}
		return nil
	})
	failed := 0
	for s.backlogs[q].drain(t.Context()) != nil {
		if failed++; failed == 2 {
			want(t, "journal, while it is tried again", d.got(q), upTo(2))
		}
	}
	want(t, "journal", d.got(q), upTo(5))
	if failed != refusals {
		t.Errorf("it was tried %d times, want %d", failed, refusals)
	}
	if len(d.letters) != 1 || d.letters[0].Key != wrong || !strings.Contains(d.letters[0].Cause, "WRONGTYPE") {
		t.Errorf("got letters %+v, want one", d.letters)
	}
}

// A journal that refuses everything, say for a password that has changed, loses
// nothing and reorders nothing; and one that is away or full may take dead letters
// in between.
func TestAJournalThatTakesNothingIsWaitedFor(t *testing.T) {
	for what, test := range map[string]struct {
		err     error
		letters bool
	}{"refuses": {errors.New("NOAUTH"), false}, "away": {queue.ErrAway, true}, "full": {queue.ErrFull, true}} {
		d := &desk{}
		s := open(t, spooled(t, 5), d)
		d.when(func(items []queue.Item, _ []queue.Letter) error {
			if len(items) == 0 && test.letters {
				return nil
			}
			return test.err
		})
		for range 3 * refusals {
			if err := s.backlogs[q].drain(t.Context()); err == nil {
				t.Fatalf("%s: drain: got nil", what)
			}
		}
		want(t, what+": pending", s.Pending(), upTo(5))
		d.set(nil)
		drainAll(t, s)
		want(t, what+": journal", d.got(q), upTo(5))
		if len(d.letters) != 0 {
			t.Errorf("%s: got letters %+v", what, d.letters)
		}
	}
}

// What cannot even be a dead letter stays in its file.
func TestWhatTheJournalCanNeverTakeIsPutAside(t *testing.T) {
	folder, d, counted := t.TempDir(), away(), 0
	s := open(t, folder, d, func(o *Options) { o.OnBroken = func(string) { counted++ } })
	accept(t, s, "a")
	nameless := item("")
	nameless.Key = "no hash"
	if _, err := s.Accept(t.Context(), q, []queue.Item{nameless}); err != nil {
		t.Fatal(err)
	}
	accept(t, s, "b")
	d.when(func(items []queue.Item, letters []queue.Letter) error {
		for _, i := range items {
			letters = append(letters, queue.Letter{Key: i.Key})
		}
		if slices.ContainsFunc(letters, func(l queue.Letter) bool { return l.Key == nameless.Key }) {
			return queue.ErrInvalid
		}
		return nil
	})
	drainAll(t, s)
	want(t, "journal", d.got(q), keys("a", "b"))
	kept := segments(t, folder, q, keptEnding)
	if counted != 1 || len(kept) != 1 || !bytes.Contains(read(t, kept[0]), nameless.Payload) {
		t.Errorf("counted %d, kept %v", counted, kept)
	}
}

// A stop hands in what it can and leaves the rest to the next start.
func TestAStop(t *testing.T) {
	for what, test := range map[string]struct {
		at   int // the call from which on the journal is away
		left int
	}{"journal there": {100, 0}, "journal away": {0, 1000}, "journal goes away": {2, 1000 - 2*batchItems}} {
		t.Run(what, func(t *testing.T) {
			folder, d := spooled(t, 1000), &desk{}
			calls := 0
			d.when(func([]queue.Item, []queue.Letter) error {
				if calls++; calls > test.at {
					return queue.ErrAway
				}
				return nil
			})
			s := open(t, folder, d)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			s.Run(ctx, time.Minute)
			if got := len(s.Pending()); got != test.left {
				t.Errorf("%d are left, want %d", got, test.left)
			}
			_ = s.Close()
			d.set(nil)
			drainAll(t, open(t, folder, d))
			want(t, "journal", d.got(q), upTo(1000))
		})
	}
}

// A load that never pauses finds its way back to the journal.
func TestASteadyLoadIsNotSpooledForEver(t *testing.T) {
	var spooledLast atomic.Int64
	d := away()
	s := open(t, t.TempDir(), slowly{d}, func(o *Options) { o.OnSpooled = func(string) { spooledLast.Store(0) } })
	run(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := s.Accept(t.Context(), q, []queue.Item{item(fmt.Sprintf("%d.%d", w, i))}); err != nil {
					t.Error(err)
				}
				spooledLast.Add(1)
			}
		})
	}
	gatewaytest.Await(t, "the load is spooled", func() bool { return len(s.Pending()) > 100 })
	d.set(nil)
	gatewaytest.Await(t, "a thousand in a row are not spooled", func() bool { return spooledLast.Load() > 1000 })
	cancel()
	writers.Wait()
}

// slowly is a journal that takes a while, as one does that syncs.
type slowly struct{ *desk }

func (s slowly) Accept(ctx context.Context, name string, items []queue.Item) ([]queue.Accepted, error) {
	time.Sleep(time.Millisecond)
	return s.desk.Accept(ctx, name, items)
}
