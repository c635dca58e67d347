package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// Accept makes the events of one request durable: either all of them, or none
// and an error. Each new one gets a place in its party's conversation, which is
// opened if there is none, and the next number in it. When Accept returns nil,
// the request may be answered 2xx.
//
// A repeat with another body changes nothing: the first wins, and the answer
// tells of it where both have a digest. Calls that arrive together share a script.
// Where ctx ends first, the events may be in or not, and their payloads must not
// be changed: a repeat is safe.
func (j *Journal) Accept(ctx context.Context, queue string, items []Item) ([]Accepted, error) {
	if _, err := keysOf(queue); err != nil || len(items) == 0 {
		return nil, err
	}
	for i, item := range items {
		if err := item.check(); err != nil {
			return nil, fmt.Errorf("queue: accept item %d: %w", i, err)
		}
	}
	if err := j.admit(ctx, queue); err != nil {
		return nil, err
	}
	return j.together.accept(ctx, queue, items)
}

// acceptAll runs the script for items that have been checked.
func (j *Journal) acceptAll(ctx context.Context, queue string, items []Item) ([]Accepted, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	keys := []string{k.inbox, k.photos, k.data, k.promised, k.lanes}
	args := []any{
		randomID(), millis(j.options.SeenFor), millis(j.pointsFor()),
		millis(j.options.PromiseFor), j.options.PerAccount, millis(j.previousFor()),
	}
	ahead, err := j.ahead(ctx, queue, slices.ContainsFunc(items, func(i Item) bool { return !i.ReceivedAt.IsZero() }))
	if err != nil {
		return nil, wrap("accept", err)
	}
	opened := make(map[string]string, len(items))
	for _, item := range items {
		if opened[item.Party] == "" {
			opened[item.Party] = randomID()
		}
		seen := k.seen + item.Key
		keys = append(keys, seen, k.conv+item.Party, or(k.message, item.Message, seen))
		args = append(args, item.Key, opened[item.Party], item.Payload, string(item.Kind),
			item.Lane, item.Digest[:min(len(item.Digest), digestKept)], saidBy(item.Party, item.ReceivedAt, ahead))
		if item.Kind == ItemClose {
			delete(opened, item.Party) // what follows opens another
		}
	}
	answers, err := j.run(ctx, j.scripts.accept, keys, args...).Slice()
	if err != nil {
		return nil, wrap("accept", err)
	}
	return readAccepted(answers, len(items))
}

func (i Item) check() error {
	if err := checkHex("key", i.Key); err != nil {
		return err
	}
	if err := checkHex("party", i.Party); err != nil {
		return err
	}
	if err := i.checkMessage(); err != nil {
		return err
	}
	if err := i.checkLane(); err != nil {
		return err
	}
	if len(i.Payload) > MaxPayload {
		return fmt.Errorf("%w: payload has %d bytes, the limit is %d", ErrInvalid, len(i.Payload), MaxPayload)
	}
	return nil
}

func (i Item) checkMessage() error {
	switch i.Kind {
	case ItemMessage, ItemClose:
		if i.Message == "" {
			return nil
		}
	case ItemEdit, ItemUnsend:
	default:
		return fmt.Errorf("%w: an item of kind %.20q", ErrInvalid, i.Kind)
	}
	return checkHex("message", i.Message)
}

// digestKept is how many hex digits of a digest a mark holds.
const digestKept = 8

func (i Item) checkLane() error {
	if i.Digest != "" {
		if err := checkHex("digest", i.Digest); err != nil {
			return err
		}
	}
	switch {
	case i.Lane == "":
		return nil
	case i.Kind != ItemMessage:
		return fmt.Errorf("%w: an item of kind %.20q with a lane", ErrInvalid, i.Kind)
	}
	return checkHex("lane", i.Lane)
}

func readAccepted(answers []any, want int) ([]Accepted, error) {
	if len(answers) != want {
		return nil, fmt.Errorf("queue: accept: %d answers for %d events", len(answers), want)
	}
	accepted := make([]Accepted, want)
	for i, answer := range answers {
		fields, ok := answer.([]any)
		if !ok || len(fields) != 5 {
			return nil, unexpected("accept", answer)
		}
		seq, err := strconv.ParseInt(text(fields[3]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("queue: accept: %w", err)
		}
		accepted[i] = Accepted{
			New: fields[0] == int64(1), Fate: Fate(text(fields[1])), Conversation: text(fields[2]), Seq: seq,
			Mismatch: fields[4] == int64(1),
		}
	}
	return accepted, nil
}

// text returns a reply's string, or nothing if it is none.
func text(reply any) string {
	s, _ := reply.(string)
	return s
}
