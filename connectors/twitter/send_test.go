package twitter_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twitter"
	"github.com/lightlock/lightlock/connectors/twitter/twittersim"
)

// both are the two kinds of credentials.
func both() map[string]func(*twittersim.Platform) {
	return map[string]func(*twittersim.Platform){"OAuth 1.0a": func(*twittersim.Platform) {}, "OAuth 2.0": oauth2}
}

// to returns a message to somebody who has written before.
func to(t *testing.T, p *twittersim.Platform, c connectors.Connector, text string) connectors.Outgoing {
	t.Helper()
	s := said("hello")
	s.Text = "hello"
	e := heard(t, p, c, s)[0]
	return connectors.Outgoing{Account: e.Account, Consumer: e.Consumer.ID, Key: "0b0f2c52-6c3c-4b8a-9a5e-1d2f3a4b5c6d", Text: text, ReplyTo: e.MessageID}
}

func send(c *twitter.Connector, o connectors.Outgoing) (string, error) {
	return c.Send(context.Background(), o)
}

func TestSend(t *testing.T) {
	for name, change := range both() {
		p, c := start(t, change)
		log := watch(p)
		o := to(t, p, c, `We <see> & "thank" you`+"\n写 📷 https://example.com/?a=1&b=2")
		id, err := send(c, o)
		if err != nil || id == "" {
			t.Fatalf("%s: got %q, %v, want an id", name, id, err)
		}
		want := sim.Sent{ID: id, Account: p.UserID, Consumer: o.Consumer, Text: o.Text}
		if got := p.Sent(); len(got) != 1 || got[0] != want {
			t.Errorf("%s: the consumer got %+v, want %+v", name, got, want)
		}
		if got, want := strings.Join(log.calls(), "\n"), "POST /2/dm_conversations/with/"+o.Consumer+"/messages"; got != want {
			t.Errorf("%s: got calls %q, want %q", name, got, want)
		}
		// The schema has no other members, so nothing else may be sent.
		if got, want := log.bodies[0], `{"text":"We <see> & \"thank\" you\n写 📷 https://example.com/?a=1&b=2"}`; got != want {
			t.Errorf("%s: got body %s, want %s", name, got, want)
		}
	}
}

func TestSendEchoIsDropped(t *testing.T) {
	p, c := start(t)
	o := to(t, p, c, "an answer")
	id, err := send(c, o)
	if err != nil {
		t.Fatal(err)
	}
	m := p.Message(said("echo"), "text", twittersim.Object{"text": "an answer"})
	m["id"] = id
	create := m["message_create"].(twittersim.Object)
	create["sender_id"], create["source_app_id"], create["target"] = p.UserID, p.AppID, twittersim.Object{"recipient_id": o.Consumer}
	r, err := p.Call(webhookURL, p.Account(m))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Parse(r)
	if err != nil || len(got) != 1 || got[0].Reason != "echo" || got[0].ID != id {
		t.Errorf("got %s, %v, want an echo with the id that Send returned", toJSON(t, got), err)
	}
}

func TestSendLength(t *testing.T) {
	p, c := start(t)
	for text, ok := range map[string]bool{
		"": false, "x": true, strings.Repeat("a", 10_000): true, strings.Repeat("a", 10_001): false,
		strings.Repeat("📷", 5000): true, strings.Repeat("📷", 5000) + "a": false,
	} {
		_, err := send(c, to(t, p, c, text))
		if ok != (err == nil) {
			t.Errorf("text of %d units: got %v, want it sent: %v", connectors.Length(text), err, ok)
		}
		if err != nil {
			wantKind(t, "length", err, connectors.Refused)
		}
	}
	if n := len(p.Sent()); n != 3 {
		t.Errorf("the consumer got %d messages, want 3", n)
	}
}

// A consumer's id becomes part of an address.
func TestSendConsumer(t *testing.T) {
	p, c := start(t)
	log := watch(p)
	for _, consumer := range []string{"", "ada", "@ada", "1/2", "../1", "1?x", "1#", " 1", "-1", "1\n", strings.Repeat("1", 21), "１"} {
		o := to(t, p, c, "x")
		o.Consumer = consumer
		_, err := send(c, o)
		wantKind(t, "consumer "+consumer, err, connectors.Refused)
	}
	if calls := log.calls(); len(calls) != 0 {
		t.Errorf("got calls %q, want none", calls)
	}
	o := to(t, p, c, "x")
	o.Consumer = "12"
	_, err := send(c, o)
	wantKind(t, "a consumer whom X does not know", err, connectors.Refused)
	o.Account = "77"
	_, err = send(c, o)
	wantKind(t, "another account", err, connectors.Misconfigured)
}

