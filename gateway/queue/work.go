package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// entryVersion is the layout of a journal entry that this release writes.
const entryVersion = "1"

// maxBlock bounds how long Take cannot be interrupted.
const maxBlock = 5 * time.Second

// Take hands out up to count entries that no worker has had yet, and waits up
// to block (at most 5 s) for the first. It is not interrupted by ctx while it
// waits: a read that is given up leaves what Redis has handed out in nobody's
// hands until the lease ends.
func (j *Journal) Take(ctx context.Context, queue string, count int, block time.Duration) ([]Entry, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil || count < 1 {
		return nil, ctx.Err()
	}
	j.remember(queue)
	streams, err := j.read(ctx, k, count, min(block, maxBlock))
	if err != nil && isNoGroup(err) {
		// Redis came back without what it held; accepted events must not wait
		// for a restart of ours.
		if err := j.EnsureQueue(ctx, queue); err != nil {
			return nil, err
		}
		streams, err = j.read(ctx, k, count, min(block, maxBlock))
	}
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap("take", err)
	}
	var entries []Entry
	for _, stream := range streams {
		entries = append(entries, j.entries(queue, stream.Messages)...)
	}
	return entries, nil
}

func (j *Journal) read(ctx context.Context, k keys, count int, block time.Duration) ([]redis.XStream, error) {
	// Beyond the wait itself only a Redis that is away keeps it from an answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(0, block)+ioTimeout)
	defer cancel()
	if block < time.Millisecond {
		block = -1 // zero would mean to wait for ever
	}
	return j.client.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: workers, Consumer: j.consumer, Streams: []string{k.inbox, ">"}, Count: int64(count), Block: block,
	}).Result()
}

// TakeOver hands out up to count entries whose worker has given no sign of life
// for a lease. Like Take it is not interrupted by ctx, but begins nothing more.
func (j *Journal) TakeOver(ctx context.Context, queue string, count int) ([]Entry, error) {
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
		messages, next, deleted, err := j.claim(ctx, k, start, count-len(entries))
		if err != nil && isNoGroup(err) {
			return entries, nil
		}
		if err != nil {
			return entries, wrap("take over", err)
		}
		if len(deleted) > 0 {
			j.options.OnBreach(Breach{Queue: queue, What: "pending entry was deleted from the journal", IDs: deleted})
		}
		entries = append(entries, j.entries(queue, messages)...)
		if next == "0-0" {
			break
		}
		start = next
	}
	return entries, nil
}

// claim takes over what it finds from one place of the list of pending entries,
// and returns where the next look should start.
func (j *Journal) claim(ctx context.Context, k keys, start string, count int) ([]redis.XMessage, string, []string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ioTimeout)
	defer cancel()
	return j.client.XAutoClaimWithDeleted(ctx, &redis.XAutoClaimArgs{
		Stream: k.inbox, Group: workers, Consumer: j.consumer, Start: start,
		MinIdle: j.options.Lease.Truncate(time.Millisecond), Count: int64(count),
	}).Result()
}

// entries reads what Redis handed out. What cannot be read, such as an entry
// that a newer release wrote, is left alone: it stays pending, for a worker that
// can.
func (j *Journal) entries(queue string, messages []redis.XMessage) []Entry {
	entries := make([]Entry, 0, len(messages))
	for _, message := range messages {
		entry, err := readEntry(queue, message)
		if err != nil {
			j.options.OnBreach(Breach{Queue: queue, What: "journal entry cannot be read", IDs: []string{message.ID}})
			continue
		}
		entries = append(entries, entry)
	}
	return entries
}

func readEntry(queue string, message redis.XMessage) (Entry, error) {
	field := func(name string) string { return text(message.Values[name]) }
	if v := field("v"); v != entryVersion {
		return Entry{}, fmt.Errorf("%w: version %.20q", ErrInvalid, v)
	}
	seq, errSeq := strconv.ParseInt(field("seq"), 10, 64)
	at, errAt := strconv.ParseInt(field("at"), 10, 64)
	tries, errTries := strconv.Atoi(field("tries"))
	if err := errors.Join(errSeq, errAt, errTries, checkHex("key", field("key"))); err != nil {
		return Entry{}, err
	}
	return Entry{
		Queue: queue, ID: message.ID, Key: field("key"),
		Conversation: field("conv"), Seq: seq, AcceptedAt: time.UnixMilli(at),
		Payload: []byte(field("payload")), Attempt: randomID(), Tries: tries,
	}, nil
}

// Begin registers e.Attempt, which must happen before the attempt's first blob
// is written, and sets e.Starts and e.Lost. message is the Item's that the entry
// was accepted with, if it may be withdrawn. It returns ErrFenced if the entry is
// in other hands by now, and ErrWithdrawn if its message has been unsent.
func (j *Journal) Begin(ctx context.Context, e *Entry, message string) error {
	k, err := keysOf(e.Queue)
	if err != nil {
		return err
	}
	seen := k.seen + e.Key
	answer, err := j.run(ctx, j.scripts.begin, []string{k.inbox, k.work + e.Key, seen, or(k.message, message, seen)},
		e.ID, j.consumer, e.Attempt, millis(j.options.SeenFor)).Slice()
	if err != nil {
		return wrap("begin", err)
	}
	if len(answer) != 2 {
		return unexpected("begin", answer)
	}
	starts, _ := answer[0].(int64)
	if e.Lost = text(answer[1]); e.Lost == "-" {
		e.Lost = ""
	}
	switch starts {
	case -1:
		return fmt.Errorf("queue: begin: %w", ErrFenced)
	case -2:
		return fmt.Errorf("queue: begin: %w", ErrWithdrawn)
	}
	e.Starts = int(starts)
	return nil
}

// KeepAlive starts the lease of an entry anew, begun or not; call it every third
// of the lease from when it was handed out. It returns ErrFenced if the entry is
// in other hands: the work is lost and should stop.
func (j *Journal) KeepAlive(ctx context.Context, e Entry) error {
	k, err := keysOf(e.Queue)
	if err != nil {
		return err
	}
	outcome, err := j.outcome(ctx, j.scripts.keepalive, []string{k.inbox, k.work + e.Key}, e.ID, j.consumer, e.Attempt)
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
	deaths, err = j.run(ctx, j.scripts.childdied, []string{k.inbox, k.work + e.Key},
		e.ID, j.consumer, e.Attempt, randomID(), photo).Int()
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
	for o := Other; o <= Late; o++ {
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
