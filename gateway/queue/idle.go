package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// errBusy means that something has happened in the conversation meanwhile.
var errBusy = errors.New("the conversation is not idle any more")

// CloseIdle closes up to limit conversations in which nothing has happened for as long
// as they stay open, and returns how many. Every gateway may call it at any time.
func (j *Journal) CloseIdle(ctx context.Context, queue string, limit int) (int, error) {
	ids, err := j.before(ctx, queue, keys.idleList, j.options.ConversationFor, limit)
	n := 0
	for _, id := range ids {
		_, err := j.close(ctx, queue, id, Closing{By: Actor{Kind: ActorIdle}, From: AnyAgent}, j.options.ConversationFor)
		switch {
		case err == nil:
			n++
		case !errors.Is(err, errBusy) && !errors.Is(err, ErrNoConversation):
			return n, err
		}
	}
	return n, err
}

// Closed returns up to limit closed conversations that are due to be moved to the
// archive, the one that has been for longest first.
func (j *Journal) Closed(ctx context.Context, queue string, limit int) (ids []string, err error) {
	return j.before(ctx, queue, keys.overList, 0, limit)
}

func (k keys) idleList() string { return k.idle }
func (k keys) overList() string { return k.over }

// before returns up to limit conversations that stand so long ago in a list.
func (j *Journal) before(ctx context.Context, queue string, list func(keys) string, ago time.Duration, limit int) ([]string, error) {
	k, err := keysOf(queue)
	if err != nil || limit < 1 {
		return nil, err
	}
	now, err := j.clock(ctx, queue)
	if err != nil {
		return nil, wrap("list", err)
	}
	ids, err := j.client.ZRangeByScore(ctx, list(k), &redis.ZRangeBy{
		Min: "-inf", Max: fmt.Sprint(now.Add(-ago).UnixMilli()), Count: int64(min(limit, mostListed)),
	}).Result()
	return ids, wrap("list", err)
}

// again is after how long a conversation is listed again of which something has still
// to be sent.
const again = time.Minute

// Archived takes a conversation out of Redis whose snapshot of that version is in the
// archive, and tells whether it is not here any more. It stays if something has
// happened in it since, and until all that was said in it has been sent or given up.
func (j *Journal) Archived(ctx context.Context, queue, id string, version int64) (bool, error) {
	k, err := j.chatOf(queue, id, Agent{})
	if err != nil {
		return false, fmt.Errorf("queue: archived: %w", err)
	}
	gone, err := j.run(ctx, j.scripts.archived, []string{k.chat + id, k.say + id}, version, millis(again)).Bool()
	return gone, wrap("archived", err)
}
