// Package archive keeps closed conversations: as documents in the store, so that
// Redis holds only what is open.
//
// It promises that a conversation leaves Redis only when all of it is in the
// store, that a reader finds it at any moment, each of its messages once and as it
// was last, that a message which its sender takes back, or changes, after the
// close is so for every reader as soon as Redis knows, and that a message is
// destroyed when its time is over, in a conversation that is still open too. It may
// die at any instruction, and several gateways may work at once; nothing coordinates
// them but names that only one can take.
//
// # What lies where
//
// Below the folder of the store's documents; a closed conversation is
//
//	conversations/QUEUE/AA/CONVERSATION/GENERATION   all of it, compressed
//	closed/QUEUE/DAY/LEAF                            a card: its head, for lists
//	parties/QUEUE/PARTY/LEAF                         empty: where the card of one consumer is
//
// A change makes another generation, of the next number, of what the one before it
// held and what Redis has: who is not the first to put that number begins anew. The
// highest one holds, and the others are deleted. LEAF is
// TIME.CONVERSATION.GENERATION.OLDEST: when it was closed, counted backwards, so
// that lists begin with the newest, and the day of its oldest message, so that
// what has become old is found without reading anything. Names hold nothing of a
// consumer's; PARTY is a digest.
package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// The errors that callers act on; errors.Is finds them.
var (
	// ErrNotFound says that there is no such conversation, neither here nor in Redis:
	// it is always a queue.ErrNoConversation too.
	ErrNotFound = errors.New("archive")
	// ErrInvalid says that a query cannot mean anything.
	ErrInvalid = errors.New("archive: not a query")
)

// Journal is what Redis holds of conversations; *queue.Journal is one.
type Journal interface {
	// Closed names conversations that are due for the archive.
	Closed(ctx context.Context, queue string, limit int) (ids []string, err error)
	// Snapshot is all of a conversation, or queue.ErrNoConversation.
	Snapshot(ctx context.Context, queue, id string) (queue.Snapshot, error)
	// Archived takes a conversation out of Redis if it is as it was.
	Archived(ctx context.Context, queue, id string, version int64) (bool, error)
	// Forgotten tells whether a conversation's consumer was forgotten.
	Forgotten(ctx context.Context, queue, id string) (bool, error)
}

// Heads lists conversations in Redis; *queue.Journal does.
type Heads interface {
	ClosedHere(ctx context.Context, queue string, limit int) ([]queue.Conversation, error)
	Conversations(ctx context.Context, queue string, ids []string) ([]queue.Conversation, error)
	// HeadsOf lists conversations of a party, at most limit of them.
	HeadsOf(ctx context.Context, queue, party string, limit int) ([]queue.Conversation, error)
}

// Archive moves and finds conversations. Its fields are set once and not changed
// after; its methods may be called at once.
type Archive struct {
	Journal   Journal
	Heads     Heads
	Open      Open
	Documents store.Documents
	// Queues are those whose conversations are moved here.
	Queues []string
	// Keep is how long a message is kept; less than a day keeps all.
	Keep    time.Duration
	Metrics *ops.Metrics
	Log     *slog.Logger
	Now     func() time.Time

	cards  cards
	recent recent
	turns  turns
}

// Get returns a conversation, from Redis and the archive together, or ErrNotFound.
func (a *Archive) Get(ctx context.Context, in, id string) (queue.Snapshot, error) {
	if !named(in, id) {
		return queue.Snapshot{}, fmt.Errorf("%w: %w", ErrNotFound, queue.ErrNoConversation)
	}
	// Redis is read first: what leaves it is in the archive already.
	here, err := a.Journal.Snapshot(ctx, in, id)
	absent := errors.Is(err, queue.ErrNoConversation)
	if err != nil && !absent {
		return queue.Snapshot{}, err
	}
	stored, err := a.newest(ctx, in, id)
	switch {
	case errors.Is(err, store.ErrNotFound) && absent:
		return queue.Snapshot{}, fmt.Errorf("%w: %w", ErrNotFound, queue.ErrNoConversation)
	case errors.Is(err, store.ErrNotFound):
		return here, nil
	case err != nil:
		return queue.Snapshot{}, fmt.Errorf("archive: %w", err)
	case absent:
		return stored.snapshot, nil
	}
	return merge(stored.snapshot, here), nil
}
