package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/problem"
	"github.com/lightlock/lightlock/gateway/queue"
)

const (
	// agentStreams and serviceStreams are how many streams a caller may have: a
	// browser has one for all of its tabs. mostStreams are those of all callers, and
	// leave half of the connections to everybody else.
	agentStreams, serviceStreams, mostStreams = 12, 100, 1024
	// mostFeeds is how many queues wait for a change inside of Redis, each with a
	// connection of its own. Those beyond it are asked again and again.
	mostFeeds = 32
	// waitFor is how long such a wait lasts, and so the end of one.
	waitFor = 500 * time.Millisecond
	// askEvery is the pause between two questions.
	askEvery = 40 * time.Millisecond
	// mostChanges is how many changes are read at once.
	mostChanges = 256
	// mostPending is how many updates wait for a slow listener before it is cut.
	mostPending = 1024
	// trouble is the pause after a Redis that did not answer.
	trouble = time.Second
)

// hub hands the changes of queues to those who listen. Each queue is followed once,
// by its feed, as long as somebody listens to it; what has changed is read once for
// all.
type hub struct {
	Options
	failed *seldom

	mu      sync.Mutex
	ctx     context.Context // ends with all streams; nil before run
	feeds   map[string]*feed
	streams map[string]int // by caller
	all     int
	running sync.WaitGroup
}

// feed follows one queue.
type feed struct {
	queue string
	// opened is closed once place is known or err is set.
	opened chan struct{}
	err    error
	stop   context.CancelFunc
	// place is how far the listeners have been told; guarded by the hub's mu.
	place     string
	listeners map[*listener]bool
}

func newHub(o Options) *hub {
	return &hub{Options: o, failed: newSeldom(o.Log), feeds: map[string]*feed{}, streams: map[string]int{}}
}

// run lets listeners in until ctx ends, and then waits for the feeds.
func (h *hub) run(ctx context.Context) {
	h.mu.Lock()
	h.ctx = ctx
	h.mu.Unlock()
	<-ctx.Done()
	// Nobody begins a feed any more who takes the lock after this.
	h.mu.Lock()
	h.mu.Unlock() //nolint:staticcheck // what was under way is over
	h.running.Wait()
}

// enter lets a listener in, if there is room for one more of its caller's.
func (h *hub) enter(caller identity.Caller) (*listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx == nil || h.ctx.Err() != nil {
		return nil, &problem.Problem{Kind: problem.Unavailable, After: away}
	}
	name, most := string(caller.Kind)+" "+caller.Agent.ID, agentStreams
	if caller.Kind == queue.ActorService {
		most = serviceStreams
	}
	if h.streams[name] >= most || h.all >= mostStreams {
		return nil, &problem.Problem{Kind: problem.TooManyRequests, Detail: "there are too many streams already", After: away}
	}
	h.streams[name]++
	h.all++
	return &listener{hub: h, caller: caller, name: name, in: make(chan []*update, 64), slow: make(chan struct{}), at: places{}}, nil
}

// leave takes a listener out of everything. A feed to which nobody listens ends.
func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all--
	if h.streams[l.name]--; h.streams[l.name] == 0 {
		delete(h.streams, l.name)
	}
	for _, name := range l.caller.Queues {
		h.part(l, name)
	}
}

// part takes a listener from a feed. The caller holds mu.
func (h *hub) part(l *listener, name string) {
	f := h.feeds[name]
	if f == nil || !f.listeners[l] {
		return
	}
	delete(f.listeners, l)
	if len(f.listeners) == 0 {
		delete(h.feeds, name)
		f.stop()
	}
}

// join makes a listener one of a queue's, and says how far the others have been
// told: whatever is behind that place will come.
func (h *hub) join(ctx context.Context, l *listener, name string) (place string, err error) {
	h.mu.Lock()
	if h.ctx.Err() != nil {
		h.mu.Unlock()
		return "", h.ctx.Err()
	}
	f := h.feeds[name]
	if f == nil {
		f = h.begin(name) //nolint:contextcheck // a feed outlives the call that began it
	}
	f.listeners[l] = true
	h.mu.Unlock()
	select {
	case <-f.opened:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return f.place, f.err
}

// begin starts a feed. The caller holds mu.
func (h *hub) begin(name string) *feed {
	f := &feed{queue: name, opened: make(chan struct{}), listeners: map[*listener]bool{}}
	var ctx context.Context
	ctx, f.stop = context.WithCancel(h.ctx)
	h.feeds[name] = f
	h.running.Go(func() {
		defer f.stop()
		place, err := h.Journal.LastChange(ctx, name)
		h.mu.Lock()
		f.place, f.err = place, err
		if err != nil && h.feeds[name] == f {
			delete(h.feeds, name) // the next listener tries anew
		}
		h.mu.Unlock()
		close(f.opened)
		if err == nil {
			h.follow(ctx, f)
		}
	})
	return f
}

// follow reads what changes in a queue, and hands it out.
func (h *hub) follow(ctx context.Context, f *feed) {
	for ctx.Err() == nil {
		updates, place, err := h.next(ctx, f)
		switch {
		case err != nil && ctx.Err() == nil:
			h.failed.log(ctx, slog.LevelWarn, "live updates stand still", "queue", f.queue, "err", err)
			pause(ctx, trouble)
		case err == nil && place != "":
			h.hand(f, place, updates)
		}
	}
}

// next waits for changes, and reads what has changed.
func (h *hub) next(ctx context.Context, f *feed) (updates []*update, place string, err error) {
	block := waitFor
	if h.crowded() {
		pause(ctx, askEvery)
		block = 0
	}
	changes, err := h.Journal.Changes(ctx, f.queue, f.place, mostChanges, block)
	if errors.Is(err, queue.ErrTooOld) {
		place, err = h.Journal.LastChange(ctx, f.queue)
		return []*update{{queue: f.queue, place: place, reset: tooOld}}, place, err
	}
	if err != nil || len(changes) == 0 {
		return nil, "", err
	}
	updates, err = h.updates(ctx, f.queue, changes)
	return updates, changes[len(changes)-1].ID, err
}

func (h *hub) crowded() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.feeds) > mostFeeds
}

// hand tells all listeners of a queue, and waits for none of them: one that does
// not keep up is cut.
func (h *hub) hand(f *feed, place string, updates []*update) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.place = place
	if len(updates) == 0 {
		return
	}
	for l := range f.listeners {
		if !l.offer(updates) {
			l.cut(h.now(l))
		}
	}
}

// now is how far the listeners of all of a listener's queues have been told. The
// caller holds mu.
func (h *hub) now(l *listener) places {
	at := places{}
	for _, name := range l.caller.Queues {
		if f := h.feeds[name]; f != nil {
			at[name] = f.place
		}
	}
	return at
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
