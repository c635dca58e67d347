package queuetest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Inspector looks at a Redis behind the journal's back, and changes what only
// its operator may.
type Inspector struct {
	t      testing.TB
	client redis.UniversalClient
}

// Inspect connects to the server at a unix socket or host:port; of a cluster any
// two or more of its servers are named.
func Inspect(t testing.TB, addresses ...string) *Inspector {
	t.Helper()
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: addresses, ReadTimeout: 30 * time.Second,
		Dialer: func(ctx context.Context, network, address string) (net.Conn, error) {
			if filepath.IsAbs(address) {
				network = "unix"
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	})
	t.Cleanup(func() { _ = client.Close() })
	return &Inspector{t, client}
}

// Set changes a setting, as CONFIG SET does.
func (i *Inspector) Set(name, value string) {
	i.t.Helper()
	i.check(i.client.ConfigSet(i.t.Context(), name, value).Err())
}

// UsedMemory is what Redis counts against its maxmemory, in bytes.
func (i *Inspector) UsedMemory() int64 {
	i.t.Helper()
	info, err := i.client.InfoMap(i.t.Context(), "memory").Result()
	i.check(err)
	var bytes int64
	i.check(json.Unmarshal([]byte(info["Memory"]["used_memory"]), &bytes))
	return bytes
}

// Age makes every key of a queue as old as if a time had passed since: what
// would have expired is gone.
func (i *Inspector) Age(name string, by time.Duration) {
	i.t.Helper()
	for _, key := range i.keys(slot(name)) {
		left, err := i.client.PTTL(i.t.Context(), key).Result()
		i.check(err)
		if left > 0 { // below zero is for ever
			i.check(i.client.PExpire(i.t.Context(), key, left-by).Err())
		}
	}
}

// Delayed tells when each delayed event of a queue is due.
func (i *Inspector) Delayed(name string) map[string]time.Time {
	i.t.Helper()
	due := map[string]time.Time{}
	for _, set := range delayed(name) {
		members, err := i.client.ZRangeWithScores(i.t.Context(), set, 0, -1).Result()
		i.check(err)
		for _, m := range members {
			key, _ := m.Member.(string)
			due[key] = time.UnixMilli(int64(m.Score))
		}
	}
	return due
}

// Hasten makes everything due that is delayed.
func (i *Inspector) Hasten(name string) {
	i.t.Helper()
	for key := range i.Delayed(name) {
		for _, set := range delayed(name) {
			i.check(i.client.ZAddXX(i.t.Context(), set, redis.Z{Member: key}).Err())
		}
	}
}

// Attempts counts the attempts that a queue has registered, of which pictures may
// lie in the store that nothing else names.
func (i *Inspector) Attempts(name string) int {
	i.t.Helper()
	n, err := i.client.HLen(i.t.Context(), slot(name)+"attempts").Result()
	i.check(err)
	return int(n)
}

// Change rewrites the entries of the journal that no worker has had: each field
// of that name to that value. Tests cannot wait for a newer release.
func (i *Inspector) Change(name, field, value string) (changed int) {
	i.t.Helper()
	for _, stream := range inboxes(name) {
		for _, m := range i.stream(stream) {
			m.Values[field] = value
			i.check(i.client.XAdd(i.t.Context(), &redis.XAddArgs{Stream: stream, Values: m.Values}).Err())
			i.check(i.client.XDel(i.t.Context(), stream, m.ID).Err())
			changed++
		}
	}
	return changed
}

// Backdate makes the events of a queue that no worker has in hand, and those with
// photos wherever they are, look accepted that much earlier.
func (i *Inspector) Backdate(name string, by time.Duration) {
	i.t.Helper()
	earlier := func(at string) string {
		ms, err := strconv.ParseInt(at, 10, 64)
		i.check(err)
		return strconv.FormatInt(ms-by.Milliseconds(), 10)
	}
	i.Rewrite(name, func(record string) string {
		head, payload, _ := strings.Cut(record, "\n")
		fields := strings.Fields(head)
		fields[3] = earlier(fields[3])
		return strings.Join(fields, " ") + "\n" + payload
	})
	inbox := slot(name) + "inbox"
	for _, m := range i.stream(inbox) {
		at, _ := m.Values["at"].(string)
		m.Values["at"] = earlier(at)
		i.check(i.client.XAdd(i.t.Context(), &redis.XAddArgs{Stream: inbox, Values: m.Values}).Err())
		i.check(i.client.XDel(i.t.Context(), inbox, m.ID).Err())
	}
}

// Rewrite changes the records of a queue: of its messages with photos, and of what
// is delayed.
func (i *Inspector) Rewrite(name string, edit func(record string) string) {
	i.t.Helper()
	for _, key := range []string{slot(name) + "photos:data", slot(name) + "delayed:data"} {
		records, err := i.client.HGetAll(i.t.Context(), key).Result()
		i.check(err)
		for event, record := range records {
			i.check(i.client.HSet(i.t.Context(), key, event, edit(record)).Err())
		}
	}
}

func slot(name string) string { return "{" + queue.Stream(name) + "}:" }

// inboxes are the streams of the journal.
func inboxes(name string) []string { return []string{slot(name) + "inbox", slot(name) + "photos"} }

// delayed are the sets of what waits for its time.
func delayed(name string) []string {
	return []string{slot(name) + "delayed", slot(name) + "photos:delayed"}
}

