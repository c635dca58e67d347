package forget

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/spool"
)

// spoolTime is how long a spool may take to be handed in: a gigabyte takes a minute.
const spoolTime = 10 * time.Minute

// Spool hands in what waits in the spool of a gateway that does not run, as that would
// at its next start, so that no file has a consumer's words any more. Forget comes
// before it, so that what is the consumer's has no effect, and once more after it, for
// what is of an account that nobody knows. It is spool.ErrInUse where the gateway runs,
// which hands in what it has by itself. What cannot be handed in stays, and so does what
// is left when ctx ends, which is its error then: a file goes only after the journal has
// what was in it. The report tells what was handed in also where it failed.
func (f *Forgetter) Spool(ctx context.Context, o spool.Options, who Consumer) (Report, error) {
	counting := &counting{Journal: o.Journal, who: who, caller: ctx.Err}
	o.Journal = counting
	s, err := spool.Open(o)
	if err != nil {
		return Report{}, err
	}
	// To run it as one that is being stopped is to hand in what there is, once.
	stopped, stop := context.WithCancel(ctx)
	stop()
	s.Run(stopped, spoolTime)
	err = errors.Join(ctx.Err(), s.Close())
	counting.mu.Lock()
	defer counting.mu.Unlock()
	return counting.report, err
}

// counting counts what is handed in of a consumer, and takes nothing more when the
// caller has gone.
type counting struct {
	spool.Journal
	who    Consumer
	caller func() error // why the caller has gone, or nil

	mu     sync.Mutex
	report Report
}

// Accept implements spool.Journal.
func (c *counting) Accept(ctx context.Context, name string, items []queue.Item) ([]queue.Accepted, error) {
	if err := c.over(); err != nil {
		return nil, err
	}
	accepted, err := c.Journal.Accept(ctx, name, items)
	for _, item := range items {
		if err == nil {
			c.count(item.Payload)
		}
	}
	return accepted, err
}

// Bury implements spool.Journal.
func (c *counting) Bury(ctx context.Context, name string, letters []queue.Letter) ([]bool, error) {
	if err := c.over(); err != nil {
		return nil, err
	}
	fresh, err := c.Journal.Bury(ctx, name, letters)
	for _, l := range letters {
		if err == nil && l.Content == queue.ContentPayload {
			c.count(l.Raw)
		}
	}
	return fresh, err
}

// over says that nothing more is handed in. It passes, so that the spool refuses no
// message for it, and leaves the rest as it is.
func (c *counting) over() error {
	if err := c.caller(); err != nil {
		return fmt.Errorf("%w: %w", queue.ErrAway, err)
	}
	return nil
}

func (c *counting) count(payload []byte) {
	o, err := inbound.OriginOf(payload)
	if err != nil || o.Consumer != c.who.ID || c.who.Only != "" && o.Account != c.who.Only {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.note(o.Account, Spooled, 1)
}
