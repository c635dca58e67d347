package queue

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Options say how a journal works. A zero field means its default.
type Options struct {
	// Lease is after how long without a sign of life an entry may be taken
	// over; 60 s. Redis counts it in whole milliseconds, and so the others.
	Lease time.Duration
	// SeenFor is how long an event's repeats are recognised, counted from its
	// acceptance and again from its end; 8 days, which is longer than any
	// platform's retries.
	SeenFor time.Duration
	// ConversationFor is how long a conversation stays open after its last
	// message or reply; 30 days.
	ConversationFor time.Duration
	// WithoutConversations keeps nothing of what agents see of conversations, which
	// saves the memory for it. Messages are numbered and forwarded all the same.
	WithoutConversations bool
	// EntriesFor is after how long Trim removes an entry of the agents' queue; zero
	// means never.
	EntriesFor time.Duration
	// ArchiveAfter is how long a closed conversation stays here before it is listed by
	// Closed; 5 minutes, in which most of what is on its way to it will have come.
	ArchiveAfter time.Duration
	// LettersBytes is how much a queue's dead letters may take up together; the
	// oldest go first. 64 MB.
	LettersBytes int64
	// OnExpired is told of dead letters that were removed for their age or their
	// bytes, which are accounted for no more. Nil ignores them.
	OnExpired func(Expired)
	// PerAccount is how many messages with photos of one account are in their
	// inbox or in work at once, by all gateways together; 8.
	PerAccount int
	// PromiseFor is after how long a message with photos is to be told, settled
	// or not; 9 s, so that whoever looks for them twice a second tells them within ten.
	PromiseFor time.Duration
	// OnBreach is told of what cannot happen as long as nobody else writes to
	// our keys: entries that are pending but gone from the stream, those without
	// a record or without a place, entries, conversations and items of these that
	// cannot be read, and a queue that was there and is not any more. Nil ignores them.
	OnBreach func(Breach)
	// OnNewer is told of what only a newer release can read, each time that it is
	// come upon: it is left to a gateway of that release. Nil ignores it.
	OnNewer func(Newer)
}

// Breach is a broken invariant, to be counted and logged.
type Breach struct {
	Queue string
	// What is broken, in one of few fixed phrases.
	What string
	// IDs are stream ids or event keys.
	IDs []string
}

// Newer is what a newer release wrote, to be counted and logged: for as long as
// gateways are replaced it is as it should be.
type Newer struct {
	Queue string
	// IDs are stream ids, event keys or conversations.
	IDs []string
}

// Expired is a number of dead letters that were removed, to be counted and logged.
type Expired struct {
	Queue string
	// Why is "age" or "bytes".
	Why     string
	Letters int
}

func (o Options) withDefaults() Options {
	if o.Lease == 0 {
		o.Lease = time.Minute
	}
	if o.SeenFor == 0 {
		o.SeenFor = 8 * 24 * time.Hour
	}
	if o.ConversationFor == 0 {
		o.ConversationFor = 30 * 24 * time.Hour
	}
	if o.ArchiveAfter == 0 {
		o.ArchiveAfter = 5 * time.Minute
	}
	if o.LettersBytes == 0 {
		o.LettersBytes = 64 << 20
	}
	if o.OnExpired == nil {
		o.OnExpired = func(Expired) {}
	}
	if o.PerAccount == 0 {
		o.PerAccount = 8
	}
	if o.PromiseFor == 0 {
		o.PromiseFor = 9 * time.Second
	}
	if o.OnBreach == nil {
		o.OnBreach = func(Breach) {}
	}
	if o.OnNewer == nil {
		o.OnNewer = func(Newer) {}
	}
	return o
}

// Journal is one gateway's hold on the queues. Its methods may be called from
// many goroutines at once. Errors unwrap to ErrAway, ErrFull, ErrFenced or
// ErrInvalid where one of these applies.
type Journal struct {
	client  redis.UniversalClient
	scripts *scripts
	options Options
	// consumer is a new name for every start: two processes never share one,
	// and what a dead one held is told apart from what its successor holds.
	consumer string

	// together combines the calls of Accept.
	together *combiner
	// admit returns an error that unwraps to ErrFull where nothing more is to be
	// taken in, so that those who make room have some.
	admit func(ctx context.Context, queue string) error

	strange strange

	mu sync.Mutex
	// queues are those that were used, and whether they are known to have been there.
	queues map[string]bool
}

