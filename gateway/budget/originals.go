package budget

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrNoRoom says that a fetch was given up because others held the memory for too
// long. It says nothing about the photo or the platform.
var ErrNoRoom = errors.New("budget: no room for an original")

// Patience is how long a fetch that has begun should wait for room at a time: a
// third of the time in which it has to be over. A platform that waits for us to
// read on closes the connection sooner or later.
const Patience = 20 * time.Second

// Originals is the memory in which the gateway holds originals, from the first
// byte that is fetched until their pictures are stored. It grows as bytes arrive
// and not as they are announced. Its methods may be called at once.
//
// Many that are half there may all want more than there is. So the one that came
// first may always go on: what the largest photo can take is kept for it alone.
// The others get the rest, the earlier ones first.
type Originals struct {
	size     int64
	most     int64 // what one can take
	patience time.Duration

	mu   sync.Mutex
	held int64
	all  []*Original // those that have begun, as they came
	rest rest        // when there are none
}

// Original is the memory of one. It is used by one goroutine at a time.
type Original struct {
	of     *Originals
	bytes  int64         // held
	wanted int64         // in all, where it waits
	ready  chan struct{} // closed when it has what it wanted; nil where it does not wait
	waited bool
}

// NewOriginals makes room for the originals of a plan. Patience is how long one
// that has begun waits for more; zero means as long as it takes.
func NewOriginals(p Plan, patience time.Duration) *Originals {
	return &Originals{size: p.Originals, most: mostHeld(p.Largest), patience: patience, rest: newRest()}
}

// Held is what all originals hold at this moment.
func (o *Originals) Held() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.held
}

// Waiting is how many originals wait for room at this moment.
func (o *Originals) Waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, p := range o.all {
		if p.ready != nil {
			n++
		}
	}
	return n
}

// Begin waits until there is room for what will be made of an original: as long
// as ctx, because nobody else waits with it. Whoever has begun must end.
func (o *Originals) Begin(ctx context.Context) (*Original, error) {
	p := &Original{of: o}
	o.mu.Lock()
	o.rest.begin()
	o.all = append(o.all, p)
	o.mu.Unlock()
	if err := p.wait(ctx, pictures); err != nil {
		p.End()
		return nil, err
	}
	return p, nil
}

// Room begins a fetch. It returns what asks for room for so many bytes of the
// original, in all, for media.Read. Its error is ErrNoRoom or ctx's.
func (p *Original) Room(ctx context.Context) func(bytes int64) error {
	p.waited = false
	return func(bytes int64) error {
		ctx, cancel := p.of.patient(ctx)
		defer cancel()
		return p.wait(ctx, bytes+pictures)
	}
}

func (o *Originals) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.patience == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, o.patience, ErrNoRoom)
}

// Waited tells whether the last fetch had to wait for room after it had begun. An
// error of the connection is then our own doing.
func (p *Original) Waited() bool { return p.waited }

// End gives everything back.
func (p *Original) End() {
	o := p.of
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.all, p); i >= 0 {
		o.all = slices.Delete(o.all, i, i+1)
		if len(o.all) == 0 {
			o.rest.over()
		}
	}
	o.held -= p.bytes
	p.bytes, p.ready = 0, nil
	o.share()
}

func (p *Original) wait(ctx context.Context, bytes int64) error {
	o := p.of
	if bytes > o.most {
		return ErrNeverFits
	}
	ready := make(chan struct{})
	o.mu.Lock()
	p.wanted, p.ready = bytes, ready
	if bytes <= p.bytes {
		p.have() // also while earlier ones wait
	}
	o.share()
	waits := p.ready != nil
	p.waited = p.waited || waits
	o.mu.Unlock()
	if !waits {
		return nil
	}
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if p.ready == nil {
		return nil // in the last moment
	}
	p.ready = nil
	o.share()
	return context.Cause(ctx)
}

// share gives what there is to those who wait, the earlier ones first.
func (o *Originals) share() {
	for i, p := range o.all {
		if p.ready == nil {
			continue
		}
		kept := o.most - o.all[0].bytes // for the first
		if i > 0 && o.held+p.wanted-p.bytes+kept > o.size {
			return
		}
		p.have()
	}
}

func (p *Original) have() {
	p.of.held += p.wanted - p.bytes
	p.bytes = p.wanted
	close(p.ready)
	p.ready = nil
}
