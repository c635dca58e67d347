package queue

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Outgoing is a message to a consumer, to be written down.
type Outgoing struct {
	// Key names the message: a hash in lower-case hex. The same key is taken
	// once within the time for which events are remembered.
	Key string
	// Conversation and Party are those that the message belongs to. It is only
	// sent while that is the party's open conversation.
	Conversation, Party string
	// Payload is what the sender needs, opaque here, at most MaxPayload bytes.
	Payload []byte
}

// Sending is a message to a consumer in a sender's hands.
type Sending struct {
	Queue, Conversation, Key string
	Payload                  []byte
	// Attempt is 128 random bits in hex: the fence.
	Attempt string
	// Tries is how often it was put off or its sender died, and Part how many
	// parts of it have been sent.
	Tries, Part int
	// Interrupted tells that an earlier sender has marked it as being sent, and
	// has not said what became of it.
	Interrupted bool
	// Open tells whether the conversation is still the party's open one, or was closed
	// by another than the consumer.
	Open bool
	// Receipt names what the platform has made of this part, for Journal.Receipt: a hash
	// in lower-case hex, set by who concludes, or empty.
	Receipt string

	party string
}

// Result is what became of a message to a consumer.
type Result string

// The results of a message. A message that has none yet is waiting.
const (
	ResultWaiting Result = "waiting"
	ResultSent    Result = "sent"
	ResultFailed  Result = "failed"
	// ResultUnknown: the consumer may have got it, and to send it again might
	// send it twice.
	ResultUnknown Result = "unknown"
)

// member names a conversation among those that have something to send.
func member(conversation, party string) string { return conversation + " " + party }

func checkOutgoing(key string, payload []byte) error {
	if err := checkHex("key", key); err != nil {
		return err
	}
	if len(payload) > MaxPayload {
		return fmt.Errorf("%w: payload has %d bytes, the limit is %d", ErrInvalid, len(payload), MaxPayload)
	}
	return nil
}

// Post writes a message to a consumer down, behind those of its conversation, in which
// agents do not see it, as they do a Reply; fresh is false for a repeat.
func (j *Journal) Post(ctx context.Context, queue string, o Outgoing) (fresh bool, err error) {
	k, err := keysOf(queue)
	if err != nil {
		return false, err
	}
	for what, name := range map[string]string{"conversation": o.Conversation, "party": o.Party} {
		if err := checkHex(what, name); err != nil {
			return false, fmt.Errorf("queue: post: %w", err)
		}
	}
	if err := checkOutgoing(o.Key, o.Payload); err != nil {
		return false, fmt.Errorf("queue: post: %w", err)
	}
	fresh, err = j.run(ctx, j.scripts.post, []string{k.outgoing, k.say + o.Conversation, k.told + o.Key},
		randomID(), member(o.Conversation, o.Party), o.Key, o.Payload, millis(j.options.SeenFor)).Bool()
	return fresh, wrap("post", err)
}

// Talks returns up to limit conversations in which something is due to be sent,
// in the words that Claim understands.
func (j *Journal) Talks(ctx context.Context, queue string, limit int) ([]string, error) {
	k, err := keysOf(queue)
	if err != nil || limit < 1 {
		return nil, err
	}
	now, err := j.clock(ctx, queue)
	if err != nil {
		return nil, wrap("talks", err)
	}
	talks, err := j.client.ZRangeByScore(ctx, k.outgoing, &redis.ZRangeBy{
		Min: "-inf", Max: fmt.Sprint(now.UnixMilli()), Count: int64(limit),
	}).Result()
	return talks, wrap("talks", err)
}

