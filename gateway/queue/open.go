package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

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

// maxSocketPath is what sockaddr_un.sun_path holds on Linux beside its final NUL.
const maxSocketPath = 107

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
}

// Backend is an open journal with the Redis behind it.
type Backend struct {
	*Journal

	// Description is one line for the log: where the journal lives, and how far
	// it can be trusted. It holds no secret.
	Description string

	client     *redis.Client
	durability atomic.Value // Durability
	prepared   atomic.Bool
	ended      <-chan struct{}
	stop       func() error
}

// Open connects to the configured Redis; without one it starts the redis-server
// on PATH with its files in the data folder, and without that an embedded store
// that keeps nothing. A configured Redis need not answer yet: ask Doctor.
func Open(ctx context.Context, o OpenOptions) (*Backend, error) {
	if o.Redis != nil {
		return openConfigured(o)
	}
	server, err := redisserver.Start(ctx, redisserver.Options{Dir: filepath.Join(o.Data, "redis"), Binary: o.Binary})
	if errors.Is(err, redisserver.ErrNotFound) {
		return openEmbedded(o)
	}
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	b, err := newBackend(&redis.Options{Network: "unix", Addr: server.Address()}, o.Journal)
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	b.durability.Store(Fsync)
	b.Description = "private redis-server, appendfsync always, files in " + filepath.Join(o.Data, "redis")
	b.ended, b.stop = server.Done(), server.Close
	return b, nil
}

func openConfigured(o OpenOptions) (*Backend, error) {
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
	b.durability.Store(level)
	b.Description = "redis at " + options.Addr
	return b, nil
}

// clientOptions translates the configuration. Its errors do not repeat the
// address: one that is wrong may be a URL with a password in it.
func clientOptions(c config.Redis) (*redis.Options, error) {
	options := &redis.Options{
		Network: "tcp", Addr: c.Address, DB: c.DB, Username: c.Username, Password: c.Password.Reveal(),
	}
	host, _, err := net.SplitHostPort(c.Address)
	switch {
	case filepath.IsAbs(c.Address) && len(c.Address) > maxSocketPath:
		return nil, fmt.Errorf("queue: %w: the socket's path has %d bytes, and the system takes %d", ErrInvalid, len(c.Address), maxSocketPath)
	case filepath.IsAbs(c.Address) && c.TLS:
		return nil, fmt.Errorf("queue: %w: TLS needs an address host:port", ErrInvalid)
	case filepath.IsAbs(c.Address):
		options.Network = "unix"
	case err != nil || strings.ContainsAny(host, "@/"):
		return nil, fmt.Errorf("queue: %w: the address of redis is neither host:port nor the absolute path of a socket; user and password have keys of their own", ErrInvalid)
	case c.TLS:
		options.TLSConfig = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	return options, nil
}

// newBackend makes client and journal. Every wait is bounded, and ended by its
// context; go-redis' own three repeats stay on, because each script recognises
// its repeat.
func newBackend(options *redis.Options, journal Options) (*Backend, error) {
	options.ContextTimeoutEnabled = true
	options.DialTimeout = 2 * time.Second
	options.DialerRetries = 1 // each of the repeats dials anew
	options.ReadTimeout = ioTimeout
	options.WriteTimeout = ioTimeout
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	client := redis.NewClient(options)
	j, err := New(client, journal)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &Backend{Journal: j, client: client, stop: func() error { return nil }}, nil
}

// Durability returns the level as far as it is known: what was configured,
// until Doctor has learnt otherwise.
func (b *Backend) Durability() Durability {
	level, _ := b.durability.Load().(Durability)
	return level
}

// Ended is closed when a private redis-server has ended, for whatever reason;
// nothing can be made durable then, and the gateway should stop. It is nil, and
// so never ready, where there is none.
func (b *Backend) Ended() <-chan struct{} { return b.ended }

// Close deletes our consumers where nothing is in their hands, ends the
// connections, and then a private server.
func (b *Backend) Close(ctx context.Context) error {
	left := b.Journal.Close(ctx)
	if errors.Is(left, ErrAway) {
		left = nil // the lease ends by itself
	}
	return errors.Join(left, b.client.Close(), b.stop())
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
