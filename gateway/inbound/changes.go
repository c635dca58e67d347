package inbound

import (
	"context"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue"
)

const (
	// followUp is how often an edit asks whether its message has been forwarded.
	followUp = 2 * time.Second
	// strayFor is how long an edit waits for a message that we have never seen:
	// platforms deliver the two in any order.
	strayFor = time.Minute
	// stuckFor is how long it waits for one that is older, or two leases where these
	// are longer: a gateway that has died may have it.
	stuckFor = 10 * time.Minute
)

// change works on an event about a message or a conversation.
func (l *Line) change(ctx context.Context, e queue.Entry, j job) error {
	switch j.Event.Kind {
	case connectors.Unsend:
		return l.unsend(ctx, e, j)
	case connectors.Edit:
		return l.edit(ctx, e, j)
	case connectors.Close:
		// The conversation has ended when the event was accepted; agents hear of
		// it behind what was accepted before.
		return l.announce(ctx, e, j, queue.ConversationClosed, queue.Trace{})
	default:
		return l.bury(ctx, e, j, "event of a kind that is not worked on")
	}
}

// unsend destroys a message: its pictures here, its words in the journal and in
// the agents' queue, and then agents are told to do the same with what they
// have. From the moment that the unsend was accepted nothing of the message is
// forwarded, so what is found here is all there ever will be.
func (l *Line) unsend(ctx context.Context, e queue.Entry, j job) error {
	trace, err := l.Journal.Trace(ctx, e.Queue, j.message())
	if err != nil {
		return l.again(ctx, e, j, err)
	}
	for _, attempt := range trace.Attempts {
		if err := l.Store.DeleteAttempt(ctx, e.Queue, attempt); err != nil {
			return l.again(ctx, e, j, err)
		}
	}
	failpoint.Hit(failpoint.MidUnsend)
	return l.announce(ctx, e, j, queue.MessageUnsent, trace)
}

// edit forwards the new text of a message, behind the message itself and behind
// its older edits.
func (l *Line) edit(ctx context.Context, e queue.Entry, j job) error {
	trace, err := l.Journal.Trace(ctx, e.Queue, j.message())
	if err != nil {
		return l.again(ctx, e, j, err)
	}
	stray := trace.Key == "" && e.Age() < strayFor
	waiting := trace.Key != "" && !trace.Forwarded
	behind := trace.Behind(e.Key) && e.Age() < max(stuckFor, 2*time.Duration(l.Work.Lease))
	if stray || waiting || behind {
		_, err := l.settle(ctx, func(ctx context.Context) (queue.Outcome, error) {
			return l.Journal.Retry(ctx, e, queue.Retry{
				After: followUp, Cause: "its message, or an older edit of it, has not been forwarded yet", NoTry: true,
			})
		})
		return err
	}
	return l.announce(ctx, e, j, queue.MessageEdited, trace)
}

// announce forwards a document about a conversation, or about the message of
// which about is the trace.
func (l *Line) announce(ctx context.Context, e queue.Entry, j job, kind queue.DocumentType, about queue.Trace) error {
	var end queue.End
	switch kind {
	case queue.MessageUnsent:
		end.Erase = &about
	case queue.MessageEdited:
		end.Message = j.message()
	}
	if about.Conversation != "" {
		// The message came after the event about it, which could not know.
		e.Conversation = about.Conversation
	}
	end.Chat = happened(j, about)
	_, err := l.end(ctx, e, end, func(end *queue.End) (err error) {
		end.Document, err = change(e, j, kind, about.Key)
		return err
	})
	if err != nil {
		return err
	}
	l.Metrics.Forwarded(e.Queue, l.Now().Sub(j.ReceivedAt))
	l.Log.Info("change forwarded", "key", e.Key, "account", j.Account, "queue", e.Queue, "type", kind)
	return nil
}
