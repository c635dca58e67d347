package wire

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// body is a response's body under both deadlines. Its errors are of the
// package's own kind, and it ends with io.EOF only where the transport saw the
// whole of it.
type body struct {
	call *call
	rc   io.ReadCloser
	idle time.Duration
	err  error
	// closed may be set by another goroutine while a Read waits.
	closed atomic.Bool
}

// Read implements io.Reader. Only the time spent in here counts as idle, so a
// caller may take its time between two reads.
func (b *body) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, errClosed
	}
	if b.err != nil {
		return 0, b.err
	}
	watch := b.call.watch(b.idle)
	n, err := b.rc.Read(p)
	watch.Stop()
	switch {
	case err == nil:
	case b.closed.Load():
		b.err = errClosed
	case errors.Is(err, io.EOF) && b.call.ctx.Err() == nil:
		b.err = io.EOF
	default:
		// So too for an end that came after ours: a server that sees us hang up
		// in the middle may close in good order.
		b.err = b.call.fail(err)
	}
	return n, b.err
}

// Close ends the call. What the server still has to say is not waited for.
func (b *body) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	b.call.end()
	return b.rc.Close()
}

// watch ends the call when d has passed; its Stop says that something came.
func (c *call) watch(d time.Duration) *time.Timer {
	return time.AfterFunc(d, func() { c.cancel(errIdle) })
}

// end frees what the call holds.
func (c *call) end() {
	c.cancel(context.Canceled)
	c.stop()
}
