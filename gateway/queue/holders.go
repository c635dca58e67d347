package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Held is a conversation that somebody has.
type Held struct {
	// ID is the Conversation's.
	ID string
	// Agent is the ID of the agent who has it.
	Agent string
}

// Holders lists open conversations that somebody has, of up to limit open ones, those
// in which nothing has happened for longest first; after and next are as with Waiting.
func (j *Journal) Holders(ctx context.Context, queue, after string, limit int) (held []Held, next string, err error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, "", err
	}
	ids, next, err := j.page(ctx, shelf{key: k.idle, limit: limit}, after)
	if err != nil || len(ids) == 0 {
		return nil, next, err
	}
	heads := make([]*redis.SliceCmd, len(ids))
	_, err = j.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, at := range ids {
			heads[i] = p.HMGet(ctx, k.chat+at.id, "state", "agent")
		}
		return nil
	})
	if err != nil && !mistyped(err) {
		return nil, "", wrap("list holders", err)
	}
	for i, head := range heads {
		if err := head.Err(); err != nil && !mistyped(err) { // what is no head is nobody's
			return nil, "", wrap("list holders", err)
		}
		if values := head.Val(); len(values) == 2 && text(values[0]) == string(ConversationAssigned) {
			held = append(held, Held{ID: ids[i].id, Agent: text(values[1])})
		}
	}
	return held, next, nil
}

// PutBack puts all that an agent has in a queue back among those that wait, and
// returns how many these were. What somebody else has by then stays theirs. One that
// cannot be put back does not keep the others, and is the error.
func (j *Journal) PutBack(ctx context.Context, queue, agentID string) (n int, err error) {
	k, err := keysOf(queue)
	if err == nil && (agentID == "" || agentID == AnyAgent || len(agentID) > MaxAgentID) {
		err = fmt.Errorf("%w: an agent's id of %d bytes", ErrInvalid, len(agentID))
	}
	if err != nil {
		return 0, fmt.Errorf("queue: put back: %w", err)
	}
	var failed error
	for after, more := "", true; more; more = after != "" {
		var ids []spot
		if ids, after, err = j.page(ctx, shelf{key: k.ofAgent(agentID), newest: true, limit: mostListed}, after); err != nil {
			return n, err
		}
		for _, at := range ids {
			_, err := j.Assign(ctx, queue, at.id, Assignment{From: agentID})
			switch {
			case err == nil:
				n++
			case MayPass(err), ctx.Err() != nil:
				return n, err
			case !isOthers(err):
				failed = err
			}
		}
	}
	return n, failed
}

// isOthers tells that a conversation is not with the agent any more.
func isOthers(err error) bool {
	var theirs *NotTheirsError
	return errors.As(err, &theirs) || errors.Is(err, ErrNoConversation) || errors.Is(err, ErrConversationOver)
}
