package apple_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
	"github.com/lightlock/lightlock/connectors/sim"
)

// answer is a message to Ada, who has just written.
func answer(t *testing.T, p *applesim.Platform, c *apple.Connector, text string) connectors.Outgoing {
	t.Helper()
	e := heard(t, c, p, p.Message(said("question")))
	return connectors.Outgoing{Account: e.Account, Consumer: e.Consumer.ID, Key: messageID, Text: text}
}

func TestSend(t *testing.T) {
	p, c := start(t)
	words := "a \"lamp\" <b>&amp;</b> \u2028 写📷\nhttps://h.example/?a=b&c"
	o := answer(t, p, c, words)
	id, err := c.Send(t.Context(), o)
	if err != nil || id != messageID {
		t.Errorf("got id %q, %v, want the key", id, err)
	}
	want := sim.Sent{ID: messageID, Account: p.BusinessID, Consumer: o.Consumer, Text: words}
	if got := p.Sent(); len(got) != 1 || got[0] != want {
		t.Errorf("Ada got %+v, want %+v", got, want)
	}
}

// The request is the one of Apple's pages, header by header.
func TestSendRequest(t *testing.T) {
	p, c := start(t)
	o := answer(t, p, c, "a lamp <3")
	o.ReplyTo, o.ReplyToken = "one", "token"
	for _, automatic := range []bool{false, true} {
		var seen *http.Request
		var body []byte
		p.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = r.Clone(context.Background())
				body, _ = io.ReadAll(r.Body)
				w.WriteHeader(http.StatusOK)
			})
		})
		o.Automatic = automatic
		if _, err := c.Send(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		reply := map[bool]string{true: "true"}[automatic]
		for name, want := range map[string]string{
			"id": messageID, "source-id": p.BusinessID, "destination-id": o.Consumer, "content-type": "application/json", "auto-reply": reply, "msp-agent": "Lightlock", "content-encoding": "",
		} {
			if got := seen.Header.Get(name); got != want {
				t.Errorf("header %s: got %q, want %q", name, got, want)
			}
		}
		if got, want := seen.Method+" "+seen.URL.String(), "POST /v1/message"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		readToken(t, p, seen)
		want := `{"v":1,"id":"` + messageID + `","type":"text","sourceId":"` + p.BusinessID + `","destinationId":"` + o.Consumer + `","locale":"en_US","body":"a lamp <3"}`
		if string(body) != want {
			t.Errorf("got body %s, want %s", body, want)
		}
	}
}

func TestSendRefuses(t *testing.T) {
	p, c := start(t)
	good := answer(t, p, c, "x")
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a call came through") })
	})
	for _, row := range []struct {
		name   string
		change func(o *connectors.Outgoing)
		want   connectors.ErrorKind
	}{
		{"no text", func(o *connectors.Outgoing) { o.Text = "" }, connectors.Refused},
		{"a text too long", func(o *connectors.Outgoing) { o.Text = strings.Repeat("a", 10_001) }, connectors.Refused},
		{"emoji too many", func(o *connectors.Outgoing) { o.Text = strings.Repeat("📷", 5001) }, connectors.Refused},
		{"no consumer", func(o *connectors.Outgoing) { o.Consumer = "" }, connectors.Refused},
		{"a header in the consumer", func(o *connectors.Outgoing) { o.Consumer += "\r\nX: y" }, connectors.Refused},
		{"a consumer without end", func(o *connectors.Outgoing) { o.Consumer = strings.Repeat("9", 1<<16) }, connectors.Refused},
		{"no key", func(o *connectors.Outgoing) { o.Key = "" }, connectors.Refused},
		{"another business", func(o *connectors.Outgoing) { o.Account = businessID }, connectors.Misconfigured},
		{"no business", func(o *connectors.Outgoing) { o.Account = "" }, connectors.Misconfigured},
	} {
		o := good
		row.change(&o)
		id, err := c.Send(t.Context(), o)
		wantKind(t, row.name, err, row.want)
		if id != "" || connectors.UnsureOf(err) {
			t.Errorf("%s: got id %q and unsure %v, want neither", row.name, id, connectors.UnsureOf(err))
		}
	}
}

