package queue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// hasty is a journal of which the promise is due at once.
func hasty(t testing.TB, address string) *queue.Journal {
	t.Helper()
	return journal(t, address, queue.Options{PromiseFor: 1, Lease: atOnce})
}

func told(t testing.TB, j *queue.Journal) int64 {
	t.Helper()
	s, err := j.Stats(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return s.Told
}

func TestATextIsToldBeforeItsPhotosAreSettled(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client := hasty(t, address), connect(t, address)
		photos(t, j, "shop", "a")
		overdue := one(t)(j.Overdue(t.Context(), q, 5))
		if overdue.Key != hash("a") || string(overdue.Payload) != "a" || overdue.Seq != 1 || overdue.Lane == "" {
			t.Errorf("got %+v", overdue)
		}
		if again, err := j.Overdue(t.Context(), q, 5); err != nil || len(again) != 0 {
			t.Errorf("got %+v, %v; want nothing listed twice at once", again, err)
		}
		early := beginPhoto(t, j, "a")
		first, second := telling("pending"), telling("pending twice")
		second.ID = hash("another")[:32]
		want(t, "tell", queue.Mine)(j.Tell(t.Context(), overdue, first))
		want(t, "tell again", queue.Mine)(j.Tell(t.Context(), overdue, first))
		want(t, "another tells", queue.Other)(j.Tell(t.Context(), early, second))
		want(t, "told", int64(1))(told(t, j), nil)
		wantCounts(t, j, counts{inWork: 1, delivered: 1})

		want(t, "complete", queue.Told)(j.Complete(t.Context(), early, queue.End{Document: []byte("received")}))
		want(t, "told as", first.ID)(j.ToldAs(t.Context(), early))
		later := one(t)(j.TakeOver(t.Context(), q, queue.Photos, 1))
		begin(t, j, &later)
		want(t, "told, says begin", first.ID)(later.Told, nil)
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), later, queue.End{Document: []byte("settled"), Told: first.ID, Party: hash("party")}))
		want(t, "tell what is settled", queue.Other)(j.Tell(t.Context(), overdue, second))
		want(t, "told", int64(0))(told(t, j), nil)
		if got := delivered(t, client); !slices.Equal(got, []string{"pending", "settled"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestWhatIsSettledInTimeIsNotOverdue(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := hasty(t, address)
		photos(t, j, "shop", "a")
		e := beginPhoto(t, j, "a")
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("received")}))
		if overdue, err := j.Overdue(t.Context(), q, 5); err != nil || len(overdue) != 0 {
			t.Errorf("got %+v, %v", overdue, err)
		}
		patient := journal(t, address, queue.Options{PromiseFor: time.Hour})
		photos(t, patient, "shop", "b")
		if overdue, err := patient.Overdue(t.Context(), q, 5); err != nil || len(overdue) != 0 {
			t.Errorf("got %+v, %v; want nothing before its time", overdue, err)
		}
	})
}

// A message that is told after its conversation was closed says so then, and not
// when it is settled.
func TestATellingSaysThatItIsLate(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := hasty(t, address)
		photos(t, j, "shop", "a")
		acceptItems(t, j, queue.Item{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")})
		e := beginPhoto(t, j, "a")
		now := telling("in time")
		want(t, "tell", queue.Late)(j.Tell(t.Context(), e, now))
		now.Late, now.Document = true, []byte("late")
		want(t, "tell", queue.Mine)(j.Tell(t.Context(), e, now))
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("settled"), Told: now.ID, Party: hash("party")}))
	})
}

func TestTellingsThatAreWrong(t *testing.T) {
	j := hasty(t, quickRedis(t))
	photos(t, j, "shop", "a")
	e := beginPhoto(t, j, "a")
	for name, spoil := range map[string]func(*queue.Telling){
		"no id":             func(t *queue.Telling) { t.ID = "" },
		"id in capitals":    func(t *queue.Telling) { t.ID = "ABCDEF0123456789" },
		"no document":       func(t *queue.Telling) { t.Document = nil },
		"document too long": func(t *queue.Telling) { t.Document = make([]byte, queue.MaxDocument+1) },
		"message no hash":   func(t *queue.Telling) { t.Message = "m-1" },
		"party no hash":     func(t *queue.Telling) { t.Party = "Ana" },
	} {
		one := telling("pending")
		spoil(&one)
		if _, err := j.Tell(t.Context(), e, one); err == nil {
			t.Errorf("%s: was told", name)
		}
	}
	wantCounts(t, j, counts{inWork: 1})
}

// What a try has brought is kept in the record, for whoever tries next.
func TestARetryKeepsWhatItHas(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, other := journal(t, address, queue.Options{}), journal(t, address, queue.Options{})
		photos(t, j, "shop", "a")
		first := beginPhoto(t, j, "a")
		first.Payload = []byte("a\nand half")
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), first, queue.Retry{Keep: true}))
		want(t, "due", 1)(j.Due(t.Context(), q, 5))
		second := beginPhoto(t, other, "a\nand half")
		if second.Tries != 1 || !slices.Equal(second.Kept, []string{first.Attempt}) {
			t.Errorf("got tries %d, kept %q; want 1 and the first attempt", second.Tries, second.Kept)
		}
		want(t, "retry", queue.Mine)(other.Retry(t.Context(), second, queue.Retry{NoTry: true}))
		want(t, "due", 1)(j.Due(t.Context(), q, 5))
		if err := other.Release(t.Context(), takePhotos(t, other, "a\nand half")[0]); err != nil {
			t.Fatal(err)
		}
		third := beginPhoto(t, j, "a\nand half")
		if third.Tries != 1 || third.Lost != "" || !slices.Equal(third.Kept, second.Kept) {
			t.Errorf("got %+v, want no try counted, nothing lost, and the first attempt kept", third)
		}
		third.Payload = make([]byte, queue.MaxPayload+1)
		if _, err := j.Retry(t.Context(), third, queue.Retry{}); err == nil {
			t.Error("a payload larger than the limit was put off")
		}
	})
}

// An entry may be put off and changed by others between Take and Begin.
func TestBeginBringsTheRecordAsItIs(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, other := journal(t, address, queue.Options{}), journal(t, address, queue.Options{Lease: atOnce})
		photos(t, j, "shop", "a")
		slow := takePhotos(t, j, "a")[0]
		fast := one(t)(other.TakeOver(t.Context(), q, queue.Photos, 1))
		begin(t, other, &fast)
		fast.Payload = []byte("a changed")
		want(t, "retry", queue.Mine)(other.Retry(t.Context(), fast, queue.Retry{}))
		want(t, "due", 1)(j.Due(t.Context(), q, 5))
		if got := takePhotos(t, j, "a changed")[0]; got.Tries != 1 {
			t.Errorf("got %+v", got)
		}
		if err := j.Begin(t.Context(), &slow, ""); err == nil {
			t.Error("an entry that has moved on was begun")
		}
	})
}
