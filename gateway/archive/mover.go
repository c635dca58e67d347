package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/retry"
	"github.com/lightlock/lightlock/gateway/store"
)

const (
	// moveEvery is how often closed conversations are looked for.
	moveEvery = 30 * time.Second
	// expireEvery is how often old messages are looked for, and expireFirst within
	// what time of a start.
	expireEvery, expireFirst = 24 * time.Hour, 10 * time.Minute
	// atOnce is how many are moved before others are looked for.
	atOnce = 100
	// enough failures one after another say that the store is away.
	enough = 3
)

// Run moves conversations and destroys what has become old, until ctx ends. What is
// under way at the end is left to the next start, so grace is not used.
func (a *Archive) Run(ctx context.Context, _ time.Duration) {
	var loops sync.WaitGroup
	loops.Go(func() { retry.Every(ctx, moveEvery/10, moveEvery, a.moveAll) })
	loops.Go(func() { retry.Every(ctx, expireFirst, expireEvery, a.expireOld) })
	loops.Wait()
}

// moveAll moves what is due.
func (a *Archive) moveAll(ctx context.Context) {
	for _, name := range a.Queues {
		moved, err := a.Move(ctx, name)
		if moved > 0 {
			a.Log.Info("conversations moved to the archive", "queue", name, "conversations", moved)
		}
		if err != nil && ctx.Err() == nil {
			a.Metrics.Trouble("archive", "move")
			a.Log.Warn("closed conversations stay in Redis until the next time", "queue", name, "err", err)
		}
	}
}

// Move moves the conversations of a queue that are due, and returns how many. One
// that cannot be moved is left to the next time, and does not hold up the others.
func (a *Archive) Move(ctx context.Context, in string) (moved int, trouble error) {
	failures := 0
	for {
		ids, err := a.Journal.Closed(ctx, in, atOnce)
		if err != nil {
			return moved, err
		}
		before := moved
		// In another order than other gateways, which are at it too.
		rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] }) //nolint:gosec // no secret
		for _, id := range ids {
			done, err := a.move(ctx, in, id)
			switch {
			case ctx.Err() != nil:
				return moved, ctx.Err()
			case err != nil:
				trouble = fmt.Errorf("conversation %s: %w", id, err)
				if failures++; failures == enough {
					return moved, trouble
				}
				continue
			case done:
				moved++
			}
			failures = 0
		}
		if len(ids) < atOnce || moved == before {
			return moved, trouble
		}
	}
}

// move moves a conversation. Each step may be the last: what is there already is
// found by the next one who comes, and it leaves Redis only after all the others.
func (a *Archive) move(ctx context.Context, in, id string) (done bool, err error) {
	for range looks {
		// The archive is read first. What another one moves meanwhile makes a generation
		// of which the number is taken then.
		stored, err := a.newest(ctx, in, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		here, err := a.Journal.Snapshot(ctx, in, id)
		switch {
		case errors.Is(err, queue.ErrNoConversation):
			return false, nil // another one was faster
		case err != nil:
			return false, err
		case here.Conversation.State != queue.ConversationOver:
			return false, nil
		}
		g, err := a.next(ctx, stored, here)
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return false, err
		}
		err = a.settle(ctx, g)
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return false, err
		}
		done, err = a.Journal.Archived(ctx, in, id, here.Conversation.Version)
		if done || err != nil || g.number == stored.number {
			return done, err // or Redis keeps it for a while, as it is
		}
	}
	return false, errBusy
}

// next makes the generation of what the archive and Redis have, unless it is there.
// It is store.ErrExists where others make generations too.
func (a *Archive) next(ctx context.Context, stored generation, here queue.Snapshot) (generation, error) {
	merged := merge(stored.snapshot, here)
	if stored.number == 0 {
		merged = alone(here)
	}
	if stored.number > 0 && same(merged, stored.snapshot) {
		return stored, nil
	}
	g := generation{number: stored.number + 1, snapshot: merged}
	return g, a.add(ctx, &g)
}

// add writes a generation, and makes sure that it is the newest: who was stopped for
// a while may have put one under a number that others had deleted.
func (a *Archive) add(ctx context.Context, g *generation) error {
	if err := a.write(ctx, g); err != nil {
		return err
	}
	c := g.snapshot.Conversation
	names, err := a.names(ctx, c.Queue, c.ID)
	if err != nil {
		return err
	}
	if highest(names) == g.number {
		return nil
	}
	for _, name := range append(g.parts, documentOf(c.Queue, c.ID, g.number)) {
		if err := a.Documents.Delete(ctx, name); err != nil {
			return err
		}
	}
	return store.ErrExists
}

// settle puts what lists need of a generation, and removes those before it, or is
// store.ErrExists if it is not the newest any more. Of a conversation that was
// forgotten it puts nothing, and takes back what it has put while that happened; that
// is store.ErrExists too.
func (a *Archive) settle(ctx context.Context, g generation) error {
	for _, step := range []func(context.Context, generation) error{a.unlessForgotten, a.show, a.clean, a.unlessForgotten} {
		if err := step(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// alone is a conversation of which the archive has nothing.
func alone(here queue.Snapshot) queue.Snapshot {
	here.Conversation.Last = lastOf(here.Items, here.Conversation.Last)
	here.Conversation.Partial = false
	return here
}

func same(a, b queue.Snapshot) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
