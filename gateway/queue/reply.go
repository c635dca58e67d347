package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Reply is what an agent or a service says to a consumer.
type Reply struct {
	Outgoing
	// Agent is the ID of the agent that must have the conversation, or AnyAgent.
	Agent string
	// Said stands in the conversation, under the Key; its Delivery is waiting.
	Said ReplyData
}

// Reply writes a message to a consumer down, behind those of its conversation, in
// which it stands at once; nothing that the consumer has said is unanswered then.
// fresh is false for a repeat. The error is ErrNoConversation, ErrConversationOver or a
// NotTheirsError.
func (j *Journal) Reply(ctx context.Context, queue string, r Reply) (fresh bool, err error) {
	k, err := j.chatOf(queue, r.Conversation, r.Said.By.Agent)
	if err != nil {
		return false, fmt.Errorf("queue: reply: %w", err)
	}
	if err := r.check(); err != nil {
		return false, fmt.Errorf("queue: reply: %w", err)
	}
	r.Said.At = r.Said.At.UTC()
	r.Said.Delivery = Delivery{State: ResultWaiting, At: r.Said.At}
	said, err := json.Marshal(r.Said)
	if err != nil {
		return false, fmt.Errorf("queue: reply: %w", err)
	}
	answer, err := j.run(ctx, j.scripts.reply, []string{k.outgoing, k.say + r.Conversation, k.told + r.Key, k.chat + r.Conversation},
		randomID(), member(r.Conversation, r.Party), r.Key, r.Payload, millis(j.options.SeenFor), r.Agent,
		said, shortened(r.Said.Text), string(r.Said.By.Kind), max(0, r.Said.At.UnixMilli()), millis(j.pointsFor())).Slice()
	if err != nil {
		return false, wrap("reply", err)
	}
	if _, err := done("reply", answer); err != nil {
		return false, err
	}
	return text(answer[0]) == "fresh", nil
}

func (r Reply) check() error {
	if kind := r.Said.By.Kind; kind != ActorAgent && kind != ActorService {
		return fmt.Errorf("%w: a reply by %.20q", ErrInvalid, kind)
	}
	if len(r.Said.Text) > MaxPayload {
		return fmt.Errorf("%w: a text of %d bytes", ErrInvalid, len(r.Said.Text))
	}
	if err := checkHex("party", r.Party); err != nil {
		return err
	}
	return checkOutgoing(r.Key, r.Payload)
}

// receiptsKept is how long a platform may take to say that a message has arrived.
const receiptsKept = 3 * 24 * time.Hour

// Receipt notes what a platform says of a message that it has sent for us: Delivered,
// or Failed and why. The message is the Sending's of that name. What is not known of it
// here is passed over.
func (j *Journal) Receipt(ctx context.Context, queue, message string, r Result, detail string) error {
	k, err := keysOf(queue)
	if err == nil {
		err = checkHex("message", message)
	}
	if err == nil && r != ResultDelivered && r != ResultFailed {
		err = fmt.Errorf("%w: a receipt that says %.20q", ErrInvalid, r)
	}
	if err != nil {
		return fmt.Errorf("queue: receipt: %w", err)
	}
	return wrap("receipt", j.run(ctx, j.scripts.receipt, []string{k.receipt + message}, string(r), capped(detail)).Err())
}
