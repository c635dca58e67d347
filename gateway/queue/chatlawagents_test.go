package queue_test

import (
	"cmp"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/gateway/queue"
)

func (w *chats) agent(r *rapid.T, more ...string) string {
	return rapid.SampledFrom(append([]string{"ben", "eva"}, more...)).Draw(r, "agent")
}

// wantError compares an error with what must have been in the way.
func wantError(r *rapid.T, err error, c *chatModel, from string, over bool) (ok bool) {
	theirs, isTheirs := errors.AsType[*queue.NotTheirsError](err)
	switch {
	case !c.there:
		ok = errors.Is(err, queue.ErrNoConversation)
	case over:
		ok = errors.Is(err, queue.ErrConversationOver)
	case from != queue.AnyAgent && from != c.agent:
		ok = isTheirs && theirs.Agent.ID == c.agent
	default:
		if err != nil {
			r.Fatalf("got %v of %+v", err, c)
		}
		return true
	}
	if !ok {
		r.Fatalf("got %v of %+v from %q", err, c, from)
	}
	return false
}

func (w *chats) assigns(r *rapid.T) {
	c, to, from := w.chat(r), w.agent(r, ""), w.agent(r, "", queue.AnyAgent)
	_, err := w.j.Assign(w.t.Context(), q, c.id, queue.Assignment{To: queue.Agent{ID: to}, From: from})
	over := c.state == queue.ConversationOver
	if c.there && !over && c.agent == to {
		from = to
	}
	if !wantError(r, err, c, from, over) || c.agent == to {
		return
	}
	c.agent, c.state = to, queue.ConversationAssigned
	if to != "" {
		c.read = 0
		return
	}
	c.state = queue.ConversationWaiting
	if c.waiting == 0 {
		c.waiting = -1 // by Redis' clock
	}
}

func (w *chats) agentCloses(r *rapid.T) {
	c, from := w.chat(r), w.agent(r, "", queue.AnyAgent)
	_, err := w.j.CloseConversation(w.t.Context(), q, c.id, queue.Closing{By: byAgent(ben), From: from})
	if c.there && c.state == queue.ConversationOver {
		from = c.agent
	}
	if wantError(r, err, c, from, false) && w.closes(c, queue.ActorAgent) {
		w.closed[c.id]++
	}
}

func (w *chats) sees(r *rapid.T) {
	c := w.chat(r)
	agent, arrival := w.agent(r, cmp.Or(c.agent, "ben"), cmp.Or(c.agent, "ben")), int64(rapid.IntRange(0, 5).Draw(r, "arrival"))
	if wantError(r, w.j.SeenUpTo(w.t.Context(), q, c.id, agent, arrival), c, agent, false) {
		c.read = max(c.read, min(arrival, c.arrived))
	}
}

func (w *chats) replies(r *rapid.T) {
	c, agent, name := w.chat(r), w.agent(r, queue.AnyAgent), w.name("reply")
	w.clock++
	one := queue.Reply{
		Outgoing: queue.Outgoing{Key: hash(name), Conversation: c.id, Party: hash(c.party), Payload: []byte(name)},
		Agent:    agent, Said: queue.ReplyData{By: byAgent(ben), Text: name, At: at9.Add(time.Duration(w.clock) * time.Minute)},
	}
	fresh, err := w.j.Reply(w.t.Context(), q, one)
	if !wantError(r, err, c, agent, c.over || !w.isOpen(c)) {
		return
	}
	if again, err := w.j.Reply(w.t.Context(), q, one); !fresh || again || err != nil {
		r.Fatalf("fresh %v, again %v, %v", fresh, again, err)
	}
	position := w.pointers[c.party].seq << 20
	for _, i := range c.items {
		position = max(position, i.position)
	}
	i := &itemModel{id: hash(name), position: position + 1, text: name, from: queue.ActorAgent, state: queue.ResultWaiting}
	c.items[i.id], c.answered, c.waiting = i, w.clock, 0
	c.newest(i)
	c.outstanding = append(c.outstanding, i.id)
}

// sends concludes what was said first in a conversation.
func (w *chats) sends(r *rapid.T) {
	c := w.chat(r)
	s, err := w.j.Claim(w.t.Context(), q, c.id+" "+hash(c.party))
	if err != nil || (s != nil) != (len(c.outstanding) > 0) {
		r.Fatalf("claim: got %+v, %v; want one of %d", s, err, len(c.outstanding))
	}
	if s == nil {
		return
	}
	if open := w.isOpen(c) || c.by == queue.ActorAgent || c.by == queue.ActorIdle; s.Key != c.outstanding[0] || s.Open != open {
		r.Fatalf("claim: got %+v, want %s, open %v", s, c.outstanding[0], open)
	}
	result := rapid.SampledFrom([]queue.Result{queue.ResultSent, queue.ResultFailed, queue.ResultUnknown}).Draw(r, "result")
	if got, err := w.j.Conclude(w.t.Context(), *s, result, "detail"); err != nil || got != queue.Mine {
		r.Fatalf("conclude: got %v, %v", got, err)
	}
	c.items[s.Key].state, c.outstanding = result, c.outstanding[1:]
}

// idles lets a conversation be idle for long.
func (w *chats) idles(r *rapid.T) {
	c := w.chat(r)
	w.client.ZAddXX(w.t.Context(), keyOf("chats:idle"), redis.Z{Score: 1, Member: c.id})
	n, err := w.j.CloseIdle(w.t.Context(), q, 10)
	closes := c.there && c.state != queue.ConversationOver
	if err != nil || (n == 1) != closes || n > 1 {
		r.Fatalf("closed %d, %v; want %v", n, err, closes)
	}
	if closes && w.closes(c, queue.ActorIdle) {
		w.closed[c.id]++
	}
}

func (w *chats) archives(r *rapid.T) {
	c := w.chat(r)
	s, err := w.j.Snapshot(w.t.Context(), q, c.id)
	if errors.Is(err, queue.ErrNoConversation) != !c.there || c.there && err != nil {
		r.Fatalf("snapshot: %v of %+v", err, c)
	}
	if !c.there {
		return
	}
	goes := c.state == queue.ConversationOver && len(c.outstanding) == 0
	if rapid.Bool().Draw(r, "too late") {
		s.Conversation.Version--
		goes = false
	}
	gone, err := w.j.Archived(w.t.Context(), q, c.id, s.Conversation.Version)
	if err != nil || gone != goes {
		r.Fatalf("archived: got %v, %v of %+v", gone, err, c)
	}
	c.there = !goes
}
