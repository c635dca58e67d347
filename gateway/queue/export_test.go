package queue

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// ExamineSoon lets the doctor ask again at the next look, not after a minute.
func ExamineSoon(b *Backend) { b.watchdog.pending.Store(true) }

// ClientOf is the client that a backend uses.
func ClientOf(b *Backend) redis.UniversalClient { return b.client }

// TakenBy is what the parts of a queue take up, in bytes by their words.
func TakenBy(ctx context.Context, client redis.Cmdable, queue string) map[string]int64 {
	parts := map[string]int64{}
	for _, s := range taken(ctx, client, queue) {
		parts[s.what] = s.bytes
	}
	return parts
}
