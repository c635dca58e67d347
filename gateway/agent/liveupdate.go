package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"github.com/lightlock/lightlock/gateway/queue"
)

// The reasons of a reset.
const (
	tooOld  = "too_old"
	tooSlow = "slow"
)

// update is one change with what has changed, read once and encoded once for all
// who stand to the conversation in the same way.
type update struct {
	queue, place string
	// reset is why updates are missing before this one; nothing else is set then.
	reset string
	// gone is the public id of a conversation that has left Redis; nothing else is
	// set then.
	gone   string
	head   queue.Conversation
	item   *queue.ConversationItem
	before string

	encoded [standings]struct {
		once sync.Once
		text []byte
	}
}

// messageChange is the data of the event message.
type messageChange struct {
	Conversation string  `json:"conversation"`
	Message      message `json:"message"`
}

// text is the events of an update, but for the id and the end of the last one.
func (o Options) text(u *update, s standing) []byte {
	e := &u.encoded[s]
	e.once.Do(func() {
		var b bytes.Buffer
		switch {
		case u.reset != "":
			writeEvent(&b, "reset", map[string]string{"reason": u.reset})
		case u.gone != "":
			writeEvent(&b, "gone", map[string]string{"conversation": u.gone})
		default:
			v := o.view(u.head, s)
			v.Before = u.before
			writeEvent(&b, "conversation", v)
			if u.item != nil {
				b.WriteByte('\n')
				writeEvent(&b, "message", messageChange{v.ID, o.viewItem(u.head, *u.item, s)})
			}
		}
		e.text = b.Bytes()
	})
	return e.text
}

// writeEvent writes an event whose id and end are still to come. JSON has no line
// ends of its own.
func writeEvent(b *bytes.Buffer, name string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		text = []byte("{}") // cannot be: all of it comes from JSON
	}
	b.WriteString("event: " + name + "\ndata: ")
	b.Write(text)
	b.WriteByte('\n')
}

// updates reads what some changes of a queue are about. Several changes of the same
// thing become one, as it is now; every change of hands is told.
func (o Options) updates(ctx context.Context, name string, changes []queue.Change) ([]*update, error) {
	changes = newest(changes)
	ids, items := touched(changes)
	heads, err := o.Journal.Conversations(ctx, name, ids)
	if err != nil {
		return nil, err
	}
	found := map[string]queue.Conversation{}
	said := map[string]queue.ConversationItem{}
	for _, head := range heads {
		s, err := o.about(ctx, name, head, items[head.ID])
		if err != nil {
			return nil, err
		}
		found[head.ID] = s.Conversation
		for _, item := range s.Items {
			said[head.ID+" "+item.ID] = item
		}
	}
	var updates []*update
	for _, c := range changes {
		u := &update{queue: name, place: c.ID}
		head, here := found[c.Conversation]
		switch {
		case c.Gone:
			u.gone = publicID(name, c.Conversation)
		case !here:
			continue // it has gone since, and that is told by another change
		default:
			u.head = head
			if c.Before != c.Agent {
				u.before = c.Before
			}
			if item, ok := said[c.Conversation+" "+c.Item]; ok {
				u.item = &item
			}
		}
		updates = append(updates, u)
	}
	return updates, nil
}

// about is a conversation, and those of its items. Of a partial one the archive knows
// the rest; where that cannot be asked, what Redis has must do.
func (o Options) about(ctx context.Context, name string, head queue.Conversation, items []string) (queue.Snapshot, error) {
	if head.Partial {
		if s, err := o.archived(ctx, name, head.ID); err == nil {
			s.Items = slices.DeleteFunc(slices.Clone(s.Items), func(i queue.ConversationItem) bool { return !slices.Contains(items, i.ID) })
			return s, nil
		}
	}
	s := queue.Snapshot{Conversation: head}
	if len(items) == 0 {
		return s, nil
	}
	var err error
	s.Items, err = o.Journal.ItemsByID(ctx, name, head.ID, items)
	if errors.Is(err, queue.ErrNoConversation) || errors.Is(err, queue.ErrUnreadable) {
		err = nil // it has gone since, or what is in it cannot be told
	}
	return s, err
}

// newest leaves out a change behind which there is another of the same thing.
func newest(changes []queue.Change) (left []queue.Change) {
	type thing struct{ conversation, item string }
	last := map[thing]int{}
	for i, c := range changes {
		last[thing{c.Conversation, c.Item}] = i
	}
	for i, c := range changes {
		if last[thing{c.Conversation, c.Item}] == i || c.Gone || c.Agent != c.Before {
			left = append(left, c)
		}
	}
	return left
}

// touched are the conversations that changes are about, and the items in each.
func touched(changes []queue.Change) (ids []string, items map[string][]string) {
	items = map[string][]string{}
	for _, c := range changes {
		if c.Gone {
			continue
		}
		if _, known := items[c.Conversation]; !known {
			ids = append(ids, c.Conversation)
			items[c.Conversation] = nil
		}
		if c.Item != "" {
			items[c.Conversation] = append(items[c.Conversation], c.Item)
		}
	}
	return ids, items
}
