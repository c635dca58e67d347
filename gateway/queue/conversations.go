package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// The errors about conversations; errors.Is finds them.
var (
	// ErrNoConversation means that there is no such conversation in Redis: it never
	// was, or has been moved to the archive.
	ErrNoConversation = errors.New("no such conversation")
	// ErrConversationOver means that the conversation has been closed.
	ErrConversationOver = errors.New("the conversation has been closed")
)

// NotTheirsError means that somebody else has the conversation.
type NotTheirsError struct {
	// Agent has it; zero if nobody has.
	Agent Agent
}

// Error implements error. It names nobody.
func (e *NotTheirsError) Error() string {
	if e.Agent.ID == "" {
		return "nobody has the conversation"
	}
	return "another agent has the conversation"
}

// Conversation returns one that is in Redis, or ErrNoConversation.
func (j *Journal) Conversation(ctx context.Context, queue, id string) (Conversation, error) {
	if err := checkHex("conversation", id); err != nil {
		return Conversation{}, fmt.Errorf("queue: %w", err)
	}
	found, err := j.headsOf(ctx, queue, []string{id})
	switch {
	case err != nil:
		return Conversation{}, err
	case len(found) == 0:
		return Conversation{}, fmt.Errorf("queue: %w", ErrNoConversation)
	}
	return found[0].Conversation, found[0].err
}

// Conversations returns those of the ids that are in Redis, in their order. One that
// cannot be read is left out, so that it does not hide the others.
func (j *Journal) Conversations(ctx context.Context, queue string, ids []string) ([]Conversation, error) {
	found, err := j.headsOf(ctx, queue, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Conversation, 0, len(found))
	for _, one := range found {
		if one.err == nil {
			list = append(list, one.Conversation)
		}
	}
	return list, nil
}

// reading is a head as far as it can be read, and what cannot.
type reading struct {
	Conversation
	err error
}

// headsOf reads the heads of those conversations that are in Redis.
func (j *Journal) headsOf(ctx context.Context, queue string, ids []string) ([]reading, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	// What is no hash is the name of nothing.
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return checkHex("conversation", id) != nil })
	if len(ids) == 0 {
		return nil, nil
	}
	heads := make([]*redis.MapStringStringCmd, len(ids))
	_, err = j.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			heads[i] = p.HGetAll(ctx, k.chat+id)
		}
		return nil
	})
	if err != nil && !mistyped(err) {
		return nil, wrap("read conversations", err)
	}
	found := make([]reading, 0, len(ids))
	for i, head := range heads {
		if err := head.Err(); err != nil && !mistyped(err) {
			return nil, wrap("read conversations", err)
		}
		if fields := head.Val(); len(fields) > 0 || head.Err() != nil {
			c, err := readHead(queue, ids[i], fields)
			if head.Err() != nil {
				err = fmt.Errorf("queue: the head of conversation %s: %w: it is no hash", ids[i], ErrUnreadable)
			}
			if err != nil {
				j.unreadable(queue, "the head of a conversation cannot be read", ids[i])
			}
			found = append(found, reading{c, err})
		}
	}
	return found, nil
}

// HeadsOf lists the conversations of a party that are in Redis, in no order and at
// most limit of them.
func (j *Journal) HeadsOf(ctx context.Context, queue, party string, limit int) ([]Conversation, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	if err := checkHex("party", party); err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	ids, err := j.client.SRandMemberN(ctx, k.chatsOf+party, int64(max(1, min(limit, mostListed)))).Result()
	if err != nil {
		return nil, wrap("list conversations of a party", err)
	}
	return j.Conversations(ctx, queue, ids)
}

// readHead reads what chats.lua has written. What is no number is zero where the error
// is ErrUnreadable.
func readHead(queue, id string, fields map[string]string) (Conversation, error) {
	h := head{fields: fields}
	c := Conversation{
		Queue: queue, ID: id, Party: fields["party"],
		Channel: fields["channel"], Account: fields["account"], AccountID: fields["account_id"],
		Consumer: Consumer{ID: fields["consumer"], Name: fields["name"]},
		State:    ConversationState(fields["state"]),
		Agent:    Agent{ID: fields["agent"], Name: fields["agent_name"]},
		OpenedAt: h.time("opened"), LastMessageAt: h.time("message"), LastReplyAt: h.time("reply"),
		WaitingSince: h.time("waiting"), ClosedAt: h.time("closed"),
		ClosedBy: Actor{ActorKind(fields["by"]), Agent{ID: fields["by_id"], Name: fields["by_name"]}},
		Late:     fields["late"] == "1", Partial: fields["partial"] == "1",
		Arrived: h.number("arrived"), Read: h.number("read"),
		Last: Gist{
			From: ActorKind(fields["gist_from"]), Text: fields["gist"],
			Photos: int(h.number("gist_photos")), Unsent: fields["gist_unsent"] == "1",
		},
		Previous: fields["prev"], Version: h.number("version"),
	}
	if h.err != nil {
		return c, fmt.Errorf("queue: the head of conversation %s: %w", id, h.err)
	}
	return c, nil
}

// head reads numbers and times of a conversation, and remembers the first failure.
type head struct {
	fields map[string]string
	err    error
}

func (h *head) number(name string) int64 {
	if h.fields[name] == "" {
		return 0
	}
	n, err := strconv.ParseInt(h.fields[name], 10, 64)
	if err != nil && h.err == nil {
		h.err = fmt.Errorf("%w: its %s is no number", ErrUnreadable, name)
	}
	return n
}

func (h *head) time(name string) time.Time { return moment(h.number(name)) }

// moment is a time as scripts count it; zero stands for none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
