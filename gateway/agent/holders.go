package agent

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/retry"
)

const (
	// holdersEvery is how often a gateway looks who has conversations.
	holdersEvery = time.Minute
	// holdersGrace is how long somebody must be unknown before what they have is put
	// back. Gateways read their agents files at different times: a new agent may
	// have taken a conversation before this gateway has heard of them.
	holdersGrace = 10 * time.Minute
	// holdersPage is how many conversations are looked at with one question.
	holdersPage = 500
)

// Holdings is what Holders needs of the journal.
type Holdings interface {
	Holders(ctx context.Context, queue, after string, limit int) (held []queue.Held, next string, err error)
	PutBack(ctx context.Context, queue, agentID string) (int, error)
}

// Roll knows who has left.
type Roll interface {
	// Left tells that an agent is none of a queue any more.
	Left(agentID, queue string) bool
}

// Holders puts the conversations of agents who have left, or have lost the queue, back
// among those that wait: nobody else could take or close them. Whoever has been gone
// for ten minutes, each time that this gateway looked, has left; with the same agents
// file on all gateways nobody else loses anything. Every gateway may run one.
type Holders struct {
	Journal Holdings
	Roll    Roll
	Queues  []string
	Log     *slog.Logger
	Now     func() time.Time
	// Every is about how often it looks, and Grace how long it waits; a minute and ten
	// where they are zero.
	Every, Grace time.Duration

	// since is from when on whom of a queue was unknown.
	since map[pair]time.Time
}

// pair is somebody who has conversations of a queue.
type pair struct{ queue, agent string }

// Run looks again and again, until ctx ends.
func (h *Holders) Run(ctx context.Context, _ time.Duration) {
	every := cmp.Or(h.Every, holdersEvery)
	retry.Every(ctx, every, every, h.Look)
}

// Look goes once through all conversations that somebody has.
func (h *Holders) Look(ctx context.Context) {
	if h.since == nil {
		h.since = map[pair]time.Time{}
	}
	for _, name := range h.Queues {
		if err := h.look(ctx, name); err != nil && ctx.Err() == nil {
			h.Log.Warn("conversations of agents who have left could not all be put back", "queue", name, "err", err)
		}
	}
}

// look goes through one queue. Who has nothing there any more leaves the list, once
// all of it was seen.
func (h *Holders) look(ctx context.Context, name string) (failed error) {
	seen := map[pair]bool{}
	for after, more := "", true; more; more = after != "" {
		held, next, err := h.Journal.Holders(ctx, name, after, holdersPage)
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, one := range held {
			if who := (pair{name, one.Agent}); !seen[who] {
				seen[who] = true
				failed = errors.Join(failed, h.judge(ctx, who))
			}
		}
		after = next
	}
	maps.DeleteFunc(h.since, func(who pair, _ time.Time) bool { return who.queue == name && !seen[who] })
	return failed
}

// judge puts back what somebody has who has been gone for long enough.
func (h *Holders) judge(ctx context.Context, who pair) error {
	if !h.Roll.Left(who.agent, who.queue) {
		delete(h.since, who)
		return nil
	}
	since, known := h.since[who]
	if !known {
		since = h.now()
		h.since[who] = since
	}
	if h.now().Sub(since) < cmp.Or(h.Grace, holdersGrace) {
		return nil
	}
	n, err := h.Journal.PutBack(ctx, who.queue, who.agent)
	if n > 0 {
		h.Log.Info("conversations of an agent who has left wait again", "queue", who.queue, "agent", who.agent, "conversations", n)
	}
	return err
}

func (h *Holders) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}