// problem is an error as X describes it.
func problem(kind, detail string) string {
	return `{"type":"` + kind + `","title":"Forbidden","detail":"` + detail + `","status":403}`
}

func TestSendErrors(t *testing.T) {
	const blank = "about:blank"
	for name, row := range map[string]struct {
		status int
		body   string
		want   connectors.ErrorKind
	}{
		"invalid":                {400, problem("https://api.x.com/2/problems/invalid-request", "x"), connectors.Refused},
		"bad token":              {401, problem(blank, "Unauthorized"), connectors.Misconfigured},
		"no credits":             {402, `{"title":"CreditsDepleted","type":"https://api.x.com/2/problems/credits"}`, connectors.Misconfigured},
		"takes no messages":      {403, problem(blank, "You do not have permission to DM one or more participants."), connectors.Refused},
		"blocked":                {403, problem(blank, "You cannot send messages to this user."), connectors.Refused},
		"not permitted":          {403, problem(blank, "This operation is not permitted."), connectors.Refused},
		"no body":                {403, "", connectors.Refused},
		"a page":                 {403, "<html>", connectors.Refused},
		"no permission":          {403, problem("https://api.twitter.com/2/problems/oauth1-permissions", "x"), connectors.Misconfigured},
		"the newer host":         {403, problem("https://api.x.com/2/problems/oauth1-permissions", "x"), connectors.Misconfigured},
		"not enrolled":           {403, problem("https://api.x.com/2/problems/client-not-enrolled", "x"), connectors.Misconfigured},
		"client forbidden":       {403, problem("https://api.x.com/2/problems/client-forbidden", "x"), connectors.Misconfigured},
		"app-only":               {403, problem("https://api.x.com/2/problems/unsupported-authentication", "x"), connectors.Misconfigured},
		"no scope":               {403, problem(blank, "Forbidden"), connectors.Misconfigured},
		"legacy code":            {403, `{"errors":[{"code":93,"message":"This application is not allowed to access or delete your direct messages."}]}`, connectors.Misconfigured},
		"another legacy code":    {403, `{"errors":[{"code":150,"message":"You cannot send messages to users who are not following you."}]}`, connectors.Refused},
		"no such user":           {404, problem("https://api.x.com/2/problems/resource-not-found", "x"), connectors.Refused},
		"gone":                   {410, "", connectors.Refused},
		"conflict":               {409, "", connectors.Refused},
		"too many":               {429, "", connectors.Throttled},
		"broken":                 {500, "", connectors.Unavailable},
		"bad gateway":            {502, "", connectors.Unavailable},
		"over capacity":          {503, "", connectors.Unavailable},
		"gateway timeout":        {504, "", connectors.Unavailable},
		"errors under success":   {200, `{"errors":[{"title":"Forbidden","detail":"You cannot send messages to this user."}]}`, connectors.Refused},
		"permission in a 200":    {200, `{"errors":[{"type":"https://api.x.com/2/problems/client-forbidden"}]}`, connectors.Misconfigured},
		"errors beside an empty": {200, `{"data":{},"errors":[{}]}`, connectors.Refused},
	} {
		p, c := start(t)
		o := to(t, p, c, "the consumer's own words")
		answers(p, row.status, nil, row.body)
		id, err := send(c, o)
		if err == nil || id != "" {
			t.Errorf("%s: got %q, %v, want no id", name, id, err)
			continue
		}
		wantKind(t, name, err, row.want)
		if got, want := connectors.UnsureOf(err), row.status == 504; got != want {
			t.Errorf("%s: got Unsure %v, want %v", name, got, want)
		}
		if strings.Contains(err.Error(), "own words") || strings.Contains(err.Error(), "messages to this user") {
			t.Errorf("%s: got %q, which quotes somebody", name, err)
		}
	}
}

