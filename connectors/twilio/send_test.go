package twilio_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
)

const key = "2a6e07b0-0fcf-439f-908b-828ed527e882"

// to is a message from p's number to one of its consumers.
func to(p *twiliosim.Platform, name, text string) connectors.Outgoing {
	return connectors.Outgoing{Account: p.Number, Consumer: twiliosim.PhoneNumber(name), Key: key, Text: text}
}

func send(t testing.TB, c connectors.Connector, o connectors.Outgoing) (string, error) {
	t.Helper()
	return c.Send(t.Context(), o)
}

// asked is one call of the API as it arrived.
type asked struct {
	method, path, auth string
	form               url.Values
}

// tap notes the calls to the API.
func tap(p *twiliosim.Platform) (calls func() []asked) {
	var mu sync.Mutex
	var seen []asked
	p.Server.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			form, _ := url.ParseQuery(string(body))
			mu.Lock()
			seen = append(seen, asked{r.Method, r.URL.String(), r.Header.Get("Authorization"), form})
			mu.Unlock()
			h.ServeHTTP(w, r)
		})
	})
	return func() []asked {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

// failWith answers as Twilio's API does, with a code that 0 leaves out.
func failWith(status int, body string) func(http.Handler) http.Handler {
	return always(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func TestSend(t *testing.T) {
	p := start(t)
	const words = "1+1=2 & zoë \U0001F4F7 <b> %2B\n"
	for _, row := range []struct {
		name   string
		change func(*twilio.Config)
		more   url.Values
	}{
		{"the number alone", nil, nil},
		{"a messaging service", func(c *twilio.Config) { c.Accounts[0].MessagingServiceSID = p.ServiceSID }, url.Values{"MessagingServiceSid": {p.ServiceSID}}},
		{"a status callback", func(c *twilio.Config) { c.StatusCallback = webhookURL }, url.Values{"StatusCallback": {webhookURL}}},
	} {
		c := connect(t, p, row.change)
		calls, before := tap(p), len(p.Sent())
		o := to(p, "ada", words)
		o.ReplyTo, o.ReplyToken, o.Automatic = messageSID, "none of this platform", true
		id, err := send(t, c, o)
		want := sim.Sent{ID: id, Account: p.Number, Consumer: o.Consumer, Text: words}
		if sent := p.Sent(); err != nil || !strings.HasPrefix(id, "SM") || len(sent) != before+1 || sent[before] != want {
			t.Fatalf("%s: got id %q, %v, and sent %+v, want %+v at the end", row.name, id, err, sent, want)
		}
		form := url.Values{"To": {o.Consumer}, "From": {p.Number}, "Body": {words}}
		for name, values := range row.more {
			form[name] = values
		}
		got := calls()
		path := "/2010-04-01/Accounts/" + p.AccountSID + "/Messages.json"
		if len(got) != 1 || got[0].method != http.MethodPost || got[0].path != path || !reflect.DeepEqual(got[0].form, form) {
			t.Errorf("%s: got calls %+v, want one with %v", row.name, got, form)
		}
	}
}

func TestSendCredentials(t *testing.T) {
	p := start(t)
	for _, row := range []struct {
		name   string
		change func(*twilio.Config)
		good   bool
	}{
		{"account and token", nil, true},
		{"the API key", func(c *twilio.Config) {
			c.APIKeySID, c.APIKeySecret = p.KeySID, config.NewSecret(p.KeySecret)
			c.AuthToken = config.Secrets{config.NewSecret("verifies only")}
		}, true},
		{"an old token first", func(c *twilio.Config) {
			c.AuthToken = append(config.Secrets{config.NewSecret("old")}, c.AuthToken...)
		}, false},
		{"another account's SID", func(c *twilio.Config) { c.AccountSID = accountSID }, false},
		{"another account's SID with our key", func(c *twilio.Config) {
			c.AccountSID, c.APIKeySID, c.APIKeySecret = accountSID, p.KeySID, config.NewSecret(p.KeySecret)
		}, false},
		{"a service that is not there", func(c *twilio.Config) { c.Accounts[0].MessagingServiceSID = "MG" + accountSID[2:] }, false},
	} {
		_, err := send(t, connect(t, p, row.change), to(p, "ada", "hello"))
		if row.good && err != nil || !row.good && connectors.KindOf(err) != connectors.Misconfigured {
			t.Errorf("%s: got %v, want good %v, else kind misconfigured", row.name, err, row.good)
		}
	}
}

// TestSendEnvironment has settings for twilio-go in the environment, which would
// send the message through another of Twilio's data centres.
func TestSendEnvironment(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "sydney")
	t.Setenv("TWILIO_REGION", "au1")
	p := start(t)
	if _, err := send(t, connect(t, p, nil), to(p, "ada", "hello")); err != nil {
		t.Errorf("got %v, want a message to the simulated platform", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := example(t).Send(ctx, connectors.Outgoing{Account: number, Consumer: consumer, Key: key, Text: "hello"})
	if err == nil || !strings.Contains(err.Error(), " api.twilio.com:") || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled call to api.twilio.com", err)
	}
}

// TestSendCodes has every code that the table knows, under the status that is
// likely and under one that is not.
func TestSendCodes(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	for kind, codes := range map[connectors.ErrorKind]string{
		connectors.Misconfigured: "20003 20404 21601 21603 21606 21608 21659 21660 21661 21701 21703 21705 30002 30034",
		connectors.Throttled:     "20429 14107 21611 30001 63018",
		connectors.Unavailable:   "30003 30008",
		connectors.Refused:       "21211 21408 21610 21612 21614 21617 21620 21623 30004 30005 30006 30007 63016 21266 99999",
	} {
		for code := range strings.FieldsSeq(codes) {
			p.Server.Wrap(failWith(400, `{"code":`+code+`,"message":"about `+consumer+`","status":400,"more_info":"x"}`))
			_, err := send(t, c, to(p, "ada", "hello"))
			if connectors.KindOf(err) != kind || connectors.UnsureOf(err) || strings.Contains(err.Error(), consumer) {
				t.Errorf("code %s: got %v, want kind %v, sure, and without the number", code, err, kind)
			}
		}
	}
	for _, row := range []struct {
		status int
		body   string
		kind   connectors.ErrorKind
		unsure bool
	}{
		{401, `{"code":20003,"message":"Authenticate","status":401}`, connectors.Misconfigured, false},
		{403, `{"code":20003,"status":403}`, connectors.Misconfigured, false},
		{403, `{"code":21610,"status":403}`, connectors.Refused, false},
		{404, `{"code":20404,"status":404}`, connectors.Misconfigured, false},
		{404, ``, connectors.Misconfigured, false},
		{400, ``, connectors.Refused, false},
		{400, `{"code":"21611"}`, connectors.Refused, false},
		{400, `<html>`, connectors.Refused, false},
		{429, `{"code":20429,"message":"Too Many Requests","status":429}`, connectors.Throttled, false},
		{429, ``, connectors.Throttled, false},
		{500, `{"code":20500,"message":"Internal Server Error","status":500}`, connectors.Unavailable, false},
		{503, `{"code":20503,"status":503}`, connectors.Unavailable, false},
		{504, ``, connectors.Unavailable, true},
		{307, ``, connectors.Unavailable, false},
	} {
		p.Server.Wrap(failWith(row.status, row.body))
		_, err := send(t, c, to(p, "ada", "hello"))
		if connectors.KindOf(err) != row.kind || err == nil || connectors.UnsureOf(err) != row.unsure {
			t.Errorf("HTTP %d with %s: got %v, unsure %v; want kind %v, unsure %v", row.status, row.body, err, connectors.UnsureOf(err), row.kind, row.unsure)
		}
	}
}

// TestSendLostAnswer loses the answer to a message that was sent: nobody may
// send it again, because Twilio does not recognise it.
func TestSendLostAnswer(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	p.Server.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(nowhere{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		})
	})
	_, err := send(t, c, to(p, "ada", "hello"))
	if connectors.KindOf(err) != connectors.Unavailable || !connectors.UnsureOf(err) || len(p.Sent()) != 1 {
		t.Errorf("got %v with %d messages sent, want unavailable, unsure, and one", err, len(p.Sent()))
	}
}

// nowhere is a response that is lost.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}

// TestSendAnswersThatSayLittle has answers of success: the message was taken.
func TestSendAnswersThatSayLittle(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	for body, want := range map[string]string{
		`{"sid":"` + messageSID + `","status":"accepted"}`: messageSID,
		``: "", `{}`: "", `{"sid":null}`: "", `{"sid":5}`: "", `<html>`: "", `null`: "", strings.Repeat(" ", 1<<20): "",
	} {
		p.Server.Wrap(failWith(http.StatusCreated, body))
		if id, err := send(t, c, to(p, "ada", "hello")); err != nil || id != want {
			t.Errorf("201 with %d bytes %.30s: got %q, %v, want %q and no error", len(body), body, id, err, want)
		}
	}
}

func TestSendWithoutACall(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	calls := tap(p)
	for _, row := range []struct {
		name, account, text string
		kind                connectors.ErrorKind
	}{
		{"no text", p.Number, "", connectors.Refused},
		{"1601 letters", p.Number, strings.Repeat("x", 1601), connectors.Refused},
		{"801 emoji, which count twice", p.Number, strings.Repeat("\U0001F4F7", 801), connectors.Refused},
		{"another number", number, "hello", connectors.Misconfigured},
		{"another of the account's", p.ShortCode, "hello", connectors.Misconfigured},
	} {
		o := to(p, "ada", row.text)
		o.Account = row.account
		if _, err := send(t, c, o); connectors.KindOf(err) != row.kind || strings.Contains(err.Error(), number) {
			t.Errorf("%s: got %v, want kind %v and no number", row.name, err, row.kind)
		}
	}
	if n := len(calls()); n != 0 {
		t.Errorf("got %d calls, want none", n)
	}
	if _, err := send(t, c, to(p, "ada", strings.Repeat("x", 1600))); err != nil {
		t.Errorf("a text just as long as Twilio takes: %v", err)
	}
}

// TestSendAfterStop writes to somebody who wants no more, and again when they do.
func TestSendAfterStop(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	stop := deliver(t, c, p, p.Form(sim.Said{ID: "1", Consumer: "ada", Text: " Stop "}, 0, nil))
	if stop.Kind != connectors.Message || !stop.NoReply {
		t.Errorf("got %s, NoReply %v, want a message that nobody answers", stop.Kind, stop.NoReply)
	}
	if _, err := send(t, c, to(p, "ada", "hello")); connectors.KindOf(err) != connectors.Refused {
		t.Errorf("after STOP: got %v, want kind refused", err)
	}
	if _, err := send(t, c, to(p, "bob", "hello")); err != nil {
		t.Errorf("to another: %v", err)
	}
	_ = p.Form(sim.Said{ID: "2", Consumer: "ada", Text: "START"}, 0, nil)
	if _, err := send(t, c, to(p, "ada", "hello")); err != nil {
		t.Errorf("after START: %v", err)
	}
}

// TestReceiptOfPlatform follows a message to what became of it.
func TestReceiptOfPlatform(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	o := to(p, "ada", "hello")
	id, err := send(t, c, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		status, reason string
		code           int
	}{{"sent", "sent", 0}, {"delivered", "delivered", 0}, {"undelivered", "failed", 30003}} {
		r := p.Status(webhookURL, p.Sent()[0], row.status, row.code)
		if err := c.Verify(r); err != nil {
			t.Fatal(err)
		}
		events, err := c.Parse(r)
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: got %d events, %v, want one", row.status, len(events), err)
		}
		e := events[0]
		if e.Kind != connectors.Receipt || e.MessageID != id || e.Reason != row.reason || e.Account != p.Number || e.Consumer.ID != o.Consumer {
			t.Errorf("%s: got %+v, want the receipt %s of %s", row.status, e, row.reason, id)
		}
	}
}
