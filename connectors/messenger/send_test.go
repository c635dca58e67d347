package messenger_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
	"github.com/lightlock/lightlock/connectors/sim"
)

// met returns a platform on which Ada has written, a connector, and an answer
// to her.
func met(t *testing.T) (*messengersim.Platform, *messenger.Connector, connectors.Outgoing) {
	t.Helper()
	p, c := start(t)
	events := hear(t, p, c, said("one", "hello"))
	return p, c, connectors.Outgoing{
		Account: events[0].Account, Consumer: events[0].Consumer.ID, Text: "hi Ada",
		Key: "8b2c2a3e-6f0c-4a55-9d0c-0d9b6d0a1c11", ReplyTo: events[0].MessageID, Automatic: true,
	}
}

func TestSend(t *testing.T) {
	p, c, o := met(t)
	for i, text := range []string{"hi Ada", "写 😀 <b>&amp;</b> \"x\"\n", strings.Repeat("a", 2000), strings.Repeat("😀", 1000)} {
		o.Text = text
		id, err := c.Send(t.Context(), o)
		if err != nil || id == "" {
			t.Fatalf("got %q, %v, want an id", id, err)
		}
		sent := p.Sent()
		if want := (sim.Sent{ID: id, Account: p.Pages[0].ID, Consumer: o.Consumer, Text: text}); len(sent) != i+1 || sent[i] != want {
			t.Errorf("got %d messages, the last %+v, want %+v", len(sent), sent[len(sent)-1], want)
		}
	}
}

// The call is as Meta documents it, but for the token, which is in a header.
func TestSendCall(t *testing.T) {
	p, c, o := met(t)
	var method, address, token, mediaType, body string
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			data, _ := io.ReadAll(r.Body)
			method, address, body = r.Method, r.URL.String(), string(data)
			token, mediaType = r.Header.Get("Authorization"), r.Header.Get("Content-Type")
			_, _ = io.WriteString(w, `{"recipient_id":"1","message_id":"m_9"}`)
		})
	})
	o.Text = `a/b & "c"`
	if id, err := c.Send(t.Context(), o); err != nil || id != "m_9" {
		t.Fatalf("got %q, %v, want m_9", id, err)
	}
	if want := "/v25.0/" + p.Pages[0].ID + "/messages"; method != http.MethodPost || address != want {
		t.Errorf("got %s %s, want POST %s", method, address, want)
	}
	if token != "Bearer "+p.Pages[0].Token || mediaType != "application/json" {
		t.Errorf("got Authorization %q and Content-Type %q", token, mediaType)
	}
	if want := `{"recipient":{"id":"` + o.Consumer + `"},"messaging_type":"RESPONSE","message":{"text":"a/b & \"c\""}}`; body != want {
		t.Errorf("got %s\nwant %s", body, want)
	}
}

func TestSendWithoutACall(t *testing.T) {
	p, c, o := met(t)
	seen := record(p)
	tests := []struct {
		name   string
		change func(*connectors.Outgoing)
		want   connectors.ErrorKind
	}{
		{"no text", func(o *connectors.Outgoing) { o.Text = "" }, connectors.Refused},
		{"one character too many", func(o *connectors.Outgoing) { o.Text = strings.Repeat("a", 2001) }, connectors.Refused},
		{"one emoji too many", func(o *connectors.Outgoing) { o.Text = strings.Repeat("😀", 1000) + "a" }, connectors.Refused},
		{"no account", func(o *connectors.Outgoing) { o.Account = "" }, connectors.Misconfigured},
		{"an account that is not ours", func(o *connectors.Outgoing) { o.Account = "1" }, connectors.Misconfigured},
		{"nobody", func(o *connectors.Outgoing) { o.Consumer = "" }, connectors.Refused},
	}
	for _, test := range tests {
		wrong := o
		test.change(&wrong)
		_, err := c.Send(t.Context(), wrong)
		wantKind(t, test.name, err, test.want)
		if connectors.UnsureOf(err) || strings.Contains(err.Error(), "aaa") {
			t.Errorf("%s: got %v, unsure %v, want a sure error without the text", test.name, err, connectors.UnsureOf(err))
		}
	}
	if len(seen()) != 0 || len(p.Sent()) != 0 {
		t.Errorf("got calls\n%s\nwant none", calls(seen()))
	}
}

