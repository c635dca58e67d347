package queue

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// weighed is how many open conversations are asked what they take up, to know about
// how much all of them do.
const weighed = 20

// openChats is what a queue's open conversations take up: as many as there are, times
// what some of them take up that are drawn by lot. One that is very large beside
// others is often not among them, so it is no more than the order of size.
func (k keys) openChats(ctx context.Context, client redis.Cmdable, queue string) (s share) {
	open, err := client.ZCard(ctx, k.idle).Result()
	if err != nil || open == 0 {
		return s
	}
	some, err := client.ZRandMember(ctx, k.idle, weighed).Result()
	if err != nil || len(some) == 0 {
		return s
	}
	names := make([]string, 0, 3*len(some))
	for _, id := range some {
		names = append(names, k.chat+id, k.chat+id+":items", k.chat+id+":order")
	}
	s.bytes = memoryOf(ctx, client, names) / int64(len(some)) * open
	s.what = fmt.Sprintf("%d open conversations of %s about", open, queue)
	return s
}

// memoryOf is what keys take up together, as far as Redis answers: by ten samples of
// each, because an entry is about as large as the next. A key that is not there fails
// and is counted as nothing.
func memoryOf(ctx context.Context, client redis.Cmdable, names []string) (bytes int64) {
	asked, _ := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, name := range names {
			p.MemoryUsage(ctx, name, 10)
		}
		return nil
	})
	for _, one := range asked {
		if usage, ok := one.(*redis.IntCmd); ok && usage.Err() == nil {
			bytes += usage.Val()
		}
	}
	return bytes
}
