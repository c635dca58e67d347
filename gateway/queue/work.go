package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxBlock bounds how long Take cannot be interrupted.
const maxBlock = 5 * time.Second

// Take hands out up to count entries that no worker has had yet, and waits up
// to block (at most 5 s) for the first. It is not interrupted by ctx while it
// waits: a read that is given up leaves what Redis has handed out in nobody's
// hands until the lease ends.
func (j *Journal) Take(ctx context.Context, queue string, from Inbox, count int, block time.Duration) ([]Entry, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil || count < 1 {
		return nil, ctx.Err()
	}
	j.remember(queue)
	streams, err := j.read(ctx, k.of(from), count, min(block, maxBlock))
	if err != nil && isNoGroup(err) {
		// Redis came back without what it held; accepted events must not wait
		// for a restart of ours.
		if err := j.EnsureQueue(ctx, queue); err != nil {
			return nil, err
		}
		streams, err = j.read(ctx, k.of(from), count, min(block, maxBlock))
	}
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap("take", err)
	}
	var messages []redis.XMessage
	for _, stream := range streams {
		messages = append(messages, stream.Messages...)
	}
	return j.entries(ctx, k, queue, messages)
}

// of returns the key of an inbox.
func (k keys) of(from Inbox) string {
	if from == Photos {
		return k.photos
	}
	return k.inbox
}

func (j *Journal) read(ctx context.Context, stream string, count int, block time.Duration) ([]redis.XStream, error) {
	// Beyond the wait itself only a Redis that is away keeps it from an answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(0, block)+ioTimeout)
	defer cancel()
	return j.client.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: workers, Consumer: j.consumer, Streams: []string{stream, ">"}, Count: int64(count), Block: blocking(block),
	}).Result()
}

// blocking is a wait in the words of go-redis: zero would mean to wait for ever.
func blocking(wait time.Duration) time.Duration {
	if wait < time.Millisecond {
		return -1
	}
	return wait
}

// Listen waits up to block (at most 5 s) until an inbox has something to be taken,
// and tells whether it has. It takes nothing, so that who has no slot for a photo
// yet can wait for one of each.
func (j *Journal) Listen(ctx context.Context, queue string, from Inbox, block time.Duration) (bool, error) {
	k, err := keysOf(queue)
	if err != nil {
		return false, err
	}
	groups, err := j.client.XInfoGroups(ctx, k.of(from)).Result()
	if err != nil && !strings.Contains(err.Error(), "no such key") {
		return false, wrap("listen", err)
	}
	last := "0-0" // no group: Take makes it
	for _, group := range groups {
		if group.Name == workers {
			last = group.LastDeliveredID
		}
	}
	streams, err := j.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{k.of(from), last}, Count: 1, Block: blocking(min(block, maxBlock)),
	}).Result()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return len(streams) > 0, wrap("listen", err)
}

// TakeOver hands out up to count entries whose worker has given no sign of life
// for a lease. Like Take it is not interrupted by ctx, but begins nothing more.
func (j *Journal) TakeOver(ctx context.Context, queue string, from Inbox, count int) ([]Entry, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil || count < 1 {
		return nil, ctx.Err()
	}
	j.remember(queue)
	var entries []Entry
	for start := "0-0"; len(entries) < count && ctx.Err() == nil; {
		messages, next, deleted, err := j.claim(ctx, k.of(from), start, count-len(entries))
		if err != nil && isNoGroup(err) {
			return entries, nil
		}
		if err != nil {
			return entries, wrap("take over", err)
		}
		if len(deleted) > 0 {
			j.options.OnBreach(Breach{Queue: queue, What: "pending entry was deleted from the journal", IDs: deleted})
		}
		found, err := j.entries(ctx, k, queue, messages)
		entries = append(entries, found...)
		if err != nil {
			return entries, err
		}
		if next == "0-0" {
			break
		}
		start = next
	}
	return entries, nil
}

// claim takes over what it finds from one place of the list of pending entries,
// and returns where the next look should start.
func (j *Journal) claim(ctx context.Context, stream, start string, count int) ([]redis.XMessage, string, []string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ioTimeout)
	defer cancel()
	return j.client.XAutoClaimWithDeleted(ctx, &redis.XAutoClaimArgs{
		Stream: stream, Group: workers, Consumer: j.consumer, Start: start,
		MinIdle: j.options.Lease.Truncate(time.Millisecond), Count: int64(count),
	}).Result()
}

