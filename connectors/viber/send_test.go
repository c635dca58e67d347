package viber_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/viber"
	"github.com/lightlock/lightlock/connectors/viber/vibersim"
)

// api answers every call in the same way and remembers the last.
type api struct {
	url    string
	mu     sync.Mutex
	method string
	uri    string
	header http.Header
	body   string
	calls  int
}

// startAPI returns a connector whose calls are answered with this, and what
// sees them.
func startAPI(t *testing.T, status int, answer string) (*viber.Connector, *api) {
	t.Helper()
	a := &api{}
	h := startHost(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.mu.Lock()
		a.method, a.uri, a.header, a.body = r.Method, r.RequestURI, r.Header.Clone(), string(body)
		a.calls++
		a.mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	})
	a.url = h.URL
	s := settings()
	s.APIBase, s.AllowPrivateAddresses = a.url, true
	return connect(t, s, time.Now), a
}

func (a *api) last() (call, body string, header http.Header, calls int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.method + " " + a.uri, a.body, a.header, a.calls
}

func outgoing(text string) connectors.Outgoing {
	return connectors.Outgoing{Account: botID, Consumer: userID, Key: "0191e180-7d60-7000-aded-7d8b151cbd5b", Text: text}
}

// The request is Viber's, to the letter.
func TestSendRequest(t *testing.T) {
	c, a := startAPI(t, 200, `{"status":0,"status_message":"ok","message_token":5741311803571721087,"chat_hostname":"SN-CHAT-05_","billing_status":1}`)
	o := outgoing(" a <b> & \"c\" 📷\n")
	o.ReplyTo, o.Automatic = "5900000000000000123", true
	id, err := c.Send(t.Context(), o)
	if err != nil || id != "5741311803571721087" {
		t.Errorf("got id %q, %v, want the token to the last digit", id, err)
	}
	call, body, header, _ := a.last()
	if want := "POST /pa/send_message"; call != want {
		t.Errorf("got %s, want %s", call, want)
	}
	want := `{"receiver":"` + userID + `","min_api_version":1,"sender":{"name":"acme"},"type":"text","text":" a <b> & \"c\" 📷\n"}`
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
	if header.Get("X-Viber-Auth-Token") != testToken || header.Get("Content-Type") != "application/json" || header.Get("Authorization") != "" {
		t.Error("got another token or type than Viber's")
	}
}

// The first token sends, while all of them verify.
func TestSendRotation(t *testing.T) {
	p, _ := start(t)
	for _, row := range []struct {
		tokens config.Secrets
		kind   connectors.ErrorKind
		ok     bool
	}{
		{config.Secrets{config.NewSecret(p.Token), config.NewSecret("old")}, 0, true},
		{config.Secrets{config.NewSecret("old"), config.NewSecret(p.Token)}, connectors.Misconfigured, false},
		{nil, connectors.Misconfigured, false},
	} {
		s := p.Settings("acme", "support").(*viber.Config)
		s.AuthToken = row.tokens
		c := connect(t, s, time.Now)
		if _, err := p.Webhook(webhookURL, said("one")); err != nil {
			t.Fatal(err)
		}
		_, err := c.Send(t.Context(), connectors.Outgoing{Account: p.BotID, Consumer: vibersim.UserID("ada"), Text: "x"})
		if row.ok != (err == nil) || err != nil && connectors.KindOf(err) != row.kind {
			t.Errorf("tokens of %d: got %v, want success %v", len(row.tokens), err, row.ok)
		}
	}
}

// TestSendStatus repeats Viber's table on purpose: a change there has to be
// meant.
func TestSendStatus(t *testing.T) {
	kinds := map[int]connectors.ErrorKind{2: connectors.Misconfigured, 12: connectors.Throttled}
	for _, status := range []int{1, 3, 4, 5, 6, 11, 13, 14, 16, 17, 18, 19, 20, 21, 22} {
		kinds[status] = connectors.Refused
	}
	for _, status := range []int{7, 8, 9, 10, 15, 23, 24} {
		kinds[status] = connectors.Misconfigured
	}
	for _, status := range []int{-1, 25, 99, 1000} {
		kinds[status] = connectors.Unavailable
	}
	for status, want := range kinds {
		c, a := startAPI(t, 200, fmt.Sprintf(`{"status":%d,"status_message":"secretmessage"}`, status))
		id, err := c.Send(t.Context(), outgoing("x"))
		wantKind(t, fmt.Sprint("status ", status), err, want)
		if id != "" || connectors.UnsureOf(err) {
			t.Errorf("status %d: got id %q, %v, want none, for sure", status, id, err)
		}
		if !strings.Contains(fmt.Sprint(err), fmt.Sprint("status ", status)) || strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("status %d: got %v, want the code in it and nothing that Viber wrote", status, err)
		}
		after := time.Duration(0)
		if status == 12 {
			after = 15 * time.Minute
		}
		if got := connectors.AfterOf(err); got != after {
			t.Errorf("status %d: got %v to wait, want %v", status, got, after)
		}
		if _, _, _, calls := a.last(); calls != 1 {
			t.Errorf("status %d: got %d calls, want 1", status, calls)
		}
	}
}

