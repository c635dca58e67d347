package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func zAt(score float64, member string) redis.Z { return redis.Z{Score: score, Member: member} }

func TestDeadLettersKeepWhatAnOperatorNeeds(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		accept(t, j, "a\nb\x00\xff")
		e := begun(t, j)
		want(t, "dead", queue.Mine)(j.Complete(t.Context(), e, queue.End{Cause: "no tries left"}))
		wantCounts(t, j, counts{dead: 1})
		letters, err := j.Letters(t.Context(), q, 10)
		if err != nil || len(letters) != 1 {
			t.Fatalf("got %d letters, error %v", len(letters), err)
		}
		got := letters[0]
		if got.Key != e.Key || got.Cause != "no tries left" || !bytes.Equal(got.Raw, e.Payload) || got.RawBytes != len(e.Payload) ||
			got.Conversation != e.Conversation || got.Seq != 1 || !got.AcceptedAt.Equal(e.AcceptedAt) ||
			got.DiedAt.Before(e.AcceptedAt) {
			t.Errorf("got %+v for %+v", got, e)
		}
		if again := accept(t, j, "a\nb\x00\xff"); again[0].New {
			t.Error("a dead event was accepted again")
		}
	})
}

func TestBuriedEventsAreCappedAndKnownAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		letter := queue.Letter{
			Key: hash("broken"), Cause: strings.Repeat("ö", queue.MaxCause), Raw: make([]byte, queue.MaxRaw+1),
		}
		want(t, "bury", true)(bury(t, j, letter))
		want(t, "bury again", false)(bury(t, j, letter))
		wantCounts(t, j, counts{dead: 1})
		letters, err := j.Letters(t.Context(), q, 10)
		if err != nil || len(letters) != 1 {
			t.Fatalf("got %d letters, error %v", len(letters), err)
		}
		got := letters[0]
		if len(got.Raw) != queue.MaxRaw || got.RawBytes != queue.MaxRaw+1 || len(got.Cause) > queue.MaxCause ||
			!strings.HasPrefix(got.Cause, "öö") || strings.ContainsRune(got.Cause, '\uFFFD') {
			t.Errorf("got %d of %d raw bytes, cause %q", len(got.Raw), got.RawBytes, got.Cause)
		}
		if accepted := accept(t, j, "broken"); accepted[0].New {
			t.Error("a buried event was accepted")
		}
		letter.Key = "../x"
		if _, err := bury(t, j, letter); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("got %v for a key that is no hash, want ErrInvalid", err)
		}
	})
}

func TestOldLettersExpireAndYoungOnesStay(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client, slot := journal(t, address, queue.Options{}), connect(t, address), "{"+queue.Stream(q)+"}:"
		for _, name := range []string{"young", "old"} {
			want(t, "bury", true)(bury(t, j, queue.Letter{Key: hash(name)}))
		}
		client.ZAdd(t.Context(), slot+"dead", zAt(float64(time.Now().Add(-time.Hour).UnixMilli()), hash("old")))
		want(t, "expire", 1)(j.Expire(t.Context(), q, time.Minute, 10))
		want(t, "expire again", 0)(j.Expire(t.Context(), q, time.Minute, 10))
		letters, err := j.Letters(t.Context(), q, 10)
		if err != nil || len(letters) != 1 || letters[0].Key != hash("young") {
			t.Errorf("got %+v, error %v; want the young one", letters, err)
		}
		if client.HExists(t.Context(), slot+"dead:data", hash("old")).Val() {
			t.Error("what is kept of the old one has stayed")
		}
	})
}

// The newest letters are kept, and what was removed is told of.
func TestLettersTakeUpNoMoreThanTheyMay(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		var told []queue.Expired
		options := queue.Options{LettersBytes: 2500, OnExpired: func(e queue.Expired) { told = append(told, e) }}
		j, client, slot := journal(t, address, options), connect(t, address), "{"+queue.Stream(q)+"}:"
		for i := range 5 {
			want(t, "bury", true)(bury(t, j, queue.Letter{Key: hash(fmt.Sprint(i)), Raw: make([]byte, 1000)}))
			for died := client.Time(t.Context()).Val().UnixMilli(); client.Time(t.Context()).Val().UnixMilli() == died; {
			} // the oldest is known by its millisecond
		}
		letters, err := j.Letters(t.Context(), q, 10)
		if err != nil || len(letters) != 2 || letters[0].Key != hash("3") || letters[1].Key != hash("4") {
			t.Errorf("got %d letters, error %v; want the two newest", len(letters), err)
		}
		one := queue.Expired{Queue: q, Why: "bytes", Letters: 1}
		if want := []queue.Expired{one, one, one}; !slices.Equal(told, want) {
			t.Errorf("told of %+v, want %+v", told, want)
		}
		smaller := journal(t, address, queue.Options{LettersBytes: 2000, OnExpired: options.OnExpired})
		want(t, "expire", 1)(smaller.Expire(t.Context(), q, time.Hour, 10))
		s, err := j.Stats(t.Context(), q)
		if err != nil || s.Dead != 1 || s.DeadBytes < 1000 || s.DeadBytes > 1300 || len(told) != 4 {
			t.Errorf("got %+v, error %v, told of %d; want one letter", s, err, len(told))
		}
		want(t, "expire all", 1)(j.Expire(t.Context(), q, -time.Second, 10))
		if client.Exists(t.Context(), slot+"dead:data").Val() != 0 {
			t.Error("without letters, something of them has stayed")
		}
	})
}

func TestCompleteRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	j := journal(t, queuetest.Redis(t), queue.Options{})
	accept(t, j, "a")
	e := begun(t, j)
	for name, end := range map[string]queue.End{
		"document too large":     {Document: make([]byte, queue.MaxDocument+1)},
		"message that is none":   {Message: "../x"},
		"party that is none":     {Party: "x"},
		"notice without a party": {Notice: &queue.Notice{Key: hash("n")}},
		"notice without a key":   {Party: hash("p"), Notice: &queue.Notice{}},
		"notice too large":       {Party: hash("p"), Notice: &queue.Notice{Key: hash("n"), Payload: make([]byte, queue.MaxPayload+1)}},
	} {
		if _, err := j.Complete(t.Context(), e, end); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	wantCounts(t, j, counts{inWork: 1})
}

func TestStatsTellAgesAndReaders(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client := connect(t, address)
		j := journal(t, address, queue.Options{})
		if s, err := j.Stats(t.Context(), "nobody-uses-this"); err != nil || s != (queue.Stats{}) {
			t.Errorf("a queue that is not there: got %+v, %v", s, err)
		}
		hour := time.Now().Add(-time.Hour).UnixMilli()
		slot := "{" + queue.Stream(q) + "}:"
		client.XAdd(t.Context(), &redis.XAddArgs{Stream: queue.Stream(q), ID: idAt(hour), Values: []string{"event", "{}"}})
		client.XAdd(t.Context(), &redis.XAddArgs{Stream: slot + "inbox", ID: idAt(hour), Values: []string{"v", "1"}})
		client.ZAdd(t.Context(), slot+"delayed", zAt(float64(hour), "x"))
		client.ZAdd(t.Context(), slot+"dead", zAt(float64(hour), "x"))
		s, err := j.Stats(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for name, age := range map[string]time.Duration{
			"waiting": s.OldestWaiting, "delivered": s.OldestDelivered, "dead": s.OldestDead, "overdue": s.Overdue,
		} {
			if age < 59*time.Minute || age > 2*time.Hour {
				t.Errorf("%s: got an age of %v, want an hour", name, age)
			}
		}
		if s.Readers != 0 || s.Unfinished() != 2 {
			t.Errorf("got %+v, want no reader and 2 unfinished", s)
		}
		client.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: "agents", Consumer: "desk", Streams: []string{queue.Stream(q), ">"}, Block: -1})
		if s, err := j.Stats(t.Context(), q); err != nil || s.Readers != 1 {
			t.Errorf("got %d readers, %v; want 1 that starts from the beginning", s.Readers, err)
		}
	})
}

// checkLetterBytes compares the count of the letters' bytes with the letters.
func checkLetterBytes(t rapid.TB, client redis.Cmdable) {
	t.Helper()
	kept, err := client.HGetAll(context.Background(), "{"+queue.Stream(q)+"}:dead:data").Result()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for key, letter := range kept {
		if key != "bytes" && key != "counted" {
			sum += len(letter)
		}
	}
	if got := kept["bytes"]; got != fmt.Sprint(sum) && len(kept) > 0 {
		t.Fatalf("letters are counted as %s bytes, and have %d", got, sum)
	}
}

// Letters of a release that did not count their bytes are counted in steps, and
// those that go before are not taken off what others take up.
func TestLettersOfAnOlderReleaseAreCounted(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client := journal(t, address, queue.Options{}), connect(t, address)
		for i := range 7 {
			key := hash(fmt.Sprint("old ", i))
			client.HSet(t.Context(), keyOf("dead:data"), key, "{}\n"+strings.Repeat("x", 100+i))
			client.ZAdd(t.Context(), keyOf("dead"), zAt(float64(time.Now().UnixMilli()-10_000+int64(i)/3), key)) // three in a millisecond
		}
		bytes := func() int64 {
			t.Helper()
			s, err := j.Stats(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return s.DeadBytes
		}
		want(t, "bury", true)(bury(t, j, queue.Letter{Key: hash("new"), Raw: make([]byte, 50)}))
		first := bytes()
		want(t, "drop", 1)(j.DropLetters(t.Context(), q, hash("old 0")))
		if got := bytes(); got != first || got < 50 {
			t.Errorf("an uncounted letter was dropped: %d bytes are counted, want still %d", got, first)
		}
		want(t, "expire", 0)(j.Expire(t.Context(), q, time.Hour, 2))
		if got := bytes(); got <= first {
			t.Errorf("after a step %d bytes are counted, and were %d before", got, first)
		}
		want(t, "drop", 2)(j.DropLetters(t.Context(), q, hash("old 1"), hash("old 6")))
		for range 3 {
			want(t, "expire", 0)(j.Expire(t.Context(), q, time.Hour, 2))
		}
		checkLetterBytes(t, client)
		want(t, "bury", true)(bury(t, j, queue.Letter{Key: hash("another")}))
		checkLetterBytes(t, client)
	})
}
