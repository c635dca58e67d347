package queue

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// Watch calls found with each document of a queue, from its beginning, until
// ctx ends or found returns false. It reads beside the group of agents' software
// and takes nothing away: for the demo, for tests, for a look.
func (j *Journal) Watch(ctx context.Context, queue string, found func(document []byte) bool) error {
	k, err := keysOf(queue)
	if err != nil {
		return err
	}
	for last := "0-0"; ctx.Err() == nil; {
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
			if !found([]byte(text(message.Values["event"]))) {
				return nil
			}
			last = message.ID
		}
	}
	return ctx.Err()
}