func TestSendHTTPStatus(t *testing.T) {
	for status, want := range map[int]connectors.ErrorKind{
		400: connectors.Refused, 401: connectors.Misconfigured, 403: connectors.Misconfigured, 404: connectors.Misconfigured, 410: connectors.Misconfigured,
		413: connectors.Refused, 429: connectors.Throttled, 500: connectors.Unavailable, 502: connectors.Unavailable, 503: connectors.Unavailable, 504: connectors.Unavailable,
		302: connectors.Unavailable,
	} {
		c, _ := startAPI(t, status, `{"status":0,"message_token":1}`)
		id, err := c.Send(t.Context(), outgoing("x"))
		wantKind(t, fmt.Sprint("HTTP ", status), err, want)
		if id != "" || connectors.UnsureOf(err) != (status == 504) {
			t.Errorf("HTTP %d: got id %q, Unsure %v", status, id, connectors.UnsureOf(err))
		}
	}
}

// What is no answer of Viber's leaves in doubt whether the message was sent.
func TestSendUnreadable(t *testing.T) {
	for _, answer := range []string{"", "<html>ok</html>", "null", "5", "[]", "{}", `{"status":null}`, `{"status":"0"}`, `{"status":0.5}`, `{"status":[]}`, `{"message_token":5}`, `{"status":0`} {
		c, _ := startAPI(t, 200, answer)
		id, err := c.Send(t.Context(), outgoing("x"))
		wantKind(t, "answer "+answer, err, connectors.Unavailable)
		if id != "" || !connectors.UnsureOf(err) {
			t.Errorf("answer %s: got id %q, Unsure %v, want none, unsure", answer, id, connectors.UnsureOf(err))
		}
	}
	c, _ := startAPI(t, 200, `{"status":0,"x":"`+strings.Repeat("x", 1<<20)+`"}`)
	if _, err := c.Send(t.Context(), outgoing("x")); err == nil || !connectors.UnsureOf(err) {
		t.Errorf("an endless answer: got %v, want it unsure", err)
	}
}

// A message that Viber took is sent, whatever stands beside the status.
func TestSendToken(t *testing.T) {
	for token, want := range map[string]string{
		"5741311803571721087": "5741311803571721087", `"5741311803571721087"`: "5741311803571721087",
		"null": "", "{}": "", "5.7e18": "", `"x"`: "", `""`: "",
	} {
		c, _ := startAPI(t, 200, `{"status":0,"message_token":`+token+`,"id":5,"webhook":{},"event_types":"x"}`)
		if id, err := c.Send(t.Context(), outgoing("x")); err != nil || id != want {
			t.Errorf("token %s: got id %q, %v, want %q", token, id, err, want)
		}
	}
	c, _ := startAPI(t, 200, `{"status":0}`)
	if id, err := c.Send(t.Context(), outgoing("x")); err != nil || id != "" {
		t.Errorf("no token: got id %q, %v, want a success without one", id, err)
	}
}