// What the platform itself says no to.
func TestSendRefusedByPlatform(t *testing.T) {
	p, c, o := met(t)
	tests := []struct {
		name   string
		change func(*connectors.Outgoing)
		want   connectors.ErrorKind
	}{
		{"a stranger", func(o *connectors.Outgoing) { o.Consumer = "1" }, connectors.Refused},
		{"who has blocked the Page", func(o *connectors.Outgoing) { p.Block(o.Consumer) }, connectors.Refused},
		{"a day later", func(o *connectors.Outgoing) { p.CloseWindow(o.Consumer) }, connectors.Refused},
	}
	for _, test := range tests {
		wrong := o
		test.change(&wrong)
		_, err := c.Send(t.Context(), wrong)
		wantKind(t, test.name, err, test.want)
	}
	s := p.Settings("acme", "support").(*messenger.Config)
	s.Accounts[0].PageAccessToken = config.NewSecret("revoked-token")
	_, err := connect(t, s).Send(t.Context(), o)
	wantKind(t, "a revoked token", err, connectors.Misconfigured)
	if err == nil || strings.Contains(err.Error(), "revoked-token") {
		t.Errorf("got %v, want an error without the token", err)
	}
	if len(p.Sent()) != 0 {
		t.Errorf("got %+v sent, want nothing", p.Sent())
	}
}

// Each Page speaks with its own token.
func TestSendAsItsOwnPage(t *testing.T) {
	p, _ := start(t)
	two := p.AddPage("shop")
	c := connect(t, p.Settings("acme", "support"))
	p.Item(two, said("one", ""), "message", nil)
	if _, err := c.Send(t.Context(), connectors.Outgoing{Account: two.ID, Consumer: messengersim.PSID(two, "ada"), Text: "hi"}); err != nil {
		t.Fatal(err)
	}
	if sent := p.Sent(); len(sent) != 1 || sent[0].Account != two.ID {
		t.Errorf("got %+v, want one message of the second Page", sent)
	}
}

func TestSendSortsErrors(t *testing.T) {
	tests := []struct {
		status, code, subcode int
		want                  connectors.ErrorKind
	}{
		{400, 4, 0, connectors.Throttled},
		{400, 32, 0, connectors.Throttled},
		{400, 613, 0, connectors.Throttled},
		{429, 99, 0, connectors.Throttled},
		{400, 1200, 0, connectors.Unavailable},
		{500, 2, 0, connectors.Unavailable},
		{400, 2, 0, connectors.Unavailable},
		{503, 99, 0, connectors.Unavailable},
		{400, 10, 2018065, connectors.Refused},
		{400, 10, 2018278, connectors.Refused},
		{400, 10, 2018108, connectors.Refused},
		{400, 10, 0, connectors.Misconfigured},
		{400, 100, 0, connectors.Refused},
		{400, 100, 2018001, connectors.Refused},
		{400, 100, 33, connectors.Misconfigured}, // the Page is not ours any more
		{400, 190, 460, connectors.Misconfigured},
		{401, 190, 0, connectors.Misconfigured},
		{403, 200, 0, connectors.Misconfigured},
		{403, 200, 1545041, connectors.Refused},
		{400, 551, 0, connectors.Refused},
		{400, 551, 1545041, connectors.Refused},
		{400, 368, 0, connectors.Misconfigured},
		{400, 99, 0, connectors.Refused},
	}
	p, c, o := met(t)
	for _, test := range tests {
		name := strconv.Itoa(test.status) + "/" + strconv.Itoa(test.code) + "/" + strconv.Itoa(test.subcode)
		t.Run(name, func(t *testing.T) {
			body, err := json.Marshal(messengersim.Object{"error": messengersim.Object{
				"message": "secret words", "type": "OAuthException", "code": test.code, "error_subcode": test.subcode, "fbtrace_id": "x",
			}})
			if err != nil {
				t.Fatal(err)
			}
			p.Wrap(func(http.Handler) http.Handler { return answers(test.status, string(body)) })
			_, err = c.Send(t.Context(), o)
			wantKind(t, "Send", err, test.want)
			if connectors.UnsureOf(err) || strings.Contains(err.Error(), "secret words") || strings.Contains(err.Error(), o.Text) {
				t.Errorf("got %v, unsure %v, want a sure error without anybody's words", err, connectors.UnsureOf(err))
			}
		})
	}
}

