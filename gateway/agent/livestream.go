package agent

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/queue"
)

const (
	// heartbeat is the pause between two signs of life.
	heartbeat = 15 * time.Second
	// recheck is the pause between two questions whether the caller is still who
	// they were.
	recheck = 30 * time.Second
	// writeTime is how long a write may take before the stream is given up.
	writeTime  = 20 * time.Second
	mostMissed = 2000
	// mostFollowed is how many queues one stream is about.
	mostFollowed = 100
)

// listener is one stream.
type listener struct {
	hub    *hub
	caller identity.Caller
	name   string
	in     chan []*update
	// pending counts the updates in the channel.
	pending atomic.Int64
	// slow is closed when the listener is cut; skipped is where the others are then.
	slow    chan struct{}
	once    sync.Once
	skipped places
	// at is how far this listener has been told.
	at places
}

// offer hands updates over, or tells that there is no room for them.
func (l *listener) offer(updates []*update) bool {
	if l.pending.Load() > mostPending {
		return false
	}
	select {
	case l.in <- updates:
		l.pending.Add(int64(len(updates)))
		return true
	default:
		return false
	}
}

func (l *listener) cut(now places) {
	l.once.Do(func() {
		l.skipped = now
		close(l.slow)
	})
}

// events is a stream of live updates.
func (a *API) events(c *call) error {
	if a.Without {
		return notFound()
	}
	since, err := c.since()
	if err != nil {
		return err
	}
	if len(c.caller.Queues) > mostFollowed {
		return wrong("queue names up to 100 queues, of which the caller has more")
	}
	l, err := a.hub.enter(c.caller)
	if err != nil {
		return err
	}
	defer a.hub.leave(l)
	s := &stream{
		listener: l, api: a, request: c.Request(), all: !c.QueryParams().Has("queue"),
		out: c.Response(), control: http.NewResponseController(c.Response()),
	}
	told := places{}
	for _, name := range c.caller.Queues {
		if told[name], err = a.hub.join(c.ctx, l, name); err != nil {
			return err
		}
	}
	// The call itself may last as long as it likes.
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	defer context.AfterFunc(a.hub.ctx, cancel)()
	if err := s.begin(); err == nil && s.catchUp(ctx, since, told) == nil {
		s.run(ctx)
	}
	return nil
}

// since is where the caller wants to go on. What a browser says when it reconnects
// by itself is newer than the address that it reconnects to.
func (c *call) since() (places, error) {
	if names := c.QueryParams()["queue"]; len(names) > 0 {
		for _, name := range names {
			if !c.caller.May(name) {
				return nil, notFound()
			}
		}
		slices.Sort(names)
		c.caller.Queues = slices.Compact(names)
	}
	if last := c.Request().Header.Get("Last-Event-ID"); last != "" {
		return readPlaces(last)
	}
	return readPlaces(c.QueryParam("since"))
}

// stream writes a listener's updates to its connection.
type stream struct {
	*listener
	api     *API
	request *http.Request
	all     bool // it is about all of the caller's queues
	out     http.ResponseWriter
	control *http.ResponseController
}

var errOver = errors.New("the stream is over")

// begin answers, and lifts the deadlines that the server has for a call.
func (s *stream) begin() error {
	h := s.out.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would wait for more
	if err := s.control.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	s.out.WriteHeader(http.StatusOK)
	return nil
}

// catchUp tells what has changed since the caller was here. told is how far the
// others have been told: whatever is behind that is in the channel, or will be.
func (s *stream) catchUp(ctx context.Context, since, told places) error {
	for name, place := range told {
		s.at[name] = place
		if from, ok := since[name]; ok {
			s.at[name] = from
		}
	}
	for _, name := range s.caller.Queues {
		if err := s.missed(ctx, name, told[name]); err != nil {
			return err
		}
	}
	return s.beat()
}

