package agent_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Several queues are merged in order, page after page, and each conversation is in
// one page.
func TestPagesOverSeveralQueues(t *testing.T) {
	h := open(t)
	start := time.Now().Add(-time.Hour)
	var want []string
	for i := range 11 {
		name := []string{support, sales}[i%3%2]
		id := h.hear(said{queue: name, consumer: fmt.Sprint("U", i), text: "hello", at: start.Add(time.Duration(i) * time.Second)})
		want = append(want, id)
	}
	for _, limit := range []int{1, 2, 3, 7, 11, 200} {
		var got []string
		for after, pages := "", 0; ; pages++ {
			p := read[pageOf](t, h.call(bothToken, http.MethodGet, fmt.Sprintf("/v1/conversations?limit=%d&after=%s", limit, after), ""))
			if p.Total != 11 || p.Event == "" || len(p.Conversations) > limit || pages > 11 {
				t.Fatalf("limit %d: page %d has total %d, event %q and %d conversations", limit, pages, p.Total, p.Event, len(p.Conversations))
			}
			for _, c := range p.Conversations {
				got = append(got, c.ID)
			}
			if after = p.Next; after == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: got  %v\nwant %v", limit, got, want)
		}
	}
}

func TestListsAreOfOnesQueues(t *testing.T) {
	h := open(t)
	mine := h.wait("hello")
	other := h.hear(said{queue: sales, consumer: "U9", text: "hello"})
	for token, want := range map[string][]string{
		benToken: {mine}, deskToken: {mine}, salToken: {other}, shopToken: {other}, bothToken: {mine, other},
	} {
		p := read[pageOf](t, h.call(token, http.MethodGet, "/v1/conversations", ""))
		var got []string
		for _, c := range p.Conversations {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) || p.Total != int64(len(want)) {
			t.Errorf("%.8s: got %v, total %d; want %v", token, got, p.Total, want)
		}
	}
	p := read[pageOf](t, h.call(bothToken, http.MethodGet, "/v1/conversations?queue=sales", ""))
	if len(p.Conversations) != 1 || p.Conversations[0].ID != other {
		t.Errorf("of sales: got %+v", p.Conversations)
	}
}

func TestAListSaysWhatIsWrong(t *testing.T) {
	h := open(t)
	for query, kind := range map[string]string{
		"view=all": "invalid", "limit=0": "invalid", "limit=201": "invalid", "limit=x": "invalid", "after=%21": "invalid", "after=bnVsbA": "invalid",
		"view=mine&agent=eva": "invalid", "view=closed&q=a": "invalid", "view=closed&consumer=U1": "invalid",
		"view=closed&account=line/acme": "invalid", "view=closed&account=line/other&consumer=U1": "invalid", "view=closed&from=yesterday": "invalid",
		"queue=sales": "not_found", "queue=" + url.QueryEscape("../support"): "not_found",
		"after=" + cursorOf(`{"support":"x"}`): "invalid", "after=" + cursorOf(`{"support":"1-zz"}`): "invalid",
	} {
		status := http.StatusBadRequest
		if kind == "not_found" {
			status = http.StatusNotFound
		}
		h.call(benToken, http.MethodGet, "/v1/conversations?"+query, "").want(t, query, status, kind)
	}
	h.call(deskToken, http.MethodGet, "/v1/conversations?view=mine", "").want(t, "a service without an agent", http.StatusBadRequest, "invalid")
	h.call(deskToken, http.MethodGet, "/v1/conversations?view=mine&agent=ben", "").want(t, "a service with one", http.StatusOK)
}

func TestMe(t *testing.T) {
	h := open(t)
	h.wait("hello")
	h.wait("hello")
	h.call(benToken, http.MethodGet, "/v1/me", "").want(t, "ben", http.StatusOK)
	for token, want := range map[string]string{
		benToken:  `{"kind":"agent","id":"ben","name":"Ben","queues":[{"name":"support","waiting":2}]}`,
		bothToken: `{"kind":"agent","id":"both","name":"Both","queues":[{"name":"sales","waiting":0},{"name":"support","waiting":2}]}`,
		shopToken: `{"kind":"service","id":"shop","queues":[{"name":"sales","waiting":0}]}`,
	} {
		if got := h.call(token, http.MethodGet, "/v1/me", ""); got.body != want {
			t.Errorf("got  %s\nwant %s", got.body, want)
		}
	}
}

