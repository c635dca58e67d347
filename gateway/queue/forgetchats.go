package queue

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
)

// TheirConversations names the conversations of a forgotten party that are still to
// be destroyed, and others in which something is to be said to it. It does not name
// the one that was opened since.
func (j *Journal) TheirConversations(ctx context.Context, f Forgetting) ([]string, error) {
	k, err := keysOf(f.Queue)
	if err != nil {
		return nil, err
	}
	open, err := j.field(ctx, k.conv+f.Party, "id")
	if err != nil {
		return nil, wrap("their conversations", err)
	}
	found, err := j.spokenTo(ctx, k, f.Party)
	delete(found, open)
	if err == nil {
		err = j.members(ctx, k.theirs+f.Party, found)
	}
	return slices.Sorted(maps.Keys(found)), wrap("their conversations", err)
}

// ConversationsOf names the conversations of a party that Redis knows of, forgotten or
// not.
func (j *Journal) ConversationsOf(ctx context.Context, queue, party string) ([]string, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	if err := checkHex("party", party); err != nil {
		return nil, err
	}
	found, err := j.spokenTo(ctx, k, party)
	for _, set := range []string{k.chatsOf, k.theirs} {
		if err == nil {
			err = j.members(ctx, set+party, found)
		}
	}
	var pointers []any
	if err == nil {
		pointers, err = j.client.HMGet(ctx, k.conv+party, "id", "prev").Result()
	}
	for _, id := range pointers {
		if text(id) != "" {
			found[text(id)] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), wrap("conversations of", err)
}

// Unsaid is how many messages to the consumer have no result yet in a conversation.
func (j *Journal) Unsaid(ctx context.Context, queue, conversation string) (int64, error) {
	k, err := keysOf(queue)
	if err == nil {
		err = checkHex("conversation", conversation)
	}
	if err != nil {
		return 0, err
	}
	n, err := j.client.LLen(ctx, k.say+conversation).Result()
	return n, wrap("unsaid", err)
}

// members adds those of a set, a part at a time.
func (j *Journal) members(ctx context.Context, set string, found map[string]bool) error {
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		some, next, err := j.client.SScan(ctx, set, cursor, "", namesAtOnce).Result()
		if err != nil {
			return err
		}
		for _, id := range some {
			found[id] = true
		}
		cursor = next
	}
	return nil
}

// spokenTo are the conversations in which something is to be said to a party.
func (j *Journal) spokenTo(ctx context.Context, k keys, party string) (map[string]bool, error) {
	found := map[string]bool{}
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		some, next, err := j.client.ZScan(ctx, k.outgoing, cursor, "* "+party, namesAtOnce).Result()
		if err != nil {
			return found, err
		}
		for i := 0; i < len(some); i += 2 {
			id, _, _ := strings.Cut(some[i], " ")
			found[id] = true
		}
		cursor = next
	}
	return found, nil
}

// Heads goes through all conversations in Redis, and holds few at once. One that moves
// meanwhile may be seen twice, and one that comes meanwhile not. An error is the last
// that it yields. Of one that cannot be read it yields what can: whose it is.
func (j *Journal) Heads(ctx context.Context, queue string) iter.Seq2[Conversation, error] {
	return func(yield func(Conversation, error) bool) {
		k, err := keysOf(queue)
		if err != nil {
			yield(Conversation{}, err)
			return
		}
		for _, list := range []string{k.idle, k.over} {
			if !j.heads(ctx, queue, list, yield) {
				return
			}
		}
	}
}

// heads goes through one list, and tells whether to go on.
func (j *Journal) heads(ctx context.Context, queue, list string, yield func(Conversation, error) bool) bool {
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		some, next, err := j.client.ZScan(ctx, list, cursor, "", documentsAtOnce).Result()
		var ids []string
		for i := 0; i < len(some); i += 2 {
			ids = append(ids, some[i])
		}
		var found []reading
		if err == nil {
			found, err = j.headsOf(ctx, queue, ids)
		}
		if err != nil {
			yield(Conversation{}, wrap("read conversations", err))
			return false
		}
		for _, c := range found {
			if !yield(c.Conversation, nil) {
				return false
			}
		}
		cursor = next
	}
	return true
}