// Claim takes the first message of a conversation, and marks it as being sent.
// It is this sender's for a lease. Claim returns nil if there is nothing to send
// by now, or if it cannot be read, as one that a newer release wrote.
func (j *Journal) Claim(ctx context.Context, queue, talk string) (*Sending, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	conversation, party, _ := strings.Cut(talk, " ")
	s := &Sending{Queue: queue, Conversation: conversation, party: party, Attempt: randomID()}
	answer, err := j.run(ctx, j.scripts.claim, []string{k.outgoing, k.say + conversation, k.conv + party, k.chat + conversation},
		talk, conversation, s.Attempt, millis(j.options.Lease), millis(j.options.SeenFor)).Slice()
	switch {
	case err != nil:
		return nil, wrap("claim", err)
	case len(answer) == 0:
		return nil, nil
	case len(answer) == 1 && text(answer[0]) == "newer":
		j.options.OnNewer(Newer{Queue: queue, IDs: []string{conversation}})
		return nil, nil
	case len(answer) == 1:
		j.options.OnBreach(Breach{Queue: queue, What: "outgoing message cannot be read", IDs: []string{conversation}})
		return nil, nil
	case len(answer) != 6:
		return nil, unexpected("claim", answer)
	}
	count := func(i int) int { n, _ := answer[i].(int64); return int(n) }
	s.Key, s.Interrupted, s.Payload = text(answer[0]), text(answer[1]) == "sending", []byte(text(answer[5]))
	s.Tries, s.Part, s.Open = count(2), count(3), count(4) == 1
	return s, nil
}

// Conclude says what became of the message. detail is the platform's id of what
// was sent, or why it was not: at most MaxCause bytes, no secret and no words.
func (j *Journal) Conclude(ctx context.Context, s Sending, r Result, detail string) (Outcome, error) {
	return j.conclude(ctx, s, string(r), detail, 0)
}

// Next says that a part of the message was sent and another follows.
func (j *Journal) Next(ctx context.Context, s Sending) (Outcome, error) {
	return j.conclude(ctx, s, "next", "", 0)
}

// PutOff puts the message off for a time, counted by Redis' clock; those behind
// it in the conversation wait with it.
func (j *Journal) PutOff(ctx context.Context, s Sending, after time.Duration) (Outcome, error) {
	return j.conclude(ctx, s, "retry", "", after)
}

// GiveBack leaves the message as Claim found it, for a time, counted by Redis'
// clock: this sender has not tried to send it.
func (j *Journal) GiveBack(ctx context.Context, s Sending, after time.Duration) (Outcome, error) {
	return j.conclude(ctx, s, "back", "", after)
}

func (j *Journal) conclude(ctx context.Context, s Sending, result, detail string, after time.Duration) (Outcome, error) {
	k, err := keysOf(s.Queue)
	if err != nil {
		return Other, err
	}
	if s.Receipt != "" {
		if err := checkHex("receipt", s.Receipt); err != nil {
			return Other, fmt.Errorf("queue: conclude: %w", err)
		}
	}
	return j.outcome(ctx, j.scripts.conclude, []string{
		k.outgoing, k.say + s.Conversation, k.told + s.Key, k.chat + s.Conversation, or(k.receipt, s.Receipt, k.told+s.Key),
	}, member(s.Conversation, s.party), s.Attempt, s.Key, result, capped(detail), millis(after), millis(j.options.SeenFor),
		millis(receiptsKept))
}

// Told returns what became of the message of that key, with its detail. An empty
// result means that it was never posted, or too long ago.
func (j *Journal) Told(ctx context.Context, queue, key string) (Result, string, error) {
	k, err := keysOf(queue)
	if err != nil {
		return "", "", err
	}
	mark, err := j.mark(ctx, k.told+key)
	if err != nil {
		return "", "", wrap("told", err)
	}
	result, rest, _ := strings.Cut(mark, " ")
	_, detail, _ := strings.Cut(rest, " ")
	return Result(result), detail, nil
}

// Outstanding counts the messages to consumers that have no result yet.
func (j *Journal) Outstanding(ctx context.Context, queue string) (int64, error) {
	k, err := keysOf(queue)
	if err != nil {
		return 0, err
	}
	talks, err := j.client.ZRange(ctx, k.outgoing, 0, -1).Result()
	if err != nil {
		return 0, wrap("count outgoing", err)
	}
	var total int64
	for _, talk := range talks {
		conversation, _, _ := strings.Cut(talk, " ")
		n, err := j.client.LLen(ctx, k.say+conversation).Result()
		if err != nil {
			return 0, wrap("count outgoing", err)
		}
		total += n
	}
	return total, nil
}