// at returns what every script about an entry in a worker's hands is given first.
func (j *Journal) at(k keys, e Entry) (names []string, args []any) {
	return []string{
			k.stream(e.Lane), k.work + e.Key, k.seen + e.Key, k.photos, k.data,
			k.promised, k.tellings, k.kept, k.attempts, k.lanes,
		}, []any{
			e.ID, j.consumer, e.Attempt, e.Key, e.Lane, j.options.PerAccount, millis(j.options.SeenFor),
		}
}

// Begin registers e.Attempt, which must happen before the attempt's first blob
// is written, and sets e.Starts, e.Lost, e.Told, e.Kept and e.BegunAt; of a message with
// photos also what another worker's Retry has changed. message is the Item's that
// the entry was accepted with, if it may be withdrawn. It returns ErrFenced if the
// entry is in other hands by now, and ErrWithdrawn if its message has been unsent:
// then the blobs of e.Lost and e.Kept are nobody's.
func (j *Journal) Begin(ctx context.Context, e *Entry, message string) error {
	k, err := keysOf(e.Queue)
	if err != nil {
		return err
	}
	names, args := j.at(k, *e)
	names = append(names, or(k.message, message, k.seen+e.Key))
	answer, err := j.run(ctx, j.scripts.begin, names, args...).Slice()
	if err != nil {
		return wrap("begin", err)
	}
	if len(answer) != 6 {
		return unexpected("begin", answer)
	}
	e.guard, e.BegunAt, e.since = message, time.UnixMilli(number(answer[5])), time.Now()
	e.Lost, e.Told, e.Kept = orNone(answer[1]), orNone(answer[2]), strings.Fields(text(answer[3]))
	starts, _ := answer[0].(int64)
	switch starts {
	case -1:
		return fmt.Errorf("queue: begin: %w", ErrFenced)
	case -2:
		return fmt.Errorf("queue: begin: %w", ErrWithdrawn)
	}
	e.Starts = int(starts)
	if e.Lane == "" {
		return nil
	}
	return wrap("begin", e.read(text(answer[4])))
}

// orNone reads a script's - for nothing.
func orNone(reply any) string {
	if s := text(reply); s != "-" {
		return s
	}
	return ""
}

// KeepAlive starts the lease of an entry anew, begun or not; call it every third
// of the lease from when it was handed out. It returns ErrFenced if the entry is
// in other hands: the work is lost and should stop.
func (j *Journal) KeepAlive(ctx context.Context, e Entry) error {
	k, err := keysOf(e.Queue)
	if err != nil {
		return err
	}
	names, args := j.at(k, e)
	outcome, err := j.outcome(ctx, j.scripts.keepalive, names, args...)
	return fencedUnlessMine("keep alive", outcome, err)
}

// ChildDied counts the death of a darkroom child against one photo of a begun
// entry, and returns how many there were over all attempts and gateways. A
// photo is named by its index in the message.
func (j *Journal) ChildDied(ctx context.Context, e Entry, photo int) (deaths int, err error) {
	k, err := keysOf(e.Queue)
	if err != nil {
		return 0, err
	}
	names, args := j.at(k, e)
	deaths, err = j.run(ctx, j.scripts.childdied, names, append(args, randomID(), photo)...).Int()
	if err != nil {
		return 0, wrap("count a child's death", err)
	}
	if deaths < 0 {
		return 0, fmt.Errorf("queue: count a child's death: %w", ErrFenced)
	}
	return deaths, nil
}

// outcome runs a script that answers with an outcome's name.
func (j *Journal) outcome(ctx context.Context, which *script, keys []string, args ...any) (Outcome, error) {
	answer, err := j.run(ctx, which, keys, args...).Text()
	if err != nil {
		return Other, wrap(which.name, err)
	}
	for o := Other; o <= Told; o++ {
		if o.String() == answer {
			return o, nil
		}
	}
	return Other, unexpected(which.name, answer)
}

func fencedUnlessMine(op string, outcome Outcome, err error) error {
	if err == nil && outcome != Mine {
		err = fmt.Errorf("queue: %s: %w", op, ErrFenced)
	}
	return err
}
