package agent_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// What cannot be read does not stop the updates of its queue, nor lists, and is our own
// mistake to whoever asks for it.
func TestWhatCannotBeReadStopsNothing(t *testing.T) {
	h := open(t)
	inspect, e := queuetest.Inspect(t, h.redis.Address()), h.listen(benToken, "")
	broken, mixed, typed := h.wait("broken"), h.wait("mixed"), h.wait("typed")
	e.until("message", containing("typed"))
	key := func(id string) string { return "chat:" + strings.TrimPrefix(id, support+".") }
	inspect.Tamper(support, "HSET", key(broken), "opened", "yesterday")
	inspect.Tamper(support, "HSET", key(mixed)+":items", hash("x"), "m 2 2097152 {")
	inspect.Tamper(support, "ZADD", key(mixed)+":order", 2097152, hash("x"))
	inspect.Tamper(support, "DEL", key(typed)+":items")
	inspect.Tamper(support, "SET", key(typed)+":items", "x")
	for _, id := range []string{broken, mixed, typed, "../.."} {
		inspect.Tamper(support, "XADD", "changes", "*", "c", strings.TrimPrefix(id, support+"."), "i", hash("x"))
	}
	if got := e.next(); of[chat](t, got).ID != mixed {
		t.Errorf("got %+v, want the head of what has a broken message", got)
	}
	if got := e.next(); of[chat](t, got).ID != typed {
		t.Errorf("got %+v, want the head of what has no messages that can be read", got)
	}
	h.wait("another")
	e.until("message", containing("another"))

	if p := read[pageOf](t, h.call(benToken, http.MethodGet, "/v1/conversations", "")); len(p.Conversations) != 3 {
		t.Errorf("listed are %+v, want all but the broken one", p.Conversations)
	}
	p := read[pageOf](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+mixed+"/messages", ""))
	if len(p.Messages) != 1 || p.Messages[0].Text != "mixed" {
		t.Errorf("got %+v, want the message that can be read", p.Messages)
	}
	for _, path := range []string{broken, broken + "/messages", typed + "/messages"} {
		h.call(benToken, http.MethodGet, "/v1/conversations/"+path, "").want(t, path, http.StatusInternalServerError, "broken")
	}
	h.does(benToken, broken, "take", "").want(t, "take", http.StatusInternalServerError, "broken")
}
