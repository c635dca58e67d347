package agent

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lightlock/lightlock/gateway/queue"
)

const (
	// usualPage and longestPage are how many conversations or messages a page has.
	usualPage, longestPage = 50, 200
	// atOnce is how many queues a call asks at a time.
	atOnce = 8
	// mostCursor is how long a cursor may be, in bytes. It names a place in each of
	// the caller's queues.
	mostCursor = 128 << 10
)

// page is what a list is answered with.
type page struct {
	Conversations []conversation `json:"conversations"`
	Next          string         `json:"next,omitempty"`
	Total         *int64         `json:"total,omitempty"`
	SearchedTo    time.Time      `json:"searched_to,omitzero"`
	Event         string         `json:"event"`
}

func (a *API) list(c *call) error {
	queues, err := c.queues()
	if err != nil || a.Without {
		return cmp.Or(err, notFound())
	}
	limit, err := c.number("limit", usualPage, 1, longestPage)
	if err != nil {
		return err
	}
	switch view := c.QueryParam("view"); view {
	case "", "waiting":
		return a.listOpen(c, queues, shelf{limit: int(limit), read: a.Journal.Waiting})
	case "mine":
		of, err := a.whose(c)
		if err != nil {
			return err
		}
		mine := func(ctx context.Context, name, after string, limit int) ([]queue.Conversation, string, int64, error) {
			return a.Journal.Mine(ctx, name, of, after, limit)
		}
		return a.listOpen(c, queues, shelf{limit: int(limit), read: mine, newest: true})
	case "closed":
		return a.listClosed(c, queues, int(limit))
	}
	return wrong("view is waiting, mine or closed")
}

// whose conversations are listed as mine.
func (a *API) whose(c *call) (string, error) {
	named := c.QueryParam("agent")
	switch {
	case c.caller.Kind == queue.ActorAgent && named != "" && named != c.caller.Agent.ID:
		return "", wrong("an agent calls for nobody else")
	case c.caller.Kind == queue.ActorAgent:
		return c.caller.Agent.ID, nil
	case named == "" || len(named) > 128:
		return "", wrong("agent says whose conversations they are")
	}
	return named, nil
}

// shelf is a list of conversations as each queue has one, and how it is ordered.
type shelf struct {
	limit  int
	read   func(ctx context.Context, queue, after string, limit int) ([]queue.Conversation, string, int64, error)
	newest bool
}

// before orders two of a shelf as the queues do themselves: by the place, and at the
// same by the name.
func (s shelf) before(x, y queue.Conversation) int {
	order := cmp.Or(cmp.Compare(x.Place, y.Place), cmp.Compare(x.ID, y.ID), cmp.Compare(x.Queue, y.Queue))
	if s.newest {
		return -order
	}
	return order
}

// spot is where a conversation stands in its queue's list, in the words of the
// journal's cursors.
func spot(c queue.Conversation) string { return strconv.FormatInt(c.Place, 10) + "-" + c.ID }

// part is what one queue has for a page.
type part struct {
	heads []queue.Conversation
	more  bool
	total int64
	place string
}

// listOpen merges the lists of several queues into a page.
func (a *API) listOpen(c *call, queues []string, s shelf) error {
	after, err := readCursor(c.QueryParam("after"))
	if err != nil {
		return err
	}
	parts := make([]part, len(queues))
	g, ctx := errgroup.WithContext(c.ctx)
	g.SetLimit(atOnce)
	for i, name := range queues {
		g.Go(func() (err error) {
			parts[i], err = a.part(ctx, name, after[name], s)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	heads, answer := merge(queues, parts, s), page{Conversations: []conversation{}, Total: new(int64)}
	event := places{}
	more := false
	for i, p := range parts {
		*answer.Total += p.total
		event[queues[i]] = p.place
		more = more || p.more
	}
	if len(heads) > s.limit {
		heads, more = heads[:s.limit], true
	}
	for _, head := range heads {
		answer.Conversations = append(answer.Conversations, a.view(head, standingOf(c.caller, head)))
		after[head.Queue] = spot(head)
	}
	if more {
		answer.Next = after.String()
	}
	answer.Event = event.String()
	return c.answer(http.StatusOK, answer)
}

// part reads what one queue has. The place among the changes comes first: what
// follows is at least as new.
func (a *API) part(ctx context.Context, name, after string, s shelf) (p part, err error) {
	if p.place, err = a.Journal.LastChange(ctx, name); err != nil {
		return p, err
	}
	var next string
	p.heads, next, p.total, err = s.read(ctx, name, after, s.limit)
	p.more = next != ""
	return p, err
}

// merge puts the conversations of all queues into one order.
func merge(queues []string, parts []part, s shelf) (heads []queue.Conversation) {
	for i, p := range parts {
		for _, head := range p.heads {
			head.Queue = queues[i]
			heads = append(heads, head)
		}
	}
	slices.SortStableFunc(heads, s.before)
	return heads
}

// cursor says where each queue's part of a list goes on.
type cursor map[string]string

// String is the cursor for an address.
func (c cursor) String() string {
	text, _ := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(text)
}

func readCursor(text string) (cursor, error) {
	c := cursor{}
	if text == "" {
		return c, nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text[:min(len(text), mostCursor)])
	if err != nil || json.Unmarshal(decoded, &c) != nil || c == nil {
		return nil, wrong("after is the next of the page before")
	}
	return c, nil
}
