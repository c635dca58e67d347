package queue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// photo makes a message with photos on an account.
func photo(name, account string) queue.Item {
	i := item(name)
	i.Lane = hash("lane " + account)[:32]
	return i
}

func photos(t testing.TB, j *queue.Journal, account string, names ...string) []queue.Accepted {
	t.Helper()
	items := make([]queue.Item, len(names))
	for i, name := range names {
		items[i] = photo(name, account)
	}
	return acceptItems(t, j, items...)
}

// takePhotos takes what is in the inbox of photos, and wants these.
func takePhotos(t testing.TB, j *queue.Journal, names ...string) []queue.Entry {
	t.Helper()
	entries, err := j.Take(t.Context(), q, queue.Photos, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, string(e.Payload))
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		t.Fatalf("took %q, want %q", got, names)
	}
	return entries
}

// beginPhoto takes the one message with photos that is in the inbox.
func beginPhoto(t testing.TB, j *queue.Journal, name string) queue.Entry {
	t.Helper()
	e := takePhotos(t, j, name)[0]
	begin(t, j, &e)
	return e
}

func TestAnAccountsPhotosDelayNoOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{PerAccount: 2})
		photos(t, j, "many", "1", "2", "3", "4", "5")
		photos(t, j, "few", "a")
		accept(t, j, "text")
		wantCounts(t, j, counts{waiting: 7})
		e := takePhotos(t, j, "1", "2", "a")
		wantCounts(t, j, counts{waiting: 4, inWork: 3})
		begin(t, j, &e[0])
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e[0], queue.End{Document: []byte("1")}))
		begin(t, j, &takePhotos(t, j, "3")[0])
		begin(t, j, &e[1])
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), e[1], queue.Retry{}))
		fourth := beginPhoto(t, j, "4")
		wantCounts(t, j, counts{waiting: 2, inWork: 3, delayed: 1, delivered: 1})
		want(t, "hold", queue.Mine)(j.Retry(t.Context(), fourth, queue.Retry{Hold: true}))
		takePhotos(t, j)
		want(t, "due", 2)(j.Due(t.Context(), q, 10))
		takePhotos(t, j, "4")
		wantCounts(t, j, counts{waiting: 3, inWork: 3, delivered: 1})
		begin(t, j, &e[2])
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e[2], queue.End{}))
		lanes, err := j.Lanes(t.Context(), q)
		if err != nil || len(lanes) != 1 || lanes[0].InWindow != 2 || lanes[0].Waiting != 2 || lanes[0].Oldest > time.Minute {
			t.Errorf("got lanes %+v, error %v; want one with two in its window and two behind", lanes, err)
		}
	})
}
