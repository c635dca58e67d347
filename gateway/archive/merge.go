package archive

import (
	"cmp"
	"slices"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// merge makes one conversation of what the archive has and what Redis has. It does
// not matter how often, nor whether Redis was read before the archive was written:
// a message that was taken back stays so, and of two states of one the later holds.
func merge(stored, here queue.Snapshot) queue.Snapshot {
	old := map[string]queue.ConversationItem{}
	for _, item := range stored.Items {
		old[item.ID] = item
	}
	fresh := slices.Clone(here.Items)
	slices.SortStableFunc(fresh, func(a, b queue.ConversationItem) int { return cmp.Compare(a.Arrival, b.Arrival) })
	arrived, seen := mostArrived(stored.Items), mostArrived(without(stored.Items, fresh))
	for _, item := range fresh {
		before, known := old[item.ID]
		switch {
		case known:
			item = mergeItem(before, item)
		case here.Conversation.Partial && item.Arrival > 0:
			// Redis has counted from the beginning again.
			arrived++
			item.Arrival = arrived
		}
		old[item.ID] = item
	}
	out := queue.Snapshot{Conversation: mergeHead(stored.Conversation, here.Conversation)}
	for _, item := range old {
		out.Items = append(out.Items, item)
	}
	slices.SortFunc(out.Items, queue.ByPosition)
	c := &out.Conversation
	if here.Conversation.Partial {
		c.Arrived = mostArrived(out.Items)
		c.Read = min(c.Arrived, seen+here.Conversation.Read)
	}
	c.Last = lastOf(out.Items, c.Last)
	c.Partial = false
	return out
}

// without leaves out the items that have arrived among others.
func without(items, others []queue.ConversationItem) []queue.ConversationItem {
	out := map[string]bool{}
	for _, o := range others {
		out[o.ID] = o.Arrival > 0
	}
	return slices.DeleteFunc(slices.Clone(items), func(item queue.ConversationItem) bool { return out[item.ID] })
}

func mostArrived(items []queue.ConversationItem) (most int64) {
	for _, item := range items {
		most = max(most, item.Arrival)
	}
	return most
}

// mergeItem makes one of two states of an item.
func mergeItem(stored, here queue.ConversationItem) queue.ConversationItem {
	out := queue.ConversationItem{
		ID: stored.ID, Position: cmp.Or(stored.Position, here.Position), Arrival: cmp.Or(stored.Arrival, here.Arrival), From: cmp.Or(stored.From, here.From),
		UnsentAt: first(stored.UnsentAt, here.UnsentAt),
	}
	if !out.UnsentAt.IsZero() {
		return out
	}
	out.Message = mergeMessage(stored.Message, here.Message)
	out.Edit = later(stored.Edit, here.Edit, func(e *queue.ItemEdited) time.Time { return e.At })
	out.Notice = later(stored.Notice, here.Notice, func(d *queue.Delivery) time.Time { return d.At })
	out.Reply = later(stored.Reply, here.Reply, func(r *queue.ReplyData) time.Time { return r.Delivery.At })
	return out
}

// first returns the earlier of two times, of which those that are zero do not
// count.
func first(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// later returns the one of the later time, b if both are of the same.
func later[T any](a, b *T, at func(*T) time.Time) *T {
	if b == nil || a != nil && at(a).After(at(b)) {
		return a
	}
	return b
}

// mergeMessage returns the one of which more photos are settled.
func mergeMessage(stored, here *queue.MessageData) *queue.MessageData {
	switch {
	case here == nil:
		return stored
	case stored == nil:
		return here
	}
	out := *here
	if settled(stored) > settled(here) {
		out = *stored
	}
	// Photos that are settled after a message has left Redis do not say whether it
	// was late.
	out.Late = stored.Late || here.Late
	return &out
}

// settled counts how far photos are: one that could not be had may be ready after
// another try, and never the other way round.
func settled(m *queue.MessageData) (n int) {
	for _, p := range m.Photos {
		switch p.Status {
		case queue.Ready:
			n += 2
		case queue.Rejected:
			n++
		}
	}
	return n
}

// mergeHead makes one head. What Redis has of a conversation that had left it says
// little: unless a message came late, it is as closed as it was.
func mergeHead(stored, here queue.Conversation) queue.Conversation {
	if !here.Partial {
		return here
	}
	out := stored
	out.Version = max(stored.Version, here.Version)
	out.LastMessageAt = newest(stored.LastMessageAt, here.LastMessageAt)
	out.LastReplyAt = newest(stored.LastReplyAt, here.LastReplyAt)
	out.OpenedAt = first(stored.OpenedAt, here.OpenedAt)
	out.Consumer.Name = cmp.Or(here.Consumer.Name, stored.Consumer.Name)
	out.Previous = cmp.Or(stored.Previous, here.Previous)
	if !here.Late || stored.Version >= here.Version {
		return out
	}
	out.Late, out.State, out.Agent, out.WaitingSince = true, here.State, here.Agent, here.WaitingSince
	if here.State == queue.ConversationOver && here.ClosedBy.Kind != "" {
		out.ClosedAt, out.ClosedBy = here.ClosedAt, here.ClosedBy
	}
	return out
}

func newest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// lastOf is the newest item in short, or what was said of it where there is none.
func lastOf(items []queue.ConversationItem, otherwise queue.Gist) queue.Gist {
	for _, item := range slices.Backward(items) {
		if g := item.Gist(); g != (queue.Gist{}) {
			return g
		}
	}
	return otherwise
}

// timeOf is from when an item is kept; where nothing says, with its conversation.
func timeOf(item queue.ConversationItem, of queue.Conversation) time.Time {
	if at := item.At(); !at.IsZero() {
		return at
	}
	return closedAt(of)
}

// closedAt is when a conversation was closed, or the best that is known.
func closedAt(c queue.Conversation) time.Time {
	for _, at := range []time.Time{c.ClosedAt, c.LastMessageAt, c.OpenedAt} {
		if at.UnixMilli() > 0 {
			return at
		}
	}
	return time.UnixMilli(1).UTC()
}
