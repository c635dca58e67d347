package queue

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/lightlock/lightlock/config"
)

// maxSocketPath is what sockaddr_un.sun_path holds on Linux beside its final NUL.
const maxSocketPath = 107

// poolSize is the most connections to one server. Each queue holds some while it
// waits for work, however many queues there are; idle ones are not made.
const poolSize = 128

// clientOptions translates the configuration. Its errors do not repeat an
// address: one that is wrong may be a URL with a password in it.
func clientOptions(c config.Redis) (*redis.UniversalOptions, error) {
	options := &redis.UniversalOptions{
		Addrs: c.Places(), MasterName: c.Master, IsClusterMode: c.Cluster, DB: c.DB,
		Username: c.Username, Password: c.Password.Reveal(),
		SentinelUsername: c.SentinelUsername, SentinelPassword: c.SentinelPassword.Reveal(),
	}
	if len(options.Addrs) == 0 {
		return nil, fmt.Errorf("queue: %w: no address of redis", ErrInvalid)
	}
	one := len(options.Addrs) == 1 && c.Master == "" && !c.Cluster
	for _, address := range options.Addrs {
		if err := checkAddress(address, one && !c.TLS); err != nil {
			return nil, err
		}
	}
	if c.TLS {
		// Each connection is checked against the name that it was made to.
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return options, nil
}

func checkAddress(address string, mayBeSocket bool) error {
	host, _, err := net.SplitHostPort(address)
	switch {
	case filepath.IsAbs(address) && len(address) > maxSocketPath:
		return fmt.Errorf("queue: %w: the socket's path has %d bytes, and the system takes %d", ErrInvalid, len(address), maxSocketPath)
	case filepath.IsAbs(address) && !mayBeSocket:
		return fmt.Errorf("queue: %w: TLS, Sentinels and clusters need an address host:port", ErrInvalid)
	case filepath.IsAbs(address):
		return nil
	case err != nil || strings.ContainsAny(host, "@/"):
		return fmt.Errorf("queue: %w: the address of redis is neither host:port nor the absolute path of a socket; user and password have keys of their own", ErrInvalid)
	}
	return nil
}

// describe says where a configured Redis is, in a few words.
func describe(c config.Redis) string {
	where := strings.Join(c.Places(), ", ")
	switch {
	case c.Cluster:
		return "redis cluster at " + where
	case c.Master != "":
		return "redis primary " + c.Master + " by the sentinels at " + where
	default:
		return "redis at " + where
	}
}

// newClient makes the client for what is configured: one Redis, a primary that
// Sentinels name, or a cluster. Every wait is bounded, and ended by its context;
// go-redis' own three repeats stay on, because each script recognises its
// repeat.
func newClient(options *redis.UniversalOptions) redis.UniversalClient {
	options.ContextTimeoutEnabled = true
	options.DialTimeout = 2 * time.Second
	options.DialerRetries = 1 // each of the repeats dials anew
	options.ReadTimeout = ioTimeout
	options.WriteTimeout = ioTimeout
	options.PoolSize = poolSize
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch {
	case options.IsClusterMode:
		cluster := options.Cluster()
		// Our commands have one key or none. Without this go-redis asks the
		// cluster what each command is, for up to 5 s and past our deadlines.
		cluster.DisableRoutingPolicies = true
		// By default it takes a minute to notice that a replica has taken over
		// from a primary that does not answer.
		cluster.ClusterStateReloadInterval = time.Second
		return redis.NewClusterClient(cluster)
	case options.MasterName != "":
		return redis.NewFailoverClient(options.Failover())
	default:
		return redis.NewClient(options.Simple())
	}
}

// newBackend makes client and journal.
func newBackend(options *redis.UniversalOptions, journal Options) (*Backend, error) {
	client := newClient(options)
	j, err := New(client, journal)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	b := &Backend{
		Journal: j, client: client, sentinel: options.MasterName, log: slog.New(slog.DiscardHandler),
		ended: make(chan struct{}), unwatch: func() {}, stop: func() error { return nil },
	}
	j.admit = b.admit
	return b, nil
}

// clock is the time by the clock of the server that holds a queue, and by which
// its scripts go.
func (j *Journal) clock(ctx context.Context, queue string) (time.Time, error) {
	cluster, ok := j.client.(*redis.ClusterClient)
	if !ok {
		return j.client.Time(ctx).Result()
	}
	master, err := cluster.MasterForKey(ctx, Stream(queue))
	if err != nil {
		return time.Time{}, err
	}
	return master.Time(ctx).Result()
}

// primary is one of the Redis servers that hold data. There are several in a
// cluster.
type primary struct {
	// name is host:port, or empty where there is only one and always the same.
	name   string
	client *redis.Client
}

// where names the server for the log, if it is one of several.
func (p primary) where() []any {
	if p.name == "" {
		return nil
	}
	return []any{"redis", p.name}
}

// primaries lists the servers that hold data now, in a fixed order.
func (b *Backend) primaries(ctx context.Context) ([]primary, error) {
	switch client := b.client.(type) {
	case *redis.ClusterClient:
		return mastersOf(ctx, client)
	case *redis.Client:
		if b.sentinel == "" {
			return []primary{{client: client}}, nil
		}
		name, err := b.reached(ctx, client)
		return []primary{{name: name, client: client}}, err
	default:
		return nil, fmt.Errorf("queue: a client of type %T", client)
	}
}

func (b *Backend) isCluster() bool {
	_, cluster := b.client.(*redis.ClusterClient)
	return cluster
}

// reached names the server behind a client that Sentinels guide, as that server
// itself sees it. It fails where those that were asked for it are no Sentinels; other
// trouble is for the next question to find.
func (b *Backend) reached(ctx context.Context, client *redis.Client) (string, error) {
	info, err := client.ClientInfo(ctx).Result()
	if noSentinel(err) {
		return "", fmt.Errorf("queue: no Sentinel at the addresses of redis, so nobody names the primary %.80q; leave out redis.master, or give the addresses of Sentinels", b.sentinel)
	}
	if info == nil || info.LAddr == "" {
		return "primary " + b.sentinel, nil
	}
	return info.LAddr, nil
}

// noSentinel tells whether a server does not know what only Sentinels are asked.
func noSentinel(err error) bool {
	if err == nil {
		return false
	}
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "unknown command 'sentinel'") || strings.Contains(text, "unknown command `sentinel`")
}

func mastersOf(ctx context.Context, client *redis.ClusterClient) ([]primary, error) {
	var mu sync.Mutex
	var found []primary
	err := client.ForEachMaster(ctx, func(_ context.Context, master *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		found = append(found, primary{master.Options().Addr, master})
		return nil
	})
	if err != nil {
		return nil, wrap("find the primaries", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("queue: find the primaries: %w: the cluster has none", ErrAway)
	}
	slices.SortFunc(found, func(a, b primary) int { return cmp.Compare(a.name, b.name) })
	return found, nil
}
