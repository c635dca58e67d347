package darkroom

import (
	"context"
	"time"
)

// The pause after a child that died while it stood ready, or that could not be
// started. It doubles up to the longest, and begins anew when a child was taken.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 30 * time.Second
)

// startTime is how long a child may take to get ready, which takes milliseconds
// where nothing else wants the machine. It is no part of a photo's time.
const startTime = time.Minute

// keep has Options.Idle keepers hold a ready child each, the first of them
// this one.
func (d *Darkroom) keep(first *child) {
	if d.options.Idle < 0 {
		first.end()
		return
	}
	for range d.options.Idle {
		c := first
		first = nil
		d.busy.Go(func() { d.keeper(c) })
	}
}

// keeper holds one child ready, over and over, until the darkroom closes.
func (d *Darkroom) keeper(c *child) {
	var pause time.Duration
	for {
		pause = nextPause(pause, d.offer(c))
		if !d.sleep(pause) {
			return
		}
		c = d.startIdle()
	}
}

// nextPause returns how long to wait before the next start.
func nextPause(last time.Duration, taken bool) time.Duration {
	if taken {
		return 0
	}
	return min(max(2*last, firstPause), longestPause)
}

// offer holds c ready until it is taken, and tells whether it was. A child that
// dies meanwhile, and nil, are not.
func (d *Darkroom) offer(c *child) bool {
	if c == nil {
		return false
	}
	select {
	case d.ready <- c:
		return true
	case <-c.gone:
		ending := c.end()
		d.options.Log.Warn("darkroom: a child died while it stood ready", "ended", ending.how, "said", ending.said)
	case <-d.closing.Done():
		c.end()
	}
	return false
}

// startIdle returns a new child, or nil.
func (d *Darkroom) startIdle() *child {
	c, err := d.startAhead()
	if err != nil && d.closing.Err() == nil {
		d.options.Log.Error("darkroom: no child could be started", "error", err)
	}
	return c
}

// startAhead starts a child for which no photo is waiting.
func (d *Darkroom) startAhead() (*child, error) { return d.start(d.closing) }

// sleep waits, and tells whether the darkroom is still open.
func (d *Darkroom) sleep(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.closing.Done():
		return false
	}
}

// take returns a child that stands ready, or a new one where none does.
func (d *Darkroom) take(ctx context.Context) (*child, error) {
	for {
		select {
		case c := <-d.ready:
			if c.alive() {
				return c, nil
			}
			c.end() // it died between two photos: not this photo's doing
		default:
			return d.start(ctx)
		}
	}
}
