package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrTooOld means that there were changes after that place which are kept no more:
// whoever follows them must read everything anew.
var ErrTooOld = errors.New("changes are kept no more from there on")

// changesKept is how many changes of a queue chats.lua keeps at least.
const changesKept = 20_000

// beginning is the place before the first change.
const beginning = "0-0"

// LastChange returns the place of the newest change: what is read after this call is
// at least as new, and Changes goes on from there.
func (j *Journal) LastChange(ctx context.Context, queue string) (string, error) {
	k, err := keysOf(queue)
	if err != nil {
		return "", err
	}
	newest, err := j.client.XRevRangeN(ctx, k.changes, "+", "-", 1).Result()
	if err != nil {
		return "", wrap("last change", err)
	}
	if len(newest) == 0 {
		return beginning, nil
	}
	return newest[0].ID, nil
}

// Changes returns up to limit changes after a place, oldest first, and waits up to
// block (at most 5 s) for the first. It returns none where nothing has changed, and
// ErrTooOld where changes after that place are gone.
func (j *Journal) Changes(ctx context.Context, queue, after string, limit int, block time.Duration) ([]Change, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	if !isPlace(after) {
		return nil, fmt.Errorf("queue: %w: no place among changes, %d bytes", ErrInvalid, len(after))
	}
	streams, err := j.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{k.changes, after}, Count: int64(max(1, min(limit, mostListed))), Block: blocking(min(block, maxBlock)),
	}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, wrap("changes", err)
	}
	// Only then: what is kept now was kept when it was read.
	if err := j.checkKept(ctx, k, after); err != nil {
		return nil, err
	}
	var changes []Change
	for _, stream := range streams {
		for _, m := range stream.Messages {
			field := func(name string) string { return text(m.Values[name]) }
			changes = append(changes, Change{
				ID: m.ID, Conversation: field("c"), Item: field("i"), Agent: field("a"), Before: field("b"), Gone: field("g") != "",
			})
		}
	}
	return changes, nil
}

// checkKept tells from the oldest change whether those after a place are all there. Of
// a Redis that has lost them, the place itself is not there any more either.
func (j *Journal) checkKept(ctx context.Context, k keys, after string) error {
	oldest, err := j.client.XRangeN(ctx, k.changes, "-", "+", 1).Result()
	if err != nil {
		return wrap("changes", err)
	}
	var kept bool
	if after == beginning {
		n, err := j.client.XLen(ctx, k.changes).Result()
		if err != nil {
			return wrap("changes", err)
		}
		kept = n < changesKept
	} else {
		kept = len(oldest) > 0 && !PlaceBefore(after, oldest[0].ID)
	}
	if !kept {
		return fmt.Errorf("queue: %w", ErrTooOld)
	}
	return nil
}

// isPlace tells whether a text is the place of a change.
func isPlace(place string) bool {
	ms, n, found := strings.Cut(place, "-")
	_, errMs := strconv.ParseUint(ms, 10, 64)
	_, errN := strconv.ParseUint(n, 10, 64)
	return found && errMs == nil && errN == nil
}

// PlaceBefore tells whether a place among the changes of a queue is before another.
func PlaceBefore(place, other string) bool {
	ms, n := numbersOf(place)
	otherMs, otherN := numbersOf(other)
	return ms < otherMs || ms == otherMs && n < otherN
}

func numbersOf(place string) (ms, n uint64) {
	a, b, _ := strings.Cut(place, "-")
	ms, _ = strconv.ParseUint(a, 10, 64)
	n, _ = strconv.ParseUint(b, 10, 64)
	return ms, n
}
