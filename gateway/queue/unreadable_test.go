package queue_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// What somebody else has broken in Redis is left out of lists, is told of once, and is
// nobody's fault who asks for it.
func TestWhatCannotBeReadHidesNothingElse(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		var told []string
		client := connect(t, address)
		j := journalOn(t, client, queue.Options{OnBreach: func(b queue.Breach) { told = append(told, b.IDs...) }})
		ids := crowd(t, j, 4)
		// A number that is none, a head that is no hash, and a line of the list that is no name.
		client.HSet(t.Context(), keyOf("chat:"+ids[0]), "opened", "yesterday")
		client.Del(t.Context(), keyOf("chat:"+ids[1]))
		client.Set(t.Context(), keyOf("chat:"+ids[1]), "x", 0)
		for _, list := range []string{"chats:waiting", "chats:idle"} {
			client.ZAdd(t.Context(), keyOf(list), redis.Z{Score: 1, Member: "../.."})
		}
		for range 2 {
			list, _, _, err := j.Waiting(t.Context(), q, "", 10)
			if err != nil || len(list) != 2 || list[0].ID != ids[2] || list[1].ID != ids[3] {
				t.Errorf("waiting are %+v, %v", list, err)
			}
			for _, id := range ids[:2] {
				if _, err := j.Conversation(t.Context(), q, id); !errors.Is(err, queue.ErrUnreadable) || errors.Is(err, queue.ErrInvalid) {
					t.Errorf("%s: got %v, want ErrUnreadable", id, err)
				}
			}
			if got := holdersOf(t, j, 10); len(got) != 0 {
				t.Errorf("held are %v", got)
			}
		}
		if !slices.Equal(told, ids[:2]) {
			t.Errorf("told of %q, want %q once each", told, ids[:2])
		}
		// To forget somebody it must be known whose the broken one is.
		parties := 0
		for c, err := range j.Heads(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			if c.Party != "" {
				parties++
			}
		}
		if parties != 3 {
			t.Errorf("the parties of %d are known, want 3", parties)
		}
	})
}

func TestAnItemThatCannotBeReadHidesNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		var told []string
		client := connect(t, address)
		j := journalOn(t, client, queue.Options{OnBreach: func(b queue.Breach) { told = append(told, b.IDs...) }})
		e := write(t, j, "a", "b", "c", "d")
		key := keyOf("chat:" + e.Conversation + ":items")
		client.HSet(t.Context(), key, hash("a"), "m 1 1048576 {", hash("b"), "nothing", hash("c")+"/edit", "[]")
		for range 2 {
			if got := texts(items(t, j, e.Conversation)); !slices.Equal(got, []string{"d"}) {
				t.Errorf("got %q, want what can be read", got)
			}
		}
		if _, err := j.Snapshot(t.Context(), q, e.Conversation); !errors.Is(err, queue.ErrUnreadable) {
			t.Errorf("snapshot: got %v, want ErrUnreadable", err)
		}
		slices.Sort(told)
		want := []string{e.Conversation + "/" + hash("a"), e.Conversation + "/" + hash("b"), e.Conversation + "/" + hash("c")}
		slices.Sort(want)
		if !slices.Equal(told, want) {
			t.Errorf("told of %q, want %q", told, want)
		}
		client.Del(t.Context(), key)
		client.Set(t.Context(), key, "x", 0)
		if _, err := j.ItemsByID(t.Context(), q, e.Conversation, []string{e.Key}); !errors.Is(err, queue.ErrUnreadable) {
			t.Errorf("items of another type: got %v, want ErrUnreadable", err)
		}
	})
}
