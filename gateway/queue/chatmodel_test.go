package queue_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// chatModel is a conversation as it should be, in plain words. Times are minutes.
type chatModel struct {
	id, party                  string
	there, partial, late, over bool // over: it has been closed once
	state                      queue.ConversationState
	agent                      string
	by                         queue.ActorKind
	waiting, message, answered int
	arrived, read              int64
	items                      map[string]*itemModel
	last                       *itemModel
	outstanding                []string // replies that have not been sent
}

// itemModel is an item as it should be.
type itemModel struct {
	id                string
	position, arrival int64
	text, edit        string
	photos            queue.Status
	from              queue.ActorKind
	unsent, late      bool
	only              bool // an edit whose message is in the archive
	state             queue.Result
}

// isOpen tells whether the conversation is its party's.
func (w *chats) isOpen(c *chatModel) bool { return w.pointers[c.party].open == c.id }

// found makes a head.
func (w *chats) found(c *chatModel) {
	if c.there {
		return
	}
	open := w.isOpen(c)
	*c = chatModel{id: c.id, party: c.party, there: true, partial: !open, over: !open, items: map[string]*itemModel{}}
}

// put puts a message, or what has become of its photos, into a conversation.
func (w *chats) put(c *chatModel, m *messageModel, photos queue.Status) {
	open := w.isOpen(c)
	archived := !open && (!c.there || c.partial)
	was := c.there
	w.found(c)
	old := c.items[m.key]
	switch {
	case old != nil && old.unsent:
		c.there = was
		return
	case old != nil && !old.only:
		old.photos = photos
		return
	case m.told && archived:
		i := &itemModel{id: m.key, position: m.seq << 20, text: m.name, photos: photos, from: queue.ActorConsumer}
		if old != nil {
			i.edit = old.edit
		}
		c.items[m.key] = i
		if !was {
			c.state = queue.ConversationOver
		}
		return
	}
	c.arrived++
	i := &itemModel{
		id: m.key, position: m.seq << 20, arrival: c.arrived, text: m.name, photos: photos, from: queue.ActorConsumer, late: !open,
	}
	if old != nil {
		i.edit = old.edit
	}
	c.items[m.key] = i
	c.newest(i)
	c.message = max(c.message, m.at)
	if c.waiting == 0 || m.at < c.waiting {
		c.waiting = m.at
	}
	c.late, c.over = c.late || !open, c.over || !open
	if c.state != queue.ConversationAssigned {
		c.state, c.agent = queue.ConversationWaiting, ""
	}
}

func (c *chatModel) newest(i *itemModel) {
	if c.last == nil || i.position >= c.last.position {
		c.last = i
	}
}

// amend makes what an edit or an unsend is about, or returns nil where there is nothing.
func (w *chats) amend(c *chatModel, m *messageModel) *itemModel {
	if c.there && c.items[m.key] != nil {
		if c.items[m.key].unsent {
			return nil
		}
		return c.items[m.key]
	}
	if c.there && !c.partial || !c.there && w.isOpen(c) {
		return nil
	}
	if !c.there {
		w.found(c)
		c.state = queue.ConversationOver
	}
	i := &itemModel{id: m.key, position: m.seq << 20, from: queue.ActorConsumer, only: true}
	c.items[m.key] = i
	return i
}

func (w *chats) edit(c *chatModel, m *messageModel, text string) {
	if i := w.amend(c, m); i != nil {
		i.edit = text
	}
}

func (w *chats) unsend(c *chatModel, m *messageModel) {
	if i := w.amend(c, m); i != nil {
		i.text, i.edit, i.photos, i.unsent, i.late, i.only = "", "", "", true, false, false
	}
}

// consumerCloses is the consumer's close when it has been worked on.
func (c *chatModel) consumerCloses() {
	if !c.there {
		return
	}
	c.over, c.by = true, cmp.Or(c.by, queue.ActorConsumer)
	if !c.late {
		c.state, c.waiting = queue.ConversationOver, 0
	}
}

// closes is a close by another, and tells whether software hears of it.
func (w *chats) closes(c *chatModel, by queue.ActorKind) (told bool) {
	if c.state == queue.ConversationOver {
		return false
	}
	if !c.over {
		c.over, c.by = true, by
		p := w.pointers[c.party]
		if p.open != c.id && p.last == c.id {
			c.by = queue.ActorConsumer
		} else {
			told = true
		}
		if p.open == c.id {
			p.open, p.last, p.seq = "", c.id, 0
		}
	}
	c.state, c.waiting = queue.ConversationOver, 0
	return told
}

// ordered are the items of a conversation as they are listed.
func (c *chatModel) ordered() []*itemModel {
	return slices.SortedFunc(maps.Values(c.items), func(a, b *itemModel) int {
		return cmp.Or(cmp.Compare(a.position, b.position), cmp.Compare(a.id, b.id))
	})
}

// describe is all of an item that can be compared.
func (i *itemModel) describe() string {
	return fmt.Sprint(i.id[:4], i.position, i.arrival, i.from, " ", i.text, "/", i.edit, "/", i.photos, i.unsent, i.late, i.state)
}

func describeItem(i queue.ConversationItem) string {
	m := itemModel{id: i.ID, position: i.Position, arrival: i.Arrival, from: i.From, unsent: !i.UnsentAt.IsZero()}
	if i.Message != nil {
		m.text, m.late = i.Message.Text, i.Message.Late
		if len(i.Message.Photos) > 0 {
			m.photos = i.Message.Photos[0].Status
		}
	}
	if i.Edit != nil {
		m.edit = i.Edit.Text
	}
	if i.Reply != nil {
		m.text, m.state = i.Reply.Text, i.Reply.Delivery.State
	}
	return m.describe()
}

// describe is all of a head that can be compared.
func (c *chatModel) describe() string {
	last := queue.Gist{}
	if c.last != nil {
		last = queue.Gist{From: c.last.from, Text: cmp.Or(c.last.edit, c.last.text), Unsent: c.last.unsent}
		if c.last.photos != "" {
			last.Photos = 1
		}
	}
	return fmt.Sprint(c.state, " ", c.agent, " ", c.by, " over", c.over, " late", c.late, " partial", c.partial, " ", c.arrived, c.read, " since", c.waiting, " message", c.message, " answered", c.answered, " ", last)
}

func describeHead(c queue.Conversation) string {
	minutes := func(t time.Time) int {
		if t.IsZero() {
			return 0
		}
		return int(t.Sub(at9) / time.Minute)
	}
	m := chatModel{
		state: c.State, agent: c.Agent.ID, by: c.ClosedBy.Kind, over: !c.Open(), late: c.Late, partial: c.Partial,
		arrived: c.Arrived, read: c.Read, waiting: minutes(c.WaitingSince), message: minutes(c.LastMessageAt), answered: minutes(c.LastReplyAt),
	}
	return fmt.Sprint(m.state, " ", m.agent, " ", m.by, " over", m.over, " late", m.late, " partial", m.partial, " ", m.arrived, m.read, " since", m.waiting, " message", m.message, " answered", m.answered, " ", c.Last)
}
