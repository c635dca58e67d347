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
	// Seq is the message's number in it.
	Seq int64
	// Forwarded tells that it has reached the agents' queue, its photos settled or
	// not.
	Forwarded bool
	// Unsent tells that it is to be destroyed, or has been.
	Unsent bool
	// Attempts are those whose blobs were forwarded, or are kept until they are.
	Attempts []string
	places   []place
	edits    []place // those of places that edit it, in the order of their acceptance
}

// place is where the words of a message may be: in its own event, and in those
// that edit it.
type place struct {
	key     string
	entries []string // in the agents' queue
	waits   bool     // it is still in the journal
}

// Behind tells whether another edit of the message, accepted before the one of that
// key, is still in the journal: what agents are told last should be what the
// consumer wrote last.
func (t Trace) Behind(edit string) bool {
	for _, p := range t.edits {
		if p.key == edit || p.waits {
			return p.key != edit
		}
	}
	return false
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
		t.Key, t.Conversation, t.Seq = fields[1], fields[2], number(fields[3])
		if err := j.follow(ctx, k, &t, t.Key); err != nil {
			return Trace{}, err
		}
	}
	t.edits, err = j.edits(ctx, k, fields[4:])
	t.places = append(t.places, t.edits...)
	return t, err
}

// edits finds out what became of events that edit a message. They have no photos,
// so that their marks tell all.
func (j *Journal) edits(ctx context.Context, k keys, names []string) ([]place, error) {
	if len(names) == 0 {
		return nil, nil
	}
	seen := make([]string, len(names))
	for i, name := range names {
		seen[i] = k.seen + name
	}
	marks, err := j.client.MGet(ctx, seen...).Result()
	if err != nil {
		return nil, wrap("trace", err)
	}
	edits := make([]place, len(names))
	for i, name := range names {
		mark := text(marks[i])
		edits[i] = place{key: name, entries: readMark(mark).entries, waits: strings.HasPrefix(mark, "accepted ")}
	}
	return edits, nil
}

// follow adds what became of the message's own event.
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
		m.entries = append(m.entries, strings.Split(entry, ",")...)
	}
	if m.live {
		m.attempts = strings.Fields(kept)
	}
	t.Attempts, t.Forwarded = m.attempts, m.done || len(m.entries) > 0
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
// stand the entry by which the message was told, with those of earlier lives behind
// commas, the attempts that were kept, and a digest; - stands for nothing.
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
		entries, attempts = append(entries, strings.Split(fields[3], ",")...), append(attempts, fields[4:]...)
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
