package inbound

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

const (
	// ahead is how many messages of one queue a gateway holds at once, those
	// that wait for a slot included: a text finds its way past that many photos.
	ahead = 32
	// listen is how long one question to Redis waits for a new message.
	listen = 2 * time.Second
	// rest is the pause after Redis failed to answer.
	rest = time.Second
	// dueEvery is how often delayed messages are looked through.
	dueEvery = 500 * time.Millisecond
)

// crew is the line at work: the loops of every queue, and what they share.
type crew struct {
	*Line
	slots chan struct{}   // one for each photo message in work
	hurry context.Context // ends when what is still in work must be let go
	wg    sync.WaitGroup
}

// Run works on every queue until ctx ends. Then it takes nothing new, and what
// is not finished within grace goes back to the journal for another gateway.
func (l *Line) Run(ctx context.Context, grace time.Duration) {
	hurry, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	c := &crew{Line: l, slots: make(chan struct{}, l.Work.Slots), hurry: hurry}
	var loops sync.WaitGroup
	for _, name := range l.Routes.Queues() {
		held := make(chan struct{}, ahead)
		loops.Go(func() { c.takeNew(ctx, name, held) })
		loops.Go(func() { c.takeOver(ctx, name, held) })
		loops.Go(func() { c.takeDue(ctx, name) })
	}
	loops.Wait()
	timer := time.AfterFunc(grace, cancel)
	defer timer.Stop()
	c.wg.Wait()
}

// takeNew takes messages one by one as they arrive.
func (c *crew) takeNew(ctx context.Context, name string, held chan struct{}) {
	for ctx.Err() == nil {
		select {
		case held <- struct{}{}:
		case <-ctx.Done():
			return
		}
		entries, err := c.Journal.Take(ctx, name, 1, listen)
		if err != nil {
			c.complain(ctx, "take", err)
		}
		if len(entries) == 0 {
			<-held
			continue
		}
		c.start(entries[0], held)
	}
}

// takeOver takes what a dead or stopped gateway has left.
func (c *crew) takeOver(ctx context.Context, name string, held chan struct{}) {
	c.every(ctx, time.Duration(c.Work.Lease)/2, func() {
		for c.takeOverOne(ctx, name, held) {
		}
	})
}

// takeOverOne tells whether there was something to take over, and room for it.
func (c *crew) takeOverOne(ctx context.Context, name string, held chan struct{}) bool {
	select {
	case held <- struct{}{}:
	default:
		return false
	}
	entries, err := c.Journal.TakeOver(ctx, name, 1)
	if err != nil {
		c.complain(ctx, "take over", err)
	}
	if len(entries) == 0 {
		<-held
		return false
	}
	c.Log.Info("message taken over", "key", entries[0].Key, "queue", name)
	c.start(entries[0], held)
	return true
}

// takeDue puts delayed messages back in line when their time has come.
func (c *crew) takeDue(ctx context.Context, name string) {
	c.every(ctx, dueEvery, func() {
		if _, err := c.Journal.Due(ctx, name, 100); err != nil {
			c.complain(ctx, "look for due messages", err)
		}
	})
}

func (c *crew) every(ctx context.Context, pause time.Duration, do func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

// complain logs that Redis did not answer, and waits a little.
func (c *crew) complain(ctx context.Context, step string, err error) {
	if ctx.Err() != nil {
		return
	}
	c.Metrics.Trouble("journal", step)
	c.Log.Error("journal does not answer", "step", step, "err", err)
	select {
	case <-ctx.Done():
	case <-time.After(rest):
	}
}

// start works on one entry beside the loop, which goes on at once.
func (c *crew) start(e queue.Entry, held chan struct{}) {
	c.wg.Go(func() {
		defer func() { <-held }()
		ctx, cancel := context.WithCancel(c.hurry)
		defer cancel()
		var keeper sync.WaitGroup
		taken := e
		keeper.Go(func() { c.keep(ctx, cancel, taken) })
		err := c.inSlot(ctx, &e)
		c.finish(ctx, e, err)
		cancel()
		keeper.Wait()
	})
}

// inSlot waits for a slot if there are photos to develop. Text needs none.
func (c *crew) inSlot(ctx context.Context, e *queue.Entry) error {
	if j, err := decodeJob(e.Payload); err == nil && len(j.Event.Photos) == 0 {
		return c.work(ctx, e)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
		return c.work(ctx, e)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keep tells the journal that we are alive and at it, and stops the work when
// the journal says that somebody else is.
func (c *crew) keep(ctx context.Context, stop context.CancelFunc, e queue.Entry) {
	c.every(ctx, time.Duration(c.Work.Lease)/3, func() {
		err := c.Journal.KeepAlive(ctx, e)
		if errors.Is(err, queue.ErrFenced) {
			stop()
		} else if err != nil && ctx.Err() == nil {
			c.Log.Warn("keep-alive failed", "key", e.Key, "err", err)
		}
	})
}

// finish sees to what an attempt has left undone.
func (c *crew) finish(ctx context.Context, e queue.Entry, err error) {
	switch {
	case err == nil:
	case errors.Is(err, queue.ErrFenced):
		c.Log.Info("message taken over by another", "key", e.Key)
	case c.hurry.Err() != nil:
		ctx, cancel := settling(ctx)
		defer cancel()
		if err := c.Journal.Release(ctx, e); err != nil {
			c.Log.Warn("message not released; it is taken over after the lease", "key", e.Key, "err", err)
		}
	default:
		c.Metrics.Trouble("work", "unfinished")
		c.Log.Error("message left unfinished; it is taken over after the lease", "key", e.Key, "err", err)
	}
}
