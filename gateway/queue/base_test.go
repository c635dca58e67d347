package queue_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// A release that does not count may have filled the journal, and others may count
// before anybody looks after the queue.
func TestTheCountsBeginWithWhatIsThere(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client := journal(t, address, queue.Options{}), connect(t, address)
		for name, before := range map[string]func(){
			"nothing counted":   func() {},
			"some accepted":     func() { accept(t, j, "c") },
			"some finished too": func() { want(t, "complete", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{})) },
		} {
			client.FlushAll(t.Context())
			if err := j.EnsureQueue(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			photos(t, j, "shop", "a")
			accept(t, j, "b")
			client.Del(t.Context(), keyOf("counts"))
			before()
			for range 2 {
				if err := j.EnsureQueue(t.Context(), q); err != nil {
					t.Fatal(err)
				}
				if _, unaccounted := countAll(t, j); unaccounted != 0 {
					t.Errorf("%s: %d are unaccounted for, want none", name, unaccounted)
				}
			}
		}
	})
}

// What would not be read back must not be written down.
func TestRetryRefusesWhatCannotBeReadBack(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		accept(t, j, "a")
		e := begun(t, j)
		e.Conversation = "not a hash"
		if _, err := j.Retry(t.Context(), e, queue.Retry{}); err == nil || !strings.Contains(err.Error(), "WRONGVALUE") {
			t.Errorf("got %v, want our own WRONGVALUE", err)
		}
		wantCounts(t, j, counts{inWork: 1})
	})
}

// An entry in no conversation of ours is not handed out.
func TestAnEntryWithoutAConversationIsLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		var told []queue.Breach
		client := connect(t, address)
		j := journalOn(t, client, queue.Options{OnBreach: func(b queue.Breach) { told = append(told, b) }})
		entry := &redis.XAddArgs{Stream: keyOf("inbox"), Values: []string{"v", "1", "key", hash("a"), "conv", "../x", "seq", "1", "at", "1", "tries", "0", "payload", "a"}}
		err := client.XAdd(t.Context(), entry).Err()
		entries, errTake := j.Take(t.Context(), q, queue.Words, 1, 0)
		if err := errors.Join(err, errTake); err != nil || len(entries) != 0 || len(told) != 1 {
			t.Errorf("took %+v, error %v, told %+v; want one breach", entries, err, told)
		}
	})
}
