package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// diedAt makes letters of these names, of which each died so long ago.
func diedAt(t *testing.T, j *queue.Journal, client redis.Cmdable, ago time.Duration, names ...string) {
	t.Helper()
	var letters []queue.Letter
	for _, name := range names {
		letters = append(letters, queue.Letter{Key: hash(name), Cause: name})
	}
	if _, err := j.Bury(t.Context(), q, letters); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		client.ZAdd(t.Context(), "{"+queue.Stream(q)+"}:dead", zAt(float64(time.Now().Add(-ago).UnixMilli()), hash(name)))
	}
}

func numbered(what string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint(what, i))
	}
	return names
}

// causes lists the letters of a span.
func causes(t *testing.T, j *queue.Journal, span queue.Span) (list []string) {
	t.Helper()
	for l, err := range j.AllLetters(t.Context(), q, span) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, l.Cause)
	}
	return list
}

// More letters than one look reads, and more of them of one millisecond.
func TestAllLettersAreListedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client := journal(t, address, queue.Options{}), connect(t, address)
		if got := causes(t, j, queue.Span{}); len(got) != 0 {
			t.Errorf("got %d letters of an empty queue", len(got))
		}
		diedAt(t, j, client, 3*time.Hour, numbered("old", 130)...)
		diedAt(t, j, client, 2*time.Hour, "middle")
		diedAt(t, j, client, time.Hour, numbered("new", 120)...)
		for _, row := range []struct {
			span       queue.Span
			want       int
			first, end string
		}{
			{queue.Span{}, 251, "old", "new"},
			{queue.Span{Older: 90 * time.Minute}, 131, "old", "middle"},
			{queue.Span{Newer: 150 * time.Minute}, 121, "middle", "new"},
			{queue.Span{Older: 90 * time.Minute, Newer: 150 * time.Minute}, 1, "middle", "middle"},
			{queue.Span{Older: 24 * time.Hour}, 0, "", ""},
		} {
			got, once := causes(t, j, row.span), map[string]bool{}
			for _, name := range got {
				once[name] = true
			}
			if len(got) != row.want || len(once) != row.want ||
				row.want > 0 && (!strings.HasPrefix(got[0], row.first) || !strings.HasPrefix(got[len(got)-1], row.end)) {
				t.Errorf("%+v: got %d letters, %d different ones, want %d from %s to %s", row.span, len(got), len(once), row.want, row.first, row.end)
			}
		}
	})
}

// Whoever goes through the letters may remove each on the way.
func TestLettersAreListedWhileTheyAreDropped(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, client := journal(t, address, queue.Options{}), connect(t, address)
		diedAt(t, j, client, time.Hour, numbered("a", 75)...)
		diedAt(t, j, client, time.Minute, numbered("b", 75)...)
		seen := 0
		for l, err := range j.AllLetters(t.Context(), q, queue.Span{}) {
			if err != nil {
				t.Fatal(err)
			}
			seen++
			want(t, "drop", 1)(j.DropLetters(t.Context(), q, l.Key))
		}
		if seen != 150 {
			t.Errorf("%d letters were seen, want 150", seen)
		}
		wantCounts(t, j, counts{})
	})
}

func TestLettersAreFoundByTheBeginningOfTheirKey(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		for _, key := range []string{"aaaa" + hash("1"), "aaab" + hash("2"), "bbbb" + hash("3")} {
			want(t, "bury", true)(bury(t, j, queue.Letter{Key: key, Cause: key[:4]}))
		}
		for prefix, n := range map[string]int{"aaa": 2, "aaaa": 1, "b": 1, "c": 0, "aaaa" + hash("1"): 1} {
			found, err := j.FindLetters(t.Context(), q, prefix, 10)
			if err != nil || len(found) != n || n == 1 && (!strings.HasPrefix(prefix, found[0].Cause[:1]) || found[0].DiedAt.IsZero()) {
				t.Errorf("%s: got %+v, error %v, want %d", prefix, found, err, n)
			}
		}
		if found, err := j.FindLetters(t.Context(), q, "aaa", 1); err != nil || len(found) != 1 {
			t.Errorf("got %d letters, error %v, want no more than one", len(found), err)
		}
		for _, prefix := range []string{"", "*", "a*", "A", "[a]", "../x"} {
			if _, err := j.FindLetters(t.Context(), q, prefix, 1); !errors.Is(err, queue.ErrInvalid) {
				t.Errorf("%q: got %v, want ErrInvalid", prefix, err)
			}
		}
	})
}

func TestADroppedLetterIsGoneAndStaysKnown(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		buriedA(t, j, nil)
		want(t, "drop another", 0)(j.DropLetters(t.Context(), q, hash("b")))
		want(t, "drop", 1)(j.DropLetters(t.Context(), q, hash("a"), hash("b")))
		want(t, "drop again", 0)(j.DropLetters(t.Context(), q, hash("a")))
		want(t, "a platform's repeat is new", false)(bury(t, j, queue.Letter{Key: hash("a")}))
		if got := accept(t, j, "a"); got[0].New {
			t.Error("a platform's repeat was accepted")
		}
		if _, err := j.DropLetters(t.Context(), q, "../x"); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("got %v for a key that is no hash, want ErrInvalid", err)
		}
	})
}

// What never was in the journal is accepted, and only then its letter goes.
func TestABuriedEventIsAccepted(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		want(t, "unbury what is not there", false)(j.Unbury(t.Context(), q, hash("a")))
		buriedA(t, j, nil)
		want(t, "clear before it is accepted", 0)(j.ClearLetters(t.Context(), q, hash("a")))
		want(t, "unbury", true)(j.Unbury(t.Context(), q, hash("a")))
		wantCounts(t, j, counts{dead: 1})
		want(t, "a platform's repeat is buried again", true)(bury(t, j, queue.Letter{Key: hash("a")}))
		if got := accept(t, j, "a"); got[0].New {
			t.Error("accepted in spite of the platform's repeat")
		}
		want(t, "clear what the repeat has made", 0)(j.ClearLetters(t.Context(), q, hash("a")))
		want(t, "unbury", true)(j.Unbury(t.Context(), q, hash("a")))
		if got := accept(t, j, "a"); !got[0].New {
			t.Error("not accepted")
		}
		want(t, "unbury again", true)(j.Unbury(t.Context(), q, hash("a")))
		if got := accept(t, j, "a"); got[0].New {
			t.Error("accepted twice")
		}
		want(t, "clear", 1)(j.ClearLetters(t.Context(), q, hash("a")))
		wantCounts(t, j, counts{waiting: 1})
	})
}
