package vibersim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/viber/vibersim"
)

func start(t *testing.T) *vibersim.Platform {
	t.Helper()
	p, err := vibersim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// call calls the API and returns its status.
func call(t *testing.T, p *vibersim.Platform, token, method, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/pa/"+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Viber-Auth-Token", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got HTTP %d, %v, want 200 with an object", res.StatusCode, err)
	}
	return int(answer["status"].(float64)), answer
}

// The platform keeps to its own limits, so that what breaks them fails a test.
func TestAPI(t *testing.T) {
	p := start(t)
	if _, err := p.Webhook("https://gateway.example/", sim.Said{ID: "1", Consumer: "ada", Text: "x", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	send := func(receiver, name, kind, text string) string {
		return fmt.Sprintf(`{"receiver":%q,"min_api_version":1,"sender":{"name":%q},"type":%q,"text":%q}`, receiver, name, kind, text)
	}
	ada := vibersim.UserID("ada")
	for _, row := range []struct {
		name, token, method, body string
		status                    int
	}{
		{"a good message", p.Token, "send_message", send(ada, "Acme", "text", "x"), 0},
		{"the longest", p.Token, "send_message", send(ada, strings.Repeat("Ж", 28), "text", strings.Repeat("Ж", 7000)), 0},
		{"a bad token", "x", "send_message", send(ada, "Acme", "text", "x"), 2},
		{"no token", "", "send_message", send(ada, "Acme", "text", "x"), 2},
		{"a body that is none", p.Token, "send_message", "{", 3},
		{"a number as text", p.Token, "send_message", `{"receiver":"` + ada + `","sender":{"name":"A"},"type":"text","text":5}`, 3},
		{"a long text", p.Token, "send_message", send(ada, "Acme", "text", strings.Repeat("x", 7001)), 3},
		{"a long sender", p.Token, "send_message", send(ada, strings.Repeat("x", 29), "text", "x"), 3},
		{"a long request", p.Token, "send_message", send(ada, "Acme", "text", "x") + strings.Repeat(" ", 30<<10), 3},
		{"another type", p.Token, "send_message", send(ada, "Acme", "poem", "x"), 3},
		{"no sender", p.Token, "send_message", send(ada, "", "text", "x"), 4},
		{"no text", p.Token, "send_message", send(ada, "Acme", "text", ""), 4},
		{"no receiver", p.Token, "send_message", send("", "Acme", "text", "x"), 4},
		{"nobody's id", p.Token, "send_message", send("ada", "Acme", "text", "x"), 5},
		{"a stranger", p.Token, "send_message", send(vibersim.UserID("bob"), "Acme", "text", "x"), 6},
		{"no url", p.Token, "set_webhook", "{}", 4},
		{"an unreachable webhook", p.Token, "set_webhook", `{"url":"https://gateway.example/"}`, 1},
		{"a bad token for the bot", "x", "get_account_info", "{}", 2},
	} {
		if got, answer := call(t, p, row.token, row.method, row.body); got != row.status {
			t.Errorf("%s: got %v, want status %d", row.name, answer, row.status)
		}
	}
	if got := p.Sent(); len(got) != 2 || got[0].ID == got[1].ID || got[0].Consumer != ada || got[0].Account != p.BotID {
		t.Errorf("got %.300s, want the two good ones", fmt.Sprint(got))
	}
}

// A webhook is on record once it has answered 200 to a signed event, not before.
func TestSetWebhook(t *testing.T) {
	p := start(t)
	status := http.StatusNotFound
	var asked []*connectors.Request
	p.Reach(func(r *connectors.Request) (int, string) {
		_, answer := call(t, p, p.Token, "get_account_info", "{}")
		if answer["webhook"] != "" {
			t.Errorf("got webhook %v while it is being checked, want none", answer["webhook"])
		}
		asked = append(asked, r)
		return status, ""
	})
	const set = `{"url":"https://gateway.example/x","event_types":["delivered","message"]}`
	if got, _ := call(t, p, p.Token, "set_webhook", set); got != 1 {
		t.Errorf("got status %d, want 1", got)
	}
	status = http.StatusOK
	if got, answer := call(t, p, p.Token, "set_webhook", set); got != 0 || fmt.Sprint(answer["event_types"]) != "[message subscribed unsubscribed delivered]" {
		t.Errorf("got %v, want status 0 and the events", answer)
	}
	if len(asked) != 2 || asked[0].Method != http.MethodPost || !bytes.Contains(asked[0].Body, []byte(`"event":"webhook"`)) ||
		!strings.HasPrefix(asked[0].URL, "https://gateway.example/x?sig=") {
		t.Errorf("got %+v, want the event webhook at the address", asked)
	}
	p.Reach(nil)
	if _, answer := call(t, p, p.Token, "get_account_info", "{}"); answer["webhook"] != "https://gateway.example/x" || answer["id"] != p.BotID || answer["uri"] != p.URI {
		t.Errorf("got %v, want the webhook on record", answer)
	}
	if got, _ := call(t, p, p.Token, "set_webhook", `{"url":""}`); got != 0 {
		t.Errorf("removing it: got status %d, want 0", got)
	}
	if _, answer := call(t, p, p.Token, "get_account_info", "{}"); answer["webhook"] != "" {
		t.Errorf("got %v, want no webhook", answer)
	}
}

// A picture opens by its whole address alone, and for its time.
func TestMedia(t *testing.T) {
	p := start(t)
	picture := p.Picture("one", []byte("bytes"))
	good, _ := picture["media"].(string)
	path, _, _ := strings.Cut(strings.TrimPrefix(good, p.URL), "?")
	for address, want := range map[string]int{
		good:                                     http.StatusOK,
		good + "&x=1":                            http.StatusForbidden,
		p.URL + path:                             http.StatusForbidden,
		strings.Replace(good, "_&", "%5F&", 1):   http.StatusForbidden,
		strings.Replace(good, "&Key", "&key", 1): http.StatusForbidden,
		p.MediaURL(path, time.Now().Add(-time.Second)):          http.StatusForbidden,
		p.MediaURL(path+"x", time.Now().Add(time.Hour)):         http.StatusForbidden,
		p.MediaURL(path, time.Now().Add(time.Hour+time.Minute)): http.StatusOK,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != want || (want == http.StatusOK) != (string(data) == "bytes") {
			t.Errorf("%s: got HTTP %d with %.50q, want %d", address, res.StatusCode, data, want)
		}
	}
}
