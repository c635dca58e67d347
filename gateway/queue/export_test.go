package queue

import "github.com/redis/go-redis/v9"

// ExamineSoon lets the doctor ask again at the next look, not after a minute.
func ExamineSoon(b *Backend) { b.watchdog.pending.Store(true) }

// ClientOf is the client that a backend uses.
func ClientOf(b *Backend) redis.UniversalClient { return b.client }
