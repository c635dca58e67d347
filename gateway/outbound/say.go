package outbound

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// maxParts is how many of a platform's messages one text may become. Beyond it
// the platform's own limits on how fast we may speak would cut it.
const maxParts = 10

// The errors of Say; errors.Is finds them.
var (
	// ErrNothing means that the text is empty, or nothing but white space.
	ErrNothing = errors.New("nothing to say")
	// ErrTooLong means that the text would become too many messages. It is
	// refused whole.
	ErrTooLong = errors.New("text too long")
)

// Speech is what an agent says to a consumer.
type Speech struct {
	// Key names the speech, a hash in lower-case hex: the same key is taken once.
	Key string
	// Channel and Account are those of the conversation, Account by the
	// platform's id.
	Channel, Account string
	// Consumer is the platform's id, and Party names the consumer as the journal
	// does.
	Consumer, Party string
	// Queue is the conversation's; where it is empty, the account's.
	Queue, Conversation string
	// By is who says it. An agent must have the conversation.
	By   queue.Actor
	Text string
	// ReplyTo is the platform's id of the message that is answered, or empty.
	ReplyTo string
	// Since is when the consumer last wrote.
	Since time.Time
}

// Say journals what an agent or a service says, behind what was said in the
// conversation before. A text that is longer than the platform's messages is split
// between its lines, sentences or words. It returns the item as it stands in the
// conversation; fresh is false for a repeat, whose item is that of the first as long as
// the journal has it. Errors are ErrNothing, ErrTooLong, and those of the journal.
func (l *Line) Say(ctx context.Context, s Speech) (item queue.ConversationItem, fresh bool, err error) {
	route, account, err := l.Routes.Find(s.Channel, s.Account)
	if err != nil {
		return item, false, err
	}
	parts := Split(s.Text, route.Channel.Texts.Limit)
	switch {
	case len(parts) == 0:
		return item, false, fmt.Errorf("outbound: %w", ErrNothing)
	case len(parts) > maxParts:
		return item, false, fmt.Errorf("outbound: %w: it would become %d messages, and %d is the most", ErrTooLong, len(parts), maxParts)
	}
	payload, err := Message{
		Kind: Reply, Channel: s.Channel, Account: s.Account, Consumer: s.Consumer, Parts: parts,
		ReplyTo: s.ReplyTo, Since: s.Since,
	}.Encode()
	if err != nil {
		return item, false, err
	}
	return l.reply(ctx, cmp.Or(s.Queue, account.Queue), queue.Reply{
		Outgoing: queue.Outgoing{Key: s.Key, Conversation: s.Conversation, Party: s.Party, Payload: payload},
		Agent:    s.mustHave(),
		Said:     queue.ReplyData{By: s.By, Text: s.Text, At: l.Now(), ReplyTo: s.ReplyTo},
	})
}

// mustHave is who must have the conversation: a service speaks in any.
func (s Speech) mustHave() string {
	if s.By.Kind == queue.ActorService {
		return queue.AnyAgent
	}
	return s.By.ID
}

// reply journals a reply, and returns it as it stands in the conversation then.
func (l *Line) reply(ctx context.Context, name string, r queue.Reply) (item queue.ConversationItem, fresh bool, err error) {
	if fresh, err = l.Journal.Reply(ctx, name, r); err != nil {
		return item, false, err
	}
	items, err := l.Journal.ItemsByID(ctx, name, r.Conversation, []string{r.Key})
	if err == nil && len(items) == 1 {
		return items[0], fresh, nil
	}
	if err != nil && !errors.Is(err, queue.ErrNoConversation) {
		return item, fresh, err
	}
	return queue.ConversationItem{ID: r.Key, From: r.Said.By.Kind, Reply: &r.Said}, fresh, nil
}
