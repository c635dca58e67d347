package load

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// readers read the queues beside agents' software.
type readers struct {
	stop   context.CancelFunc
	broken chan error // a queue cannot be read

	mu    sync.Mutex
	queue map[string]string // how far each queue was read
}

// watch begins to read every queue, from where it ends now.
func (r *run) watch(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	r.readers = &readers{stop: stop, broken: make(chan error, 1), queue: map[string]string{}}
	if r.target.Journal == nil {
		return nil
	}
	for _, name := range r.target.queues() {
		last, err := r.target.Journal.Last(ctx, name)
		if err != nil {
			return err
		}
		r.readers.queue[name] = last
		go r.read(ctx, name, last)
	}
	return nil
}

func (r *run) read(ctx context.Context, name, last string) {
	var unread error
	err := r.target.Journal.WatchFrom(ctx, name, last, func(place string, document []byte) bool {
		now := time.Now()
		took, ours, err := r.ledger.Found(document, now)
		if err != nil {
			unread = err
			return false
		}
		if ours {
			r.timing.queued(took)
		}
		r.readers.mu.Lock()
		r.readers.queue[name] = place
		r.readers.mu.Unlock()
		return true
	})
	if unread != nil {
		err = unread
	}
	if ctx.Err() == nil {
		select {
		case r.readers.broken <- fmt.Errorf("queue %s cannot be read: %w", name, err):
		default:
		}
	}
}

// settle waits until the queue has brought what it owes, or nothing for so long
// that it will not.
func (r *run) settle(ctx context.Context) error {
	switch {
	case r.target.Journal == nil:
		return nil
	case r.target.Paused:
		return r.reachJournal(ctx)
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	owedAtFirst, begun := 0, time.Now()
	for {
		owed, last := r.ledger.Outstanding()
		owedAtFirst = max(owedAtFirst, owed)
		if owed == 0 && r.quiet(ctx, begun) {
			return nil
		}
		if last.Before(begun) {
			last = begun
		}
		if time.Since(last) > r.Wait {
			return nil
		}
		r.progress(owedAtFirst-owed, owedAtFirst, "waiting for the queue")
		select {
		case <-ctx.Done():
			return nil // what there is, is judged
		case err := <-r.readers.broken:
			return err
		case <-tick.C:
		}
	}
}

// reachJournal waits until what was accepted is in the journal: where Redis was
// slow, a gateway keeps it in a spool of its own for a while.
func (r *run) reachJournal(ctx context.Context) error {
	for begun := time.Now(); ; {
		b, err := r.ledger.Balance(ctx, r.target.Journal.Recall)
		if err != nil || len(b.Lost) == 0 || time.Since(begun) > r.Wait {
			return err
		}
		r.progress(b.Accepted-len(b.Lost), b.Accepted, "waiting for the journal")
		if !until(ctx, time.Now().Add(look)) {
			return nil // what there is, is judged
		}
	}
}

// quiet tells whether the journal holds nothing more that might yet come twice,
// and everything in the queue has been read. Where others use the queue as well
// it may never be, which is waited for a while only.
func (r *run) quiet(ctx context.Context, since time.Time) bool {
	if time.Since(since) > readWithin {
		return true
	}
	for _, name := range r.target.queues() {
		stats, err := r.target.Journal.Stats(ctx, name)
		if err != nil || stats.Unfinished() > 0 {
			return false
		}
		if !r.hasRead(ctx, name) {
			return false
		}
	}
	return true
}

// hasRead tells whether everything in a queue has been read.
func (r *run) hasRead(ctx context.Context, name string) bool {
	last, err := r.target.Journal.Last(ctx, name)
	r.readers.mu.Lock()
	defer r.readers.mu.Unlock()
	return err == nil && r.readers.queue[name] == last
}