// answers gives always the same answer, and asks to come again in 7 seconds.
func answers(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// How long to wait, and that it may have been sent, survive the sorting.
func TestSendKeepsWhatIsKnown(t *testing.T) {
	p, c, o := met(t)
	for code, kind := range map[string]connectors.ErrorKind{"613": connectors.Throttled, "2018": connectors.Throttled} {
		p.Wrap(func(http.Handler) http.Handler { return answers(429, `{"error":{"code":`+code+`}}`) })
		_, err := c.Send(t.Context(), o)
		wantKind(t, "429 with code "+code, err, kind)
		if got := connectors.AfterOf(err); got != 7*time.Second {
			t.Errorf("code %s: got %v to wait, want 7s", code, got)
		}
	}
	for _, body := range []string{`<html>`, `{"error":{"code":2}}`, `{"error":{"code":10,"error_subcode":2018108}}`} {
		p.Wrap(func(http.Handler) http.Handler { return answers(http.StatusGatewayTimeout, body) })
		if _, err := c.Send(t.Context(), o); !connectors.UnsureOf(err) {
			t.Errorf("HTTP 504 with %s: got %v, which is sure, want one that may have been sent", body, err)
		}
	}
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	})
	_, err := c.Send(t.Context(), o)
	wantKind(t, "no answer", err, connectors.Unavailable)
	if !connectors.UnsureOf(err) {
		t.Errorf("no answer: got %v, which is sure", err)
	}
}

// What is answered by a success is sent, even if nobody can read its id.
func TestSendReadsAnyAnswer(t *testing.T) {
	p, c, o := met(t)
	for body, want := range map[string]string{
		`{"recipient_id":"1","message_id":"m_9"}`:                     "m_9",
		`{"recipient_id":"1","message_id":"m_9","attachment_id":"2"}`: "m_9",
		`{"recipient_id":"1"}`:                                        "", `{"message_id":7}`: "", `[]`: "", `<html>`: "", ``: "", strings.Repeat(" ", 1<<20): "",
	} {
		p.Wrap(func(http.Handler) http.Handler { return answers(http.StatusOK, body) })
		if id, err := c.Send(t.Context(), o); err != nil || id != want {
			t.Errorf("%s: got %q, %v, want %q", body, id, err, want)
		}
	}
}

func TestSendCancelled(t *testing.T) {
	p, c, o := met(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Send(ctx, o); err == nil || connectors.UnsureOf(err) {
		t.Errorf("got %v, unsure %v, want a sure error", err, connectors.UnsureOf(err))
	}
	if len(p.Sent()) != 0 {
		t.Errorf("got %+v sent, want nothing", p.Sent())
	}
}

// The receipt of a delivery names what Send has returned.
func TestSendReceipt(t *testing.T) {
	p, c, o := met(t)
	id, err := c.Send(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	delivered := p.Item(p.Pages[0], said("x", ""), "delivery", messengersim.Object{"mids": []any{id}, "watermark": at.UnixMilli()})
	r, err := p.Call(webhookURL, messengersim.Entry(p.Pages[0], at, "messaging", delivered))
	if err != nil {
		t.Fatal(err)
	}
	events, err := c.Parse(r)
	if err != nil || len(events) != 1 || events[0].Kind != connectors.Receipt || events[0].MessageID != id {
		t.Errorf("got %+v, %v, want the receipt of %s", events, err, id)
	}
}
