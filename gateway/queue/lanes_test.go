package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
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
		for i := range lanes {
			if lanes[i].Oldest > time.Minute || (lanes[i].Oldest > 0) != (lanes[i].Waiting > 0) {
				t.Errorf("the oldest is of %v", lanes[i].Oldest)
			}
			lanes[i].Oldest = 0
		}
		few := queue.LaneStats{Lane: photo("", "few").Lane, Accepted: 1, Finished: 1}
		many := queue.LaneStats{Lane: photo("", "many").Lane, InWindow: 2, Waiting: 2, Accepted: 5, Finished: 1}
		if err != nil || !slices.Equal(lanes, []queue.LaneStats{few, many}) {
			t.Errorf("got lanes %+v, error %v; want %+v and %+v", lanes, err, few, many)
		}
	})
}

// A window that names what is nowhere would keep the others out for ever.
func TestALaneThatIsStuckIsRepaired(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		var told []queue.Breach
		client := connect(t, address)
		j := journalOn(t, client, queue.Options{PerAccount: 3, OnBreach: func(b queue.Breach) { told = append(told, b) }})
		photos(t, j, "shop", "gone", "deleted", "put off", "behind")
		entries := takePhotos(t, j, "gone", "deleted", "put off")
		begin(t, j, &entries[2])
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), entries[2], queue.Retry{After: time.Hour, Hold: true}))
		client.XDel(t.Context(), keyOf("photos"), entries[0].ID, entries[1].ID)
		client.HDel(t.Context(), keyOf("photos:data"), hash("gone"))
		if err := j.EnsureQueue(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if len(told) != 1 || told[0].What != "lane names an entry that is gone" || len(told[0].IDs) != 2 {
			t.Errorf("told %+v, want both named once", told)
		}
		takePhotos(t, j, "deleted", "behind")
		told = nil
		if err := j.EnsureQueue(t.Context(), q); err != nil || len(told) != 0 {
			t.Errorf("a lane in order: error %v, told %+v", err, told)
		}
	})
}

// A message with photos may wait for longer than its repeats are recognised.
func TestAPhotoThatOutlivesItsMarkIsNotDoubled(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client := journal(t, address, queue.Options{}), connect(t, address)
		first := photos(t, j, "shop", "a")[0]
		client.Del(t.Context(), keyOf("seen:"+hash("a")))
		for range 2 {
			if again := photos(t, j, "shop", "a")[0]; again.New || again.Conversation != first.Conversation || again.Seq != first.Seq {
				t.Errorf("got %+v, want a repeat of %+v", again, first)
			}
		}
		wantCounts(t, j, counts{waiting: 1})
		client.Del(t.Context(), keyOf("seen:"+hash("a")))
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), beginPhoto(t, j, "a"), queue.End{Document: []byte("received")}))
		if photos(t, j, "shop", "a")[0].New {
			t.Error("a message that was finished without its mark was accepted again")
		}
	})
}

// What has no record is nobody's work, and must not take a place.
func TestAnEntryWithoutARecordMakesRoom(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		var told []queue.Breach
		client := connect(t, address)
		j := journalOn(t, client, queue.Options{PerAccount: 1, OnBreach: func(b queue.Breach) { told = append(told, b) }})
		photos(t, j, "shop", "lost", "lost in hand", "behind")
		client.HDel(t.Context(), keyOf("photos:data"), hash("lost"))
		takePhotos(t, j)
		if len(told) != 1 || told[0].What != "journal entry has no record" {
			t.Errorf("told %+v", told)
		}
		e := takePhotos(t, j, "lost in hand")[0]
		client.HDel(t.Context(), keyOf("photos:data"), e.Key)
		if err := j.Begin(t.Context(), &e, ""); !errors.Is(err, queue.ErrFenced) {
			t.Errorf("got %v, want ErrFenced", err)
		}
		takePhotos(t, j, "behind")
		if got, unaccounted := countAll(t, j); got != (counts{inWork: 1}) || unaccounted != 2 {
			t.Errorf("got %+v and %d unaccounted, want one in work, and both that were lost missed", got, unaccounted)
		}
	})
}

// Old and new gateways run side by side while they are replaced.
func TestARecordOfANewerReleaseIsLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		var told heard
		client := connect(t, address)
		j := journalOn(t, client, told.telling(queue.Options{PromiseFor: 1, Lease: atOnce}))
		photos(t, j, "shop", "newer", "broken", "ours")
		const record = "2 in another way\npayload"
		client.HSet(t.Context(), keyOf("photos:data"), hash("newer"), record, hash("broken"), "1 in no way\npayload")
		ids := map[string]string{}
		for _, m := range client.XRange(t.Context(), keyOf("photos"), "-", "+").Val() {
			ids[m.Values["key"].(string)] = m.ID
		}
		takePhotos(t, j, "ours")
		told.want(t, []string{ids[hash("newer")]}, "journal entry cannot be read "+ids[hash("broken")])
		if entries, err := j.Overdue(t.Context(), q, 5); err != nil || len(entries) != 1 || string(entries[0].Payload) != "ours" {
			t.Errorf("overdue: got %+v, %v", entries, err)
		}
		told.want(t, []string{hash("newer")}, "record cannot be read "+hash("broken"))
		if again := photos(t, j, "shop", "newer")[0]; again.New {
			t.Error("its repeat was accepted")
		}
		client.Del(t.Context(), keyOf("seen:"+hash("newer")))
		if again := photos(t, j, "shop", "newer")[0]; again.New {
			t.Error("its repeat was accepted without a mark")
		}
		if got := client.HGet(t.Context(), keyOf("photos:data"), hash("newer")).Val(); got != record {
			t.Errorf("the record is %q now", got)
		}
		wantCounts(t, j, counts{inWork: 3})
	})
}

