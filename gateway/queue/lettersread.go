package queue

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// lettersAtOnce is how many dead letters one look reads: each may have
	// MaxPayload bytes.
	lettersAtOnce = 50
	// namesAtOnce is how many names one look for a prefix reads.
	namesAtOnce = 1000
)

// Span is a span of dead letters by the time since they died, on Redis' clock. A
// zero field bounds nothing.
type Span struct {
	// Older are those that died at least that long ago, Newer those since then.
	Older, Newer time.Duration
}

// AllLetters goes through a queue's dead letters of a span, the oldest first, and
// holds few of them at once. Letters that come or go meanwhile may be seen or
// not; no other is left out or seen twice. One that cannot be read says so as
// its cause. An error is the last that it yields.
func (j *Journal) AllLetters(ctx context.Context, queue string, span Span) iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		p, err := j.letterPages(ctx, queue, span)
		for err == nil && !p.end {
			var letters []Letter
			if letters, err = p.next(ctx); err != nil {
				break
			}
			for _, l := range letters {
				if !yield(l, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(Letter{}, wrap("list letters", err))
		}
	}
}

// letterPages is a place in a queue's dead letters.
type letterPages struct {
	j        *Journal
	k        keys
	min, max string // times of death, inclusive
	last     redis.Z
	end      bool
}

func (j *Journal) letterPages(ctx context.Context, queue string, span Span) (*letterPages, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	p := &letterPages{j: j, k: k, min: "-inf", max: "+inf"}
	if span == (Span{}) {
		return p, nil
	}
	now, err := j.clock(ctx, queue)
	if err != nil {
		return nil, err
	}
	if span.Newer > 0 {
		p.min = strconv.FormatInt(now.Add(-span.Newer).UnixMilli(), 10)
	}
	if span.Older > 0 {
		p.max = strconv.FormatInt(now.Add(-span.Older).UnixMilli(), 10)
	}
	return p, nil
}

// next reads some more letters; none at the end. It goes on behind the last time
// and name that it has seen, and not at a number, which others change.
func (p *letterPages) next(ctx context.Context) ([]Letter, error) {
	for offset := int64(0); ; offset += lettersAtOnce {
		dead, err := p.j.client.ZRangeByScoreWithScores(ctx, p.k.dead, &redis.ZRangeBy{
			Min: p.min, Max: p.max, Offset: offset, Count: lettersAtOnce,
		}).Result()
		if err != nil {
			return nil, err
		}
		p.end = len(dead) < lettersAtOnce
		dead = slices.DeleteFunc(dead, func(z redis.Z) bool {
			return z.Score == p.last.Score && text(z.Member) <= text(p.last.Member)
		})
		if len(dead) == 0 && !p.end {
			continue // more than that died in one millisecond
		}
		if len(dead) == 0 {
			return nil, nil
		}
		p.last = dead[len(dead)-1]
		p.min = strconv.FormatInt(int64(p.last.Score), 10)
		return p.j.letters(ctx, p.k, dead)
	}
}

// letters reads what is kept of those that are listed.
func (j *Journal) letters(ctx context.Context, k keys, dead []redis.Z) ([]Letter, error) {
	names := make([]string, len(dead))
	for i, member := range dead {
		names[i] = text(member.Member)
	}
	packed, err := j.client.HMGet(ctx, k.letters, names...).Result()
	if err != nil {
		return nil, err
	}
	return unpackLetters(dead, packed), nil
}

// keyPrefix is the beginning of an event's key.
var keyPrefix = regexp.MustCompile(`^[0-9a-f]{1,128}$`)

// FindLetters returns the dead letters whose keys begin with prefix, up to limit
// of them in no order: two tell that it is ambiguous.
func (j *Journal) FindLetters(ctx context.Context, queue, prefix string, limit int) ([]Letter, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	if !keyPrefix.MatchString(prefix) {
		return nil, fmt.Errorf("queue: find letters: %w: %.80q is not the beginning of a hash in lower-case hex", ErrInvalid, prefix)
	}
	var dead []redis.Z
	seen := map[string]bool{} // a scan may list a name twice
	for cursor, first := uint64(0), true; (first || cursor != 0) && len(dead) < limit; first = false {
		var found []string
		if found, cursor, err = j.client.ZScan(ctx, k.dead, cursor, prefix+"*", namesAtOnce).Result(); err != nil {
			return nil, wrap("find letters", err)
		}
		for i := 0; i+1 < len(found) && len(dead) < limit; i += 2 {
			died, err := strconv.ParseFloat(found[i+1], 64)
			if err == nil && !seen[found[i]] {
				seen[found[i]] = true
				dead = append(dead, redis.Z{Score: died, Member: found[i]})
			}
		}
	}
	if len(dead) == 0 {
		return nil, nil
	}
	letters, err := j.letters(ctx, k, dead)
	return letters, wrap("find letters", err)
}

// DropLetters removes the dead letters with these keys for good, and returns how
// many were there. Their events stay known for as long as they were, so that a
// repeat from the platform is not taken for something new.
func (j *Journal) DropLetters(ctx context.Context, queue string, keys ...string) (int, error) {
	return j.dropLetters(ctx, queue, false, keys)
}

// Unbury prepares the acceptance of an event that never was in the journal and is
// kept as a dead letter: it is no repeat any more. The letter stays, for
// ClearLetters after the acceptance. It returns false if there is no such letter.
func (j *Journal) Unbury(ctx context.Context, queue, key string) (bool, error) {
	k, err := keysOf(queue)
	if err != nil {
		return false, err
	}
	if err := checkHex("key", key); err != nil {
		return false, fmt.Errorf("queue: unbury: %w", err)
	}
	there, err := j.run(ctx, j.scripts.unbury, []string{k.letters, k.seen + key}, key).Bool()
	return there, wrap("unbury", err)
}

// ClearLetters is DropLetters for letters that never were in the journal, after
// their events have been accepted: one that has not stays.
func (j *Journal) ClearLetters(ctx context.Context, queue string, keys ...string) (int, error) {
	return j.dropLetters(ctx, queue, true, keys)
}

func (j *Journal) dropLetters(ctx context.Context, queue string, accepted bool, names []string) (int, error) {
	k, err := keysOf(queue)
	if err != nil || len(names) == 0 {
		return 0, err
	}
	keys, args := []string{k.dead, k.letters}, []any{accepted}
	for _, name := range names {
		if err := checkHex("key", name); err != nil {
			return 0, fmt.Errorf("queue: drop letters: %w", err)
		}
		keys, args = append(keys, k.seen+name), append(args, name)
	}
	dropped, err := j.run(ctx, j.scripts.drop, keys, args...).Int()
	return dropped, wrap("drop letters", err)
}
