package queue_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// q is the queue of these tests.
const q = "shop"

// atOnce is a lease after which every pending entry may be taken over.
const atOnce = time.Nanosecond

// unhurried is how long a test's own connections wait for an answer: a call that is
// repeated because this process stood still would have its effect twice.
const unhurried = time.Minute

func connect(t testing.TB, address string) *redis.Client {
	t.Helper()
	options := &redis.Options{Addr: address, ContextTimeoutEnabled: true, DialTimeout: unhurried, ReadTimeout: unhurried, WriteTimeout: unhurried}
	if strings.Contains(address, "/") {
		options.Network = "unix"
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// journal opens one more gateway's journal, with a connection of its own.
func journal(t testing.TB, address string, options queue.Options) *queue.Journal {
	t.Helper()
	return journalOn(t, connect(t, address), options)
}

func journalOn(t testing.TB, client redis.UniversalClient, options queue.Options) *queue.Journal {
	t.Helper()
	j, err := queue.New(client, options)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.EnsureQueue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	return j
}

// onBoth runs a test against a real server and against the embedded store.
func onBoth(t *testing.T, test func(t *testing.T, address string)) {
	t.Run("redis-server", func(t *testing.T) { t.Parallel(); test(t, queuetest.Redis(t)) })
	t.Run("miniredis", func(t *testing.T) { t.Parallel(); test(t, miniredis.RunT(t).Addr()) })
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func item(name string) queue.Item {
	return queue.Item{Kind: queue.ItemMessage, Key: hash(name), Party: hash("party"), Payload: []byte(name)}
}

func accept(t testing.TB, j *queue.Journal, names ...string) []queue.Accepted {
	t.Helper()
	items := make([]queue.Item, len(names))
	for i, name := range names {
		items[i] = item(name)
	}
	return acceptItems(t, j, items...)
}

func acceptItems(t testing.TB, j *queue.Journal, items ...queue.Item) []queue.Accepted {
	t.Helper()
	accepted, err := j.Accept(t.Context(), q, items)
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	return accepted
}

// bury keeps one letter.
func bury(t testing.TB, j *queue.Journal, l queue.Letter) (bool, error) {
	fresh, err := j.Bury(t.Context(), q, []queue.Letter{l})
	return len(fresh) == 1 && fresh[0], err
}

// take returns the one entry that is waiting.
func take(t testing.TB, j *queue.Journal) queue.Entry {
	t.Helper()
	return one(t)(j.Take(t.Context(), q, queue.Words, 2, 0))
}

func takeOver(t testing.TB, j *queue.Journal) queue.Entry {
	t.Helper()
	return one(t)(j.TakeOver(t.Context(), q, queue.Words, 2))
}

func one(t testing.TB) func([]queue.Entry, error) queue.Entry {
	return func(entries []queue.Entry, err error) queue.Entry {
		t.Helper()
		if err != nil || len(entries) != 1 {
			t.Fatalf("got %d entries, error %v; want one", len(entries), err)
		}
		return entries[0]
	}
}

// begun accepts nothing: it takes the one waiting entry and begins it.
func begun(t testing.TB, j *queue.Journal) queue.Entry {
	t.Helper()
	e := take(t, j)
	begin(t, j, &e)
	return e
}

func begin(t testing.TB, j *queue.Journal, e *queue.Entry) {
	t.Helper()
	if err := j.Begin(t.Context(), e, ""); err != nil {
		t.Fatalf("begin: %v", err)
	}
}

func want[T comparable](t testing.TB, what string, want T) func(T, error) {
	return func(got T, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Fatalf("%s: got %v, error %v; want %v", what, got, err, want)
		}
	}
}

// counts are the numbers of Stats that the law is about.
type counts struct{ waiting, inWork, delayed, dead, delivered int64 }

// count counts the queue, in which nothing may be missing.
func count(t testing.TB, j *queue.Journal) counts {
	t.Helper()
	got, unaccounted := countAll(t, j)
	if unaccounted != 0 {
		t.Fatalf("%d events are not accounted for: %+v", unaccounted, got)
	}
	return got
}

func countAll(t testing.TB, j *queue.Journal) (got counts, unaccounted int64) {
	t.Helper()
	s, err := j.Stats(context.Background(), q)
	if err != nil {
		t.Fatalf("stats: %v", err)
	}
	return counts{s.Waiting, s.InWork, s.Delayed, s.Dead, s.Delivered}, s.Unaccounted
}

func wantCounts(t testing.TB, j *queue.Journal, want counts) {
	t.Helper()
	if got := count(t, j); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// delivered returns the documents in the agents' queue.
func delivered(t testing.TB, client redis.Cmdable) []string {
	t.Helper()
	messages, err := client.XRange(context.Background(), queue.Stream(q), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	var documents []string
	for _, message := range messages {
		documents = append(documents, fmt.Sprint(message.Values["event"]))
	}
	return documents
}

// dump is everything that a Redis holds.
func dump(t testing.TB, client redis.Cmdable) map[string]string {
	t.Helper()
	names, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, name := range names {
		value, err := client.Dump(t.Context(), name).Result()
		if err != nil {
			t.Fatalf("dump %s: %v", name, err)
		}
		all[name] = value
	}
	return all
}

// changed lists the keys in which two dumps differ.
func changed(before, after map[string]string) []string {
	var names []string
	for name := range maps.Keys(before) {
		if after[name] != before[name] {
			names = append(names, name)
		}
	}
	for name := range maps.Keys(after) {
		if _, was := before[name]; !was {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// quickRedis starts a server that writes nothing to its disk, for tests that ask
// it very often and do not kill it.
func quickRedis(t testing.TB) string {
	t.Helper()
	return queuetest.Start(t, "--appendonly", "no", "--save", "").Address()
}
