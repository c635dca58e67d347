package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/lightlock/lightlock/connectors"
)

// stalls makes the last step answer with the beginning of something and then
// wait until the connector leaves. headers tells whether it answers at all. left
// is closed when the connector has left.
func (b *bench) stalls(steps []step, headers bool) (reached, left chan struct{}) {
	reached, left = make(chan struct{}), make(chan struct{})
	var once, gone sync.Once
	b.fault(steps, len(steps)-1, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		defer gone.Do(func() { close(left) })
		// A server sees its caller leave only when it has read what it was sent.
		_, _ = io.Copy(io.Discard, r.Body)
		if headers {
			_, _ = w.Write(picture(1)[:100])
			_ = http.NewResponseController(w).Flush()
		}
		once.Do(func() { close(reached) })
		<-r.Context().Done()
	})
	return reached, left
}

// await returns an error unless c is closed in time.
func (b *bench) await(c <-chan struct{}, what string) error {
	select {
	case <-c:
		return nil
	case <-b.ctx.Done():
		return fmt.Errorf("%s did not happen within %v", what, patience)
	}
}

func checkFetchEndless(b *bench) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	for k := range len(steps) - 1 {
		left := b.endless(steps, k)
		if stream, err := b.connector.Fetch(b.ctx, p); err == nil {
			_ = stream.Close()
		}
		if err := b.await(left, "the end of the connection of a look-up that does not end"); err != nil {
			return err
		}
	}
	left := b.endless(steps, len(steps)-1)
	stream, err := b.connector.Fetch(b.ctx, p)
	if err != nil {
		return fmt.Errorf("Fetch of an endless photo must leave the limit to the caller: %w", err)
	}
	if _, err := io.CopyN(io.Discard, stream, 1<<20); err != nil {
		return fmt.Errorf("the first megabyte of an endless photo: %w", err)
	}
	if err := stream.Close(); err != nil {
		return fmt.Errorf("Close amid an endless photo: %w", err)
	}
	return b.await(left, "the end of the connection after Close")
}

// endless makes step k answer without an end. left is closed when somebody has
// left the first of such calls.
func (b *bench) endless(steps []step, k int) (left chan struct{}) {
	left = make(chan struct{})
	var once sync.Once
	b.fault(steps, k, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		defer once.Do(func() { close(left) })
		_, _ = io.Copy(io.Discard, r.Body)
		for piece := picture(1); ; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	return left
}

func checkFetchCancel(b *bench) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	return b.cancels(steps, func(ctx context.Context) error {
		_, err := fetch(ctx, b.connector, p)
		return err
	})
}

func checkFetchDeadline(b *bench) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	return b.expires(steps, func(ctx context.Context) error {
		_, err := fetch(ctx, b.connector, p)
		return err
	})
}

// cancels returns an error unless act, which takes these steps, ends when its
// context is cancelled, and says so.
func (b *bench) cancels(steps []step, act func(context.Context) error) error {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if err := act(ctx); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cancelled before the call: got %w, want context.Canceled", err)
	}
	for _, headers := range []bool{false, true} {
		ctx, cancel := context.WithCancel(b.ctx)
		err := b.amid(steps, headers, cancel, func() error { return act(ctx) })
		cancel()
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("cancelled amid the call, answer begun %v: got %w, want context.Canceled", headers, err)
		}
	}
	return nil
}

// expires returns an error unless act, which takes these steps, ends at its
// deadline.
func (b *bench) expires(steps []step, act func(context.Context) error) error {
	for _, headers := range []bool{false, true} {
		ctx := &deadline{Context: b.ctx, over: make(chan struct{})}
		err := b.amid(steps, headers, func() { close(ctx.over) }, func() error { return act(ctx) })
		if !errors.Is(err, context.DeadlineExceeded) && connectors.KindOf(err) != connectors.Unavailable {
			return fmt.Errorf("a host that hangs, answer begun %v: got %w, want Unavailable or context.DeadlineExceeded", headers, err)
		}
	}
	return nil
}

// amid does act, calls end when the platform stalls, and returns act's error
// when the connection is gone.
func (b *bench) amid(steps []step, headers bool, end func(), act func() error) error {
	reached, left := b.stalls(steps, headers)
	got := make(chan error, 1)
	go func() { got <- act() }()
	if err := b.await(reached, "the call"); err != nil {
		return err
	}
	end()
	if err := b.await(left, "the end of the connection"); err != nil {
		return err
	}
	select {
	case err := <-got:
		return err
	case <-b.ctx.Done():
		return fmt.Errorf("the call did not end within %v", patience)
	}
}

// deadline is a context whose deadline comes when over is closed, so that no
// check depends on how fast the machine is.
type deadline struct {
	context.Context
	over chan struct{}
}

func (d *deadline) Done() <-chan struct{} { return d.over }

func (d *deadline) Err() error {
	select {
	case <-d.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
