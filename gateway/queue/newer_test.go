package queue_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// heard is what a journal has told of.
type heard struct {
	breaches []string // what is broken
	newer    []string // ids
}

// telling makes options of which it hears.
func (h *heard) telling(o queue.Options) queue.Options {
	o.OnBreach = func(b queue.Breach) { h.breaches = append(h.breaches, b.What+" "+strings.Join(b.IDs, " ")) }
	o.OnNewer = func(n queue.Newer) { h.newer = append(h.newer, n.IDs...) }
	return o
}

// want compares what was heard, and forgets it.
func (h *heard) want(t testing.TB, newer []string, breaches ...string) {
	t.Helper()
	if !slices.Equal(h.newer, newer) || !slices.Equal(h.breaches, breaches) {
		t.Errorf("newer %q and breaches %q, want %q and %q", h.newer, h.breaches, newer, breaches)
	}
	*h = heard{}
}

// Old and new gateways run side by side while they are replaced. What a newer
// one has put off must not be lost to an older one that comes to it first.
func TestADelayedEntryOfANewerReleaseIsLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client, records := connect(t, address), "{"+queue.Stream(q)+"}:delayed:data"
		var told heard
		j := journal(t, address, told.telling(queue.Options{}))
		for _, name := range []string{"newer", "broken", "ours"} {
			accept(t, j, name)
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), begun(t, j), queue.Retry{Cause: "slow"}))
		}
		const record = "2 in another way\npayload"
		if err := client.HSet(t.Context(), records, hash("newer"), record, hash("broken"), "1 in no way\npayload").Err(); err != nil {
			t.Fatal(err)
		}
		moved := 0
		for range 4 { // one at a time: it keeps no other from its turn
			n, err := j.Due(t.Context(), q, 1)
			if err != nil {
				t.Fatal(err)
			}
			moved += n
		}
		want(t, "moved", 1)(moved, nil)
		told.want(t, []string{hash("newer")}, "delayed entry cannot be read "+hash("broken"))
		wantCounts(t, j, counts{waiting: 1, delayed: 2})
		if got := client.HGet(t.Context(), records, hash("newer")).Val(); got != record {
			t.Errorf("the record is %q now, want it unchanged", got)
		}
	})
}

// What cannot be read is a newer release's where its version says so, and else it is
// broken. Either stays where it is.
func TestAnEntryThatCannotBeReadIsLeftAlone(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	client := connect(t, address)
	var told heard
	j := journal(t, address, told.telling(queue.Options{Lease: atOnce}))
	for version, newer := range map[string]bool{"2": true, "11": true, "1": false, "0": false, "": false, "2.0": false} {
		id := client.XAdd(t.Context(), &redis.XAddArgs{Stream: keyOf("inbox"), Values: []string{"v", version, "key", hash("newer")}}).Val()
		for _, read := range []func() ([]queue.Entry, error){
			func() ([]queue.Entry, error) { return j.Take(t.Context(), q, queue.Words, 5, 0) },
			func() ([]queue.Entry, error) { return j.TakeOver(t.Context(), q, queue.Words, 5) },
		} {
			if entries, err := read(); err != nil || len(entries) != 0 {
				t.Errorf("version %q: got %d entries, error %v; want it left alone", version, len(entries), err)
			}
			if newer {
				told.want(t, []string{id})
			} else {
				told.want(t, nil, "journal entry cannot be read "+id)
			}
		}
		if got, _ := countAll(t, j); got != (counts{inWork: 1}) {
			t.Errorf("version %q: got %+v, want it in our hands", version, got)
		}
		client.XDel(t.Context(), keyOf("inbox"), id)
		client.XAck(t.Context(), keyOf("inbox"), "workers", id)
	}
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