// A 200 can hold errors beside a message that was sent.
func TestSendAnswers(t *testing.T) {
	for body, want := range map[string]string{
		`{"data":{"dm_conversation_id":"1-2","dm_event_id":"1900000000000000009"}}`: "1900000000000000009",
		`{"data":{"dm_conversation_id":"1-2","dm_event_id":1900000000000000009}}`:   "1900000000000000009",
		`{"data":{"dm_event_id":"7"},"errors":[{"title":"x"}]}`:                     "7",
		`{"data":{}}`: "", `{}`: "", "": "", "<html>": "", `{"data":5}`: "", `{"data":{"dm_event_id":{}},"errors":[]}`: "",
	} {
		p, c := start(t)
		o := to(t, p, c, "x")
		answers(p, http.StatusCreated, nil, body)
		if id, err := send(c, o); err != nil || id != want {
			t.Errorf("%s: got %q, %v, want %q", body, id, err, want)
		}
	}
}

func TestSendWaitsForReset(t *testing.T) {
	in := func(d time.Duration) string { return strconv.FormatInt(now().Add(d).Unix(), 10) }
	for name, row := range map[string]struct {
		reset, retryAfter string
		want              time.Duration
	}{
		"in a minute":          {in(time.Minute), "", time.Minute},
		"before Retry-After":   {in(time.Minute), "7", time.Minute},
		"at the window's end":  {in(15 * time.Minute), "", 15 * time.Minute},
		"tomorrow":             {in(24 * time.Hour), "", 15 * time.Minute},
		"in a thousand years":  {"99999999999", "", 15 * time.Minute},
		"at once":              {in(0), "", 0},
		"past":                 {in(-time.Hour), "", 0},
		"past, Retry-After":    {in(-time.Hour), "7", 7 * time.Second},
		"none":                 {"", "", 0},
		"none, Retry-After":    {"", "7", 7 * time.Second},
		"no number":            {"soon", "7", 7 * time.Second},
		"a date":               {"Sun, 01 Mar 2026 12:00:00 GMT", "", 0},
		"beyond every clock":   {"9223372036854775807", "7", 7 * time.Second},
		"beyond every integer": {"99999999999999999999", "7", 7 * time.Second},
		"negative":             {"-1", "7", 7 * time.Second},
	} {
		p, c := start(t)
		o := to(t, p, c, "x")
		header := http.Header{"X-Rate-Limit-Limit": {"15"}, "X-Rate-Limit-Remaining": {"0"}, "X-Rate-Limit-Reset": {row.reset}}
		if row.retryAfter != "" {
			header.Set("Retry-After", row.retryAfter)
		}
		answers(p, http.StatusTooManyRequests, header, `{"title":"Too Many Requests"}`)
		_, err := send(c, o)
		wantKind(t, name, err, connectors.Throttled)
		if got := connectors.AfterOf(err); got != row.want {
			t.Errorf("%s: got %v, want %v", name, got, row.want)
		}
	}
	// Only a limit has a reset to wait for.
	p, c := start(t)
	o := to(t, p, c, "x")
	answers(p, http.StatusServiceUnavailable, http.Header{"X-Rate-Limit-Reset": {in(time.Minute)}, "Retry-After": {"7"}}, "")
	if _, err := send(c, o); connectors.AfterOf(err) != 7*time.Second {
		t.Errorf("503: got %v after %v, want 7 s", err, connectors.AfterOf(err))
	}
}

// X has no key by which it knows a repeat.
func TestSendAgain(t *testing.T) {
	p, c := start(t)
	o := to(t, p, c, "x")
	one, err1 := send(c, o)
	two, err2 := send(c, o)
	if err1 != nil || err2 != nil || one == two || len(p.Sent()) != 2 {
		t.Errorf("got %q, %v and %q, %v, want two messages", one, err1, two, err2)
	}
	if texts := twitter.Channel().Texts; texts.Resend || texts.Limit != 10_000 || texts.Window != 0 || texts.TokenLife != 0 {
		t.Errorf("got %+v, want 10,000 and nothing else", texts)
	}
}

func TestSendUnsure(t *testing.T) {
	p, c := start(t)
	o := to(t, p, c, "x")
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(discard{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		})
	})
	_, err := send(c, o)
	wantKind(t, "a lost answer", err, connectors.Unavailable)
	if !connectors.UnsureOf(err) || len(p.Sent()) != 1 {
		t.Errorf("got Unsure %v and %d messages, want true and one", connectors.UnsureOf(err), len(p.Sent()))
	}
}

// discard takes an answer that nobody gets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