// check refuses what would stop a script after its first write: Redis takes no
// time to live below a millisecond.
func (o Options) check() error {
	if o.PerAccount < 1 || o.PromiseFor < 0 {
		return fmt.Errorf("queue: %w: %d entries of an account, PromiseFor %v", ErrInvalid, o.PerAccount, o.PromiseFor)
	}
	if o.Lease < 0 || o.SeenFor < time.Millisecond || o.ConversationFor < time.Millisecond {
		return fmt.Errorf("queue: %w: a lease of %v, SeenFor %v, ConversationFor %v", ErrInvalid, o.Lease, o.SeenFor, o.ConversationFor)
	}
	return nil
}

// New makes a journal on a client, which stays the caller's to close. The
// client should have ContextTimeoutEnabled, or a deadline bounds nothing.
func New(client redis.UniversalClient, options Options) (*Journal, error) {
	options = options.withDefaults()
	if err := options.check(); err != nil {
		return nil, err
	}
	loaded, err := loadScripts()
	if err != nil {
		return nil, err
	}
	j := &Journal{
		client:   client,
		scripts:  loaded,
		options:  options,
		consumer: randomID(),
		queues:   make(map[string]bool),
		admit:    func(context.Context, string) error { return nil },
	}
	j.together = newCombiner(j.acceptAll)
	return j, nil
}

// Lease returns after how long without KeepAlive an entry may be taken over.
func (j *Journal) Lease() time.Duration { return j.options.Lease }

// EnsureQueue makes a queue's streams and their groups where they are missing,
// all from the beginning, also in a Redis that is full. It deletes the consumers
// of workers that have gone, repairs lanes that name what is nowhere, and changes
// nothing else that is there: call it once in a while.
func (j *Journal) EnsureQueue(ctx context.Context, queue string) error {
	k, err := keysOf(queue)
	if err != nil {
		return err
	}
	j.remember(queue)
	silent := max(time.Hour, 10*j.options.Lease)
	answer, err := j.run(ctx, j.scripts.ensure,
		[]string{k.inbox, k.photos, k.out, k.data, k.photosDelayed, k.lanes, k.delayed}, millis(silent), j.options.PerAccount).Slice()
	if err != nil {
		return wrap("ensure "+queue, err)
	}
	if len(answer) != 3 {
		return unexpected("ensure", answer)
	}
	j.breach(queue, "lane names an entry that is gone", answer[2])
	if made, _ := answer[0].(int64); j.ensured(queue) && made > 0 {
		j.options.OnBreach(Breach{Queue: queue, What: "redis has come back without the queue"})
	}
	return nil
}

// ensured tells whether a queue was there before, and notes that it is now.
func (j *Journal) ensured(queue string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	before := j.queues[queue]
	j.queues[queue] = true
	return before
}

// Close waits for what callers of Accept have left behind, and deletes this
// journal's consumers where nothing is in their hands. What still is will be
// taken over when its lease ends.
func (j *Journal) Close(ctx context.Context) error {
	failures := []error{j.together.settle(ctx)}
	for _, queue := range j.used() {
		k, err := keysOf(queue)
		if err != nil {
			return err
		}
		failures = append(failures, wrap("leave "+queue, j.run(ctx, j.scripts.leave, []string{k.inbox, k.photos}, j.consumer).Err()))
	}
	return errors.Join(failures...)
}

// Ping returns nil if Redis answers.
func (j *Journal) Ping(ctx context.Context) error {
	return wrap("ping", j.client.Ping(ctx).Err())
}

func (j *Journal) remember(queue string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, known := j.queues[queue]; !known {
		j.queues[queue] = false
	}
}

func (j *Journal) used() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var names []string
	for name := range j.queues {
		names = append(names, name)
	}
	return names
}

func (j *Journal) run(ctx context.Context, which *script, keys []string, args ...any) *redis.Cmd {
	return j.scripts.run(ctx, j.client, which, keys, args...)
}

// randomID returns 128 random bits in hex.
func randomID() string {
	var bits [16]byte
	_, _ = rand.Read(bits[:]) // never fails, by its documentation
	return hex.EncodeToString(bits[:])
}

func isNoGroup(err error) bool { return strings.Contains(err.Error(), "NOGROUP") }

func millis(d time.Duration) int64 { return max(0, d.Milliseconds()) }

// unexpected is the error for an answer that no script of ours gives.
func unexpected(op string, answer any) error {
	return fmt.Errorf("queue: %s: unexpected answer of type %T", op, answer)
}
