package agent_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// messageEvent is the data of the event message.
type messageEvent struct {
	Conversation string
	Message      note
}

func TestLiveUpdates(t *testing.T) {
	h := open(t)
	e := h.listen(benToken, "")
	if first, _ := e.any(); first.name != "heartbeat" || first.id == "" {
		t.Errorf("a stream begins with %+v, want a heartbeat with a place", first)
	}
	id := h.wait("hello")
	head := e.next()
	if c := of[chat](t, head); head.name != "conversation" || c.ID != id || c.State != "waiting" || c.Unread != 1 || c.Can.Reason != "not_taken" {
		t.Errorf("got %+v", head)
	}
	item := e.next()
	if m := of[messageEvent](t, item); item.name != "message" || m.Conversation != id || m.Message.Text != "hello" || item.id == head.id {
		t.Errorf("got %+v after %+v", item, head)
	}
	if !strings.HasPrefix(item.id, "support=") {
		t.Errorf("the id is %q", item.id)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Accel-Buffering": "no"} {
		if got := e.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// Only what is in one's queues is heard.
func TestOnlyOnesOwnQueuesAreHeard(t *testing.T) {
	h := open(t)
	ben, both, only := h.listen(benToken, ""), h.listen(bothToken, ""), h.listen(bothToken, "?queue=support")
	h.hear(said{queue: sales, consumer: "U7", text: "to sales"})
	h.wait("to support")
	for _, e := range []*ears{ben, only} {
		if got := e.next(); of[chat](t, got).Queue != support {
			t.Errorf("got %+v", got)
		}
	}
	both.until("message", containing("to support"))
	seen := both.at()
	if !strings.HasPrefix(seen, "sales=") || !strings.Contains(seen, ",support=") {
		t.Errorf("the id is %q", seen)
	}
	h.call(benToken, http.MethodGet, "/v1/events?queue=sales", "").want(t, "another's queue", http.StatusNotFound, "not_found")
}

// at is the place of the next event.
func (e *ears) at() string {
	e.Helper()
	e.wait("one more")
	return e.next().id
}

// Who comes back with the id of the last event misses nothing, and hears nothing
// twice.
func TestResume(t *testing.T) {
	h := open(t)
	e := h.listen(bothToken, "")
	h.wait("heard")
	last := e.until("message", containing("heard"))
	e.hangUp()
	for i := range 5 {
		h.wait(fmt.Sprint("missed ", i))
		h.hear(said{queue: sales, consumer: fmt.Sprint("S", i), text: fmt.Sprint("missed at sales ", i)})
	}
	for _, again := range []*ears{
		h.listen(bothToken, "?since="+last.id), h.listen(bothToken, "", "Last-Event-ID", last.id),
		h.listen(bothToken, "?since=support=0-0,sales=0-0", "Last-Event-ID", last.id),
	} {
		var got []string
		for len(got) < 10 {
			m := again.until("message", anything)
			got = append(got, of[messageEvent](t, m).Message.Text)
		}
		slices.Sort(got)
		for i := range 5 {
			if got[i] != fmt.Sprint("missed ", i) || got[i+5] != fmt.Sprint("missed at sales ", i) {
				t.Fatalf("got %q", got)
			}
		}
		h.wait("new")
		again.until("message", containing("new"))
		again.hangUp()
	}
}

// The place of a list is one from which nothing is missed.
func TestAListAndTheUpdatesBehindIt(t *testing.T) {
	h := open(t)
	h.wait("listed")
	p := read[pageOf](t, h.call(benToken, http.MethodGet, "/v1/conversations", ""))
	id := h.wait("after the list")
	e := h.listen(benToken, "?since="+p.Event)
	if got := of[chat](t, e.next()); got.ID != id {
		t.Errorf("got %+v, want %s", got, id)
	}
	m := read[pageOf](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+id+"/messages", ""))
	h.hear(said{queue: support, consumer: "U1", text: "after the messages"})
	if got := h.listen(benToken, "?since="+m.Event).until("message", anything); !strings.Contains(got.data, "after the messages") {
		t.Errorf("got %+v", got)
	}
}

// An id that is too old, or of another Redis, is answered by a reset, from whose own
// id nothing is missed.
func TestReset(t *testing.T) {
	h := open(t)
	h.wait("old")
	future := fmt.Sprintf("support=%d-0", time.Now().Add(time.Hour).UnixMilli())
	e := h.listen(benToken, "?since="+future)
	got := e.next()
	if got.name != "reset" || got.data != `{"reason":"too_old"}` || got.id == future {
		t.Fatalf("got %+v", got)
	}
	h.wait("new")
	e.until("message", containing("new"))
	again := h.listen(benToken, "?since="+got.id)
	again.until("message", containing("new"))
	for _, since := range []string{"x", "support", "support=1", "support=1-1,", "SUPPORT=1-1", strings.Repeat("a", 9000), "support=-1-1"} {
		h.call(benToken, http.MethodGet, "/v1/events?since="+since, "").want(t, since, http.StatusBadRequest, "invalid")
	}
}

func TestMoreThanCanBeCaughtUp(t *testing.T) {
	h := open(t)
	h.api.Misses(10)
	h.wait("first")
	p := read[pageOf](t, h.call(benToken, http.MethodGet, "/v1/conversations", ""))
	for range 11 {
		h.wait("one of many")
	}
	if got := h.listen(benToken, "?since="+p.Event).until("reset", anything); got.id == p.Event {
		t.Errorf("got %+v", got)
	}
}

// A caller has only so many streams, and a place is free as soon as one ends.
func TestSoManyStreams(t *testing.T) {
	h := open(t)
	var all []*ears
	for range 12 {
		all = append(all, h.listen(benToken, ""))
	}
	h.call(benToken, http.MethodGet, "/v1/events", "").want(t, "one more", http.StatusTooManyRequests, "too_many_requests")
	h.listen(evaToken, "").hangUp()
	all[0].hangUp()
	gatewaytest.Await(t, "a place is free", func() bool { n, _ := h.api.Streams(); return n == 11 })
	h.listen(benToken, "").hangUp()
	for _, e := range all {
		e.hangUp()
	}
	gatewaytest.Await(t, "nobody listens", func() bool { n, feeds := h.api.Streams(); return n == 0 && feeds == 0 })
}

func TestHeartbeats(t *testing.T) {
	h := open(t)
	h.api.Every(5*time.Millisecond, time.Hour)
	e := h.listen(benToken, "")
	for range 4 {
		if got, ok := e.any(); !ok || got.name != "heartbeat" || got.id == "" {
			t.Fatalf("got %+v, %v", got, ok)
		}
	}
}

// Who leaves the agents file stops hearing, and so does who gets other queues.
func TestAStreamEndsWithItsCaller(t *testing.T) {
	h := open(t)
	h.api.Every(time.Hour, 5*time.Millisecond)
	ben, eva := h.listen(benToken, ""), h.listen(evaToken, "")
	h.employ("eva", "sal")
	ben.ended()
	h.wait("hello")
	eva.until("message", containing("hello"))
}

// The gateway stops at once, however many listen.
func TestAStopEndsAllStreams(t *testing.T) {
	h := open(t)
	var all []*ears
	for range 10 {
		all = append(all, h.listen(benToken, ""))
	}
	began := time.Now()
	h.stop()
	for _, e := range all {
		e.ended()
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// While Redis is away the streams stand, and then go on without a gap.
func TestRedisGoesAwayAndComesBack(t *testing.T) {
	h := open(t)
	e := h.listen(benToken, "")
	h.wait("before")
	e.until("message", containing("before"))
	h.redis.Kill()
	h.call(benToken, http.MethodGet, "/v1/conversations", "").want(t, "Redis is away", http.StatusServiceUnavailable, "unavailable")
	h.redis.Restart()
	gatewaytest.Await(t, "Redis answers", func() bool { return h.journal.Ping(t.Context()) == nil })
	h.wait("after")
	e.until("message", containing("after"))
}

// The ids of updates grow, and are the journal's.
func TestPlacesOfUpdatesGrow(t *testing.T) {
	h := open(t)
	e := h.listen(benToken, "")
	var last string
	for i := range 20 {
		h.wait(fmt.Sprint("message ", i))
	}
	for range 20 {
		got := e.until("message", anything)
		if len(got.id) == len(last) && got.id <= last {
			t.Errorf("%s comes after %s", got.id, last)
		}
		last = got.id
	}
	if want := "support=" + h.api.Told(support); last != want {
		t.Errorf("the last is %s, want %s", last, want)
	}
	if _, err := h.journal.Changes(t.Context(), support, strings.TrimPrefix(last, "support="), 1, 0); err != nil {
		t.Errorf("the journal does not know the place: %v", err)
	}
}
