package queue

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Beginning is the place before a queue's first document.
const Beginning = "0-0"

// Watch calls found with each document of a queue, from its beginning, until
// ctx ends or found returns false. It reads beside the group of agents' software
// and takes nothing away: for the demo, for tests, for a look.
func (j *Journal) Watch(ctx context.Context, queue string, found func(document []byte) bool) error {
	return j.WatchFrom(ctx, queue, Beginning, func(_ string, document []byte) bool { return found(document) })
}

// WatchFrom is Watch for the documents behind a place, such as Last has told, and
// tells the place of each. What agents' software deletes before it was read here
// is not seen.
func (j *Journal) WatchFrom(ctx context.Context, queue, last string, found func(place string, document []byte) bool) error {
	k, err := keysOf(queue)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		streams, err := j.client.XRead(ctx, &redis.XReadArgs{
			Streams: []string{k.out, last}, Count: 100, Block: time.Second,
		}).Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return wrap("watch", err)
		}
		for _, message := range streams[0].Messages {
			last = message.ID
			if !found(last, []byte(text(message.Values["event"]))) {
				return nil
			}
		}
	}
	return ctx.Err()
}

// Trim removes up to about limit entries of the agents' queue, read or not, that are older
// than Options.EntriesFor, by Redis' clock, and returns how many.
func (j *Journal) Trim(ctx context.Context, queue string, limit int) (int, error) {
	k, err := keysOf(queue)
	if err != nil || j.options.EntriesFor == 0 {
		return 0, err
	}
	now, err := j.clock(ctx, queue)
	if err != nil {
		return 0, wrap("trim", err)
	}
	old := strconv.FormatInt(now.Add(-j.options.EntriesFor).UnixMilli(), 10)
	// Whole nodes first, which costs little, and then the part of one that is left.
	n, err := j.client.XTrimMinIDApprox(ctx, k.out, old, int64(limit)).Result()
	if err == nil && n < int64(limit) {
		var rest int64
		rest, err = j.client.XTrimMinID(ctx, k.out, old).Result()
		n += rest
	}
	return int(n), wrap("trim", err)
}

// Last returns the place of a queue's last document.
func (j *Journal) Last(ctx context.Context, queue string) (string, error) {
	k, err := keysOf(queue)
	if err != nil {
		return "", err
	}
	messages, err := j.client.XRevRangeN(ctx, k.out, "+", "-", 1).Result()
	if err != nil {
		return "", wrap("last", err)
	}
	if len(messages) == 0 {
		return Beginning, nil
	}
	return messages[0].ID, nil
}
