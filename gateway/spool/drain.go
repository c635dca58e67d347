package spool

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/retry"
)

const (
	// A record that has waited for longer becomes a dead letter: the journal
	// remembers an event for a day longer, so it still knows its repeat.
	tooOld = 7 * 24 * time.Hour
	// After so long, less an hour for clocks that differ, it may have forgotten what
	// it had taken although nobody heard so.
	forgotten = tooOld + 23*time.Hour
	// stepTime bounds one step of handing in.
	stepTime = 5 * time.Second
	// The pause while the journal takes nothing grows between these.
	pauseMin = 200 * time.Millisecond
	pauseMax = 5 * time.Second
	// refusals is how often the journal may refuse what is in front, while it is
	// neither away nor full.
	refusals = 3
	// longest is how long a file in front may fail before what cannot be read of it
	// is passed over: a disk that stalls, or a volume that moves, takes minutes.
	longest = 2 * time.Minute
	// againEvery is how often what was passed over is tried again.
	againEvery = 10 * time.Minute
	// holdTime is how long a webhook waits at most for the last in front of it.
	holdTime = 100 * time.Millisecond
	// complainEvery is how often the log hears that the journal takes nothing.
	complainEvery = 10 * time.Second
)

// errNotReady means that it is not known yet whether the journal keeps what it
// takes.
var errNotReady = errors.New("the journal is not known to be safe yet")

// Run hands in what waits, in order, until ctx ends; then it goes on for as long
// as grace and as the journal takes it, and leaves the rest to the next start.
func (s *Spool) Run(ctx context.Context, grace time.Duration) {
	hurry, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	var loops sync.WaitGroup
	for _, b := range s.backlogs {
		loops.Go(func() { b.run(ctx, hurry) })
	}
	loops.Wait()
}

// run drains one queue's backlog whenever there is something.
func (b *backlog) run(stopping, hurry context.Context) {
	complain := rate.Sometimes{First: 1, Interval: complainEvery}
	slow := time.NewTicker(againEvery)
	defer slow.Stop()
	for tries, due := 0, true; ; tries++ {
		stopped := stopping.Err() != nil // asked before: there is one more round
		err := b.drain(hurry)
		if err == nil {
			if due && len(b.due) == 0 {
				b.round()
				due = false
			}
			err = b.again(hurry)
		}
		var pause <-chan time.Time
		if err == nil {
			tries = -1
		} else {
			complain.Do(func() {
				b.spool.options.Log.Warn("the spool waits for the journal", "queue", b.name, "err", err)
			})
			pause = time.After(retry.Pause(pauseMin, pauseMax, tries))
		}
		if stopped {
			return
		}
		if err == nil && len(b.due) > 0 {
			continue // something newer came
		}
		due = b.rest(stopping, pause, slow.C) || due
	}
}

// rest waits for something to do, or after trouble for the pause to be over. It
// tells whether what was passed over is to be tried again.
func (b *backlog) rest(stopping context.Context, pause, slow <-chan time.Time) (due bool) {
	wake := b.wake
	if pause != nil {
		wake = nil
	}
	select {
	case <-stopping.Done():
	case <-pause:
	case <-wake:
	case <-slow:
		return true
	}
	return false
}

// drain hands in what waits until nothing does or something is in the way.
func (b *backlog) drain(ctx context.Context) error {
	defer b.release()
	for n := 0; ; {
		if n > 0 {
			b.hold() // the journal has just shown that it takes something
		}
		f, err := b.front()
		if len(f.records) > 0 {
			b.failing = time.Time{} // the disk gives something back, whether the journal takes it or not
		}
		switch {
		case errors.Is(err, io.EOF) && b.more(ctx):
			continue
		case errors.Is(err, io.EOF):
			if n > 0 {
				b.tell.Do(func() { b.spool.options.Log.Info("spool drained", "queue", b.name, "records", n) })
			}
			return nil
		case err != nil:
			b.impatient(f.segment, err)
			return err
		case !b.spool.options.Ready():
			return errNotReady
		}
		done, err := b.handIn(ctx, &f)
		failpoint.Hit(failpoint.MidDrain)
		b.consume(f, done)
		n += done
		if err != nil {
			return err
		}
	}
}

// hold lets new webhooks wait a moment if only the last few are left. Without it
// a steady load would be spooled for ever: there would always be one that has just
// been written while the one before it was handed in.
func (b *backlog) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil && b.waiting() <= batchItems {
		b.held = make(chan struct{})
	}
}

