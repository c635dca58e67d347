package queue

import (
	"context"
	"errors"
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
