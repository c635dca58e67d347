package inbound

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/hosts"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/media"
)

// jobOf is a message of so many photos, of which some are settled.
func jobOf(photos int, settled ...int) job {
	j := job{Version: jobVersion, Channel: "line", Account: "line/acme", ReceivedAt: time.Now()}
	j.Event = connectors.Event{Kind: connectors.Message, ID: "1", Photos: make([]connectors.Photo, photos)}
	for _, i := range settled {
		j.settle(i, queue.Photo{ID: "own", Status: queue.Ready})
	}
	j.fresh, j.wrote = nil, false
	return j
}

// Whoever settles a told message knows from its id which photos agents wait for.
func TestTellingSaysWhatItLeavesOpen(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{32}$`)
	for _, j := range []job{jobOf(1), jobOf(3, 1), jobOf(maxPhotos), jobOf(maxPhotos, 0, 7, 19), jobOf(maxPhotos, 1, 2, 3)} {
		telling, other := newTelling(j), newTelling(j)
		if !form.MatchString(telling) || telling == other {
			t.Errorf("got %q and %q, want ids of their own", telling, other)
		}
		told := j.toldPhotos("support", telling)
		for i, p := range told {
			if leftOpen(telling, i) == j.settled(i) || (p.Status == queue.Pending) == j.settled(i) {
				t.Errorf("photo %d of %d, settled %v: told as %+v", i, len(told), j.settled(i), p)
			}
			if !j.settled(i) {
				j.settle(i, queue.Photo{ID: "own", Status: queue.Ready})
			}
		}
		settled := j.settledPhotos("support", telling)
		for _, p := range told {
			if p.Status != queue.Pending {
				continue
			}
			if len(settled) == 0 || settled[0].ID != p.ID || settled[0].Status != queue.Ready {
				t.Fatalf("got %+v settled, want %s next", settled, p.ID)
			}
			settled = settled[1:]
		}
		if len(settled) > 0 {
			t.Errorf("got %+v settled, which were not pending", settled)
		}
	}
	for _, strange := range []string{"", "x", "no hex at all", strings.Repeat("0", 32)} {
		if leftOpen(strange, 0) {
			t.Errorf("%q leaves a photo open", strange)
		}
	}
}

// What is settled goes to the next try, if there is room for it, and where the
// journal keeps the pictures that it names.
func TestCarried(t *testing.T) {
	small, large := json.RawMessage(`{"a":1}`), json.RawMessage(`"`+strings.Repeat("x", maxRaw-2)+`"`)
	for name, test := range map[string]struct {
		lane       string
		raw        json.RawMessage
		text       int
		keep, done bool
	}{
		"as it is":              {"lane", small, 100, true, true},
		"without room for all":  {"lane", large, queue.MaxPayload - maxRaw, true, true},
		"without room for that": {"lane", small, queue.MaxPayload, false, false},
		"journaled differently": {"", small, 100, false, false},
	} {
		j := jobOf(2)
		j.Event.Raw, j.Event.Text = test.raw, strings.Repeat("t", test.text)
		e := queue.Entry{Lane: test.lane, Payload: []byte("before")}
		j.settle(1, queue.Photo{ID: "own", Status: queue.Ready})
		payload, keep := j.carried(e)
		if keep != test.keep || bytes.Contains(payload, []byte(`"done":{"1"`)) != test.done || len(payload) > queue.MaxPayload {
			t.Errorf("%s: got %d bytes, keep %v; want keep %v, and the photo in it %v", name, len(payload), keep, test.keep, test.done)
		}
		if !test.done && string(payload) != "before" {
			t.Errorf("%s: got another payload", name)
		}
	}
	j := jobOf(1)
	j.settle(0, queue.Photo{ID: "own", Status: queue.Rejected})
	if _, keep := j.carried(queue.Entry{Lane: "lane"}); keep {
		t.Error("pictures of a rejected photo are kept")
	}
}

// Messages whose host is left alone keep their place for a little while, lose no
// try for a day, and wait no longer than their photos live.
func TestPutOff(t *testing.T) {
	now := time.Now()
	l := &Line{Work: config.Default().Work, Log: slog.New(slog.DiscardHandler)}
	fails := func(span time.Duration) error { return &hosts.Wait{Host: "h", Reason: hosts.Fails, For: span} }
	down := &connectors.Error{Kind: connectors.Unavailable, Down: true, Op: "test"}
	for name, test := range map[string]struct {
		cause       error
		held, waits int
		age, life   time.Duration
		hold, noTry bool
		least, most time.Duration
		heldAfter   int
	}{
		"busy":                 {&hosts.Wait{Reason: hosts.Busy, For: time.Second}, 3, 0, 0, 0, true, true, time.Second, time.Second, 3},
		"the host fails":       {fails(30 * time.Second), 0, 0, 0, 0, true, true, 30 * time.Second, 30 * time.Second, 1},
		"and again":            {fails(30 * time.Second), 1, 0, 0, 0, false, true, 30 * time.Second, 2 * time.Minute, 2},
		"and for long":         {fails(30 * time.Second), 50, 0, 0, 0, false, true, 30 * time.Second, 15 * time.Minute, 51},
		"a long pause":         {&hosts.Wait{Reason: hosts.Paused, For: 10 * time.Minute}, 0, 0, 0, 0, false, true, 10 * time.Minute, 10 * time.Minute, 1},
		"after a day":          {fails(30 * time.Second), 9, 0, 25 * time.Hour, 0, false, false, 30 * time.Second, 15 * time.Minute, 10},
		"the photo's end":      {fails(30 * time.Second), 0, 0, 0, 10 * time.Second, true, true, 10 * time.Second, 10 * time.Second, 1},
		"the platform failed":  {down, 7, 0, 0, 0, false, false, 1, time.Second, 0},
		"the last seconds":     {down, 0, 0, 0, 100 * time.Millisecond, false, false, 1, 100 * time.Millisecond, 0},
		"busy again and again": {&hosts.Wait{Reason: hosts.Busy, For: time.Second}, 0, 99, 0, 0, true, true, 8 * time.Second, 8 * time.Second, 0},
		"ours":                 {budget.ErrNoRoom, 7, 0, 0, 0, false, true, 1, 30 * time.Second, 0},
		"ours for long":        {budget.ErrNoRoom, 0, 99, 0, 0, false, true, 1, 2 * time.Minute, 0},
		"the store fails":      {errNotStored, 0, 0, 0, 0, true, true, 1, 30 * time.Second, 0},
		"the store is away":    {errStoreAway, 0, 0, 0, 0, true, true, 1, 30 * time.Second, 0},
	} {
		j := jobOf(2, 0)
		j.Held, j.Waits = test.held, test.waits
		j.Event.Photos[0].Until = now.Add(time.Nanosecond) // it is settled
		if test.life > 0 {
			j.Event.Photos[1].Until = now.Add(test.life)
		}
		got := l.putOff(queue.Entry{AcceptedAt: now.Add(-test.age), BegunAt: now}, &j, test.cause)
		if got.Hold != test.hold || got.NoTry != test.noTry || got.After < test.least || got.After > test.most || j.Held != test.heldAfter {
			t.Errorf("%s: got %+v, held %d; want hold %v, no try %v, %v to %v, held %d",
				name, got, j.Held, test.hold, test.noTry, test.least, test.most, test.heldAfter)
		}
	}
	for name, test := range map[string]struct {
		age   time.Duration
		tries int
		cause error
		want  media.Reason
	}{
		"a host that may come back":     {0, 100, fails(time.Second), ""},
		"a host that is gone for a day": {25 * time.Hour, l.Work.Attempts - 1, fails(time.Second), media.Unreachable},
		"and a try is left":             {25 * time.Hour, l.Work.Attempts - 2, fails(time.Second), ""},
		"tries used up":                 {0, l.Work.Attempts - 1, down, media.Unreachable},
	} {
		verdict := l.final(queue.Entry{Tries: test.tries, AcceptedAt: now.Add(-test.age), BegunAt: now}, connectors.Photo{}, test.cause)
		if (verdict == nil) != (test.want == "") || verdict != nil && verdict.Reason != test.want {
			t.Errorf("%s: got %v, want %q", name, verdict, test.want)
		}
	}
}