// What follows from an answer of the gateway.
func TestSendStatus(t *testing.T) {
	p, c := start(t)
	o := answer(t, p, c, "x")
	for _, row := range []struct {
		status int
		want   connectors.ErrorKind
		unsure bool
	}{
		{400, connectors.Refused, false}, {401, connectors.Misconfigured, false}, {403, connectors.Misconfigured, false}, {404, connectors.Gone, false},
		{413, connectors.Refused, false}, {429, connectors.Throttled, false}, {500, connectors.Unavailable, false}, {502, connectors.Unavailable, false},
		{503, connectors.Unavailable, false}, {504, connectors.Unavailable, true}, {302, connectors.Unavailable, false},
	} {
		p.Wrap(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(row.status)
				_, _ = io.WriteString(w, o.Consumer+o.Text)
			})
		})
		id, err := c.Send(t.Context(), o)
		if id != "" || err == nil || connectors.KindOf(err) != row.want || connectors.UnsureOf(err) != row.unsure {
			t.Errorf("HTTP %d: got id %q and %v, unsure %v, want %v, unsure %v", row.status, id, err, connectors.UnsureOf(err), row.want, row.unsure)
		}
		wantQuiet(t, "status", err, o.Consumer, p.Secret, messageID)
		if row.status == 429 || row.status == 503 {
			if got := connectors.AfterOf(err); got != 7*time.Second {
				t.Errorf("HTTP %d: got %v to wait, want 7s", row.status, got)
			}
		}
	}
	for _, status := range []int{200, 201, 202, 204} {
		p.Wrap(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "<html>"+strings.Repeat(" ", 1<<20)) // more than we read
			})
		})
		if id, err := c.Send(t.Context(), o); err != nil || id != messageID {
			t.Errorf("HTTP %d: got id %q, %v, want the key", status, id, err)
		}
	}
}

// An answer that is lost leaves open whether the consumer got the message.
func TestSendUnsure(t *testing.T) {
	p, c := start(t)
	o := answer(t, p, c, "x")
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(&nothing{}, r)
			panic(http.ErrAbortHandler)
		})
	})
	_, err := c.Send(t.Context(), o)
	wantKind(t, "a lost answer", err, connectors.Unavailable)
	if !connectors.UnsureOf(err) || len(p.Sent()) != 1 {
		t.Errorf("got unsure %v with %d messages sent, want true with 1", connectors.UnsureOf(err), len(p.Sent()))
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = c.Send(t.Context(), o)
	wantKind(t, "nobody there", err, connectors.Unavailable)
	if connectors.UnsureOf(err) {
		t.Error("got unsure where nobody listened")
	}
}

// nothing swallows an answer.
type nothing struct{ header http.Header }

func (n *nothing) Header() http.Header {
	if n.header == nil {
		n.header = http.Header{}
	}
	return n.header
}
func (*nothing) Write(p []byte) (int, error) { return len(p), nil }
func (*nothing) WriteHeader(int)             {}

// Who has never written, and who has left, gets nothing.
func TestSendGone(t *testing.T) {
	p, c := start(t)
	o := answer(t, p, c, "x")
	stranger := o
	stranger.Consumer = applesim.UserID("eve")
	_, err := c.Send(t.Context(), stranger)
	wantKind(t, "somebody who never wrote", err, connectors.Gone)
	heard(t, c, p, p.Event(said("bye"), "close"))
	_, err = c.Send(t.Context(), o)
	wantKind(t, "somebody who has left", err, connectors.Gone)
	heard(t, c, p, p.Message(said("back again")))
	if _, err := c.Send(t.Context(), o); err != nil || len(p.Sent()) != 1 {
		t.Errorf("somebody who is back: got %v and %d messages, want one", err, len(p.Sent()))
	}
}

func TestSendCancelled(t *testing.T) {
	p, c := start(t)
	o := answer(t, p, c, "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Send(ctx, o); !errors.Is(err, context.Canceled) || connectors.UnsureOf(err) {
		t.Errorf("got %v, unsure %v, want context.Canceled and sure", err, connectors.UnsureOf(err))
	}
}

// While the secret is replaced, the first one signs our own calls.
func TestSendRotation(t *testing.T) {
	p, _ := start(t)
	s := p.Settings("acme", "support").(*apple.Config)
	for first, want := range map[int]connectors.ErrorKind{0: connectors.Other, 1: connectors.Misconfigured} {
		s.Secret = nil
		for i := range 2 {
			text := p.Secret
			if i != first {
				text = secret
			}
			s.Secret = append(s.Secret, newSecret(text))
		}
		c := connect(t, s, time.Now())
		_, err := c.Send(t.Context(), answer(t, p, c, "x"))
		if err == nil && want != connectors.Other || err != nil && connectors.KindOf(err) != want {
			t.Errorf("the one in force at place %d: got %v, want %v", first, err, want)
		}
	}
}

func TestChannel(t *testing.T) {
	ch := apple.Channel()
	if ch.Name != "apple" || ch.PhotoLimit != 10<<20 || ch.BodyLimit != 10<<20 || ch.Texts != (connectors.Texts{Limit: 10_000}) || ch.Withdraws {
		t.Errorf("got %+v", ch)
	}
	if s, ok := ch.Settings().(*apple.Config); !ok || s.MaxTokenAge.Std() != time.Hour {
		t.Errorf("got settings %+v, want a max_token_age of an hour", ch.Settings())
	}
	var c any = &apple.Connector{}
	if _, ok := c.(connectors.Registrar); ok {
		t.Error("got a Registrar, though Apple has no API for that")
	}
}