// release ends a hold.
func (b *backlog) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held != nil {
		close(b.held)
		b.held = nil
	}
}

// more waits for the end of a write that began before a hold, and tells whether
// there was one.
func (b *backlog) more(ctx context.Context) bool {
	b.mu.Lock()
	writing := b.held != nil && b.flushing
	b.mu.Unlock()
	if !writing {
		return false
	}
	select {
	case <-b.wake:
		return true
	case <-time.After(holdTime): // a disk that hangs
	case <-ctx.Done():
	}
	return false
}

// handIn gives a batch to the journal and returns how many records have had
// their end. Where it is refused for a reason that does not pass, each goes
// alone, so that a wrong one does not hold up its neighbours.
func (b *backlog) handIn(ctx context.Context, f *batch) (int, error) {
	err := b.give(ctx, f.records)
	if err == nil {
		return len(f.records), nil
	}
	if queue.MayPass(err) || ctx.Err() != nil {
		return 0, err
	}
	for i := range f.records {
		if err := b.alone(ctx, f, f.records[i]); err != nil {
			return i, err
		}
	}
	return len(f.records), nil
}

// alone hands in one record. One that is refused again and again becomes a dead
// letter, and stays in its file if it cannot even be that.
func (b *backlog) alone(ctx context.Context, f *batch, r record) error {
	err := b.give(ctx, []record{r})
	if err == nil {
		*f.refused = 0
	}
	if err == nil || queue.MayPass(err) || ctx.Err() != nil {
		return err
	}
	if *f.refused++; *f.refused < refusals && !errors.Is(err, queue.ErrInvalid) {
		return err
	}
	buried := b.bury(ctx, r.dead("the journal does not take it: "+err.Error()))
	if errors.Is(buried, queue.ErrInvalid) {
		f.spoilt = append(f.spoilt, place{kind: refused, from: r.at, to: r.to})
		buried = nil
	}
	if buried == nil {
		*f.refused = 0
	}
	return buried
}

// give hands records in as accept and bury would have got them, and as dead
// letters where they are too old. What the journal has already is a repeat.
func (b *backlog) give(ctx context.Context, records []record) error {
	var items []queue.Item
	var letters []queue.Letter
	for _, r := range records {
		age := b.spool.options.Now().Sub(r.arrived)
		if age <= tooOld {
			r = r.dated()
			items, letters = append(items, r.items...), append(letters, r.letters...)
			continue
		}
		letters = append(letters, r.late(age > forgotten)...)
	}
	if err := b.bury(ctx, letters); err != nil || len(items) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	_, err := b.spool.options.Journal.Accept(ctx, b.name, items)
	return err
}

// bury keeps dead letters, and tells of the new ones.
func (b *backlog) bury(ctx context.Context, letters []queue.Letter) error {
	if len(letters) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	fresh, err := b.spool.options.Journal.Bury(ctx, b.name, letters)
	for i, isNew := range fresh {
		if isNew {
			b.spool.options.Log.Warn("event kept as a dead letter", "queue", b.name, "key", letters[i].Key, "cause", letters[i].Cause)
		}
	}
	return err
}

// late makes dead letters of a record that is too old.
func (r record) late(doubtful bool) []queue.Letter {
	cause := "in the spool since " + r.arrived.UTC().Format(time.RFC3339)
	if doubtful {
		cause += ", and may have been delivered"
	}
	letters := r.dead(cause)
	for i := range letters {
		letters[i].Doubtful = doubtful
	}
	return letters
}

// dead makes dead letters of all events of a record.
func (r record) dead(cause string) []queue.Letter {
	r = r.dated()
	letters := r.letters
	for _, i := range r.items {
		letters = append(letters, queue.Letter{
			Key: i.Key, Cause: cause, Party: i.Party, ReceivedAt: r.arrived, Content: queue.ContentPayload, Raw: i.Payload,
		})
	}
	return letters
}

// dated is a record whose events say when they came.
func (r record) dated() record {
	r.items, r.letters = slices.Clone(r.items), slices.Clone(r.letters)
	for i := range r.items {
		r.items[i].ReceivedAt = r.arrived
	}
	for i := range r.letters {
		r.letters[i].ReceivedAt = r.arrived
	}
	return r
}