// What cannot be sent is refused without a call.
func TestSendRefuses(t *testing.T) {
	c, a := startAPI(t, 200, `{"status":0}`)
	limit := viber.Channel().Texts.Limit
	for name, o := range map[string]connectors.Outgoing{
		"no text":                   outgoing(""),
		"one character too many":    outgoing(strings.Repeat("a", limit+1)),
		"one emoji too many":        outgoing(strings.Repeat("📷", limit/2+1)),
		"a request of 30,001 bytes": outgoing(sized(t, 30_001)),
		"control characters":        outgoing(strings.Repeat("\x01", limit)),
	} {
		_, err := c.Send(t.Context(), o)
		wantKind(t, name, err, connectors.Refused)
		if connectors.UnsureOf(err) {
			t.Errorf("%s: got %v, which is Unsure", name, err)
		}
	}
	for _, account := range []string{"", "other", botID + "0", strings.ToUpper(botID)} {
		o := outgoing("x")
		o.Account = account
		_, err := c.Send(t.Context(), o)
		wantKind(t, "account "+account, err, connectors.Misconfigured)
	}
	if _, _, _, calls := a.last(); calls != 0 {
		t.Errorf("got %d calls, want none", calls)
	}
	for name, text := range map[string]string{
		"the longest": strings.Repeat("a", limit), "the longest in Serbian": strings.Repeat("ш", limit),
		"the longest in Chinese": strings.Repeat("写", limit), "a request of 30,000 bytes": sized(t, 30_000),
	} {
		if _, err := c.Send(t.Context(), outgoing(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// sized returns a text that makes a request of exactly n bytes.
func sized(t *testing.T, n int) string {
	t.Helper()
	frame := len(`{"receiver":"` + userID + `","min_api_version":1,"sender":{"name":"acme"},"type":"text","text":""}`)
	rest := n - frame
	text := strings.Repeat("\x01", rest/6) + strings.Repeat("a", rest%6)
	quoted, err := json.Marshal(text)
	if err != nil || len(quoted)-2+frame != n {
		t.Fatalf("got %d bytes, want %d", len(quoted)-2+frame, n)
	}
	return text
}

func TestSendNoAnswer(t *testing.T) {
	p, c := start(t)
	user := heard(t, p, c, said("one"))[0].Consumer.ID
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(discard{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		})
	})
	_, err := c.Send(t.Context(), connectors.Outgoing{Account: p.BotID, Consumer: user, Text: "x"})
	wantKind(t, "a lost answer", err, connectors.Unavailable)
	if !connectors.UnsureOf(err) || len(p.Sent()) != 1 {
		t.Errorf("got Unsure %v with %d messages sent, want it unsure: there was one", connectors.UnsureOf(err), len(p.Sent()))
	}
}

// discard is where an answer goes that nobody gets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

func TestSendSenderName(t *testing.T) {
	for _, row := range []struct{ account, sender, want string }{
		{"", "", "acme"}, {"shop", "", "shop"}, {"shop", "Acme Shop 📷", "Acme Shop 📷"},
	} {
		_, a := startAPI(t, 200, `{"status":0}`)
		s := settings()
		s.APIBase, s.AllowPrivateAddresses = a.url, true
		s.Accounts[0].Name, s.Accounts[0].SenderName = row.account, row.sender
		if _, err := connect(t, s, time.Now).Send(t.Context(), outgoing("x")); err != nil {
			t.Fatal(err)
		}
		if _, body, _, _ := a.last(); !strings.Contains(body, `"sender":{"name":"`+row.want+`"}`) {
			t.Errorf("got %s, want sender %s", body, row.want)
		}
	}
}

// Viber's own judgement, by its simulated platform.
func TestSendPlatform(t *testing.T) {
	p, c := start(t)
	user := heard(t, p, c, said("one"))[0].Consumer.ID
	send := func(consumer, text string) (string, error) {
		return c.Send(t.Context(), connectors.Outgoing{Account: p.BotID, Consumer: consumer, Text: text})
	}
	id, err := send(user, "thank you")
	if err != nil {
		t.Fatal(err)
	}
	want := sim.Sent{ID: id, Account: p.BotID, Consumer: user, Text: "thank you"}
	if got := p.Sent(); len(got) != 1 || got[0] != want || len(id) != 19 {
		t.Errorf("got %+v, want %+v with an id of 19 digits", got, want)
	}
	for name, consumer := range map[string]string{"not a Viber user": "nobody", "not subscribed": vibersim.UserID("bob"), "nobody at all": ""} {
		_, err := send(consumer, "x")
		wantKind(t, name, err, connectors.Refused)
	}
	for i := range 99 {
		if _, err := send(user, "x"); err != nil {
			t.Fatalf("message %d: %v", i+2, err)
		}
	}
	_, err = send(user, "x")
	wantKind(t, "the 101st without a reply", err, connectors.Throttled)
	heard(t, p, c, said("two"))
	if _, err := send(user, "x"); err != nil {
		t.Errorf("after a reply: %v", err)
	}
	p.Token = "replaced"
	_, err = send(user, "x")
	wantKind(t, "a token that was replaced", err, connectors.Misconfigured)
	if strings.Contains(fmt.Sprint(err), "replaced") || !strings.Contains(fmt.Sprint(err), "auth_token") {
		t.Errorf("got %v, want the setting's name", err)
	}
}

// Viber does not recognise repeats, so nobody may promise that one is safe. Nor
// does it refuse a late answer: what the session of a day ends is that it is free.
func TestTexts(t *testing.T) {
	want := connectors.Texts{Limit: 7000}
	if got := viber.Channel().Texts; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p, c := start(t)
	user := heard(t, p, c, said("one"))[0].Consumer.ID
	o := connectors.Outgoing{Account: p.BotID, Consumer: user, Key: "0191e180-7d60-7000-aded-7d8b151cbd5b", Text: "x"}
	for range 2 {
		if _, err := c.Send(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(p.Sent()); got != 2 {
		t.Errorf("got %d messages for one key sent twice, want 2", got)
	}
}
