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
//	            ^                            |             |-> dead letters
//	            |----------- Release --------|             |-> a notice to the consumer
//	            |-- Due <--- Retry ----------|
//
// There are two inboxes. Messages with photos have their own, in which each
// account, called a lane, has room for a few: its window. The others of that lane
// wait in line, wherever they come from, so that one account's hundred thousand
// photos delay no other's. Their text is promised to the agents earlier than that:
//
//	Overdue -> Tell -> agents' queue, and later Complete with what became of the photos
//
// What agents see of a conversation, its head and its items, is written in the very
// steps that forward what is in it, and so is a line in the stream of changes:
//
//	Complete or Tell -> waiting -> Assign, Reply -> CloseConversation, CloseIdle -> Closed -> Archived
//	                       ^------------------- a late message -----|
//
// And the life of a message to a consumer, in order within each conversation:
//
//	Reply, Post or a notice -> Talks -> Claim -> Conclude -> sent, failed or unknown
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
	// ErrWithdrawn means that the entry's message has been unsent, and that the
	// entry has left the journal.
	ErrWithdrawn = errors.New("the message has been unsent")
	// ErrAway means that Redis did not answer, or not in time, or that it cannot
	// keep anything at the moment. What was asked may have happened; asking
	// again is safe.
	ErrAway = errors.New("redis is away")
	// ErrFull means that Redis has reached its maxmemory and takes nothing in.
	ErrFull = errors.New("redis is full")
	// ErrLogin means that Redis wants another user or password than it was given.
	ErrLogin = errors.New("redis refuses the user or password; correct redis.password, and redis.username if it is set")
	// ErrInvalid means that the call itself is wrong and no repeat will help.
	ErrInvalid = errors.New("invalid")
)

// ItemKind says what an event does to the conversation.
type ItemKind string

// The kinds of Item. The zero value is not one of them.
const (
	// ItemMessage finds or opens its party's conversation, and is numbered in it.
	ItemMessage ItemKind = "message"
	// ItemEdit is about the message that Item.Message names.
	ItemEdit ItemKind = "edit"
	// ItemUnsend leaves a tombstone on the message that Item.Message names, so
	// that it is not forwarded, now or when it arrives.
	ItemUnsend ItemKind = "unsend"
	// ItemClose ends the party's conversation; the next message opens another.
	ItemClose ItemKind = "close"
)

// Item is one event to be accepted.
type Item struct {
	Kind ItemKind
	// Key names the event everywhere: a hash in lower-case hex of channel,
	// platform account and event id.
	Key string
	// Party finds the conversation: a hash in lower-case hex of account and
	// consumer.
	Party string
	// Message names the message that the event is or is about: a hash in
	// lower-case hex of account and message id. A message needs none where
	// nobody can unsend or edit it.
	Message string
	// Lane names the account of a message with photos: a hash in lower-case hex
	// of channel and platform's account. Empty where there is nothing to develop.
	Lane string
	// Digest tells an event from another of the same key: a hash in lower-case
	// hex of what a repeat has in common with the first. It may be empty.
	Digest string
	// Payload is what the worker needs, opaque here, at most MaxPayload bytes.
	Payload []byte
	// ReceivedAt is when the gateway received the event, if that was not just now: what
	// was received before its party was forgotten is withdrawn.
	ReceivedAt time.Time
}

// Fate is what became of an Item.
type Fate string

// The fates of an Item.
const (
	FateAccepted  Fate = "accepted"  // it is in the journal
	FateWithdrawn Fate = "withdrawn" // its message had been unsent before
	FateVoid      Fate = "void"      // there was nothing to unsend or close any more, or it had been edited too often
	FateRepeated  Fate = "repeated"  // it had been accepted before
)

// Accepted is what became of one Item.
type Accepted struct {
	// New is false for an event that had been accepted before.
	New  bool
	Fate Fate
	// Conversation and Seq are empty and zero for a repeat whose event has
	// already left the journal.
	Conversation string
	// Seq numbers the messages of a conversation from 1.
	Seq int64
	// Mismatch tells of a repeat whose Digest is not that of the first.
	Mismatch bool
}

// Inbox is one of a queue's two.
type Inbox int

// The inboxes. A text never waits behind photos, and a gateway takes a photo only
// when it can develop it, so that another one can have it.
const (
	// Words holds events that need no darkroom.
	Words Inbox = iota
	// Photos holds messages with photos.
	Photos
)

// Entry is an event in a worker's hands.
type Entry struct {
	Queue string
	// ID is the entry's place in its inbox; it changes with every return to it.
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
	// Lane is the Item's, of a message with photos.
	Lane string
	// Party is the Item's of that name, set by the worker who has read Payload: what is
	// of a party that was forgotten after AcceptedAt ends as withdrawn.
	Party string
	// Told is the id under which a message with photos was told before they were
	// settled, or empty. Set by Begin.
	Told string
	// Kept are the attempts whose blobs Payload names. Set by Begin.
	Kept []string
	// Starts is how often work on it has begun without an orderly end, this
	// time included; set by Begin, and zero before.
	Starts int
	// Lost is the attempt before this one if it did not end in order, or empty.
	// What it has developed is nobody's any more. Set by Begin.
	Lost string
	// BegunAt is when work on it began, by Redis' clock. Set by Begin.
	BegunAt time.Time

	guard string    // the message by which it may be withdrawn; set by Begin
	since time.Time // when Begin ended, by our own clock
}

// Now is the time by Redis' clock, of an entry that has been begun: one worker's
// clock may differ from another's, and from that of who accepted it.
func (e Entry) Now() time.Time {
	if e.since.IsZero() {
		return e.BegunAt
	}
	return e.BegunAt.Add(time.Since(e.since))
}

// Age is how long ago an entry that has been begun was accepted.
func (e Entry) Age() time.Duration { return e.Now().Sub(e.AcceptedAt) }

// Outcome is whose work had the effect.
type Outcome int

// The outcomes of Complete, Retry and Tell.
const (
	// Other: the entry is in other hands or finished by them. Nothing was
	// written, and this attempt's own blobs may be deleted.
	Other Outcome = iota
	// Mine: this attempt's call had its effect, now or at an earlier repeat.
	Mine
	// Withdrawn: the message has been unsent. The entry is gone, and this
	// attempt's own blobs must be deleted.
	Withdrawn
	// Late: nothing was written, because the conversation has been closed and
	// the document does not say so.
	Late
	// Told: nothing was written, because the message was told before its photos
	// were settled, and the document does not say so.
	Told
)

// String returns the outcome's name, which is also what a script answers.
func (o Outcome) String() string {
	switch o {
	case Mine:
		return "mine"
	case Withdrawn:
		return "withdrawn"
	case Late:
		return "late"
	case Told:
		return "told"
	default:
		return "other"
	}
}
