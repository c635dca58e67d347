package queue

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Trace is what the journal knows of a message that an unsend or an edit names.
type Trace struct {
	// Key is the message's own event, empty if it was never accepted here.
	Key string
	// Conversation is the one that the message is in, empty if Key is.
	Conversation string
	// Forwarded tells that it has reached the agents' queue, its photos settled or
	// not.
	Forwarded bool
	// Unsent tells that it is to be destroyed, or has been.
	Unsent bool
	// Attempts are those whose blobs were forwarded, or are kept until they are.
	Attempts []string
	places   []place
}

// place is where the words of a message may be: in its own event, and in those
// that edit it.
type place struct {
	key     string
	entries []string // in the agents' queue
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
	// In this order: what ends a message moves all of this into its mark.
	told, errTold := j.field(ctx, k.tellings, key)
	kept, errKept := j.field(ctx, k.kept, key)
	mark, errMark := j.mark(ctx, k.seen+key)
	if err := errors.Join(errTold, errKept, errMark); err != nil {
		return wrap("trace", err)
	}
	m := readMark(mark)
	if _, entry, found := strings.Cut(told, " "); found && m.live {
		m.entries = append(m.entries, entry)
	}
	if m.live {
		m.attempts = strings.Fields(kept)
	}
	if key == t.Key {
		t.Attempts, t.Forwarded = m.attempts, m.done || len(m.entries) > 0
	}
	t.places = append(t.places, place{key: key, entries: m.entries})
	return nil
}

// mark is what an event's mark tells of where its words and pictures are.
type mark struct {
	live, done bool
	entries    []string // in the agents' queue
	attempts   []string // whose blobs were forwarded or kept
}

// readMark reads "done ATTEMPT ENTRY" or "withdrawn ATTEMPT LOST", behind which may
// stand the entry by which the message was told and the attempts that were kept,
// and a digest; - stands for nothing.
func readMark(text string) mark {
	fields := slices.DeleteFunc(strings.Fields(text), func(f string) bool { return strings.HasPrefix(f, "#") })
	if len(fields) < 3 || fields[0] == "accepted" {
		return mark{live: len(fields) == 0 || fields[0] == "accepted" || fields[0] == "buried"}
	}
	m := mark{done: fields[0] == "done"}
	attempts, entries := []string{fields[2]}, []string{}
	if m.done {
		attempts, entries = []string{fields[1]}, []string{fields[2]}
	}
	if len(fields) > 3 {
		entries, attempts = append(entries, fields[3]), append(attempts, fields[4:]...)
	}
	nothing := func(f string) bool { return f == "-" }
	m.attempts, m.entries = slices.DeleteFunc(attempts, nothing), slices.DeleteFunc(entries, nothing)
	return m
}

// field returns a field of a hash, or nothing if it is not there.
func (j *Journal) field(ctx context.Context, key, name string) (string, error) {
	text, err := j.client.HGet(ctx, key, name).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return text, err
}

// mark returns a key's text, or nothing if it is not there.
func (j *Journal) mark(ctx context.Context, key string) (string, error) {
	text, err := j.client.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return text, err
}
