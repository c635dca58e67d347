package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// crowd makes n conversations of as many parties, of which some begin in the same
// moment, and returns them as they should be listed.
func crowd(t testing.TB, j *queue.Journal, n int) (ids []string) {
	t.Helper()
	for i := range n {
		party := fmt.Sprint("party ", i)
		acceptItems(t, j, queue.Item{Kind: queue.ItemMessage, Key: hash(party + " says"), Party: hash(party), Payload: []byte("hello")})
		e := begun(t, j)
		u := saidIn(party, e)
		u.ReceivedAt = at9.Add(time.Duration(i/3) * time.Second)
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document"), Party: hash(party), Chat: u}))
		ids = append(ids, fmt.Sprint(i/3+100)+" "+e.Conversation)
	}
	slices.Sort(ids)
	for i := range ids {
		ids[i] = ids[i][4:]
	}
	return ids
}

func TestListsGoOnWhereTheyStopped(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		ids := crowd(t, j, 14)
		for _, limit := range []int{1, 2, 3, 4, 14, 100} {
			var got []string
			for after, more := "", true; more; more = after != "" {
				list, next, total, err := j.Waiting(t.Context(), q, after, limit)
				if err != nil || total != 14 || len(list) > limit || len(list) == 0 {
					t.Fatalf("limit %d: got %d of %d, error %v", limit, len(list), total, err)
				}
				for _, c := range list {
					got = append(got, c.ID)
				}
				after = next
			}
			if !slices.Equal(got, ids) {
				t.Errorf("limit %d: got %v\nwant %v", limit, got, ids)
			}
		}
		for _, cursor := range []string{"x", "1-", "1-../..", "-" + ids[0], "1" + ids[0]} {
			if _, _, _, err := j.Waiting(t.Context(), q, cursor, 5); !errors.Is(err, queue.ErrInvalid) {
				t.Errorf("cursor %q: got %v", cursor, err)
			}
		}
	})
}

func TestItemsGoOnInBothDirections(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		e := write(t, j, "1", "2", "3", "4", "5")
		list := func(before, after int64, limit int, want string) {
			t.Helper()
			got, more, err := j.Items(t.Context(), q, e.Conversation, queue.ItemRange{Before: before << 20, After: after << 20, Limit: limit})
			text := ""
			for _, i := range got {
				text += i.Message.Text
			}
			if text = fmt.Sprint(text, " ", more); err != nil || text != want {
				t.Errorf("before %d, after %d: got %s, %v, want %s", before, after, text, err, want)
			}
		}
		list(0, 0, 10, "12345 false")
		list(0, 0, 2, "45 true")
		list(4, 0, 2, "23 true")
		list(3, 0, 2, "12 false")
		list(0, 1, 2, "23 true")
		list(0, 3, 2, "45 false")
		list(5, 1, 10, "234 false")
		list(1, 0, 10, " false")
	})
}

func TestASnapshotIsAllThereIs(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		e := write(t, j, "a", "b")
		leave(t, j)
		got, err := j.Snapshot(t.Context(), q, e.Conversation)
		if err != nil || got.Conversation != conversation(t, j, e.Conversation) || fmt.Sprintf("%+v", texts(got.Items)) != "[a b]" {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := j.Snapshot(t.Context(), q, hash("none")); !errors.Is(err, queue.ErrNoConversation) {
			t.Errorf("got %v, want ErrNoConversation", err)
		}
	})
}

func texts(items []queue.ConversationItem) (all []string) {
	for _, i := range items {
		switch {
		case i.Message != nil:
			all = append(all, i.Message.Text)
		case i.Reply != nil:
			all = append(all, i.Reply.Text)
		default:
			all = append(all, "-")
		}
	}
	return all
}

func TestChangesAreFollowed(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		start, err := j.LastChange(t.Context(), q)
		if err != nil || start != "0-0" {
			t.Fatalf("got %q, %v", start, err)
		}
		if none, err := j.Changes(t.Context(), q, start, 10, 0); err != nil || len(none) != 0 {
			t.Errorf("got %+v, %v", none, err)
		}
		e := write(t, j, "a", "b")
		leave(t, j)
		got, err := j.Changes(t.Context(), q, start, 2, time.Second)
		if err != nil || len(got) != 2 || got[0].Conversation != e.Conversation || got[0].Item != hash("a") || got[1].Item != hash("b") {
			t.Fatalf("got %+v, %v", got, err)
		}
		rest, err := j.Changes(t.Context(), q, got[1].ID, 10, time.Second)
		last, errLast := j.LastChange(t.Context(), q)
		if err != nil || errLast != nil || len(rest) != 1 || rest[0].Item != "" || rest[0].ID != last {
			t.Errorf("got %+v, %v, last %q", rest, err, last)
		}
		if _, err := j.Changes(t.Context(), q, "yesterday", 1, 0); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("got %v, want ErrInvalid", err)
		}
		client.Del(t.Context(), keyOf("changes"))
		if _, err := j.Changes(t.Context(), q, last, 1, 0); !errors.Is(err, queue.ErrTooOld) {
			t.Errorf("after a loss: got %v, want ErrTooOld", err)
		}
	})
}

// A waiting reader is woken by the next change.
func TestChangesWake(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		woken := make(chan []queue.Change, 1)
		start, err := j.LastChange(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			var got []queue.Change
			for err := error(nil); err == nil && len(got) == 0; {
				got, err = j.Changes(t.Context(), q, start, 10, 5*time.Second)
			}
			woken <- got
		}()
		write(t, j, "a")
		if got := <-woken; len(got) != 1 || got[0].Item != hash("a") {
			t.Errorf("got %+v", got)
		}
	})
}

func TestOldChangesAreTrimmed(t *testing.T) {
	t.Parallel()
	address := quickRedis(t)
	client := connect(t, address)
	j := journalOn(t, client, queue.Options{})
	write(t, j, "a")
	first, err := j.LastChange(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	fill := redis.NewScript(`for i = 1, 21000 do redis.call('XADD', KEYS[1], '*', 'c', i) end`)
	if err := fill.Run(t.Context(), client, []string{keyOf("changes")}).Err(); err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	write(t, j, "b")
	if n := client.XLen(t.Context(), keyOf("changes")).Val(); n < 20_000 || n > 20_200 {
		t.Errorf("%d changes are kept, want about 20,000", n)
	}
	for _, place := range []string{first, "0-0"} {
		if _, err := j.Changes(t.Context(), q, place, 1, 0); !errors.Is(err, queue.ErrTooOld) {
			t.Errorf("from %s: got %v, want ErrTooOld", place, err)
		}
	}
}
