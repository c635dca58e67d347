package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how a plan is carried out.
type Options struct {
	Plan Plan
	// Rate is how many calls are made in a second; 0 is as fast as possible.
	Rate float64
	// For is after how long no more calls are made; 0 is after the plan's end.
	For time.Duration
	// Connections is how many calls are under way at once; 1 at least.
	Connections int
	// Wait is for how long after the last call the queue may bring nothing, or
	// Redis be away, before what is missing is judged as it is.
	Wait time.Duration
	// Acked is the path of a new file for the keys of all events that were
	// answered 2xx, one per line; empty is none.
	Acked string
	// Progress is told how far it is, for people; nil is told nothing.
	Progress func(done, total int, what string)
}

const (
	// ahead is how many calls are made ready before the first one leaves, and
	// kept ready from then on. Signing takes processor time, which would
	// otherwise be missing in a gateway on the same machine.
	ahead = 100_000
	// look is how often the progress is told, and the queue asked about.
	look = 100 * time.Millisecond
	// readWithin is how long the reader of the queue may be behind it.
	readWithin = 10 * time.Second
)

// Run carries out a plan against a target and reports what became of it. When
// ctx ends, no more calls are made, and what was sent is judged. A report may come
// with an error: that Acked could not be written takes nothing from the rest.
func Run(ctx context.Context, target *Target, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	r := &run{Options: o, target: target, ledger: NewLedger(), timing: newTiming()}
	r.ledger.Alone = target.Alone
	if err := r.watch(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	defer r.readers.stop()
	supply := r.prepare(ctx)
	before := target.usage()
	begun := time.Now()
	err := r.send(ctx, supply)
	r.ended = time.Now()
	usage := before.until(target.usage())
	if err != nil {
		return nil, err
	}
	if o.Acked != "" { // before anything is asked of Redis, which may be away
		err = r.ledger.WriteAcked(o.Acked)
	}
	r.settle(ctx)
	return r.report(ctx, r.ended.Sub(begun), usage), err
}

// run is one plan under way.
type run struct {
	Options
	target  *Target
	ledger  *Ledger
	timing  *timing
	readers *readers
	ended   time.Time // when the last call was answered

	number  atomic.Int64 // of calls that were begun
	starved atomic.Int64 // calls that were not ready in time
}

func (o Options) check() error {
	switch {
	case o.Plan.Messages < 0 || o.For < 0:
		return errors.New("less than nothing cannot be sent")
	case o.Plan.Messages == 0 && o.For == 0:
		return errors.New("a plan without end needs a time after which it ends")
	case o.Rate < 0:
		return fmt.Errorf("a rate of %v", o.Rate)
	case o.Connections < 1 || o.Connections > 10_000:
		return fmt.Errorf("%d connections; from 1 to 10000", o.Connections)
	}
	return o.Plan.Check()
}

func (r *run) progress(done, total int, what string) {
	if r.Progress != nil {
		r.Progress(done, total, what)
	}
}

// supply makes a plan's calls ahead of their being sent.
type supply struct {
	calls chan *Call
	full  chan struct{} // closed when as many are ready as shall be
	stop  context.CancelFunc
	err   error // why it ended early; set before calls is closed
}

// prepare returns when the first calls are ready.
func (r *run) prepare(ctx context.Context) *supply {
	most := ahead
	if r.Rate > 0 {
		most = min(most, int(2*r.Rate)+100)
	}
	s := &supply{calls: make(chan *Call, most), full: make(chan struct{})}
	ctx, s.stop = context.WithCancel(ctx)
	go s.make(ctx, r.Plan, r.target.Speakers)
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-s.full:
			return s
		case <-tick.C:
			r.progress(len(s.calls), cap(s.calls), "making calls ready")
		}
	}
}

func (s *supply) make(ctx context.Context, plan Plan, speakers []*Speaker) {
	defer close(s.calls)
	filled := sync.OnceFunc(func() { close(s.full) })
	defer filled()
	for call, err := range plan.Calls(speakers) {
		if err != nil {
			s.err = err
			return
		}
		if len(s.calls) == cap(s.calls) {
			filled()
		}
		select {
		case s.calls <- call:
		case <-ctx.Done():
			return
		}
	}
}

// end lets go of what was made and not sent, and tells what went wrong.
func (s *supply) end() error {
	s.stop()
	for range s.calls {
		continue // until it is closed
	}
	return s.err
}

// send makes the calls over all connections, and returns when the last one is
// answered.
func (r *run) send(ctx context.Context, s *supply) error {
	clients := make([]*Client, r.Connections)
	for i := range clients {
		var err error
		if clients[i], err = NewClient(r.target.Gateways[i%len(r.target.Gateways)]); err == nil {
			err = clients[i].Connect(ctx)
		}
		if err != nil {
			return errors.Join(err, s.end())
		}
		defer clients[i].Close()
	}
	if r.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.For)
		defer cancel()
	}
	begun := time.Now()
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { r.connection(ctx, begun, c, s) })
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	r.tell(ended, begun)
	return s.end()
}

// tell shows how far the sending is until it has ended.
func (r *run) tell(ended <-chan struct{}, begun time.Time) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			done, total := int(r.number.Load()), r.Plan.Messages
			if total == 0 {
				done, total = int(time.Since(begun).Seconds()), int(r.For.Seconds())
			}
			r.progress(min(done, total-1), total, "sending")
		}
	}
}

// connection makes one call after the other.
func (r *run) connection(ctx context.Context, begun time.Time, c *Client, s *supply) {
	own := newTally()
	defer r.timing.add(own)
	for {
		call, ok := r.next(ctx, s)
		if !ok {
			return
		}
		due := time.Now()
		if n := r.number.Add(1) - 1; r.Rate > 0 {
			due = begun.Add(time.Duration(float64(n) / r.Rate * float64(time.Second)))
			if !until(ctx, due) {
				return
			}
		}
		r.ledger.Sent(call, time.Now())
		status, err := c.Send(context.WithoutCancel(ctx), call)
		first := err == nil && r.ledger.Answered(call, status)
		// At a rate, a call that had to wait for a connection counts from when
		// it should have left: consumers do not wait for each other.
		own.answered(call, status, first, time.Since(due))
	}
}

// next takes a call, and counts those that had to be waited for.
func (r *run) next(ctx context.Context, s *supply) (*Call, bool) {
	if ctx.Err() != nil {
		return nil, false
	}
	select {
	case call, ok := <-s.calls:
		return call, ok
	default:
		r.starved.Add(1)
	}
	select {
	case call, ok := <-s.calls:
		return call, ok
	case <-ctx.Done():
		return nil, false
	}
}

// until waits for a moment; it is false if ctx ends before.
func until(ctx context.Context, moment time.Time) bool {
	wait := time.Until(moment)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
