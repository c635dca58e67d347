package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ItemRange is a part of a conversation: the newest Limit items of those before a
// position or, if After is given, the oldest Limit of those after it. Neither
// includes the position itself, and zero is an open end.
type ItemRange struct {
	Before, After int64
	Limit         int
}

// Items lists a part of a conversation's items, in order. more tells that there are
// others on the side on which the limit cut.
func (j *Journal) Items(ctx context.Context, queue, id string, r ItemRange) (items []ConversationItem, more bool, err error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, false, err
	}
	if err := checkHex("conversation", id); err != nil {
		return nil, false, fmt.Errorf("queue: %w", err)
	}
	limit := max(1, min(r.Limit, mostListed))
	part := byScore(k.chat+id+":order", beyond(r.After), beyond(r.Before), false, limit+1)
	if r.After == 0 {
		part = byScore(k.chat+id+":order", beyond(r.Before), "", true, limit+1)
	}
	names, err := j.client.ZRangeArgs(ctx, part).Result()
	if err != nil {
		return nil, false, wrap("list items", err)
	}
	if more = len(names) > limit; more {
		names = names[:limit]
	}
	items, err = j.ItemsByID(ctx, queue, id, names)
	slices.SortFunc(items, ByPosition)
	return items, more, err
}

// beyond is a position as an end that does not include it; zero is an open end.
func beyond(position int64) string {
	if position == 0 {
		return ""
	}
	return "(" + strconv.FormatInt(position, 10)
}

// ByPosition compares items by where they stand in their conversation.
func ByPosition(a, b ConversationItem) int {
	return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID))
}

// ItemsByID returns those of a conversation's items that are in Redis, in the order
// of the ids, or ErrNoConversation. One that cannot be read is left out, so that it
// does not hide the others.
func (j *Journal) ItemsByID(ctx context.Context, queue, id string, names []string) ([]ConversationItem, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	if err := checkHex("conversation", id); err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	if len(names) == 0 {
		_, err := j.Conversation(ctx, queue, id)
		return nil, err
	}
	fields := make([]string, 0, len(names)*len(itemParts()))
	for _, name := range names {
		for _, part := range itemParts() {
			fields = append(fields, name+part)
		}
	}
	values, err := j.client.HMGet(ctx, k.chat+id+":items", fields...).Result()
	if mistyped(err) {
		j.unreadable(queue, "the items of a conversation cannot be read", id)
		return nil, fmt.Errorf("queue: the items of conversation %s: %w", id, ErrUnreadable)
	}
	if err != nil {
		return nil, wrap("read items", err)
	}
	found := map[string]string{}
	for i, field := range fields {
		found[field] = text(values[i])
	}
	items, broken := readItems(names, found)
	for _, name := range broken {
		j.unreadable(queue, "an item of a conversation cannot be read", id+"/"+name)
	}
	if len(items) == 0 {
		_, err = j.Conversation(ctx, queue, id)
	}
	if err != nil {
		return items, err
	}
	return items, j.countTries(ctx, k, items)
}

// itemParts are the fields of an item, as chats.lua names them.
func itemParts() []string { return []string{"", "/edit", "/state", "/notice"} }

// readItems reads those of the items that are there, and names those that cannot be
// read.
func readItems(names []string, fields map[string]string) (items []ConversationItem, broken []string) {
	items = make([]ConversationItem, 0, len(names))
	for _, name := range names {
		if fields[name] == "" {
			continue
		}
		if item, err := readItem(name, fields); err != nil {
			broken = append(broken, name)
		} else {
			items = append(items, item)
		}
	}
	return items, broken
}

// readItem reads what chats.lua has written of an item.
func readItem(id string, fields map[string]string) (ConversationItem, error) {
	words := strings.SplitN(fields[id], " ", 4)
	if len(words) != 4 {
		return ConversationItem{}, fmt.Errorf("%w: it has %d parts", ErrUnreadable, len(words))
	}
	item, value := ConversationItem{ID: id, From: ActorConsumer, Arrival: number(words[1]), Position: number(words[2])}, []byte(words[3])
	var err error
	switch words[0] {
	case "m", "l":
		item.Message = new(MessageData)
		err = json.Unmarshal(value, item.Message)
		item.Message.Late = words[0] == "l"
	case "t":
		err = json.Unmarshal(value, &item.UnsentAt)
	case "r":
		item.Reply = new(ReplyData)
		err = json.Unmarshal(value, item.Reply)
		item.From = item.Reply.By.Kind
	case "e":
	default:
		err = fmt.Errorf("%w: it is of kind %.8q", ErrUnreadable, words[0])
	}
	if edit := fields[id+"/edit"]; edit != "" && err == nil {
		item.Edit = new(ItemEdited)
		err = json.Unmarshal([]byte(edit), item.Edit)
	}
	if state := readDelivery(fields[id+"/state"]); state != nil && item.Reply != nil {
		item.Reply.Delivery = *state
	}
	item.Notice = readDelivery(fields[id+"/notice"])
	return item, err
}

// readDelivery reads a state, a time and perhaps why, or returns nil.
func readDelivery(value string) *Delivery {
	state, rest, found := strings.Cut(value, " ")
	if !found {
		return nil
	}
	at, detail, _ := strings.Cut(rest, " ")
	return &Delivery{State: Result(state), Detail: detail, At: moment(number(at))}
}

// Snapshot returns all that Redis holds of a conversation at one moment, or
// ErrNoConversation; or ErrUnreadable, rather than a part for the whole.
func (j *Journal) Snapshot(ctx context.Context, queue, id string) (Snapshot, error) {
	k, err := keysOf(queue)
	if err != nil {
		return Snapshot{}, err
	}
	if err := checkHex("conversation", id); err != nil {
		return Snapshot{}, fmt.Errorf("queue: %w", err)
	}
	var head, all *redis.MapStringStringCmd
	_, err = j.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		head, all = p.HGetAll(ctx, k.chat+id), p.HGetAll(ctx, k.chat+id+":items")
		return nil
	})
	if mistyped(err) {
		j.unreadable(queue, "a conversation cannot be read", id)
		return Snapshot{}, fmt.Errorf("queue: conversation %s: %w", id, ErrUnreadable)
	}
	if err != nil {
		return Snapshot{}, wrap("snapshot", err)
	}
	if len(head.Val()) == 0 {
		return Snapshot{}, fmt.Errorf("queue: %w", ErrNoConversation)
	}
	var s Snapshot
	if s.Conversation, err = readHead(queue, id, head.Val()); err != nil {
		j.unreadable(queue, "the head of a conversation cannot be read", id)
		return Snapshot{}, err
	}
	var names []string
	for field := range all.Val() {
		if !strings.Contains(field, "/") {
			names = append(names, field)
		}
	}
	var broken []string
	if s.Items, broken = readItems(names, all.Val()); len(broken) > 0 {
		j.unreadable(queue, "an item of a conversation cannot be read", id+"/"+broken[0])
		return Snapshot{}, fmt.Errorf("queue: item %s of conversation %s: %w", broken[0], id, ErrUnreadable)
	}
	slices.SortFunc(s.Items, ByPosition)
	return s, nil
}
