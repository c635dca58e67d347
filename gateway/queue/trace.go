package queue

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Trace is what the journal knows of a message that an unsend or an edit names.
type Trace struct {
	// Key is the message's own event, empty if it was never accepted here.
	Key string
	// Conversation is the one that the message is in, as long as it stands.
	Conversation string
	// Forwarded tells that it has reached the agents' queue.
	Forwarded bool
	// Unsent tells that it is to be destroyed, or has been.
	Unsent bool
	// Attempt is the one whose blobs were forwarded.
	Attempt string
	entry   string // in the agents' queue
}

// Trace looks for the message of that name. Once a message is unsent, it is not
// forwarded any more, so that what Trace says of it then stays true.
func (j *Journal) Trace(ctx context.Context, queue, message string) (Trace, error) {
	k, err := keysOf(queue)
	if err != nil {
		return Trace{}, err
	}
	if err := checkHex("message", message); err != nil {
		return Trace{}, err
	}
	name, err := j.mark(ctx, k.message+message)
	if err != nil {
		return Trace{}, wrap("trace", err)
	}
	var t Trace
	state, rest, _ := strings.Cut(name, " ")
	t.Unsent = state == "gone"
	t.Key, rest, _ = strings.Cut(rest, " ")
	t.Conversation, _, _ = strings.Cut(rest, " ")
	if t.Key == "" {
		return t, nil
	}
	mark, err := j.mark(ctx, k.seen+t.Key)
	if err != nil {
		return Trace{}, wrap("trace", err)
	}
	if fields := strings.Fields(mark); len(fields) == 3 && fields[0] == "done" {
		t.Forwarded, t.Attempt, t.entry = true, fields[1], fields[2]
	}
	if t.entry == "-" {
		t.entry = ""
	}
	return t, nil
}

// mark returns a key's text, or nothing if it is not there.
func (j *Journal) mark(ctx context.Context, key string) (string, error) {
	text, err := j.client.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return text, err
}
