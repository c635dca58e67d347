package agent

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"sort"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lightlock/lightlock/gateway/queue"
)

// mostPosition is above every item's.
const mostPosition = math.MaxInt64 >> 10

// head finds a conversation, in Redis or in the archive. Of a partial one the
// archive knows the rest.
func (o Options) head(ctx context.Context, name, id string) (queue.Conversation, error) {
	head, err := o.Journal.Conversation(ctx, name, id)
	if o.Archive == nil || err == nil && !head.Partial || err != nil && !errors.Is(err, queue.ErrNoConversation) {
		return head, err
	}
	head, err = o.Archive.Head(ctx, name, id)
	return head, archiveError(err)
}

// archived finds a conversation in the archive, or ErrNoConversation.
func (o Options) archived(ctx context.Context, name, id string) (queue.Snapshot, error) {
	if o.Archive == nil {
		return queue.Snapshot{}, queue.ErrNoConversation
	}
	s, err := o.Archive.Get(ctx, name, id)
	return s, archiveError(err)
}

// archiveError tells what is not there from a store that does not answer.
func archiveError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, queue.ErrNoConversation):
		return queue.ErrNoConversation
	}
	return storeError(err)
}

func (a *API) one(c *call) error {
	name, id, err := a.conversation(c)
	if err != nil {
		return err
	}
	head, err := a.head(c.ctx, name, id)
	if err != nil {
		return err
	}
	v := a.view(head, standingOf(c.caller, head))
	previous, next := head.Previous, ""
	if a.Archive != nil {
		if previous, next, err = a.Archive.Neighbours(c.ctx, head); err != nil {
			return archiveError(err)
		}
	}
	if previous != "" {
		v.Previous = publicID(name, previous)
	}
	if next != "" {
		v.Next = publicID(name, next)
	}
	return c.answer(http.StatusOK, v)
}

// messagePage is what a list of messages is answered with.
type messagePage struct {
	Messages []message `json:"messages"`
	More     bool      `json:"more"`
	Event    string    `json:"event"`
}

func (a *API) messages(c *call) error {
	name, id, err := a.conversation(c)
	if err != nil {
		return err
	}
	part, err := c.span()
	if err != nil {
		return err
	}
	place, err := a.Journal.LastChange(c.ctx, name)
	if err != nil {
		return err
	}
	head, items, more, err := a.items(c.ctx, name, id, part)
	if err != nil {
		return err
	}
	answer := messagePage{Messages: []message{}, More: more, Event: places{name: place}.String()}
	for _, item := range items {
		answer.Messages = append(answer.Messages, a.viewItem(head, item, standingOf(c.caller, head)))
	}
	return c.answer(http.StatusOK, answer)
}

// span is which of a conversation's items are asked for: the newest, or those from
// the start on, between two positions.
type span struct {
	before, after int64
	fromStart     bool
	limit         int
}

// span reads which messages are asked for.
func (c *call) span() (s span, err error) {
	limit, err := c.number("limit", usualPage, 1, longestPage)
	s.limit = int(limit)
	if err == nil {
		s.before, err = c.number("before", 0, 1, mostPosition)
	}
	if err == nil {
		s.after, err = c.number("after", 0, 0, mostPosition)
	}
	s.fromStart = c.QueryParam("after") != ""
	return s, err
}

func (a *API) items(ctx context.Context, name, id string, s span) (head queue.Conversation, items []queue.ConversationItem, more bool, err error) {
	head, err = a.Journal.Conversation(ctx, name, id)
	if err != nil && !errors.Is(err, queue.ErrNoConversation) {
		return head, nil, false, err
	}
	if here := err == nil; here && !head.Partial {
		items, more, err = a.itemsHere(ctx, name, id, s)
		if !errors.Is(err, queue.ErrNoConversation) {
			return head, items, more, err
		}
		// It has gone to the archive between the two.
	}
	whole, archived := a.archived(ctx, name, id)
	if errors.Is(archived, queue.ErrNoConversation) && err == nil {
		items, more, err = a.itemsHere(ctx, name, id, s) // only Redis knows it
		return head, items, more, err
	}
	items, more = cut(whole.Items, s)
	return whole.Conversation, items, more, archived
}

func (a *API) itemsHere(ctx context.Context, name, id string, s span) ([]queue.ConversationItem, bool, error) {
	after := s.after
	if s.fromStart {
		after = max(after, 1) // below every item's, and not the open end
	}
	return a.Journal.Items(ctx, name, id, queue.ItemRange{Before: s.before, After: after, Limit: s.limit})
}

// cut takes a span out of all items, which are in order.
func cut(items []queue.ConversationItem, s span) (part []queue.ConversationItem, more bool) {
	from := sort.Search(len(items), func(i int) bool { return items[i].Position > s.after })
	to := len(items)
	if s.before > 0 {
		to = sort.Search(len(items), func(i int) bool { return items[i].Position >= s.before })
	}
	part = items[from:max(from, to)]
	if len(part) <= s.limit {
		return part, false
	}
	if s.fromStart {
		return part[:s.limit], true
	}
	return part[len(part)-s.limit:], true
}

// me is who is calling.
type me struct {
	Kind   queue.ActorKind `json:"kind"`
	ID     string          `json:"id"`
	Name   string          `json:"name,omitempty"`
	Queues []myQueue       `json:"queues"`
	Until  time.Time       `json:"signed_in_until,omitzero"`
}

type myQueue struct {
	Name    string `json:"name"`
	Waiting int64  `json:"waiting"`
}

func (a *API) me(c *call) error {
	answer := me{Kind: c.caller.Kind, ID: c.caller.Agent.ID, Name: c.caller.Agent.Name, Until: c.caller.Until.UTC()}
	answer.Queues = make([]myQueue, len(c.caller.Queues))
	g, ctx := errgroup.WithContext(c.ctx)
	g.SetLimit(atOnce)
	for i, name := range slices.Sorted(slices.Values(c.caller.Queues)) {
		answer.Queues[i].Name = name
		if a.Without {
			continue
		}
		g.Go(func() (err error) {
			_, _, answer.Queues[i].Waiting, err = a.Journal.Waiting(ctx, name, "", 1)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return c.answer(http.StatusOK, answer)
}

func (a *API) agents(c *call) error {
	name := c.QueryParam("queue")
	switch {
	case name == "":
		return wrong("queue says of which queue")
	case !c.caller.May(name):
		return notFound()
	}
	list := a.People.Agents(c.ctx, name)
	if list == nil {
		list = []queue.Agent{}
	}
	return c.answer(http.StatusOK, struct {
		Agents []queue.Agent `json:"agents"`
	}{list})
}
