package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

const (
	// leastText and mostText are how many characters a search has.
	leastText, mostText = 2, 200
	// mostConsumer is the longest id of a consumer's, in bytes.
	mostConsumer = 512
)

// listClosed searches the archive, and what is closed and not there yet.
func (a *API) listClosed(c *call, queues []string, limit int) error {
	q, err := a.query(c, queues, limit)
	if err != nil {
		return err
	}
	event, err := a.now(c.ctx, queues)
	if err != nil {
		return err
	}
	answer := page{Conversations: []conversation{}, Event: event.String()}
	if a.Archive != nil {
		found, err := a.Archive.List(c.ctx, q)
		if errors.Is(err, archive.ErrInvalid) {
			return wrong("after is a next of an earlier answer")
		}
		if err != nil {
			return storeError(err)
		}
		for _, head := range found.Conversations {
			answer.Conversations = append(answer.Conversations, a.view(head, standingOf(c.caller, head)))
		}
		answer.Next, answer.SearchedTo = found.Next, found.SearchedTo.UTC()
	}
	return c.answer(http.StatusOK, answer)
}

// now is the place among the changes of each queue.
func (a *API) now(ctx context.Context, queues []string) (places, error) {
	at := places{}
	for _, name := range queues {
		place, err := a.Journal.LastChange(ctx, name)
		if err != nil {
			return nil, err
		}
		at[name] = place
	}
	return at, nil
}

// query reads what is searched for.
func (a *API) query(c *call, queues []string, limit int) (q archive.Query, err error) {
	q = archive.Query{Queues: queues, Text: c.QueryParam("q"), After: c.QueryParam("after"), Limit: limit}
	if n := utf8.RuneCountInString(q.Text); q.Text != "" && (n < leastText || n > mostText) {
		return q, wrong("q has 2 to 200 characters")
	}
	if q.Party, err = a.party(c.QueryParam("consumer"), c.QueryParam("account")); err != nil {
		return q, err
	}
	if q.From, err = moment("from", c.QueryParam("from"), 0); err != nil {
		return q, err
	}
	q.To, err = moment("to", c.QueryParam("to"), 24*time.Hour-time.Nanosecond)
	return q, err
}

// party is a consumer of an account, as conversations name them.
func (a *API) party(consumer, account string) (string, error) {
	switch {
	case consumer == "" && account == "":
		return "", nil
	case consumer == "" || account == "" || len(consumer) > mostConsumer:
		return "", wrong("consumer and account go together")
	}
	for _, route := range a.Routes.All() {
		for _, one := range route.Accounts {
			if one.Name == account {
				return inbound.Party(route.Channel.Name, one.ID, consumer), nil
			}
		}
	}
	return "", wrong("account is the name of an account of this gateway")
}

// moment reads a time, or a day, of which part is meant.
func moment(name, text string, part time.Duration) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Add(part), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, wrong(name + " is a day such as 2026-11-22, or a time such as 2026-11-22T14:30:00Z")
	}
	return t, nil
}

// storeError is an error of the archive, whose own words are for the log.
func storeError(err error) error {
	if queue.MayPass(err) || errors.Is(err, queue.ErrUnreadable) {
		return err
	}
	return fmt.Errorf("%w: %w", errStore, err)
}
