package queue

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/redis/go-redis/v9"
)

// journaledAtOnce is how many entries one look at the journal reads: each may have
// MaxPayload bytes. documentsAtOnce is the same of documents.
const journaledAtOnce, documentsAtOnce = 50, 200

// Journaled goes through all that waits in the journal, is put off or is in work, and
// holds few of them at once. What is there from the beginning to the end of the look
// is not left out, wherever it is moved meanwhile, and may be seen twice. The error of
// one that cannot be read unwraps to ErrInvalid, and ends nothing; any other is the
// last that it yields.
func (j *Journal) Journaled(ctx context.Context, queue string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		k, err := keysOf(queue)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		// In this order: what is put off comes back at the end of the inbox.
		_ = j.records(ctx, queue, k.records, yield) && j.records(ctx, queue, k.data, yield) && j.inbox(ctx, queue, k, yield)
	}
}

// records goes through a hash of records, and tells whether to go on.
func (j *Journal) records(ctx context.Context, queue, hash string, yield func(Entry, error) bool) bool {
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		some, next, err := j.client.HScan(ctx, hash, cursor, "", journaledAtOnce).Result()
		if err != nil {
			yield(Entry{}, wrap("read the journal", err))
			return false
		}
		for i := 0; i+1 < len(some); i += 2 {
			e := Entry{Queue: queue, Key: some[i]}
			err := errors.Join(checkHex("key", e.Key), e.readAny(some[i+1]))
			if !yield(e, unreadable(err)) {
				return false
			}
		}
		cursor = next
	}
	return true
}

// readAny is read for a record of a message with photos, or of any other event.
func (e *Entry) readAny(record string) error {
	head, payload, _ := strings.Cut(record, "\n")
	fields := strings.Fields(head)
	if len(fields) != 5 {
		return e.read(record)
	}
	if err := readable(fields[0]); err != nil {
		return err
	}
	e.Conversation, e.Payload = fields[1], []byte(payload)
	return errors.Join(checkHex("conversation", e.Conversation), e.number(fields[2], fields[3], fields[4]))
}

// inbox goes through the inbox of what has no photos.
func (j *Journal) inbox(ctx context.Context, queue string, k keys, yield func(Entry, error) bool) bool {
	for from := "-"; ; {
		some, err := j.client.XRangeN(ctx, k.inbox, from, "+", journaledAtOnce).Result()
		if err != nil {
			yield(Entry{}, wrap("read the journal", err))
			return false
		}
		for _, m := range some {
			e, err := readEntry(queue, m)
			if !yield(e, unreadable(err)) {
				return false
			}
			from = "(" + m.ID
		}
		if len(some) < journaledAtOnce {
			return true
		}
	}
}

// unreadable marks what cannot be read, which does not end a look.
func unreadable(err error) error {
	if err == nil || errors.Is(err, ErrInvalid) {
		return err
	}
	return errors.Join(ErrInvalid, err)
}

// Placed is a document in the agents' queue.
type Placed struct {
	// Place is where it stands; places grow.
	Place string
	Text  []byte
	// Read tells that agents' software has been given it.
	Read bool
}

// Documents goes through the agents' queue, from behind one place to another, and
// holds few documents at once. An error is the last that it yields.
func (j *Journal) Documents(ctx context.Context, queue, after, to string) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		k, err := keysOf(queue)
		var given string
		if err == nil {
			given, err = j.given(ctx, k)
		}
		for from, end := "("+after, false; err == nil && !end; {
			var some []redis.XMessage
			if some, err = j.client.XRangeN(ctx, k.out, from, to, documentsAtOnce).Result(); err != nil {
				break
			}
			for _, m := range some {
				p := Placed{Place: m.ID, Text: []byte(text(m.Values["event"])), Read: !PlaceBefore(given, m.ID)}
				if !yield(p, nil) {
					return
				}
				from = "(" + m.ID
			}
			end = len(some) < documentsAtOnce
		}
		if err != nil {
			yield(Placed{}, wrap("read the agents' queue", err))
		}
	}
}

// LastDocument is the last place in the agents' queue.
func (j *Journal) LastDocument(ctx context.Context, queue string) (string, error) {
	newest, err := j.client.XRevRangeN(ctx, Stream(queue), "+", "-", 1).Result()
	if err != nil || len(newest) == 0 {
		return beginning, wrap("last document", err)
	}
	return newest[0].ID, nil
}

// given is the last place that agents' software was given.
func (j *Journal) given(ctx context.Context, k keys) (string, error) {
	groups, err := j.client.XInfoGroups(ctx, k.out).Result()
	if err != nil && !strings.Contains(err.Error(), "no such key") {
		return "", err
	}
	for _, group := range groups {
		if group.Name == "agents" {
			return group.LastDeliveredID, nil
		}
	}
	return beginning, nil
}

// ItemsOf goes through all items of a conversation in Redis, the newest first, and
// holds few at once. One that is not there has none. An error is the last that it
// yields.
func (j *Journal) ItemsOf(ctx context.Context, queue, id string) iter.Seq2[ConversationItem, error] {
	return func(yield func(ConversationItem, error) bool) {
		var before int64
		for more := true; more; {
			var some []ConversationItem
			var err error
			some, more, err = j.Items(ctx, queue, id, ItemRange{Before: before, Limit: journaledAtOnce})
			if errors.Is(err, ErrNoConversation) {
				return
			}
			if err != nil {
				yield(ConversationItem{}, err)
				return
			}
			for _, item := range some {
				if !yield(item, nil) {
					return
				}
			}
			if more = more && len(some) > 0; more {
				before = some[0].Position
			}
		}
	}
}

// By tells whether the document stood in the queue when a place was the last.
func (p Placed) By(last string) bool { return !PlaceBefore(last, p.Place) }
