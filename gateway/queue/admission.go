package queue

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Nothing more is accepted above closeAbove of a primary's maxmemory, and again
// below openBelow. Redis itself refuses only when its memory is full; then it has
// no room for those who would empty it either.
const (
	closeAbove = 0.90
	openBelow  = 0.85
	// blamedEvery is after how many looks it is asked anew what fills a memory.
	blamedEvery = 10
)

// memory is how full the primaries are. A server that is the only one has the
// name "".
type memory struct {
	// shut is whether any of them is closed; the common question costs nothing.
	shut atomic.Bool

	mu      sync.Mutex
	servers map[string]fill
}

// fill is how full one primary is, in its time since its start.
type fill struct {
	run         string
	used, limit int64 // bytes; limit is 0 where it is not known
	closed      bool
	looks       int // since it was asked what fills it
	blame       string
}

func (f fill) ratio() float64 {
	if f.limit <= 0 {
		return 0
	}
	return float64(f.used) / float64(f.limit)
}

func (f fill) String() string {
	return fmt.Sprintf("%.0f %% of its memory of %s is used, and nothing is accepted from %.0f %% until it is below %.0f %%",
		100*f.ratio(), size(f.limit), 100*closeAbove, 100*openBelow)
}

func (m *memory) condition() Condition {
	m.mu.Lock()
	defer m.mu.Unlock()
	var c Condition
	var words []string
	for _, name := range slices.Sorted(maps.Keys(m.servers)) {
		f := m.servers[name]
		c.Filled = max(c.Filled, f.ratio())
		if f.closed {
			c.Closed = true
			words = append(words, before(name)+f.String()+"; "+f.blame)
		}
	}
	c.Fills = strings.Join(words, "; ")
	return c
}

// admit returns ErrFull where a queue's primary has no room for more.
func (b *Backend) admit(ctx context.Context, queue string) error {
	if !b.memory.shut.Load() {
		return nil
	}
	name, err := b.home(ctx, queue)
	if err != nil {
		return err
	}
	b.memory.mu.Lock()
	defer b.memory.mu.Unlock()
	if f := b.memory.servers[name]; f.closed {
		return fmt.Errorf("queue: accept: %w: %s", ErrFull, f)
	}
	return nil
}

// home is the name of the primary on which a queue lives.
func (b *Backend) home(ctx context.Context, queue string) (string, error) {
	cluster, ok := b.client.(*redis.ClusterClient)
	if !ok {
		return "", nil
	}
	master, err := cluster.MasterForKey(ctx, Stream(queue))
	if err != nil {
		return "", wrap("find a queue's primary", err)
	}
	return master.Options().Addr, nil
}

// measure asks all primaries how full they are, and tells whether one of them was
// started since it was last asked, however soon it answered again.
func (b *Backend) measure(ctx context.Context) (started bool, err error) {
	primaries, err := b.primaries(ctx)
	if err != nil {
		return false, err
	}
	servers := make(map[string]fill, len(primaries))
	shut := false
	for _, p := range primaries {
		name := ""
		if b.isCluster() {
			name = p.name
		}
		f, err := measured(ctx, p.client)
		if err != nil {
			return false, wrap("measure", fmt.Errorf("%s%w", before(p.name), err))
		}
		last := b.memory.last(name)
		started = started || last.run != "" && last.run != f.run
		b.judge(ctx, &f, last, primary{name, p.client})
		servers[name] = f
		shut = shut || f.closed
	}
	b.memory.mu.Lock()
	defer b.memory.mu.Unlock()
	b.memory.servers = servers
	b.memory.shut.Store(shut)
	return started, nil
}

// last is what was last known of a server.
func (m *memory) last(name string) fill {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.servers[name]
}

// judge closes or opens a server, and asks now and then what fills it.
func (b *Backend) judge(ctx context.Context, f *fill, last fill, p primary) {
	f.closed = f.ratio() > closeAbove || last.closed && f.ratio() >= openBelow
	f.looks, f.blame = last.looks+1, last.blame
	if f.closed && (!last.closed || f.looks >= blamedEvery) {
		f.looks, f.blame = 0, b.blame(ctx, f.used, p.client, p.name)
	}
	switch {
	case f.closed && !last.closed:
		b.log.Warn("redis is nearly full", "redis", before(p.name)+f.String(), "filled_by", f.blame)
	case last.closed && !f.closed:
		b.log.Info("redis has room again", p.where()...)
	}
}

// measured reads how full a server is, as it counts that itself: without the
// buffers to its replicas and its file.
func measured(ctx context.Context, client redis.Cmdable) (fill, error) {
	info, err := client.Info(ctx).Result()
	if forbidden(err) {
		return fill{}, nil
	}
	if err != nil {
		return fill{}, err
	}
	number := func(field string) int64 {
		n, _ := strconv.ParseInt(inInfo(info, field), 10, 64)
		return n
	}
	return fill{run: inInfo(info, "run_id"), used: number("used_memory") - number("mem_not_counted_for_evict"), limit: number("maxmemory")}, nil
}

// share is what a part of a queue takes up.
type share struct {
	what  string
	bytes int64
}

// blame says which keys fill a memory, the largest first.
func (b *Backend) blame(ctx context.Context, used int64, client redis.Cmdable, name string) string {
	var shares []share
	rest := used
	for _, queue := range b.used() {
		if home, err := b.home(ctx, queue); err != nil || home != name {
			continue
		}
		for _, s := range taken(ctx, client, queue) {
			shares, rest = append(shares, s), rest-s.bytes
		}
	}
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), strings.Compare(a.what, b.what))
	})
	var words []string
	for _, s := range shares[:min(len(shares), 3)] {
		words = append(words, s.what+" "+size(s.bytes))
	}
	words = append(words, "the rest, such as marks of what was seen, "+size(max(0, rest)))
	return strings.Join(words, ", ")
}

// taken is what the parts of a queue take up that can grow large, as far as Redis
// answers.
func taken(ctx context.Context, client redis.Cmdable, queue string) (shares []share) {
	k, err := keysOf(queue)
	if err != nil {
		return nil
	}
	lanes, _ := client.SMembers(ctx, k.lanes).Result()
	for what, keys := range k.large(lanes) {
		shares = append(shares, share{what: what + " of " + queue, bytes: memoryOf(ctx, client, keys)})
	}
	shares = append(shares, k.openChats(ctx, client, queue))
	return slices.DeleteFunc(shares, func(s share) bool { return s.bytes == 0 })
}

// size writes bytes as people read them.
func size(bytes int64) string {
	for _, unit := range []struct {
		name  string
		bytes int64
	}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}} {
		if bytes >= 10*unit.bytes {
			return fmt.Sprintf("%d %s", (bytes+unit.bytes/2)/unit.bytes, unit.name)
		}
	}
	return fmt.Sprintf("%d B", bytes)
}
