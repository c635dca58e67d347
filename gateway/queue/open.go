package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

// Durability says what survives when a process or a machine dies.
type Durability string

// The levels of durability.
const (
	// Fsync: what was acknowledged is on Redis' disk.
	Fsync Durability = "fsync"
	// Trusted: Redis does not let us ask; its operator's word counts.
	Trusted Durability = "trusted"
	// Memory: nothing survives the gateway. For development only.
	Memory Durability = "memory"
)

// ioTimeout bounds the wait for an answer where no context does so earlier.
const ioTimeout = 3 * time.Second

// OpenOptions say where the journal lives.
type OpenOptions struct {
	// Redis is the configured one; nil starts a private redis-server.
	Redis *config.Redis
	// Data is the gateway's data folder; a private server keeps its files in
	// its subfolder "redis".
	Data string
	// Binary is the private server's program; empty means redis-server on PATH.
	Binary string
	// Journal are the journal's own options.
	Journal Options
	// Log is told when Redis goes away, comes back, is full or has changed; nil
	// says nothing.
	Log *slog.Logger
}

// Backend is an open journal with the Redis behind it.
type Backend struct {
	*Journal

	// Description is one line for the log: where the journal lives, and how far
	// it can be trusted. It holds no secret.
	Description string

	client redis.UniversalClient
	log    *slog.Logger
	// sentinel is the name by which Sentinels know the primary, or empty.
	sentinel string
	// configured is the level that the configuration claims, and durability the
	// one that was found.
	configured Durability
	durability atomic.Value // Durability
	prepared   atomic.Bool

	memory   memory
	watchdog watchdog
	unwatch  func()
	stop     func() error

	ended  chan struct{} // closed when reason is set
	once   sync.Once
	reason error
}

// Open connects to the configured Redis; without one it starts the redis-server
// on PATH with its files in the data folder, and without that an embedded store
// that keeps nothing. A configured Redis need not answer yet: ask Doctor.
func Open(ctx context.Context, o OpenOptions) (*Backend, error) {
	if o.Redis != nil {
		return openConfigured(ctx, o)
	}
	server, err := redisserver.Start(ctx, redisserver.Options{Dir: filepath.Join(o.Data, "redis"), Binary: o.Binary})
	if errors.Is(err, redisserver.ErrNotFound) {
		return openEmbedded(o)
	}
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	b, err := newBackend(&redis.UniversalOptions{Addrs: []string{server.Address()}}, o.Journal)
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	b.claim(Fsync)
	b.stop = server.Close
	b.Description = "private redis-server, appendfsync always, files in " + filepath.Join(o.Data, "redis")
	b.startWatch(ctx, o.Log, server.Done())
	if server.Torn() {
		b.log.Warn("the private redis-server was killed while it wrote; what it had not acknowledged was taken off the end of its file")
	}
	return b, nil
}

func openConfigured(ctx context.Context, o OpenOptions) (*Backend, error) {
	options, err := clientOptions(*o.Redis)
	if err != nil {
		return nil, err
	}
	b, err := newBackend(options, o.Journal)
	if err != nil {
		return nil, err
	}
	level := Fsync
	if o.Redis.Durability == string(Trusted) {
		level = Trusted
	}
	b.claim(level)
	b.Description = describe(*o.Redis)
	b.startWatch(ctx, o.Log, nil)
	return b, nil
}

func (b *Backend) claim(level Durability) {
	b.configured = level
	b.durability.Store(level)
}

// Durability returns the level as far as it is known: what was configured,
// until Doctor has learnt otherwise.
func (b *Backend) Durability() Durability {
	level, _ := b.durability.Load().(Durability)
	return level
}

// Ended is closed when nothing can be made durable here any more, and the gateway
// should stop: a private redis-server has ended, or a Redis that was away at the
// start turns out not to keep what it acknowledges. Err says which. It is also
// closed by Close.
func (b *Backend) Ended() <-chan struct{} { return b.ended }

// Err is why the Backend has ended, in a sentence that says what to do, or nil
// if it has not.
func (b *Backend) Err() error {
	select {
	case <-b.ended:
		return b.reason
	default:
		return nil
	}
}

// end tells all who wait for Ended; the first reason counts.
func (b *Backend) end(reason error) {
	b.once.Do(func() {
		b.reason = reason
		close(b.ended)
	})
}

// Close deletes our consumers where nothing is in their hands, ends the
// connections, and then a private server.
func (b *Backend) Close(ctx context.Context) error {
	left := b.Journal.Close(ctx)
	if errors.Is(left, ErrAway) {
		left = nil // the lease ends by itself
	}
	closed := b.client.Close() // which ends what the watchdog is waiting for
	b.unwatch()
	stopped := b.stop()
	b.end(errClosed)
	return errors.Join(left, closed, stopped)
}

// RedirectLog sends what go-redis itself has to say, which is otherwise written
// to standard error, to a logger at level debug: each failure also reaches a
// caller as an error. It holds for the whole process; call it before Open.
func RedirectLog(log *slog.Logger) { redis.SetLogger(redisLog{log}) }

type redisLog struct{ log *slog.Logger }

// Printf implements go-redis' interface of loggers.
func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	if l.log.Enabled(ctx, slog.LevelDebug) {
		l.log.DebugContext(ctx, "redis client", "said", fmt.Sprintf(format, v...))
	}
}
