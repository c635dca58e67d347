package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/retry"
)

// readers read the queues beside agents' software.
type readers struct {
	stop context.CancelFunc

	mu     sync.Mutex
	queue  map[string]string // how far each queue was read
	broken error             // why a queue cannot be read, and will not be later
}

// watch begins to read every queue, from where it ends now.
func (r *run) watch(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	r.readers = &readers{stop: stop, queue: map[string]string{}}
	if r.target.Journal == nil {
		return nil
	}
	for _, name := range r.target.Queues() {
		last, err := r.target.Journal.Last(ctx, name)
		if err != nil {
			stop()
			return err
		}
		r.readers.reached(name, last)
		go r.read(ctx, name, last)
	}
	return nil
}

// read reads a queue until ctx ends. While Redis is away it asks again, and goes
// on behind the last document that it has seen.
func (r *run) read(ctx context.Context, name, place string) {
	var unread error
	err := retry.While(ctx, queue.MayPass, look, func() error {
		return r.target.Journal.WatchFrom(ctx, name, place, func(at string, document []byte) bool {
			now := time.Now()
			took, ours, err := r.ledger.Found(document, now)
			if err != nil {
				unread = err
				return false
			}
			if ours {
				r.timing.queued(took)
			}
			place = at
			r.readers.reached(name, at)
			return true
		})
	})
	if unread != nil {
		err = unread
	}
	if ctx.Err() == nil {
		r.readers.fail(fmt.Errorf("queue %s cannot be read: %w", name, err))
	}
}

func (r *readers) reached(name, place string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue[name] = place
}

func (r *readers) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = err
}

// failed is why a queue cannot be read, or nil.
func (r *readers) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

// patience is until when the queue, and Redis, are waited for.
func (r *run) patience() time.Time {
	_, last := r.ledger.Outstanding()
	if last.Before(r.ended) {
		last = r.ended
	}
	return last.Add(r.Wait)
}

// settle waits until the queue has brought what it owes, or nothing for so long
// that it will not. What there is then, or when ctx ends, is judged.
func (r *run) settle(ctx context.Context) {
	switch {
	case r.target.Journal == nil:
		return
	case r.target.Paused:
		r.reachJournal(ctx)
		return
	}
	owedAtFirst, since := 0, r.ended // since then nothing is owed and Redis answers
	for r.readers.failed() == nil && time.Now().Before(r.patience()) {
		owed, _ := r.ledger.Outstanding()
		owedAtFirst = max(owedAtFirst, owed)
		if owed == 0 {
			quiet, err := r.quiet(ctx)
			switch {
			case queue.MayPass(err):
				since = time.Now()
			case quiet, time.Since(since) > readWithin:
				// Where others use the queue as well it may never be quiet.
				return
			}
		}
		r.progress(owedAtFirst-owed, owedAtFirst, "waiting for the queue")
		if !until(ctx, time.Now().Add(look)) {
			return
		}
	}
}

// reachJournal waits until what was accepted is in the journal: where Redis was
// slow or away, a gateway keeps it in a spool of its own for a while.
func (r *run) reachJournal(ctx context.Context) {
	for time.Now().Before(r.patience()) {
		b, err := r.ledger.Balance(ctx, r.target.Journal.Recall)
		if err == nil && len(b.Lost) == 0 || err != nil && !queue.MayPass(err) {
			return
		}
		r.progress(b.Accepted-len(b.Lost), b.Accepted, "waiting for the journal")
		if !until(ctx, time.Now().Add(look)) {
			return
		}
	}
}

// quiet tells whether the journal holds nothing more that might yet come twice,
// and everything in the queue has been read.
func (r *run) quiet(ctx context.Context) (bool, error) {
	for _, name := range r.target.Queues() {
		stats, err := r.target.Journal.Stats(ctx, name)
		if err != nil || stats.Unfinished() > 0 {
			return false, err
		}
		if read, err := r.hasRead(ctx, name); !read {
			return false, err
		}
	}
	return true, nil
}

// hasRead tells whether everything in a queue has been read.
func (r *run) hasRead(ctx context.Context, name string) (bool, error) {
	last, err := r.target.Journal.Last(ctx, name)
	r.readers.mu.Lock()
	defer r.readers.mu.Unlock()
	return err == nil && r.readers.queue[name] == last, err
}