// missed tells what has changed in a queue up to a place.
func (s *stream) missed(ctx context.Context, name, until string) error {
	if queue.PlaceBefore(until, s.at[name]) {
		return s.unknown(ctx, name)
	}
	for count := 0; queue.PlaceBefore(s.at[name], until); {
		changes, err := s.api.Journal.Changes(ctx, name, s.at[name], mostChanges, 0)
		count += len(changes)
		if errors.Is(err, queue.ErrTooOld) || count > s.api.missed {
			return s.reset(name, until)
		}
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			s.at[name] = until
			return nil
		}
		updates, err := s.api.updates(ctx, name, changes)
		if err != nil {
			return err
		}
		if err := s.tell(updates); err != nil {
			return err
		}
		s.at[name] = changes[len(changes)-1].ID
	}
	return nil
}

// unknown is for a place behind the one up to which the others have been told. It
// may be a moment ahead of them; a place that Redis has not come to yet is one of
// another Redis.
func (s *stream) unknown(ctx context.Context, name string) error {
	last, err := s.api.Journal.LastChange(ctx, name)
	if err != nil || !queue.PlaceBefore(last, s.at[name]) {
		return err
	}
	return s.reset(name, last)
}

// reset tells that updates of a queue are missing, up to a place.
func (s *stream) reset(name, place string) error {
	s.at[name] = place
	return s.send(s.api.text(&update{reset: tooOld}, colleague))
}

// run writes what comes, until the stream is over.
func (s *stream) run(ctx context.Context) {
	beat, check := time.NewTicker(s.api.every.heartbeat), time.NewTicker(s.api.every.recheck)
	defer beat.Stop()
	defer check.Stop()
	var err error
	for err == nil {
		select {
		case <-ctx.Done():
			return
		case <-s.slow:
			s.at = s.skipped
			_ = s.send(s.api.text(&update{reset: tooSlow}, colleague))
			return
		case updates := <-s.in:
			s.pending.Add(-int64(len(updates)))
			err = s.tell(updates)
		case <-beat.C:
			err = s.beat()
		case <-check.C:
			err = s.stillThere()
		}
	}
}

// stillThere ends the stream of a caller who is not signed in any more, or has other
// queues now.
func (s *stream) stillThere() error {
	now, err := s.api.People.Caller(s.request)
	switch {
	case errors.Is(err, identity.ErrUnauthenticated), errors.Is(err, identity.ErrCrossOrigin):
		return errOver
	case err != nil:
		return nil //nolint:nilerr // nobody can tell at the moment
	case now.Kind != s.caller.Kind || now.Agent.ID != s.caller.Agent.ID:
		return errOver
	}
	for _, name := range s.caller.Queues {
		if !now.May(name) {
			return errOver
		}
	}
	if s.all && len(now.Queues) != len(s.caller.Queues) {
		return errOver
	}
	return nil
}

// tell writes updates that this listener has not been told yet.
func (s *stream) tell(updates []*update) error {
	if err := s.deadline(); err != nil {
		return err
	}
	for _, u := range updates {
		// A reset may lead back, to where changes were lost.
		if u.reset == "" && !queue.PlaceBefore(s.at[u.queue], u.place) {
			continue
		}
		s.at[u.queue] = u.place
		if err := s.write(s.api.text(u, standingOf(s.caller, u.head))); err != nil {
			return err
		}
	}
	return s.control.Flush()
}

// beat is a sign of life. It is an event, because scripts do not see comments.
func (s *stream) beat() error {
	return s.send([]byte("event: heartbeat\ndata: {\"at\":\"" + s.api.Now().UTC().Format(time.RFC3339) + "\"}\n"))
}

// send writes one event at once.
func (s *stream) send(event []byte) error {
	if err := s.deadline(); err != nil {
		return err
	}
	if err := s.write(event); err != nil {
		return err
	}
	return s.control.Flush()
}

func (s *stream) deadline() error {
	return s.control.SetWriteDeadline(time.Now().Add(writeTime))
}

// write ends the last event of a text with its id.
func (s *stream) write(event []byte) error {
	if _, err := s.out.Write(event); err != nil {
		return err
	}
	_, err := s.out.Write([]byte("id: " + s.at.String() + "\n\n"))
	return err
}
