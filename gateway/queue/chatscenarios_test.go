package queue_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// chatKeys are those that chats.lua makes of the name of a head.
func chatKeys() []string {
	keys := []string{keyOf("conv:" + hash("party")), keyOf("chats:of:" + hash("party"))}
	for _, name := range []string{"chat::items", "chat::order", "chats:waiting", "chats:closed", "chats:idle", "changes"} {
		keys = append(keys, keyOf(name))
	}
	return keys
}

// about begins the work on an event of a kind about message a.
func about(kind queue.ItemKind) func(testing.TB, *queue.Journal, redis.Cmdable) queue.Entry {
	return func(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
		write(t, j, "a")
		i := named(kind, "about", "a")
		acceptItems(t, j, i)
		return begun(t, j)
	}
}

// chatScenarios are scripts that do something to a conversation.
func chatScenarios() []scenario {
	all := []scenario{
		{name: "complete into a conversation", prepare: inWork, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(ctx, e, ended(e))
		})},
		{name: "complete photos of a conversation", prepare: toldInWork, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			end := ended(e)
			end.Told = e.Told
			return j.Complete(ctx, e, end)
		})},
		{name: "complete an edit in a conversation", prepare: about(queue.ItemEdit), act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(ctx, e, queue.End{Document: []byte("edited"), Chat: editOf("a", "anew", 1)})
		})},
		{name: "complete an unsend in a conversation", prepare: about(queue.ItemUnsend), act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(ctx, e, queue.End{Document: []byte("unsent"), Chat: unsendOf("a", 1)})
		})},
		{name: "complete the close of a conversation", prepare: about(queue.ItemClose), act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			return j.Complete(ctx, e, queue.End{Document: []byte("closed"), Chat: news(queue.ItemClose, "party", queue.ConversationItem{})})
		})},
		{name: "tell into a conversation", prepare: crowdedPhoto, act: outcomeOf(func(ctx context.Context, j *queue.Journal, e queue.Entry) (queue.Outcome, error) {
			one := telling("received")
			one.Chat = said(e, queue.Photo{ID: "p", Status: queue.Pending})
			return j.Tell(ctx, e, one)
		})},
	}
	for i := range all {
		all[i].derived = chatKeys()
	}
	return all
}

// benHas is a conversation of ben's with one message.
func benHas(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
	e := write(t, j, "a")
	assign(t, j, e.Conversation, ben)
	return e
}

// replied is benHas with a reply that was sent.
func replied(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
	e := benHas(t, j, client)
	want(t, "reply", true)(j.Reply(t.Context(), q, reply(e, "answer", ben)))
	send(t, j, e, queue.ResultSent, "platform's id", hash("platform's id"))
	return e
}

// stateOf is what a conversation that was returned has in every run.
func stateOf(c queue.Conversation, err error) (any, error) {
	return string(c.State) + c.Agent.ID + string(c.ClosedBy.Kind), err
}

// agentScenarios are scripts that do what agents ask for.
func agentScenarios() []scenario {
	var sending queue.Sending
	var version int64
	all := []scenario{
		{name: "assign", prepare: benHas, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return stateOf(j.Assign(t.Context(), q, e.Conversation, queue.Assignment{To: eva, From: ben.ID}))
		}, derived: []string{agentKey(eva)}},
		{name: "assign to nobody", prepare: benHas, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return stateOf(j.Assign(t.Context(), q, e.Conversation, queue.Assignment{From: ben.ID}))
		}},
		{name: "close", prepare: benHas, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return stateOf(j.CloseConversation(t.Context(), q, e.Conversation, queue.Closing{By: byAgent(ben), From: ben.ID}))
		}, looks: true},
		{name: "seen", prepare: benHas, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return nil, j.SeenUpTo(t.Context(), q, e.Conversation, ben.ID, 1)
		}},
		{name: "reply", prepare: benHas, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Reply(t.Context(), q, reply(e, "answer", ben))
		}},
		{name: "archived", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := benHas(t, j, client)
			version = closing(t, j, e.Conversation).Version
			return e
		}, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Archived(t.Context(), q, e.Conversation, version)
		}},
		{name: "receipt", prepare: replied, moves: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return nil, j.Receipt(t.Context(), q, hash("platform's id"), queue.ResultDelivered, "")
		}},
		{name: "outdate", prepare: benHas, moves: true, looks: true, act: func(t testing.TB, j *queue.Journal, e queue.Entry) (any, error) {
			return j.Outdate(t.Context(), q, e.Conversation, at9.AddDate(1, 0, 0))
		}},
		{name: "conclude a reply", prepare: func(t testing.TB, j *queue.Journal, client redis.Cmdable) queue.Entry {
			e := benHas(t, j, client)
			want(t, "reply", true)(j.Reply(t.Context(), q, reply(e, "answer", ben)))
			s, err := j.Claim(t.Context(), q, e.Conversation+" "+hash("party"))
			if err != nil || s == nil {
				t.Fatal(s, err)
			}
			sending, sending.Receipt = *s, hash("platform's id")
			return e
		}, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.Conclude(t.Context(), sending, queue.ResultSent, "platform's id")
		}},
	}
	for i := range all {
		all[i].derived = append(append(all[i].derived, chatKeys()...), agentKey(ben))
		if all[i].name == "archived" { // what is closed is not with anybody any more
			all[i].derived = all[i].derived[:len(all[i].derived)-1]
		}
	}
	return all
}

func agentKey(a queue.Agent) string {
	sum := sha1.Sum([]byte(a.ID))
	return keyOf("chats:agent:" + hex.EncodeToString(sum[:]))
}

// closing lets ben close a conversation.
func closing(t testing.TB, j *queue.Journal, id string) queue.Conversation {
	t.Helper()
	c, err := j.CloseConversation(t.Context(), q, id, queue.Closing{By: byAgent(ben), From: queue.AnyAgent})
	if err != nil {
		t.Fatalf("close: %v", err)
	}
	return c
}
