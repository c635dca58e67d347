package outbound

import (
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
	Conversation    string
	Text            string
	// ReplyTo is the platform's id of the message that is answered, or empty.
	ReplyTo string
	// Since is when the consumer last wrote.
	Since time.Time
}

// Say journals what an agent says, behind what was said in the conversation
// before. A text that is longer than the platform's messages is split between
// its lines, sentences or words. fresh is false for a repeat.
func (l *Line) Say(ctx context.Context, s Speech) (fresh bool, err error) {
	route, account, err := l.Routes.Find(s.Channel, s.Account)
	if err != nil {
		return false, err
	}
	parts := Split(s.Text, route.Channel.Texts.Limit)
	switch {
	case len(parts) == 0:
		return false, fmt.Errorf("outbound: %w", ErrNothing)
	case len(parts) > maxParts:
		return false, fmt.Errorf("outbound: %w: it would become %d messages, and %d is the most", ErrTooLong, len(parts), maxParts)
	}
	payload, err := Message{
		Kind: Reply, Channel: s.Channel, Account: s.Account, Consumer: s.Consumer, Parts: parts,
		ReplyTo: s.ReplyTo, Since: s.Since,
	}.Encode()
	if err != nil {
		return false, err
	}
	return l.Journal.Post(ctx, account.Queue, queue.Outgoing{
		Key: s.Key, Conversation: s.Conversation, Party: s.Party, Payload: payload,
	})
}
