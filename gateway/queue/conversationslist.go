package queue

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // it names a key as Redis does, and guards nothing
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// mostListed bounds what one call lists.
const mostListed = 1000

// Waiting lists the conversations that nobody has, those that have waited longest
// first. after is empty or a next of an earlier call; next is empty at the end.
func (j *Journal) Waiting(ctx context.Context, queue, after string, limit int) (list []Conversation, next string, total int64, err error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, "", 0, err
	}
	return j.list(ctx, queue, shelf{key: k.waiting, limit: limit}, after)
}

// Mine lists the conversations of an agent, that with the consumer's newest message
// first; after and next are as with Waiting.
func (j *Journal) Mine(ctx context.Context, queue, agentID, after string, limit int) (list []Conversation, next string, total int64, err error) {
	k, err := keysOf(queue)
	if err != nil || agentID == "" {
		return nil, "", 0, err
	}
	return j.list(ctx, queue, shelf{key: k.ofAgent(agentID), newest: true, limit: limit}, after)
}

// ofAgent is the list of an agent's conversations. The id is an identity provider's
// text, and becomes a hash as chats.lua makes it.
func (k keys) ofAgent(id string) string {
	sum := sha1.Sum([]byte(id)) //nolint:gosec // as above
	return k.agent + hex.EncodeToString(sum[:])
}

// ClosedHere lists up to limit closed conversations that are not in the archive yet,
// the last closed first. A partial one may be closed only as far as Redis knows:
// something has happened to a message that is in the archive.
func (j *Journal) ClosedHere(ctx context.Context, queue string, limit int) ([]Conversation, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	list, _, _, err := j.list(ctx, queue, shelf{key: k.over, newest: true, limit: limit}, "")
	return list, err
}

// shelf is a sorted set of conversations, and how it is listed.
type shelf struct {
	key    string
	newest bool
	limit  int
}

func (j *Journal) list(ctx context.Context, queue string, s shelf, after string) (list []Conversation, next string, total int64, err error) {
	places, next, err := j.page(ctx, s, after)
	if err != nil {
		return nil, "", 0, err
	}
	if total, err = j.client.ZCard(ctx, s.key).Result(); err != nil {
		return nil, "", 0, wrap("list", err)
	}
	ids, scores := make([]string, len(places)), map[string]int64{}
	for i, p := range places {
		ids[i], scores[p.id] = p.id, p.score
	}
	list, err = j.Conversations(ctx, queue, ids)
	for i := range list {
		list[i].Place = scores[list[i].ID]
	}
	return list, next, total, err
}

// page returns up to limit of what follows a cursor, and the cursor behind that, which
// is empty at the end.
func (j *Journal) page(ctx context.Context, s shelf, after string) (found []spot, next string, err error) {
	s.limit = max(1, min(s.limit, mostListed))
	from, err := readSpot(after)
	if err != nil {
		return nil, "", err
	}
	found, err = j.places(ctx, s, from)
	if err == nil && len(found) > s.limit {
		found = found[:s.limit]
		next = found[s.limit-1].String()
	}
	return found, next, err
}

// places returns up to one more than wanted of what follows a place. Those of the
// same moment are in the order of their names, of which some may stand before it.
func (j *Journal) places(ctx context.Context, s shelf, from *spot) ([]spot, error) {
	var first string
	if from != nil {
		first = strconv.FormatInt(from.score, 10)
	}
	args := byScore(s.key, first, "", s.newest, s.limit+1)
	var found []spot
	for {
		some, err := j.client.ZRangeArgsWithScores(ctx, args).Result()
		if err != nil {
			return nil, wrap("list", err)
		}
		for _, z := range some {
			p := spot{score: int64(z.Score), id: text(z.Member)}
			if from == nil || from.before(p, s.newest) {
				found = append(found, p)
			}
		}
		if len(found) > s.limit || len(some) < s.limit+1 {
			return found, nil
		}
		args.Offset += int64(len(some))
	}
}

// byScore asks for a part of a sorted set: from one score to another, both of which
// may be open, in the order of the scores or, newest first, against it.
func byScore(key, from, to string, newest bool, count int) redis.ZRangeArgs {
	least, most := "-inf", "+inf"
	if newest {
		least, most = most, least
	}
	return redis.ZRangeArgs{
		Key: key, Start: cmp.Or(from, least), Stop: cmp.Or(to, most), ByScore: true, Rev: newest, Count: int64(count),
	}
}

// spot is where a conversation stands in a list.
type spot struct {
	score int64
	id    string
}

// String is the spot as a cursor.
func (s spot) String() string { return strconv.FormatInt(s.score, 10) + "-" + s.id }

// readSpot reads a cursor; none is nil.
func readSpot(cursor string) (*spot, error) {
	if cursor == "" {
		return nil, nil
	}
	score, id, _ := strings.Cut(cursor, "-")
	n, err := strconv.ParseInt(score, 10, 64)
	if err != nil || checkHex("conversation", id) != nil {
		return nil, fmt.Errorf("queue: %w: a cursor of %d bytes", ErrInvalid, len(cursor))
	}
	return &spot{n, id}, nil
}

// before tells whether a spot stands before another.
func (s spot) before(other spot, newest bool) bool {
	if newest {
		s, other = other, s
	}
	return s.score < other.score || s.score == other.score && s.id < other.id
}
