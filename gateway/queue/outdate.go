package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// outdatedAtOnce is how many of a conversation's items are looked at in one step.
const outdatedAtOnce = 200

// Outdate destroys the items of an open conversation that are of before cutoff, and
// returns how many. The others stay where they are. It may be ended and repeated at
// any moment, and there need not be such a conversation.
func (j *Journal) Outdate(ctx context.Context, queue, id string, cutoff time.Time) (n int, err error) {
	k, err := j.chatOf(queue, id, Agent{})
	if err != nil {
		return 0, fmt.Errorf("queue: outdate: %w", err)
	}
	// The oldest stand first, but for some that came late.
	for after, more := int64(1), true; more; {
		var items []ConversationItem
		items, more, err = j.Items(ctx, queue, id, ItemRange{After: after, Limit: outdatedAtOnce})
		if errors.Is(err, ErrNoConversation) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		var old []any
		for _, item := range items {
			after = item.Position
			if at := item.At(); !at.IsZero() && at.Before(cutoff) {
				old = append(old, item.ID)
			}
		}
		if len(old) == 0 {
			break
		}
		gone, err := j.run(ctx, j.scripts.outdate, []string{k.chat + id}, old...).Int()
		if n += gone; err != nil {
			return n, wrap("outdate", err)
		}
	}
	return n, nil
}

// At is when the item was said: when its message was received, or the reply written.
// Of one that was taken back it is when that was. It is zero where nothing says.
func (i ConversationItem) At() (at time.Time) {
	switch {
	case i.Message != nil:
		at = i.Message.ReceivedAt
	case i.Reply != nil:
		at = i.Reply.At
	case i.Edit != nil:
		at = i.Edit.At
	default:
		at = i.UnsentAt
	}
	if at.Unix() <= 0 {
		return time.Time{}
	}
	return at
}
