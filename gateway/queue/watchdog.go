package queue

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// watchEvery is how often Redis is looked at.
	watchEvery = time.Second
	// examineEvery is how often the doctor asks again: settings can be changed
	// while Redis runs, and after a failover another server's count.
	examineEvery = time.Minute
)

var (
	errClosed      = errors.New("queue: closed")
	errServerEnded = errors.New("the private redis-server has ended, so nothing can be made durable; start again: what was acknowledged is on its disk")
)

// watchdog is what is known from looking at Redis again and again.
type watchdog struct {
	// pending is set while the doctor has been asked and Redis has not answered.
	pending atomic.Bool
	// away, examined and files, by the names of primaries, belong to the loop.
	away     bool
	examined time.Time
	files    map[string]file

	mu sync.Mutex
	// wrong are the doctor's findings, and torn what is wrong with files.
	wrong, torn []string
}

// Condition is how Redis does, as of the last look at it, a second ago or so.
type Condition struct {
	Durability Durability
	// Filled is the part of its maxmemory that the fullest primary uses; 0 where
	// that is not known.
	Filled float64
	// Closed tells that nothing is accepted, for all queues or for those on one
	// primary of a cluster, until there is room again; Fills says in words what
	// takes the memory up.
	Closed bool
	Fills  string
	// Wrong are the doctor's findings about a Redis that once had none: somebody
	// has changed it, or another server has taken over; and that it should write its
	// file anew, and does not. A gateway that serves goes on, because its stop would
	// lose more, but the promise does not hold.
	Wrong []string
}

// Condition tells how Redis does, without asking it.
func (b *Backend) Condition() Condition {
	c := b.memory.condition()
	c.Durability = b.Durability()
	b.watchdog.mu.Lock()
	defer b.watchdog.mu.Unlock()
	c.Wrong = slices.Concat(b.watchdog.wrong, b.watchdog.torn)
	return c
}

// startWatch looks at Redis until Close, and ends the Backend with its private
// server, if it has one.
func (b *Backend) startWatch(ctx context.Context, log *slog.Logger, server <-chan struct{}) {
	if log != nil {
		b.log = log
	}
	b.watchdog.examined = time.Now()
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // which bounds the start only
	var running sync.WaitGroup
	running.Go(func() { b.watch(ctx, server) })
	b.unwatch = func() {
		stop()
		running.Wait()
	}
}

func (b *Backend) watch(ctx context.Context, server <-chan struct{}) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-server:
			b.end(errServerEnded)
			return
		case <-tick.C:
			b.look(ctx)
		}
	}
}

// look asks all primaries how full they are, and if one was away or was started, or
// none was asked for a while, whether they still keep what they acknowledge. Those
// that were started are asked to write their file anew.
func (b *Backend) look(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, ioTimeout)
	defer cancel()
	w := &b.watchdog
	started, err := b.measure(bounded)
	if err == nil && (started || w.away || w.pending.Load() || time.Since(w.examined) >= examineEvery) {
		err = b.examineAgain(bounded)
	}
	if err == nil {
		err = b.renew(bounded)
	}
	switch {
	case ctx.Err() != nil: // the gateway stops
	case err != nil && !w.away:
		w.away = true
		b.log.Warn("redis does not answer", "error", err)
	case err == nil && w.away:
		w.away = false
		if len(b.Condition().Wrong) > 0 {
			b.log.Warn("redis answers again, and may lose messages")
			return
		}
		b.log.Info("redis answers again", "durability", b.Durability())
	}
}

// examineAgain asks the doctor behind the back of those who serve, and makes what
// is missing in a Redis that has come back without what it held.
func (b *Backend) examineAgain(ctx context.Context) error {
	checkup, err := b.examine(ctx)
	if err != nil {
		return err
	}
	w := &b.watchdog
	b.durability.Store(checkup.Durability)
	w.mu.Lock()
	news := !slices.Equal(w.wrong, checkup.Findings)
	w.wrong = checkup.Findings
	w.mu.Unlock()
	switch {
	case len(checkup.Findings) == 0:
	case !b.prepared.Load():
		b.end(refusal(checkup.Findings))
		return nil
	case news:
		b.log.Error("redis would lose messages", "error", refusal(checkup.Findings))
	}
	for _, name := range b.used() {
		if err := b.EnsureQueue(ctx, name); err != nil {
			return err
		}
	}
	if w.pending.Swap(false) {
		b.prepared.Store(true)
		b.log.Info("journal open", "durability", checkup.Durability, "where", b.Description)
	}
	w.examined = time.Now()
	return nil
}
