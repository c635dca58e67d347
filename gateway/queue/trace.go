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
	// Conversation is the one that the message is in, empty if Key is.
	Conversation string
	// Forwarded tells that it has reached the agents' queue.
	Forwarded bool
	// Unsent tells that it is to be destroyed, or has been.
	Unsent bool
	// Attempt is the one whose blobs were forwarded.
	Attempt string
	places  []place
}

// place is where the words of a message may be: in its own event, and in those
// that edit it.
type place struct {
	key   string
	entry string // in the agents' queue, or empty
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
	fields := strings.Fields(name)
	if len(fields) < 4 {
		return Trace{}, nil
	}
	t := Trace{Unsent: fields[0] == "gone"}
	if fields[1] != "-" {
		t.Key, t.Conversation = fields[1], fields[2]
		if err := j.follow(ctx, k, &t, t.Key); err != nil {
			return Trace{}, err
		}
	}
	for _, edit := range fields[4:] {
		if err := j.follow(ctx, k, &t, edit); err != nil {
			return Trace{}, err
		}
	}
	return t, nil
}

// follow adds what became of an event that holds words of the message.
func (j *Journal) follow(ctx context.Context, k keys, t *Trace, key string) error {
	mark, err := j.mark(ctx, k.seen+key)
	if err != nil {
		return wrap("trace", err)
	}
	p := place{key: key}
	if fields := strings.Fields(mark); len(fields) == 3 && fields[0] == "done" {
		if key == t.Key {
			t.Forwarded, t.Attempt = true, fields[1]
		}
		if fields[2] != "-" {
			p.entry = fields[2]
		}
	}
	t.places = append(t.places, p)
	return nil
}

// mark returns a key's text, or nothing if it is not there.
func (j *Journal) mark(ctx context.Context, key string) (string, error) {
	text, err := j.client.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return text, err
}