// keys lists the keys that begin like this.
func (i *Inspector) keys(prefix string) []string {
	i.t.Helper()
	var mu sync.Mutex // the primaries are asked at once
	var found []string
	scan := func(ctx context.Context, c *redis.Client) error {
		for cursor := uint64(0); ; {
			some, next, err := c.Scan(ctx, cursor, strings.NewReplacer("{", "\\{", "}", "\\}").Replace(prefix)+"*", 1000).Result()
			mu.Lock()
			found = append(found, some...)
			mu.Unlock()
			if cursor = next; err != nil || cursor == 0 {
				return err
			}
		}
	}
	switch client := i.client.(type) {
	case *redis.ClusterClient:
		i.check(client.ForEachMaster(i.t.Context(), scan))
	case *redis.Client:
		i.check(scan(i.t.Context(), client))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (i *Inspector) stream(key string) []redis.XMessage {
	i.t.Helper()
	messages, err := i.client.XRange(i.t.Context(), key, "-", "+").Result()
	i.check(err)
	return messages
}

func (i *Inspector) check(err error) {
	i.t.Helper()
	if err != nil && !errors.Is(err, redis.Nil) {
		i.t.Fatalf("inspect redis: %v", err)
	}
}

// Place is where an event was found.
type Place string

// The places.
const (
	Waiting Place = "waiting" // in an inbox, and no worker has had it, or behind its lane
	InWork  Place = "in work"
	Delayed Place = "delayed"
	Dead    Place = "dead"
)

// Ledger is what a queue's keys say of each event, read one after the other:
// nobody may be at work meanwhile.
type Ledger struct {
	// Marks are what is remembered of each event, by its key: accepted, done,
	// withdrawn, void or buried.
	Marks map[string]string
	// Places are all places where an event was found.
	Places map[string][]Place
	// Documents are those in the agents' queue, in its order.
	Documents []Entry
	// Told counts the messages to consumers by what became of them.
	Told map[string]int
}

// Entry is a document in the agents' queue.
type Entry struct {
	// Place is the entry's id in the stream.
	Place string
	Text  []byte
}

// Ledger reads a queue's.
func (i *Inspector) Ledger(name string) Ledger {
	i.t.Helper()
	l := Ledger{Marks: map[string]string{}, Places: map[string][]Place{}, Told: map[string]int{}}
	for _, inbox := range inboxes(name) {
		i.journaled(inbox, &l)
	}
	for key := range i.Delayed(name) {
		l.found(Delayed, key)
	}
	dead, err := i.client.ZRange(i.t.Context(), slot(name)+"dead", 0, -1).Result()
	i.check(err)
	l.found(Dead, dead...)
	for _, lane := range i.keys(slot(name) + "lane:") {
		members, err := i.client.LRange(i.t.Context(), lane, 0, -1).Result()
		i.check(err)
		for _, member := range members { // its key and the time of its acceptance
			key, _, _ := strings.Cut(member, " ")
			l.found(Waiting, key)
		}
	}
	i.marks(slot(name)+"seen:", func(key, what string) { l.Marks[key] = what })
	i.marks(slot(name)+"told:", func(_, what string) { l.Told[what]++ })
	for _, m := range i.stream(queue.Stream(name)) {
		text, _ := m.Values["event"].(string)
		l.Documents = append(l.Documents, Entry{m.ID, []byte(text)})
	}
	return l
}

// Read takes up to count documents from the agents' queue as agents' software does:
// it reads as the group agents, and deletes what it has read.
func (i *Inspector) Read(name string, count int64) []Entry {
	i.t.Helper()
	ctx, stream := i.t.Context(), queue.Stream(name)
	read, err := i.client.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: "agents", Consumer: "desktop-1", Streams: []string{stream, ">"}, Count: count, Block: -1,
	}).Result()
	i.check(err)
	var entries []Entry
	for _, one := range read {
		for _, m := range one.Messages {
			text, _ := m.Values["event"].(string)
			entries = append(entries, Entry{m.ID, []byte(text)})
			i.check(i.client.XAck(ctx, stream, "agents", m.ID).Err())
			i.check(i.client.XDel(ctx, stream, m.ID).Err())
		}
	}
	return entries
}

func (l *Ledger) found(place Place, keys ...string) {
	for _, key := range keys {
		l.Places[key] = append(l.Places[key], place)
	}
}

// journaled reads an inbox: what is pending is in somebody's hands.
func (i *Inspector) journaled(inbox string, l *Ledger) {
	i.t.Helper()
	messages := i.stream(inbox)
	if len(messages) == 0 {
		return
	}
	pending, err := i.client.XPendingExt(i.t.Context(), &redis.XPendingExtArgs{
		Stream: inbox, Group: "workers", Start: "-", End: "+", Count: int64(len(messages)) + 1000,
	}).Result()
	i.check(err)
	held := map[string]bool{}
	for _, p := range pending {
		held[p.ID] = true
	}
	for _, m := range messages {
		key, _ := m.Values["key"].(string)
		place := Waiting
		if held[m.ID] {
			place = InWork
		}
		l.found(place, key)
	}
}

// marks reads what is remembered of events or messages, many at a time.
func (i *Inspector) marks(prefix string, note func(key, what string)) {
	i.t.Helper()
	for some := range slices.Chunk(i.keys(prefix), 1000) {
		values, err := i.client.MGet(i.t.Context(), some...).Result()
		i.check(err)
		for n, value := range values {
			text, _ := value.(string)
			what, _, _ := strings.Cut(text, " ")
			note(strings.TrimPrefix(some[n], prefix), what)
		}
	}
}

// Keys are all events of which the ledger knows.
func (l Ledger) Keys() []string {
	all := map[string]bool{}
	for key := range l.Marks {
		all[key] = true
	}
	for key := range l.Places {
		all[key] = true
	}
	return slices.Sorted(maps.Keys(all))
}
