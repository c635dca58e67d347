package line_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

func TestSendFailures(t *testing.T) {
	for _, row := range []struct {
		name          string
		answer        http.HandlerFunc
		kind          connectors.ErrorKind
		unsure, retry bool // of a reply; of a push only where no answer of LINE's came
	}{
		{"400", answerWith(400, "The request body has 1 error(s)"), connectors.Refused, false, false},
		{"a consumer who cannot be written to", answerWith(400, "Failed to send messages"), connectors.Refused, false, false},
		{"400 without a body", answerWith(400, ""), connectors.Refused, false, false},
		{"401", answerWith(401, "Authentication failed"), connectors.Misconfigured, false, true},
		{"403", answerWith(403, "Access to this API is not available for your account"), connectors.Misconfigured, false, true},
		{"404", answerWith(404, "Not found"), connectors.Misconfigured, false, true},
		{"410", answerWith(410, "Gone"), connectors.Misconfigured, false, true},
		{"413", answerWith(413, "Request entity too large"), connectors.Refused, false, false},
		{"415", answerWith(415, "Unsupported media type"), connectors.Refused, false, false},
		{"429, rate", answerWith(429, "The API rate limit has been exceeded. Try again later."), connectors.Throttled, false, true},
		{"429, month", answerWith(429, "You have reached your monthly limit."), connectors.Misconfigured, false, true},
		{"429 without a body", answerWith(429, ""), connectors.Throttled, false, true},
		{"500", answerWith(500, "Internal server error"), connectors.Unavailable, true, true},
		{"502", answerWith(502, ""), connectors.Unavailable, true, true},
		{"503", answerWith(503, ""), connectors.Unavailable, true, true},
		{"504", answerWith(504, ""), connectors.Unavailable, true, true},
		{"302", answerWith(302, ""), connectors.Unavailable, false, true},
		{"no answer", hangUp, connectors.Unavailable, true, true},
	} {
		p, c := start(t)
		e := ask(t, p, c, "one")
		for _, token := range []string{e.ReplyToken, ""} {
			calls := tap(p, row.answer)
			o := to(e, "the words of an agent")
			o.ReplyToken = token
			_, err := send(t, c, o)
			wantKind(t, row.name, err, row.kind)
			lost := row.name == "504" || row.name == "no answer"
			if got, want := connectors.UnsureOf(err), row.unsure && (token != "" || lost); got != want {
				t.Errorf("%s, by reply %v: got unsure %v, want %v", row.name, token != "", got, want)
			}
			if got := connectors.KindOf(err).Next().Retry; got != row.retry {
				t.Errorf("%s: got retry %v, want %v", row.name, got, row.retry)
			}
			if n := len(calls()); n != 1 {
				t.Errorf("%s: got %d calls, want one try", row.name, n)
			}
			noSecret(t, row.name, err, p.Token, e.ReplyToken, e.Consumer.ID, "agent", key)
		}
		if n := len(p.Sent()); n != 0 {
			t.Errorf("%s: got %d messages sent, want none", row.name, n)
		}
	}
}

// noSecret looks for what must not stand in an error's text.
func noSecret(t *testing.T, what string, err error, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if err != nil && s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("%s: got error %v, which holds what no log may", what, err)
		}
	}
}

// Retry-After counts where waiting helps, and not where an operator must act.
func TestSendAfter(t *testing.T) {
	p, c := start(t)
	o := to(ask(t, p, c, "one"), "hello")
	for message, want := range map[string]bool{"Too many requests": true, "You have reached your monthly limit.": false} {
		tap(p, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			answerWith(429, message)(w, r)
		})
		if _, err := send(t, c, o); (connectors.AfterOf(err) > 0) != want {
			t.Errorf("%s: got After %v, want one: %v", message, connectors.AfterOf(err), want)
		}
	}
}

// Of all that LINE answers, its request's id alone may stand in a log.
func TestSendRequestID(t *testing.T) {
	p, c := start(t)
	o := to(ask(t, p, c, "one"), "hello")
	for id, want := range map[string]bool{
		"123e4567-e89b-12d3-a456-426655440002": true, "": false, "Bearer " + p.Token: false, p.Token: false,
		"123e4567-e89b-12d3-a456-426655440002 and more": false,
	} {
		tap(p, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Line-Request-Id", id)
			answerWith(500, "Internal server error")(w, r)
		})
		_, err := send(t, c, o)
		wantKind(t, "500", err, connectors.Unavailable)
		if got := err != nil && strings.Contains(err.Error(), "x-line-request-id "+id); got != want {
			t.Errorf("request %q: got %v, want its id in it: %v", id, err, want)
		}
	}
}

func TestSendQuota(t *testing.T) {
	p, c := start(t)
	e := ask(t, p, c, "one")
	p.UseUpQuota()
	o := to(e, "hello")
	o.ReplyToken = ""
	_, err := send(t, c, o)
	wantKind(t, "a push beyond the quota", err, connectors.Misconfigured)
	if _, err := send(t, c, to(e, "hello")); err != nil {
		t.Errorf("a reply, which the quota does not count: %v", err)
	}
}
