package inbound

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue"
)

const (
	// ahead is how many messages without photos of one queue a gateway holds at
	// once.
	ahead = 32
	// listen is how long one question to Redis waits for a new message, and so
	// how long a stop may have to wait for the question to end.
	listen = 500 * time.Millisecond
	// rest is the pause after Redis failed to answer.
	rest = time.Second
	// dueEvery is how often delayed messages are looked through, and dueAtOnce how
	// many are put back in one step.
	dueEvery  = 500 * time.Millisecond
	dueAtOnce = 100
	// promiseEvery is how often a gateway looks for messages that are to be told:
	// work.promise is so much shorter than ten seconds that they are found, and told,
	// before these are over. promisedAtOnce is how many it gets at a time, and
	// toldAtOnce how many of them it tells at once.
	promiseEvery   = 500 * time.Millisecond
	promisedAtOnce = 100
	toldAtOnce     = 16
	// A dead letter holds a consumer's words, so it is not kept for ever.
	expireEvery  = time.Minute
	expireAtOnce = 1000
	// complainEvery is how often the log hears that Redis does not answer.
	complainEvery = 10 * time.Second
	// idleEvery is how often conversations are looked through that are idle, and
	// idleAtOnce how many are closed in a row.
	idleEvery  = time.Minute
	idleAtOnce = 100
)

// errStopping ends the wait for a slot when the gateway stops.
var errStopping = errors.New("stopping")

// errUnwritten goes with why an attempt was broken off before it had written
// anything.
var errUnwritten = errors.New("nothing was written")

// crew is the line at work: the loops of every queue, and what they share.
type crew struct {
	*Line
	slots    chan struct{}   // one for each photo message in work
	stopping context.Context // ends when nothing new is begun
	hurry    context.Context // ends when what is still in work must be let go
	wg       sync.WaitGroup
	inHand   sync.Map // queue, lane and id of each entry that we hold
	complain rate.Sometimes
}

// Run works on every queue until ctx ends. Then it takes and begins nothing new;
// what waits goes back to the journal at once, for another gateway, and so does
// what is not finished within grace. It returns within LastWord after that,
// whatever Redis or the store do. A line that is paused works on nothing, and keeps
// no dead letter longer for that.
func (l *Line) Run(ctx context.Context, grace time.Duration) {
	ctx, hurry, end := withEnd(ctx, grace)
	defer end()
	c := &crew{
		Line: l, slots: make(chan struct{}, l.Work.Slots), stopping: ctx, hurry: hurry,
		complain: rate.Sometimes{First: 1, Interval: complainEvery},
	}
	var loops sync.WaitGroup
	for _, name := range l.Routes.Queues() {
		loops.Go(func() { c.expire(ctx, name) })
		if !l.Work.Paused {
			c.serve(ctx, name, &loops)
		}
	}
	loops.Wait()
	c.wg.Wait()
}

// serve starts the loops that take a queue's messages, and see to those that wait.
func (c *crew) serve(ctx context.Context, name string, loops *sync.WaitGroup) {
	held := make(chan struct{}, ahead)
	loops.Go(func() { c.takeWords(ctx, name, held) })
	loops.Go(func() { c.takePhotos(ctx, name) })
	loops.Go(func() { c.takeOver(ctx, name, queue.Words, held) })
	loops.Go(func() { c.takeOver(ctx, name, queue.Photos, c.slots) })
	loops.Go(func() { c.takeDue(ctx, name) })
	loops.Go(func() { c.keepPromises(ctx, name) })
	loops.Go(func() { c.every(ctx, idleEvery, func() { c.closeIdle(ctx, name) }) })
}

// takeWords takes what needs no darkroom, one by one as it arrives.
func (c *crew) takeWords(ctx context.Context, name string, held chan struct{}) {
	for ctx.Err() == nil {
		select {
		case held <- struct{}{}:
		case <-ctx.Done():
			return
		}
		entries, err := c.Journal.Take(ctx, name, queue.Words, 1, listen)
		if err != nil {
			c.silence(ctx, "take", err)
		}
		if len(entries) == 0 {
			<-held
			continue
		}
		c.start(entries[0], held) //nolint:contextcheck // what is begun outlives the loop
	}
}

// takePhotos takes messages with photos, no more than there are free slots for:
// what it left, another gateway with a free slot will have.
func (c *crew) takePhotos(ctx context.Context, name string) {
	for ctx.Err() == nil {
		some, err := c.Journal.Listen(ctx, name, queue.Photos, listen)
		if err != nil {
			c.silence(ctx, "wait for photos", err)
		}
		if !some {
			continue
		}
		free := c.free(ctx)
		entries, err := c.Journal.Take(ctx, name, queue.Photos, free, 0)
		for _, e := range entries {
			c.start(e, c.slots) //nolint:contextcheck // what is begun outlives the loop
		}
		for range free - len(entries) {
			<-c.slots
		}
		if err != nil {
			c.silence(ctx, "take", err)
		}
	}
}

