package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// stalls makes the last step of a fetch of p answer with the beginning of a
// photo and then wait until the connector leaves. headers tells whether it
// answers at all. left is closed when the connector has left.
func (b *bench) stalls(p connectors.Photo, headers bool) (reached, left chan struct{}, err error) {
	steps, err := b.steps(p)
	if err != nil {
		return nil, nil, err
	}
	reached, left = make(chan struct{}), make(chan struct{})
	b.fault(steps, len(steps)-1, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		defer close(left)
		if headers {
			_, _ = w.Write(picture(1)[:100])
			_ = http.NewResponseController(w).Flush()
		}
		close(reached)
		<-r.Context().Done()
	})
	return reached, left, nil
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
	left := make(chan struct{})
	b.fault(steps, len(steps)-1, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		defer close(left)
		for piece := picture(1); ; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
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

func checkFetchCancel(b *bench) error {
	p, err := b.onePhoto()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if _, err := fetch(ctx, b.connector, p); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cancelled before the call: got %w, want context.Canceled", err)
	}
	for _, headers := range []bool{false, true} {
		if err := b.cancelAmid(p, headers); err != nil {
			return fmt.Errorf("cancelled amid the call, answer begun %v: %w", headers, err)
		}
	}
	return nil
}

func (b *bench) cancelAmid(p connectors.Photo, headers bool) error {
	reached, left, err := b.stalls(p, headers)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	got := make(chan error, 1)
	go func() {
		_, err := fetch(ctx, b.connector, p)
		got <- err
	}()
	if err := b.await(reached, "the call"); err != nil {
		return err
	}
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		return fmt.Errorf("got %w, want context.Canceled", err)
	}
	return b.await(left, "the end of the connection")
}

func checkFetchDeadline(b *bench) error {
	p, err := b.onePhoto()
	if err != nil {
		return err
	}
	for _, headers := range []bool{false, true} {
		_, left, err := b.stalls(p, headers)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(b.ctx, 30*time.Millisecond)
		_, err = fetch(ctx, b.connector, p)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) && connectors.KindOf(err) != connectors.Unavailable {
			return fmt.Errorf("a host that hangs: got %w, want Unavailable or context.DeadlineExceeded", err)
		}
		if err := b.await(left, "the end of the connection"); err != nil {
			return err
		}
	}
	return nil
}
