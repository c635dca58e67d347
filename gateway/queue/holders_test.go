package queue_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// holdersOf goes through all conversations that somebody has, a few at a time.
func holdersOf(t testing.TB, j *queue.Journal, limit int) (all map[string]string) {
	t.Helper()
	all = map[string]string{}
	for after, more := "", true; more; more = after != "" {
		held, next, err := j.Holders(t.Context(), q, after, limit)
		if err != nil || len(held) > limit {
			t.Fatalf("got %d, %v", len(held), err)
		}
		for _, h := range held {
			all[h.ID] = h.Agent
		}
		after = next
	}
	return all
}

// What an agent has is found, and put back; what others have stays theirs.
func TestWhatAnAgentHasIsPutBack(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		ids := crowd(t, j, 8)
		for i, id := range ids[:6] {
			assign(t, j, id, []queue.Agent{ben, eva}[i%2])
		}
		if _, err := j.CloseConversation(t.Context(), q, ids[0], queue.Closing{By: byAgent(ben), From: ben.ID}); err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{1, 3, 100} {
			if got := holdersOf(t, j, limit); len(got) != 5 || got[ids[2]] != ben.ID || got[ids[1]] != eva.ID {
				t.Errorf("limit %d: got %v", limit, got)
			}
		}
		before, err := j.LastChange(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "put back", 2)(j.PutBack(t.Context(), q, ben.ID))
		want(t, "put back again", 0)(j.PutBack(t.Context(), q, ben.ID))
		told, err := j.Changes(t.Context(), q, before, 10, 0)
		if err != nil || len(told) != 2 || told[0].Before != ben.ID || told[0].Agent != "" {
			t.Errorf("told %+v, %v", told, err)
		}
		if got := holdersOf(t, j, 100); len(got) != 3 {
			t.Errorf("left are %v, want eva's", got)
		}
		list, _, _, err := j.Waiting(t.Context(), q, "", 100)
		var waiting []string
		for _, c := range list {
			waiting = append(waiting, c.ID)
		}
		if err != nil || !slices.Equal(waiting, []string{ids[2], ids[4], ids[6], ids[7]}) {
			t.Errorf("waiting are %v, %v", waiting, err)
		}
		for _, id := range []string{"", queue.AnyAgent} {
			if _, err := j.PutBack(t.Context(), q, id); !errors.Is(err, queue.ErrInvalid) {
				t.Errorf("agent %q: got %v, want ErrInvalid", id, err)
			}
		}
	})
}