// free waits for a slot, and takes it with all others that are free at once. It
// returns how many, which is none only when the gateway stops.
func (c *crew) free(ctx context.Context) (slots int) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for slots = 1; ; slots++ {
		select {
		case c.slots <- struct{}{}:
		default:
			return slots
		}
	}
}

// takeOver takes what a dead or stopped gateway has left.
func (c *crew) takeOver(ctx context.Context, name string, from queue.Inbox, held chan struct{}) {
	c.every(ctx, time.Duration(c.Work.Lease)/2, func() {
		for ctx.Err() == nil && c.takeOverOne(ctx, name, from, held) {
		}
	})
}

// takeOverOne tells whether there was something to take over. It waits for its
// turn: with a backlog there is never room but for those who wait for it, and what
// is left lying keeps its places among those of its account.
func (c *crew) takeOverOne(ctx context.Context, name string, from queue.Inbox, held chan struct{}) bool {
	select {
	case held <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	entries, err := c.Journal.TakeOver(ctx, name, from, 1)
	if err != nil {
		c.silence(ctx, "take over", err)
	}
	if len(entries) == 0 {
		<-held
		return false
	}
	if c.start(entries[0], held) { //nolint:contextcheck // what is begun outlives the loop
		c.Log.Info("message taken over", "key", entries[0].Key, "queue", name)
	}
	return true
}

// takeDue puts delayed messages back in line when their time has come.
func (c *crew) takeDue(ctx context.Context, name string) {
	c.every(ctx, dueEvery, func() {
		for moved := dueAtOnce; moved == dueAtOnce; {
			var err error
			if moved, err = c.Journal.Due(ctx, name, dueAtOnce); err != nil {
				c.silence(ctx, "look for due messages", err)
			}
		}
	})
}

// keepPromises tells agents the text of messages whose photos take long, whoever
// has them in hand, and whether anybody has.
func (c *crew) keepPromises(ctx context.Context, name string) {
	c.every(ctx, promiseEvery, func() {
		for found := promisedAtOnce; found == promisedAtOnce && ctx.Err() == nil; {
			entries, err := c.Journal.Overdue(ctx, name, promisedAtOnce)
			if found = len(entries); err == nil {
				err = c.keepThese(ctx, entries)
			}
			if err != nil {
				c.silence(ctx, "tell", err)
			}
		}
	})
}

// keepThese tells some messages at once: one after the other, each would wait for
// the disk of Redis, and the last of many would be late. The rest is left to the
// next who looks where the gateway stops, and where Redis is away: each would wait
// for it.
func (c *crew) keepThese(ctx context.Context, entries []queue.Entry) error {
	var tellers errgroup.Group
	tellers.SetLimit(toldAtOnce)
	var away atomic.Bool
	failures := make([]error, len(entries))
	for i, e := range entries {
		tellers.Go(func() error {
			if ctx.Err() == nil && !away.Load() {
				failures[i] = c.keepPromise(ctx, e)
			}
			if errors.Is(failures[i], queue.ErrAway) {
				away.Store(true)
			}
			return nil
		})
	}
	_ = tellers.Wait() // each failure counts, not the first alone
	return errors.Join(failures...)
}

// keepPromise leaves what it cannot read to others: to a newer gateway, or to the
// worker that will bury it.
func (c *crew) keepPromise(ctx context.Context, e queue.Entry) error {
	j, err := decodeJob(e.Payload)
	if err != nil {
		return nil
	}
	limited, cancel := settling(ctx)
	defer cancel()
	return c.tell(limited, e, j)
}

// closeIdle ends conversations in which nothing has happened for long.
func (c *crew) closeIdle(ctx context.Context, name string) {
	for closed := idleAtOnce; closed == idleAtOnce && ctx.Err() == nil; {
		var err error
		if closed, err = c.Journal.CloseIdle(ctx, name, idleAtOnce); err != nil {
			c.silence(ctx, "close idle conversations", err)
		}
		if closed > 0 {
			c.Log.Info("idle conversations closed", "queue", name, "conversations", closed)
		}
	}
}

// expire removes dead letters that nobody has looked after in time, and the
// oldest of too many, and entries that no software reads, and sees to the queue's own order.
func (c *crew) expire(ctx context.Context, name string) {
	sweep := func() {
		if err := c.Journal.EnsureQueue(ctx, name); err != nil {
			c.silence(ctx, "look after the queue", err)
		}
		for removed := expireAtOnce; removed == expireAtOnce && ctx.Err() == nil; {
			var err error
			if removed, err = c.Journal.Expire(ctx, name, time.Duration(c.Work.KeepLetters), expireAtOnce); err != nil {
				c.silence(ctx, "expire dead letters", err)
			}
		}
		for trimmed := expireAtOnce; trimmed == expireAtOnce && ctx.Err() == nil; {
			var err error
			if trimmed, err = c.Journal.Trim(ctx, name, expireAtOnce); err != nil {
				c.silence(ctx, "trim the agents' queue", err)
			}
		}
	}
	sweep()
	c.every(ctx, expireEvery, sweep)
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

// silence notes that Redis did not answer, and waits a little.
func (c *crew) silence(ctx context.Context, step string, err error) {
	if ctx.Err() != nil {
		return
	}
	c.Metrics.Trouble("journal", step)
	c.complain.Do(func() { c.Log.Error("journal does not answer", "step", step, "err", err) })
	select {
	case <-ctx.Done():
	case <-time.After(rest):
	}
}

// start works on one entry beside the loop, which goes on at once. An entry that
// was in our hands anyway, and that we took over from ourselves because Redis
// had not heard of us for a lease, is not begun twice: start returns false.
func (c *crew) start(e queue.Entry, held chan struct{}) bool {
	name := e.Queue + " " + e.Lane + " " + e.ID
	if _, already := c.inHand.LoadOrStore(name, true); already {
		c.Log.Debug("message was in hand already", "key", e.Key)
		<-held
		return false
	}
	c.wg.Go(func() {
		defer func() { <-held }()
		defer c.inHand.Delete(name)
		c.handle(e)
	})
	return true
}

// handle sees one entry from the moment it was handed out to its end here.
func (c *crew) handle(e queue.Entry) {
	failpoint.Hit(failpoint.AfterRead)
	ctx, stop := context.WithCancelCause(withStop(c.hurry, c.stopping))
	var keeper sync.WaitGroup
	taken := e // Begin changes e
	keeper.Go(func() { c.keep(ctx, stop, taken) })
	err := c.inSlot(ctx, &e)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, queue.ErrFenced) {
		err = cause
	}
	stop(nil)
	keeper.Wait()
	c.finish(e, err)
}

// inSlot waits for a slot if there are photos to develop and none was taken with
// the entry, which was journaled before photos had their own inbox. Text needs none.
func (c *crew) inSlot(ctx context.Context, e *queue.Entry) error {
	if j, err := decodeJob(e.Payload); e.Lane != "" || err == nil && len(j.Event.Photos) == 0 {
		return c.work(ctx, e)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-c.stopping.Done():
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.stopping.Err() != nil {
		return errStopping
	}
	return c.work(ctx, e)
}

// keep tells the journal that we are alive and at it, and stops the work when
// the journal says that somebody else is.
func (c *crew) keep(ctx context.Context, stop context.CancelCauseFunc, e queue.Entry) {
	c.every(ctx, time.Duration(c.Work.Lease)/3, func() {
		err := c.Journal.KeepAlive(ctx, e)
		if errors.Is(err, queue.ErrFenced) {
			stop(err)
		} else if err != nil && ctx.Err() == nil {
			c.Log.Warn("keep-alive failed", "key", e.Key, "err", err)
		}
	})
}

// undone takes away what a released attempt has left: nobody has been told of what
// it has developed. Where it has written nothing, nobody need look for anything.
func (c *crew) undone(ctx context.Context, e queue.Entry, err error) {
	switch {
	case errors.Is(err, errUnwritten):
		_ = c.Journal.Swept(ctx, e.Queue, []string{e.Attempt}) // else it is swept later
	case e.Starts > 0:
		c.discard(ctx, e, e.Attempt)
	}
}

// finish sees to what an attempt has left undone.
func (c *crew) finish(e queue.Entry, err error) {
	switch {
	case err == nil:
	case errors.Is(err, queue.ErrWithdrawn):
		c.Metrics.Settled("", "withdrawn")
		c.Log.Info("message was taken back by its sender, or its sender was forgotten", "key", e.Key)
	case errors.Is(err, queue.ErrFenced):
		c.Log.Info("message is in other hands", "key", e.Key)
	case c.stopping.Err() != nil:
		ctx, cancel := settling(c.hurry)
		defer cancel()
		if err := c.Journal.Release(ctx, e); err != nil {
			c.Log.Warn("message not released; it is taken over after the lease", "key", e.Key, "err", err)
			return
		}
		c.undone(ctx, e, err)
	default:
		c.Metrics.Trouble("work", "unfinished")
		c.Log.Error("message left unfinished; it is taken over after the lease", "key", e.Key, "err", err)
	}
}
