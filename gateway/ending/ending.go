// Package ending stops the parts of a program, the last that started first.
//
// It promises that a stop is over when the time of the part that started first is
// over, whatever hangs. Each part has a moment by which it must have ended,
// counted from the beginning of the stop: what the parts before it have not used
// is left to it, and one that has not ended by then is left behind. A disk that
// hangs lets nobody go; the process takes with it what still waits for it.
package ending

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// LastBreath is for a part to say so when its time is over, and so what a stop may
// take beyond it.
const LastBreath = 250 * time.Millisecond

// Parts are the parts of a program in the order of starting. The zero value has
// none.
type Parts struct{ all []part }

type part struct {
	name string
	by   time.Duration
	ends []func(ctx context.Context) error
}

// Add names the next part, and how it is ended within its context. Several in a
// row of the same name end together.
func (p *Parts) Add(name string, by time.Duration, end func(ctx context.Context) error) {
	if n := len(p.all); n > 0 && p.all[n-1].name == name {
		p.all[n-1].ends = append(p.all[n-1].ends, end)
		return
	}
	p.all = append(p.all, part{name, by, []func(context.Context) error{end}})
}

// Background runs loops, as the next part, until the stop. They end together, so
// that the grace that they are given is the same one.
func (p *Parts) Background(name string, by, grace time.Duration, loops ...func(ctx context.Context, grace time.Duration)) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range loops {
		running.Go(func() { run(ctx, grace) })
	}
	p.Add(name, by, func(context.Context) error { stop(); running.Wait(); return nil })
}

// Stop ends all parts, and forgets them.
func (p *Parts) Stop() (err error) {
	begun := time.Now()
	for _, part := range slices.Backward(p.all) {
		err = errors.Join(err, part.stop(begun))
	}
	p.all = nil
	return err
}

func (p part) stop(begun time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), begun.Add(p.by))
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.end(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-time.After(time.Until(begun.Add(p.by + LastBreath))):
		return fmt.Errorf("the %s did not end in time", p.name)
	}
}

func (p part) end(ctx context.Context) error {
	failures := make([]error, len(p.ends))
	var ending sync.WaitGroup
	for i, end := range p.ends {
		ending.Go(func() { failures[i] = end(ctx) })
	}
	ending.Wait()
	return errors.Join(failures...)
}

// Close is the end of a part that takes no context.
func Close(end func() error) func(context.Context) error {
	return func(context.Context) error { return end() }
}
