package webhook

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// step is the least that a body fills, unless it is announced as shorter: an
	// ordinary webhook has one message and is.
	step = 4 << 10
	// firstPart is how long a body may grow without regard to long ones. It is a
	// power of two, as the sizes are through which a body grows.
	firstPart = 64 << 10
	// firstParts is enough for every connection that can be open, so that an
	// ordinary webhook never waits for room, whoever holds the rest.
	firstParts = maxOpen * firstPart
	// restParts is what all bodies together may fill beyond their first parts:
	// 128 MiB are a dozen of the longest there are, Apple's of 10 MiB, where one
	// at a time is much. With the first parts it makes 256 MiB.
	restParts = 128 << 20
	// patience is how long a body waits for room: what is left of the time for
	// reading when the head took all of its own.
	patience = readTime - headTime
)

// Bodies is the memory that the bodies of calls under way may fill together.
// It is taken as a body arrives and not as it is announced, so that who sends
// slowly holds about what was sent; and it is given back when the call is over,
// because a body lives until the line has answered.
type Bodies struct {
	first, rest *semaphore.Weighted
	patience    time.Duration
	held        atomic.Int64
}

// NewBodies makes room for first bytes of the first 64 KiB of bodies, and for
// rest bytes beyond those. Who finds no room waits for it until patience has
// passed since the call began.
func NewBodies(first, rest int64, patience time.Duration) *Bodies {
	return &Bodies{first: semaphore.NewWeighted(first), rest: semaphore.NewWeighted(rest), patience: patience}
}

// Held is how many bytes are filled at this moment.
func (b *Bodies) Held() int64 { return b.held.Load() }

// take makes room for a body to grow, for which it waits until a moment at most.
// No step of its growth crosses the end of the first part.
func (b *Bodies) take(ctx context.Context, until time.Time, from, to int64) error {
	room := b.first
	if to > firstPart {
		room = b.rest
	}
	if !room.TryAcquire(to - from) {
		ctx, cancel := context.WithDeadline(ctx, until)
		defer cancel()
		if room.Acquire(ctx, to-from) != nil {
			return errNoRoom
		}
	}
	b.held.Add(to - from)
	return nil
}

func (b *Bodies) giveBack(size int64) {
	first := min(size, firstPart)
	b.held.Add(-size)
	b.first.Release(first)
	b.rest.Release(size - first)
}

var (
	errTooLarge = errors.New("body longer than the channel's limit")
	errBody     = errors.New("body was not received whole")
	errNoRoom   = errors.New("too many long bodies at once")
)

// body is what has arrived of one call's body. Who has it calls giveBack.
type body struct {
	in    *Bodies
	limit int64
	// announced is how long it will be; -1 where that is not known.
	announced int64
	bytes     []byte
}

// read takes r to its end. A body that is longer than the limit is known for
// what it is, and not taken for a short one with a wrong signature.
func (b *body) read(ctx context.Context, r io.Reader) error {
	until := time.Now().Add(b.in.patience)
	one := make([]byte, 1)
	for {
		room := b.bytes[len(b.bytes):cap(b.bytes)]
		if len(room) == 0 {
			room = one // to see whether there is more before it is given room
		}
		n, err := r.Read(room)
		if err := b.add(ctx, until, room[:n]); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errBody
		}
	}
}

// add appends, and grows the body to twice its size where that is needed. The
// old bytes are garbage then, and no longer counted.
func (b *body) add(ctx context.Context, until time.Time, arrived []byte) error {
	need, size := int64(len(b.bytes)+len(arrived)), int64(cap(b.bytes))
	if need > b.limit {
		return errTooLarge
	}
	if need > size {
		first := int64(step)
		if b.announced >= need {
			first = min(first, b.announced)
		}
		grown := min(max(first, 2*size), b.limit)
		if err := b.in.take(ctx, until, size, grown); err != nil {
			return err
		}
		b.bytes = append(make([]byte, 0, grown), b.bytes...)
	}
	b.bytes = append(b.bytes, arrived...)
	return nil
}

func (b *body) giveBack() {
	b.in.giveBack(int64(cap(b.bytes)))
	b.bytes = nil
}
