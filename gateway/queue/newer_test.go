package queue_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// Old and new gateways run side by side while they are replaced. What a newer
// one has put off must not be lost to an older one that comes to it first.
func TestADelayedEntryOfANewerReleaseIsLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client, records := connect(t, address), "{"+queue.Stream(q)+"}:delayed:data"
		var told []queue.Breach
		j := journal(t, address, queue.Options{OnBreach: func(b queue.Breach) { told = append(told, b) }})
		for _, name := range []string{"newer", "ours"} {
			accept(t, j, name)
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), begun(t, j), queue.Retry{Cause: "slow"}))
		}
		const record = "2 in another way\npayload"
		if err := client.HSet(t.Context(), records, hash("newer"), record).Err(); err != nil {
			t.Fatal(err)
		}
		moved := 0
		for range 3 { // one at a time: it keeps no other from its turn
			n, err := j.Due(t.Context(), q, 1)
			if err != nil {
				t.Fatal(err)
			}
			moved += n
		}
		if moved != 1 || len(told) != 1 || told[0].What != "delayed entry cannot be read" || told[0].IDs[0] != hash("newer") {
			t.Errorf("%d were moved, told %+v; want ours moved and the other named once", moved, told)
		}
		wantCounts(t, j, counts{waiting: 1, delayed: 1})
		if got := client.HGet(t.Context(), records, hash("newer")).Val(); got != record {
			t.Errorf("the record is %q now, want it unchanged", got)
		}
	})
}

func TestALetterThatCannotBeReadHidesNoOther(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	j, client, slot := journal(t, address, queue.Options{}), connect(t, address), "{"+queue.Stream(q)+"}:"
	want(t, "bury", true)(bury(t, j, queue.Letter{Key: hash("ours"), Cause: "broken"}))
	now := float64(time.Now().UnixMilli())
	client.ZAdd(t.Context(), slot+"dead", zAt(now+1e6, hash("newer")), zAt(now+2e6, hash("expired since")))
	client.HSet(t.Context(), slot+"dead:data", hash("newer"), "in another way")
	letters, err := j.Letters(t.Context(), q, 10)
	if err != nil || len(letters) != 2 || letters[0].Cause != "broken" {
		t.Fatalf("got %+v, error %v; want ours and the newer one", letters, err)
	}
	if got := letters[1]; got.Key != hash("newer") || got.Cause != "this letter cannot be read" || string(got.Raw) != "in another way" {
		t.Errorf("got %+v", got)
	}
}

// A queue may be made while others already write to its streams.
func TestBothGroupsReadFromTheBeginning(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client, inbox := connect(t, address), "{"+queue.Stream(q)+"}:inbox"
		first, err := queue.New(client, queue.Options{})
		if err != nil {
			t.Fatal(err)
		}
		accept(t, first, "before")
		client.XAdd(t.Context(), &redis.XAddArgs{Stream: queue.Stream(q), Values: []string{"event", "{}"}})
		journal(t, address, queue.Options{})
		for stream, group := range map[string]string{inbox: "workers", queue.Stream(q): "agents"} {
			got, err := client.XReadGroup(t.Context(), &redis.XReadGroupArgs{
				Group: group, Consumer: "reader", Streams: []string{stream, ">"}, Block: -1,
			}).Result()
			if err != nil || len(got[0].Messages) != 1 {
				t.Errorf("group %s: got %v, error %v; want the entry that was there before", group, got, err)
			}
		}
	})
}
