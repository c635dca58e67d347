package agent

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/lightlock/lightlock/gateway/problem"
	"github.com/lightlock/lightlock/gateway/queue"
)

// onBehalf is the body of a call that says no more than for whom it is made.
type onBehalf struct {
	Agent string `json:"agent"`
}

// forWhom reads such a call: its conversation, and for whom it is made. must says that
// there has to be somebody.
func (a *API) forWhom(c *call, must bool) (name, id string, on queue.Agent, err error) {
	if name, id, err = a.conversation(c); err != nil {
		return "", "", on, err
	}
	var b onBehalf
	if err = c.body(&b, false); err == nil {
		on, err = a.agent(c, name, b.Agent, must)
	}
	return name, id, on, err
}

func (a *API) take(c *call) error {
	name, id, to, err := a.forWhom(c, true)
	if err != nil {
		return err
	}
	head, err := a.Journal.Assign(c.ctx, name, id, queue.Assignment{To: to})
	var theirs *queue.NotTheirsError
	if errors.As(err, &theirs) {
		return with(theirs.Agent, problem.Taken)
	}
	return a.done(c, head, a.orOver(c, name, id, err))
}

// transferBody tells a null from nothing at all, which hands nothing over.
type transferBody struct {
	To    nullable `json:"to"`
	Agent string   `json:"agent"`
}

// nullable is a text, or null.
type nullable struct {
	there bool
	text  string
}

// UnmarshalJSON reads it; it is not called where there is nothing.
func (n *nullable) UnmarshalJSON(text []byte) error {
	n.there = true
	return json.Unmarshal(text, &n.text)
}

func (a *API) transfer(c *call) error {
	name, id, err := a.conversation(c)
	if err != nil {
		return err
	}
	var b transferBody
	if err := c.body(&b, true); err != nil {
		return err
	}
	if !b.To.there {
		return wrong("to says who gets it, or null")
	}
	on, err := a.agent(c, name, b.Agent, false)
	if err != nil {
		return err
	}
	var to queue.Agent
	if b.To.text != "" {
		var ok bool
		if to, ok = a.People.Lookup(c.ctx, b.To.text, name); !ok {
			return wrong("to is the id of an agent of this queue")
		}
	}
	head, err := a.Journal.Assign(c.ctx, name, id, queue.Assignment{To: to, From: holder(on)})
	return a.done(c, head, a.orOver(c, name, id, err))
}

func (a *API) close(c *call) error {
	name, id, on, err := a.forWhom(c, false)
	if err != nil {
		return err
	}
	head, err := a.Journal.CloseConversation(c.ctx, name, id, queue.Closing{By: c.actor(on), From: holder(on)})
	if errors.Is(err, queue.ErrNoConversation) {
		// What is in the archive is closed, and to close it again changes nothing.
		head, err = a.head(c.ctx, name, id)
	}
	return a.done(c, head, err)
}

// orOver tells a conversation that has left Redis, and so is closed, from one that
// never was.
func (a *API) orOver(c *call, name, id string, err error) error {
	if !errors.Is(err, queue.ErrNoConversation) {
		return err
	}
	if _, err := a.head(c.ctx, name, id); err != nil {
		return err
	}
	return queue.ErrConversationOver
}

// done answers with a conversation as it is now.
func (a *API) done(c *call, head queue.Conversation, err error) error {
	if err == nil && head.Partial {
		head, err = a.head(c.ctx, head.Queue, head.ID)
	}
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, a.view(head, standingOf(c.caller, head)))
}

type seen struct {
	Arrival *int64 `json:"arrival"`
	Agent   string `json:"agent"`
}

// read says how far an agent has read. That somebody else has the conversation by
// now, or that it is closed, is no error: a page says it late.
func (a *API) read(c *call) error {
	name, id, err := a.conversation(c)
	if err != nil {
		return err
	}
	var b seen
	if err := c.body(&b, true); err != nil {
		return err
	}
	if b.Arrival == nil || *b.Arrival < 0 {
		return wrong("arrival is the number of the newest message that was seen")
	}
	on, err := a.agent(c, name, b.Agent, true)
	if err != nil {
		return err
	}
	err = a.orOver(c, name, id, a.Journal.SeenUpTo(c.ctx, name, id, on.ID, *b.Arrival))
	var theirs *queue.NotTheirsError
	if err != nil && !errors.As(err, &theirs) && !errors.Is(err, queue.ErrConversationOver) {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
