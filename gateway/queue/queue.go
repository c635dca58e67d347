// Package queue is the gateway's memory: the journal of what was accepted, the
// conversations, and the streams from which agents' software reads.
//
// It promises that an accepted event is durable, that it has one effect within
// eight days whatever dies when, and that it can be accounted for at any
// moment. Every step of an event's life is one Lua script on one hash slot; each
// makes all its checks before its first write, writes the mark that makes it
// idempotent last, and recognises its own repeat, because go-redis repeats a
// command whose reply was lost. The scripts stand in scripts/, one step a file.
//
// The life of an event:
//
//	Accept -> inbox -> Take or TakeOver -> Begin -> Complete -> agents' queue
//	            ^                            |----> Dead     -> dead letters
//	            |----------- Release --------|
//	            |-- Due <--- Retry ----------|
//
// Own consumer groups instead of a job library: none of those looked at can
// dedupe and append, or fence and deliver, in one step.
package queue

import (
	"errors"
	"time"
)

// Limits on what is taken in.
const (
	// MaxPayload is the largest payload of an event, in bytes.
	MaxPayload = 256 << 10
	// MaxDocument is the largest document for the agents' queue, in bytes.
	MaxDocument = 1 << 20
	// MaxRaw is how much of a raw event a dead letter keeps, in bytes.
	MaxRaw = 64 << 10
	// MaxCause is how much of a cause is kept, in bytes.
	MaxCause = 512
	// MaxStarts is how often work on an entry may start without an orderly end.
	// An entry whose Starts is greater has taken that many gateways with it.
	MaxStarts = 3
)

// The errors that callers act on; errors.Is finds them.
var (
	// ErrFenced means that the entry is in other hands, or gone from the
	// journal: this worker must stop, and deletes only what is its own.
	ErrFenced = errors.New("the entry is no longer this worker's")
	// ErrAway means that Redis did not answer, or not in time, or that it cannot
	// keep anything at the moment. What was asked may have happened; asking
	// again is safe.
	ErrAway = errors.New("redis is away")
	// ErrFull means that Redis has reached its maxmemory and takes nothing in.
	ErrFull = errors.New("redis is full")
	// ErrInvalid means that the call itself is wrong and no repeat will help.
	ErrInvalid = errors.New("invalid")
)

// Item is one event to be accepted.
type Item struct {
	// Key names the event everywhere: a hash in lower-case hex of channel,
	// platform account and event id.
	Key string
	// Party finds the conversation: a hash in lower-case hex of account and
	// consumer.
	Party string
	// Payload is what the worker needs, opaque here, at most MaxPayload bytes.
	Payload []byte
}

// Accepted is what became of one Item.
type Accepted struct {
	// New is false for an event that had been accepted before.
	New bool
	// Conversation and Seq are empty and zero for a repeat whose event has
	// already left the journal.
	Conversation string
	// Seq numbers the messages of a conversation from 1.
	Seq int64
}

// Entry is an event in a worker's hands.
type Entry struct {
	Queue string
	// ID is the entry's place in the inbox; it changes with every return to it.
	ID           string
	Key          string
	Conversation string
	Seq          int64
	// AcceptedAt is by Redis' clock.
	AcceptedAt time.Time
	Payload    []byte
	// Attempt is 128 random bits in hex: the fence, and the name under which
	// this attempt's blobs lie.
	Attempt string
	// Tries is how often the entry was put off by Retry.
	Tries int
	// Starts is how often work on it has begun without an orderly end, this
	// time included; set by Begin, and zero before.
	Starts int
}

// Outcome is whose work had the effect.
type Outcome int

// The outcomes of Complete, Retry and Dead.
const (
	// Other: the entry is in other hands or finished by them. Nothing was
	// written, and this attempt's own blobs may be deleted.
	Other Outcome = iota
	// Mine: this attempt's call had its effect, now or at an earlier repeat.
	Mine
)

// String returns the outcome's name for logs and metrics.
func (o Outcome) String() string {
	if o == Mine {
		return "mine"
	}
	return "other"
}
