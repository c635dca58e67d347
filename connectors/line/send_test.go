package line_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
)

const (
	replyPath = "/v2/bot/message/reply"
	pushPath  = "/v2/bot/message/push"
	key       = "2a6e07b0-0fcf-439f-908b-828ed527e882"
)

// ask lets a consumer write, and returns the event of it.
func ask(t *testing.T, p *linesim.Platform, c connectors.Connector, id string) connectors.Event {
	t.Helper()
	s := said(id)
	s.Text = "hello"
	return heard(t, p, c, s)[0]
}

// to is an answer to an event.
func to(e connectors.Event, text string) connectors.Outgoing {
	return connectors.Outgoing{
		Account: e.Account, Consumer: e.Consumer.ID, Key: key, Text: text, ReplyTo: e.MessageID, ReplyToken: e.ReplyToken,
	}
}

func send(t *testing.T, c connectors.Connector, o connectors.Outgoing) (string, error) {
	t.Helper()
	return c.Send(t.Context(), o)
}

// call is what the platform was asked.
type call struct {
	path   string
	header http.Header
	body   string
}

// tap notes the calls that send. Each of answers takes the place of the
// platform's own answer to one of them, the others are the platform's.
func tap(p *linesim.Platform, answers ...http.HandlerFunc) (calls func() []call) {
	var mu sync.Mutex
	var seen []call
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			mu.Lock()
			n := len(seen)
			seen = append(seen, call{r.Method + " " + r.URL.String(), r.Header.Clone(), string(body)})
			mu.Unlock()
			if n < len(answers) && answers[n] != nil {
				answers[n](w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	return func() []call {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

// answerWith answers with a status and a message.
func answerWith(status int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, toText(linesim.Object{"message": message}))
	}
}

func toText(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// hangUp ends the connection without an answer, as a timeout does.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// discard is a response that goes nowhere.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

func paths(calls []call) string {
	var all []string
	for _, c := range calls {
		all = append(all, strings.TrimPrefix(c.path, "POST "))
	}
	return strings.Join(all, " ")
}

func TestSendReply(t *testing.T) {
	p, c := start(t)
	e := ask(t, p, c, "one")
	calls := tap(p)
	id, err := send(t, c, to(e, "写 📷 <&>"))
	want := []sim.Sent{{ID: id, Account: p.BotID, Consumer: e.Consumer.ID, Text: "写 📷 <&>"}}
	if got := p.Sent(); err != nil || id == "" || !reflect.DeepEqual(got, want) {
		t.Fatalf("got id %q, %v, and sent %+v, want %+v", id, err, got, want)
	}
	got := calls()
	if len(got) != 1 || got[0].path != "POST "+replyPath {
		t.Fatalf("got calls %+v, want one reply", got)
	}
	if body := `{"replyToken":"` + e.ReplyToken + `","messages":[{"type":"text","text":"写 📷 <&>"}]}`; got[0].body != body {
		t.Errorf("got body %s, want %s", got[0].body, body)
	}
	if _, ok := got[0].header["X-Line-Retry-Key"]; ok {
		t.Error("a reply bears a retry key, which LINE refuses")
	}
	if got[0].header.Get("Authorization") != "Bearer "+p.Token || got[0].header.Get("Content-Type") != "application/json" {
		t.Error("got another Authorization or Content-Type than LINE wants")
	}
}

func TestSendPush(t *testing.T) {
	p, c := start(t)
	o := to(ask(t, p, c, "one"), "hello")
	o.ReplyToken = "" // older than 50 s, so the gateway has left it out
	calls := tap(p)
	id, err := send(t, c, o)
	want := []sim.Sent{{ID: id, Account: p.BotID, Consumer: o.Consumer, Text: "hello"}}
	if got := p.Sent(); err != nil || id == "" || !reflect.DeepEqual(got, want) {
		t.Fatalf("got id %q, %v, and sent %+v, want %+v", id, err, got, want)
	}
	got := calls()[0]
	if body := `{"to":"` + o.Consumer + `","messages":[{"type":"text","text":"hello"}]}`; got.path != "POST "+pushPath || got.body != body {
		t.Errorf("got %s with body %s, want a push with %s", got.path, got.body, body)
	}
	if got := got.header["X-Line-Retry-Key"]; !reflect.DeepEqual(got, []string{key}) {
		t.Errorf("got retry keys %q at the first try, want %q", got, key)
	}
}

// A token that has expired or was used costs a second call, not the message.
func TestSendInvalidReplyToken(t *testing.T) {
	p, c := start(t)
	e := ask(t, p, c, "one")
	p.ExpireTokens()
	calls := tap(p)
	id, err := send(t, c, to(e, "hello"))
	if got := p.Sent(); err != nil || len(got) != 1 || got[0].ID != id {
		t.Errorf("got id %q, %v, and sent %+v, want one message", id, err, got)
	}
	if got := paths(calls()); got != replyPath+" "+pushPath {
		t.Errorf("got calls %s, want a reply and then a push", got)
	}
	if got := calls()[1].header.Get("X-Line-Retry-Key"); got != key {
		t.Errorf("got retry key %q with the push, want %q", got, key)
	}
	// Used up by us, it gives the same: one more message, by a push.
	two := ask(t, p, c, "two")
	for _, text := range []string{"by reply", "by push"} {
		o := to(two, text)
		o.Key = strings.Replace(key, "2a6e07b0", sim.Digest(8, text), 1)
		if _, err := send(t, c, o); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if got := len(p.Sent()); got != 3 {
		t.Errorf("got %d messages, want 3", got)
	}
}

// A push that LINE has accepted though it answered otherwise is sent once.
func TestSendPushAgain(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"500": answerWith(500, "Internal server error"), "504": answerWith(504, ""), "no answer": hangUp,
	} {
		p, c := start(t)
		o := to(ask(t, p, c, "one"), "hello")
		o.ReplyToken = ""
		// The platform does what it was asked for, and answers otherwise.
		p.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(discard{http.Header{}}, r)
				answer(w, r)
			})
		})
		_, err := send(t, c, o)
		p.Wrap(nil)
		wantKind(t, name, err, connectors.Unavailable)
		if got, want := connectors.UnsureOf(err), name != "500"; got != want {
			t.Errorf("%s: got unsure %v with %v, want %v", name, got, err, want)
		}
		id, err := send(t, c, o) // LINE answers 409
		if got := p.Sent(); err != nil || len(got) != 1 || got[0].ID != id {
			t.Errorf("%s, then 409: got id %q, %v, and sent %+v, want the one message's id", name, id, err, got)
		}
	}
}