func TestAgentsOfAQueue(t *testing.T) {
	h := open(t)
	want := `{"agents":[{"id":"ben","name":"Ben"},{"id":"both","name":"Both"},{"id":"eva","name":"Eva"},{"id":"zoe","name":"Zoe"}]}`
	if got := h.call(benToken, http.MethodGet, "/v1/agents?queue=support", ""); got.body != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	h.call(benToken, http.MethodGet, "/v1/agents?queue=sales", "").want(t, "another queue's", http.StatusNotFound, "not_found")
	h.call(benToken, http.MethodGet, "/v1/agents", "").want(t, "no queue", http.StatusBadRequest, "invalid")
}

func TestMessagesInPages(t *testing.T) {
	h := open(t)
	var id string
	for i := range 7 {
		id = h.hear(said{queue: support, consumer: "U1", text: fmt.Sprint(i)})
	}
	texts := func(query string) (list []string, p pageOf) {
		p = read[pageOf](t, h.call(evaToken, http.MethodGet, "/v1/conversations/"+id+"/messages"+query, ""))
		for _, m := range p.Messages {
			list = append(list, m.Text)
		}
		return list, p
	}
	position := queue.Position
	for _, c := range []struct {
		query string
		want  []string
		more  bool
	}{
		{"", []string{"0", "1", "2", "3", "4", "5", "6"}, false},
		{"?limit=3", []string{"4", "5", "6"}, true},
		{fmt.Sprintf("?limit=3&before=%d", position(5)), []string{"1", "2", "3"}, true},
		{fmt.Sprintf("?limit=3&before=%d", position(2)), []string{"0"}, false},
		{fmt.Sprintf("?limit=3&after=%d", position(2)), []string{"2", "3", "4"}, true},
		{fmt.Sprintf("?limit=3&after=%d", position(5)), []string{"5", "6"}, false},
		{"?limit=3&after=0", []string{"0", "1", "2"}, true},
		{fmt.Sprintf("?after=%d&before=%d", position(2), position(4)), []string{"2"}, false},
	} {
		if got, p := texts(c.query); !slices.Equal(got, c.want) || p.More != c.more || p.Event == "" {
			t.Errorf("%s: got %v, more %v, event %q; want %v, %v", c.query, got, p.More, p.Event, c.want, c.more)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=1000", "?before=0", "?before=-1", "?after=-1", "?after=99999999999999999999"} {
		h.call(evaToken, http.MethodGet, "/v1/conversations/"+id+"/messages"+query, "").want(t, query, http.StatusBadRequest, "invalid")
	}
}

// TestWhoWasAnsweredWaitsBehind has a program greet those who wait: they stand behind
// whoever has had no answer, and the list goes on behind them.
func TestWhoWasAnsweredWaitsBehind(t *testing.T) {
	h := open(t)
	var greeted []string
	for i := range 3 {
		id := h.hear(said{queue: support, consumer: fmt.Sprint("B", i), text: "hi"})
		h.answers(deskToken, id, fmt.Sprint("k", i), `{"text":"hello"}`).want(t, "a greeting", http.StatusAccepted)
		greeted = append(greeted, id)
	}
	first := h.hear(said{queue: support, consumer: "A", text: "hi", at: time.Now().Add(-time.Hour)})
	var got []string
	for path := "/v1/conversations?view=waiting&limit=2"; path != ""; {
		p := read[pageOf](t, h.call(benToken, http.MethodGet, path, ""))
		for _, c := range p.Conversations {
			got = append(got, c.ID)
		}
		if path = ""; p.Next != "" {
			path = "/v1/conversations?view=waiting&limit=2&after=" + url.QueryEscape(p.Next)
		}
	}
	if want := append([]string{first}, greeted...); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