// A lane's counts are looked at before anything is written, as all that is counted up.
func TestACountThatIsNoNumberIsLeftAlone(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	j, client := journal(t, address, queue.Options{}), connect(t, address)
	photos(t, j, "shop", "a")
	e := beginPhoto(t, j, "a")
	for _, field := range []string{"accepted:", "finished:"} {
		field += e.Lane
		client.HSet(t.Context(), keyOf("counts"), field, "many")
		before := dump(t, client)
		_, accept := j.Accept(t.Context(), q, []queue.Item{photo("b", "shop")})
		_, complete := j.Complete(t.Context(), e, queue.End{})
		for _, err := range []error{accept, complete} {
			if err == nil || !strings.Contains(err.Error(), "WRONGVALUE") {
				t.Errorf("%s: got %v, want our own WRONGVALUE", field, err)
			}
		}
		if got := changed(before, dump(t, client)); len(got) != 0 {
			t.Errorf("%s: %v was changed", field, got)
		}
		client.HSet(t.Context(), keyOf("counts"), field, 1)
	}
}

func TestItemsOfAWrongLane(t *testing.T) {
	j := journal(t, quickRedis(t), queue.Options{})
	text, mixed, odd := photo("a", "shop"), photo("a", "shop"), photo("a", "shop")
	text.Lane, mixed.Kind, mixed.Message, odd.Digest = "shop", queue.ItemEdit, hash("message"), "no hash"
	for _, i := range []queue.Item{text, mixed, odd} {
		if _, err := j.Accept(t.Context(), q, []queue.Item{i}); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%+v: got %v, want ErrInvalid", i, err)
		}
	}
}

func TestARepeatWithAnotherDigestIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		mismatch := func(digest string) bool {
			t.Helper()
			i := item("a")
			i.Digest = digest
			return acceptItems(t, j, i)[0].Mismatch
		}
		for when, finish := range map[string]func(){
			"waiting": func() {},
			"done": func() {
				want(t, "complete", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{Document: []byte("received")}))
			},
		} {
			if mismatch(hash("first")) {
				t.Errorf("%s: the first differs from itself", when)
			}
			finish()
			if mismatch(hash("first")) || mismatch("") || !mismatch(hash("second")) {
				t.Errorf("%s: only another digest is a mismatch", when)
			}
			connect(t, address).FlushAll(t.Context())
			if err := j.EnsureQueue(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Who has no slot for a photo waits beside the inbox and takes nothing.
func TestListenTakesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		want(t, "nothing there", false)(j.Listen(t.Context(), q, queue.Photos, 0))
		photos(t, j, "shop", "a")
		for range 2 {
			want(t, "something there", true)(j.Listen(t.Context(), q, queue.Photos, time.Second))
		}
		wantCounts(t, j, counts{waiting: 1})
		takePhotos(t, j, "a")
		want(t, "taken by somebody", false)(j.Listen(t.Context(), q, queue.Photos, 0))
		heard := make(chan bool, 1)
		go func() {
			some, err := false, error(nil)
			for !some && err == nil {
				some, err = j.Listen(t.Context(), q, queue.Photos, 5*time.Second)
			}
			heard <- some
		}()
		photos(t, j, "shop", "b")
		if !<-heard {
			t.Error("a listener did not hear of a photo")
		}
		connect(t, address).FlushAll(t.Context())
		want(t, "no streams", false)(j.Listen(t.Context(), q, queue.Photos, 0))
	})
}

// Redis does nothing else while a script goes through a line, in which there may be
// thousands that were unsent; and their lane must not stand still for it.
func TestALineOfUnsentMessagesIsPassedOverInSteps(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		const unsent, limit = 250, 100
		j, client := journal(t, address, queue.Options{PerAccount: 1}), connect(t, address)
		photos(t, j, "shop", "first")
		for i := range unsent {
			photos(t, j, "shop", fmt.Sprint(i))
			client.HDel(t.Context(), keyOf("photos:data"), hash(fmt.Sprint(i))) // as an unsend does
		}
		client.HIncrBy(t.Context(), keyOf("counts"), "finished", unsent)
		photos(t, j, "shop", "last")
		e := beginPhoto(t, j, "first")
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{}))
		want(t, "left in line", int64(unsent+1-limit))(client.LLen(t.Context(), laneKeys("shop")[0]).Result())
		takePhotos(t, j)
		want(t, "due", limit)(j.Due(t.Context(), q, limit))
		want(t, "due", unsent-2*limit)(j.Due(t.Context(), q, limit))
		takePhotos(t, j, "last")
		want(t, "due", 0)(j.Due(t.Context(), q, limit))
		wantCounts(t, j, counts{inWork: 1})
	})
}
