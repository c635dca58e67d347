package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// The bounds of one script for several calls. Redis does nothing else while it
// runs, so it must stay short; a call that is larger than this goes alone.
const (
	togetherItems = 64
	togetherBytes = 1 << 20
	// flying is how many of a queue's scripts are on their way at once: while
	// Redis writes one to its disk, the next is being put together. It does not set
	// off with fewer calls than the other has: few large scripts cost Redis and us
	// less than many small ones, the more so if several gateways send them.
	flying = 2
)

// combiner lets calls that arrive together share one script, and so one write
// to Redis' disk. A call that arrives alone goes at once. Those of one party take
// effect in the order in which they came: two scripts that are on their way at once
// may swap, so they never share a party. None waits for more than its queue's
// scripts before it.
type combiner struct {
	run func(ctx context.Context, queue string, items []Item) ([]Accepted, error)

	mu    sync.Mutex
	lines map[string]*line
}

// line is what waits for one queue. It is there only while something runs.
type line struct {
	waiting []*call
	running int
	// aloft is how many calls are on their way.
	aloft int
	// under are the parties of the calls that are on their way.
	under map[string]bool
	// idle is closed when nothing runs any more.
	idle chan struct{}
}

// call is one caller's share of a script.
type call struct {
	ctx      context.Context //nolint:containedctx // a call is nothing but its arguments, waiting
	items    []Item
	bytes    int
	accepted []Accepted
	err      error
	done     chan struct{} // closed when accepted and err are there
}

func newCombiner(run func(context.Context, string, []Item) ([]Accepted, error)) *combiner {
	return &combiner{run: run, lines: make(map[string]*line)}
}

// accept returns when the call's items are accepted or have failed, or when ctx
// ends: then they may be accepted all the same. Its neighbours do not notice.
func (c *combiner) accept(ctx context.Context, queue string, items []Item) ([]Accepted, error) {
	one := &call{ctx: ctx, items: items, done: make(chan struct{})}
	for _, item := range items {
		one.bytes += len(item.Payload)
	}
	c.join(queue, one) //nolint:contextcheck // a script serves several callers, and ends with none of them
	select {
	case <-one.done:
		return one.accepted, one.err
	case <-ctx.Done():
		return nil, wrap("accept", ctx.Err())
	}
}

func (c *combiner) join(queue string, one *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lines[queue]
	if l == nil {
		l = &line{idle: make(chan struct{}), under: make(map[string]bool)}
		c.lines[queue] = l
	}
	l.waiting = append(l.waiting, one)
	if l.running < flying && l.enough() {
		l.running++
		go c.drain(queue, l)
	}
}

// drain runs one script after the other for as long as there are calls.
func (c *combiner) drain(queue string, l *line) {
	for calls := c.next(queue, l, nil); len(calls) > 0; calls = c.next(queue, l, calls) {
		c.together(queue, calls)
	}
}

// next takes the calls for one script, after those of the last one are done, or
// ends the line's place among those that run.
func (c *combiner) next(queue string, l *line, done []*call) []*call {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range done {
		one.mark(l.under, false)
	}
	l.aloft -= len(done)
	if l.enough() {
		if calls := l.take(); len(calls) > 0 {
			return calls
		}
	}
	if l.running--; l.running == 0 {
		delete(c.lines, queue)
		close(l.idle)
	}
	return nil
}

// enough tells whether as many calls wait as are on their way. Those that are fewer
// go when these are back.
func (l *line) enough() bool { return len(l.waiting) >= l.aloft }

// take takes the calls that fit into one script, but for those that are behind
// another of their party, which is on its way or stays here.
func (l *line) take() (calls []*call) {
	stays, rest := make(map[string]bool), l.waiting[:0]
	items, bytes := 0, 0
	for i, one := range l.waiting {
		fits := items+len(one.items) <= togetherItems && bytes+one.bytes <= togetherBytes
		if len(calls) > 0 && !fits {
			rest = append(rest, l.waiting[i:]...)
			break
		}
		switch {
		case one.ctx.Err() != nil: // its caller has gone
		case one.among(l.under), one.among(stays):
			one.mark(stays, true)
			rest = append(rest, one)
		default:
			calls, items, bytes = append(calls, one), items+len(one.items), bytes+one.bytes
		}
	}
	clear(l.waiting[len(rest):])
	l.waiting = rest
	for _, one := range calls {
		one.mark(l.under, true)
	}
	l.aloft += len(calls)
	return calls
}

// among tells whether one of the call's parties is among some.
func (one *call) among(some map[string]bool) bool {
	return len(some) > 0 && slices.ContainsFunc(one.items, func(i Item) bool { return some[i.Party] })
}

// mark adds the call's parties to some, or takes them away.
func (one *call) mark(some map[string]bool, add bool) {
	for i := range one.items {
		if add {
			some[one.items[i].Party] = true
		} else {
			delete(some, one.items[i].Party)
		}
	}
}

// together runs one script for all calls. Where it fails for a reason that may
// lie in one of them alone, such as a key of another type, each is run by itself,
// so that the wrong one does not fail its neighbours.
func (c *combiner) together(queue string, calls []*call) {
	items := calls[0].items
	if len(calls) > 1 {
		items = nil
		for _, one := range calls {
			items = append(items, one.items...)
		}
	}
	accepted, err := c.within(queue, calls, items)
	if err != nil && len(calls) > 1 && !errors.Is(err, ErrAway) && !errors.Is(err, ErrFull) {
		for i := range calls {
			c.together(queue, calls[i:i+1])
		}
		return
	}
	for _, one := range calls {
		if one.err = err; err == nil {
			one.accepted, accepted = accepted[:len(one.items):len(one.items)], accepted[len(one.items):]
		}
		close(one.done)
	}
}

// within runs a script for as long as the most patient of its callers waits. A
// caller that gives up early takes nobody along.
func (c *combiner) within(queue string, calls []*call, items []Item) ([]Accepted, error) {
	var latest time.Time
	for _, one := range calls {
		deadline, bounded := one.ctx.Deadline()
		if !bounded {
			// The client's own timeouts bound it.
			return c.run(context.WithoutCancel(one.ctx), queue, items)
		}
		if deadline.After(latest) {
			latest = deadline
		}
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(calls[0].ctx), latest)
	defer cancel()
	return c.run(ctx, queue, items)
}

// settle returns when nothing is on its way any more, or when ctx ends.
func (c *combiner) settle(ctx context.Context) error {
	for {
		l := c.any()
		if l == nil {
			return nil
		}
		select {
		case <-l.idle:
		case <-ctx.Done():
			return wrap("settle", ctx.Err())
		}
	}
}

func (c *combiner) any() *line {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		return l
	}
	return nil
}