// What a 409 says beside its status is of no weight.
func TestSendConflict(t *testing.T) {
	p, c := start(t)
	o := to(ask(t, p, c, "one"), "hello")
	o.ReplyToken = ""
	for body, want := range map[string]string{
		`{"message":"The retry key is already accepted","sentMessages":[{"id":"461230966842064897","quoteToken":"q"}]}`: "461230966842064897",
		`{"message":"The retry key is already accepted"}`:                                                               "", `{"sentMessages":[]}`: "", `{"sentMessages":[{"id":5}]}`: "", "<html>": "", "": "",
	} {
		tap(p, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, body)
		})
		if id, err := send(t, c, o); err != nil || id != want {
			t.Errorf("409 with %s: got %q, %v, want %q and no error", body, id, err, want)
		}
	}
	// With a reply there is no key that could be known again.
	o.ReplyToken = "token"
	tap(p, answerWith(http.StatusConflict, "The retry key is already accepted"))
	_, err := send(t, c, o)
	wantKind(t, "409 to a reply", err, connectors.Refused)
}

// LINE has taken the message whatever its 200 says.
func TestSendAnswersThatSayLittle(t *testing.T) {
	for _, body := range []string{"", "{}", "<html>", `{"sentMessages":{}}`, `{"sentMessages":[]}`, strings.Repeat(" ", 1<<20)} {
		p, c := start(t)
		e := ask(t, p, c, "one")
		for _, token := range []string{e.ReplyToken, ""} {
			tap(p, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
			o := to(e, "hello")
			o.ReplyToken = token
			if id, err := send(t, c, o); err != nil || id != "" {
				t.Errorf("200 with %d bytes: got %q, %v, want no id and no error", len(body), id, err)
			}
		}
	}
}

// The simulated platform knows no such consumer, as LINE does not.
func TestSendUnknownConsumer(t *testing.T) {
	p, c := start(t)
	e := ask(t, p, c, "one")
	for _, id := range []string{linesim.UserID("nobody"), "U1", "", "ada"} {
		o := to(e, "hello")
		o.Consumer, o.ReplyToken = id, ""
		_, err := send(t, c, o)
		wantKind(t, "consumer "+id, err, connectors.Refused)
	}
}

func TestSendWithoutACall(t *testing.T) {
	p, c := start(t)
	e := ask(t, p, c, "one")
	calls := tap(p)
	for _, row := range []struct {
		name, account, text string
		kind                connectors.ErrorKind
	}{
		{"no text", p.BotID, "", connectors.Refused},
		{"5001 letters", p.BotID, strings.Repeat("x", 5001), connectors.Refused},
		{"2501 emoji, which count twice", p.BotID, strings.Repeat("📷", 2501), connectors.Refused},
		{"another account", botID, "hello", connectors.Misconfigured},
		{"no account", "", "hello", connectors.Misconfigured},
	} {
		o := to(e, row.text)
		o.Account = row.account
		_, err := send(t, c, o)
		wantKind(t, row.name, err, row.kind)
		noSecret(t, row.name, err, botID, "xxx", "📷")
	}
	if n := len(calls()); n != 0 {
		t.Errorf("got %d calls, want none", n)
	}
	for _, text := range []string{strings.Repeat("x", 5000), strings.Repeat("📷", 2500), strings.Repeat("<", 5000)} {
		o := to(e, text)
		o.Key = strings.Replace(key, "2a6e07b0", sim.Digest(8, text), 1)
		if _, err := send(t, c, o); err != nil {
			t.Errorf("a text just as long as LINE takes: %v", err)
		}
	}
}

// Pushes go to one host and content comes from another.
func TestSendHosts(t *testing.T) {
	for _, token := range []string{"token", ""} {
		o := connectors.Outgoing{Account: botID, Consumer: userID, Key: key, Text: "hello", ReplyToken: token}
		_, err := strict(t).Send(canceled(), o)
		if err == nil || !strings.Contains(err.Error(), " api.line.me:") || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want a cancelled call to api.line.me", err)
		}
	}
	_, err := strict(t).(connectors.Registrar).Registered(canceled(), botID, webhookURL)
	if err == nil || !strings.Contains(err.Error(), " api.line.me:") {
		t.Errorf("got %v, want a cancelled call to api.line.me", err)
	}
}

// A redirect would take the token to another host.
func TestSendRedirect(t *testing.T) {
	p, c := start(t)
	e := ask(t, p, c, "one")
	foreign := startHost(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, token := range []string{e.ReplyToken, ""} {
			tap(p, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, foreign.URL, status) })
			o := to(e, "hello")
			o.ReplyToken = token
			if _, err := send(t, c, o); err == nil {
				t.Errorf("%d: got no error, want one", status)
			}
		}
	}
	if n := len(foreign.calls()); n != 0 {
		t.Errorf("got %d calls to a foreign host, want none", n)
	}
}
