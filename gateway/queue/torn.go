package queue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Redis that was killed while it wrote a script's changes keeps half of them in its
// file, as gateway/queue/redisserver tells: at the next start but one they are carried
// out, and what was acknowledged in between may be lost. Our own server is started so
// that it cannot be. Of any other it is asked, once after each of its starts, to write
// its file anew, which leaves them out. Until that is done, a second crash does harm.

// renewEvery is after how long a Redis is asked again that needs or allows no such
// thing.
const renewEvery = time.Minute

// renew asks those primaries that have not written their file anew since they
// started, unless they refuse a file whose end is cut off.
func (b *Backend) renew(ctx context.Context) error {
	if b.Durability() != Fsync {
		return nil
	}
	primaries, err := b.primaries(ctx)
	for _, p := range primaries {
		if err == nil && time.Since(b.watchdog.renewed[p.name]) >= renewEvery {
			err = b.renewOne(ctx, p)
		}
	}
	return wrap("renew", err)
}

func (b *Backend) renewOne(ctx context.Context, p primary) error {
	info, err := p.client.Info(ctx, "persistence").Result()
	if err != nil || !asStarted(info) {
		return unlessForbidden(err)
	}
	refuses, err := ask(ctx, p.client, "aof-load-truncated")
	if err == nil && refuses != "no" {
		if err = p.client.BgRewriteAOF(ctx).Err(); err == nil {
			b.log.Info("redis was started, and writes its file anew: after a crash half a change may be at its end", "redis", p.name)
			return nil
		}
	}
	if redis.HasErrorPrefix(err, "ERR") && !forbidden(err) {
		return nil // another gateway has asked
	}
	if forbidden(err) {
		b.log.Warn("redis was started, and we may not ask it to write its file anew; after a crash half a change may be at its end, "+
			"and do harm at the next: allow BGREWRITEAOF, or set aof-load-truncated no", "redis", p.name)
	} else if err != nil {
		return err
	}
	b.watchdog.renewed[p.name] = time.Now()
	return nil
}

// asStarted tells from what a server says of its file whether it is the one that it
// was started with, and nothing has been tried about that.
func asStarted(info string) bool {
	for field, want := range map[string]string{
		"loading": "0", "aof_enabled": "1", "aof_last_rewrite_time_sec": "-1", "aof_last_bgrewrite_status": "ok",
		"aof_rewrite_in_progress": "0", "aof_rewrite_scheduled": "0",
	} {
		if inInfo(info, field) != want {
			return false
		}
	}
	return true
}

func unlessForbidden(err error) error {
	if forbidden(err) {
		return nil
	}
	return err
}
