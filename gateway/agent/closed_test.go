package agent_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// over makes a closed conversation of a consumer's.
func (h *house) over(name, consumer, text string) string {
	h.Helper()
	id := h.hear(said{queue: name, consumer: consumer, text: text})
	token := map[string]string{support: benToken, sales: salToken}[name]
	h.does(token, id, "take", "").want(h, "take", http.StatusOK)
	h.does(token, id, "close", "").want(h, "close", http.StatusOK)
	return id
}

// Closed conversations are found by consumer, by day and by text, in Redis and in the
// archive alike.
func TestClosedConversationsAreFound(t *testing.T) {
	h := open(t)
	first, second := h.over(support, "U-ana", "the first café"), h.over(support, "U-bob", "the second")
	third, other := h.over(support, "U-ana", "the third"), h.over(sales, "491511", "at sales")
	account := "&account=" + url.QueryEscape(h.accounts[support].name)
	today, tomorrow := time.Now().UTC().Format(time.DateOnly), time.Now().UTC().AddDate(0, 0, 2).Format(time.DateOnly)
	for _, archived := range []bool{false, true} {
		if archived {
			for _, id := range []string{first, second, other} {
				h.put(id)
			}
		}
		for _, c := range []struct {
			token, query string
			want         []string
		}{
			{benToken, "", []string{third, second, first}},
			{salToken, "", []string{other}},
			{bothToken, "", []string{other, third, second, first}},
			{bothToken, "&queue=sales", []string{other}},
			{benToken, "&consumer=U-ana" + account, []string{third, first}},
			{benToken, "&consumer=nobody" + account, nil},
			{benToken, "&q=CAFE", []string{first}},
			{benToken, "&q=u-bob", []string{second}},
			{benToken, "&q=sales", nil},
			{benToken, "&from=" + today, []string{third, second, first}},
			{benToken, "&to=" + tomorrow, []string{third, second, first}},
			{benToken, "&from=" + tomorrow, nil},
			{benToken, "&to=2026-01-01T00:00:00Z", nil},
		} {
			if got := h.found(c.token, c.query); !slices.Equal(got, c.want) {
				t.Errorf("archived %v, %s: got %v, want %v", archived, c.query, got, c.want)
			}
		}
	}
	h.call(benToken, http.MethodGet, "/v1/conversations?view=closed&after=nonsense", "").want(t, "a cursor that is none", http.StatusBadRequest, "invalid")
	c := read[chat](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+third, ""))
	if c.Previous != first || c.Next != "" {
		t.Errorf("the third has %q before and %q after it, want %q", c.Previous, c.Next, first)
	}
	if c = read[chat](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+first, "")); c.Next != third {
		t.Errorf("the first has %q after it while that is not archived, want %q", c.Next, third)
	}
	h.put(third)
	if c = read[chat](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+first, "")); c.Next != third {
		t.Errorf("the first has %q after it, want %q", c.Next, third)
	}
}

// found lists the closed conversations, page by page.
func (h *house) found(token, query string) (ids []string) {
	h.Helper()
	for after := ""; ; {
		p := read[pageOf](h, h.call(token, http.MethodGet, "/v1/conversations?view=closed&limit=2"+query+"&after="+url.QueryEscape(after), ""))
		for _, c := range p.Conversations {
			ids = append(ids, c.ID)
		}
		if after = p.Next; after == "" {
			return ids
		}
	}
}

// What is in the archive reads as it did in Redis, page by page.
func TestMessagesOfTheArchive(t *testing.T) {
	h := open(t)
	id, photo := h.in(mine)
	h.answers(benToken, id, "one", `{"text":"Thank you."}`).want(t, "a reply", http.StatusAccepted)
	h.send(support) // what is still to be sent keeps a conversation in Redis
	h.does(benToken, id, "close", "").want(t, "close", http.StatusOK)
	queries := []string{"", "?limit=1", "?limit=2", "?after=0&limit=2", "?after=1048576", "?before=2097152", "?after=1048576&limit=1", "?before=1048576"}
	var before []string
	read := func() (list []string) {
		for _, q := range queries {
			a := h.call(benToken, http.MethodGet, "/v1/conversations/"+id+"/messages"+q, "").want(t, q, http.StatusOK)
			text, _, _ := strings.Cut(a.body, `,"event":`)
			list = append(list, text)
		}
		return list
	}
	before = read()
	h.put(id)
	for i, after := range read() {
		if after != before[i] {
			t.Errorf("%q in the archive:\n%s\nand before:\n%s", queries[i], after, before[i])
		}
	}
	h.call(benToken, http.MethodGet, "/v1/photos/"+photo+"/preview", "").want(t, "the photo", http.StatusOK)
	h.answers(benToken, id, "one", `{"text":"Thank you."}`).want(t, "a repeat", http.StatusAccepted)
	h.answers(benToken, id, "one", `{"text":"Thanks."}`).want(t, "the key of another", http.StatusUnprocessableEntity, "idempotency_mismatch")
	h.answers(benToken, id, "two", `{"text":"Thank you."}`).want(t, "a new one", http.StatusConflict, "closed")
}

// A conversation that leaves Redis is told as gone, and still found.
func TestGone(t *testing.T) {
	h := open(t)
	e := h.listen(benToken, "")
	id := h.over(support, "U-ana", "hello")
	h.put(id)
	if got := e.until("gone", anything); got.data != `{"conversation":"`+id+`"}` {
		t.Errorf("got %+v", got)
	}
	h.call(benToken, http.MethodGet, "/v1/conversations/"+id, "").want(t, "the conversation", http.StatusOK)
}

// A message that arrives after its conversation went into the archive puts it back
// among the waiting: it can be taken, read and closed, and not answered.
func TestALateMessage(t *testing.T) {
	h := open(t)
	id, photo := h.in(mine)
	late := h.accept(said{queue: support, consumer: "P1", text: "late"})
	h.does(benToken, id, "close", "").want(t, "close", http.StatusOK)
	h.put(id)
	h.finish(late, said{queue: support, consumer: "P1", text: "late"})
	c := read[chat](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+id, ""))
	if c.State != "waiting" || !c.Late || c.Can.Reason != "closed" || c.Mine {
		t.Errorf("got %+v", c)
	}
	h.call(benToken, http.MethodGet, "/v1/photos/"+photo+"/preview", "").want(t, "the photo, while nobody has it", http.StatusNotFound)
	p := read[pageOf](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+id+"/messages", ""))
	if n := len(p.Messages); n != 3 || p.Messages[n-1].Text != "late" {
		t.Errorf("got %d messages, %+v", n, p.Messages)
	}
	h.does(evaToken, id, "take", "").want(t, "take", http.StatusOK)
	h.call(evaToken, http.MethodGet, "/v1/photos/"+photo+"/preview", "").want(t, "the photo", http.StatusOK)
	h.answers(evaToken, id, "key", `{"text":"hello"}`).want(t, "an answer", http.StatusConflict, "closed")
	h.does(evaToken, id, "close", "").want(t, "close", http.StatusOK)
	h.put(id)
	h.call(evaToken, http.MethodGet, "/v1/photos/"+photo+"/preview", "").want(t, "the photo, of Eva's now", http.StatusOK)
	h.call(benToken, http.MethodGet, "/v1/photos/"+photo+"/preview", "").want(t, "the photo, not Ben's any more", http.StatusNotFound)
}
