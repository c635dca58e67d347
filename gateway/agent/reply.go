package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/problem"
	"github.com/lightlock/lightlock/gateway/queue"
)

// idempotencyKey is what a caller may name a reply.
var idempotencyKey = regexp.MustCompile(`^[!-~]{1,128}$`)

type answerBody struct {
	Text    string `json:"text"`
	ReplyTo string `json:"reply_to"`
	Agent   string `json:"agent"`
}

// mostReplyTo is the longest platform's id of a message.
const mostReplyTo = 512

func (a *API) reply(c *call) error {
	name, id, err := a.conversation(c)
	if err != nil {
		return err
	}
	asked := c.Request().Header.Get("Idempotency-Key")
	if !idempotencyKey.MatchString(asked) {
		return wrong("the header Idempotency-Key names the reply, in 1 to 128 printable characters")
	}
	var b answerBody
	if err := c.body(&b, true); err != nil {
		return err
	}
	if len(b.ReplyTo) > mostReplyTo {
		return wrong("reply_to is longer than any message's id")
	}
	on, err := a.agent(c, name, b.Agent, false)
	if err != nil {
		return err
	}
	key := c.replyKey(name, id, asked)
	// A repeat is answered as the first was, whatever has happened in between.
	head, item, err := a.said(c, name, id, key)
	if errors.Is(err, errNotSaid) {
		head, item, err = a.say(c, head, b, on, key)
	}
	if err != nil {
		return err
	}
	if item.Reply == nil || item.Reply.Text != strings.TrimSpace(b.Text) && item.Reply.Text != b.Text || item.Reply.ReplyTo != b.ReplyTo {
		return problem.Of(problem.IdempotencyMismatch, "")
	}
	return c.answer(http.StatusAccepted, a.viewItem(head, item, standingOf(c.caller, head)))
}

// replyKey names a reply by who calls it so and where: two callers' keys, or those
// of two conversations, have nothing to do with each other.
func (c *call) replyKey(name, id, asked string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{"reply", string(c.caller.Kind), c.caller.Agent.ID, name, id, asked}, "\x00")))
	return hex.EncodeToString(sum[:])
}

var errNotSaid = errors.New("not said yet")

// said finds a reply that was written down before, or errNotSaid. The head is the
// conversation's in any case.
func (a *API) said(c *call, name, id, key string) (queue.Conversation, queue.ConversationItem, error) {
	head, err := a.Journal.Conversation(c.ctx, name, id)
	var items []queue.ConversationItem
	switch {
	case errors.Is(err, queue.ErrNoConversation), err == nil && head.Partial:
		whole, archived := a.archived(c.ctx, name, id)
		if errors.Is(archived, queue.ErrNoConversation) && err == nil {
			break // only Redis knows it
		}
		head, items, err = whole.Conversation, whole.Items, archived
	case err == nil:
		items, err = a.Journal.ItemsByID(c.ctx, name, id, []string{key})
	}
	if err != nil {
		return head, queue.ConversationItem{}, err
	}
	for _, item := range items {
		if item.ID == key {
			return head, item, nil
		}
	}
	return head, queue.ConversationItem{}, errNotSaid
}

// say writes a reply down, if the caller may and the platform takes it.
func (a *API) say(c *call, head queue.Conversation, b answerBody, on queue.Agent, key string) (queue.Conversation, queue.ConversationItem, error) {
	var none queue.ConversationItem
	if !head.Open() {
		return head, none, queue.ErrConversationOver
	}
	if on.ID != "" && !owns(on.ID, head) {
		return head, none, &queue.NotTheirsError{Agent: head.Agent}
	}
	route, _, err := a.Routes.Find(head.Channel, head.AccountID)
	if err != nil {
		return head, none, err
	}
	if until := windowEnd(route, head); !until.IsZero() && !a.Now().Before(until) {
		return head, none, problem.Of(problem.CannotReply, "the platform's time for an answer is over")
	}
	item, fresh, err := a.Speaker.Say(c.ctx, outbound.Speech{
		Key: key, Channel: head.Channel, Account: head.AccountID, Consumer: head.Consumer.ID, Party: head.Party,
		Queue: head.Queue, Conversation: head.ID, Text: b.Text, ReplyTo: b.ReplyTo, Since: head.LastMessageAt, By: c.actor(on),
	})
	if err != nil || fresh {
		return head, item, err
	}
	return a.said(c, head.Queue, head.ID, key) // the same call, at the same time
}
