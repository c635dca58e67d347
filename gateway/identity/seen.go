package identity

import (
	"context"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Seen remembers agents whom only the issuer knows, so that all gateways can name
// them: who could take over a conversation is somebody who was here lately.
type Seen interface {
	NoteAgent(ctx context.Context, a queue.SeenAgent) error
	SeenAgent(ctx context.Context, id string) (a queue.SeenAgent, found bool, err error)
	SeenAgents(ctx context.Context) ([]queue.SeenAgent, error)
}

const (
	// noteEvery is how often one who calls all the time is noted.
	noteEvery = 10 * time.Minute
	// noteTime is how long a call may wait for that.
	noteTime = time.Second
	// listFor is how long a list of those who were here is good for.
	listFor = 5 * time.Second
	// mostNoted is how many a gateway knows that it has noted.
	mostNoted = 2000
)

// visitors is what a gateway knows of agents whom only the issuer knows.
type visitors struct {
	seen Seen // nil without an issuer, or without a place to remember

	mu     sync.Mutex
	noted  map[string]time.Time
	list   []queue.SeenAgent
	listed time.Time
}

// note remembers that an agent was here, once in a while. Nobody is kept out because
// that fails.
func (v *visitors) note(ctx context.Context, c Caller, now time.Time) {
	if v.seen == nil || !v.due(c.Agent.ID, now) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTime)
	defer cancel()
	if v.seen.NoteAgent(ctx, queue.SeenAgent{Agent: c.Agent, Queues: c.Queues}) != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.noted, c.Agent.ID)
	}
}

// due tells whether an agent is to be noted, and takes it that it will be.
func (v *visitors) due(id string, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if last, known := v.noted[id]; known && now.Sub(last) < noteEvery {
		return false
	}
	if v.noted == nil || len(v.noted) >= mostNoted {
		v.noted = map[string]time.Time{}
	}
	v.noted[id] = now
	return true
}

// all lists who was here lately: while Redis is away, as far as that is known.
func (v *visitors) all(ctx context.Context, now time.Time) []queue.SeenAgent {
	if v.seen == nil {
		return nil
	}
	v.mu.Lock()
	known, fresh := v.list, now.Sub(v.listed) < listFor
	v.mu.Unlock()
	if fresh {
		return known
	}
	// Not under the lock, which every caller with the issuer's token needs.
	list, err := v.seen.SeenAgents(ctx)
	if err != nil {
		return known
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list, v.listed = list, now
	return list
}

// find finds somebody who was here lately.
func (v *visitors) find(ctx context.Context, id string) (queue.SeenAgent, bool) {
	if v.seen == nil {
		return queue.SeenAgent{}, false
	}
	a, found, err := v.seen.SeenAgent(ctx, id)
	return a, err == nil && found
}
