package queue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// ExamineSoon lets the doctor ask again at the next look, not after a minute.
func ExamineSoon(b *Backend) { b.watchdog.pending.Store(true) }

// Renewer ends a backend's own looks at Redis, and returns one for its file, which
// takes the last for long past.
func Renewer(b *Backend) func(ctx context.Context) error {
	b.unwatch()
	return func(ctx context.Context) error {
		for name, f := range b.watchdog.files {
			f.asked = time.Time{}
			b.watchdog.files[name] = f
		}
		return b.renew(ctx)
	}
}

// Looker ends a backend's own looks at Redis, and returns one.
func Looker(b *Backend) func(ctx context.Context) {
	b.unwatch()
	return b.look
}

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
