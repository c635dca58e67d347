package line_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line/linesim"
)

func registered(t *testing.T, c connectors.Connector, account string) (connectors.Registration, error) {
	t.Helper()
	return c.(connectors.Registrar).Registered(t.Context(), account, webhookURL)
}

func register(t *testing.T, c connectors.Connector, account string) error {
	t.Helper()
	return c.(connectors.Registrar).Register(t.Context(), account, webhookURL)
}

// reach lets p's own calls come to c, which answers as the gateway does.
func reach(p *linesim.Platform, c connectors.Connector, status int) {
	p.Reach(func(r *connectors.Request) (int, string) {
		events, err := c.Parse(r)
		if c.Verify(r) != nil || err != nil || len(events) != 0 || r.URL != webhookURL {
			return http.StatusUnauthorized, ""
		}
		return status, ""
	})
}

func TestRegister(t *testing.T) {
	p, c := start(t)
	reach(p, c, http.StatusOK)
	if err := register(t, c, p.BotID); err != nil {
		t.Fatal(err)
	}
	got, err := registered(t, c, p.BotID)
	if want := (connectors.Registration{OK: true, URL: webhookURL}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestRegistered(t *testing.T) {
	p, c := start(t)
	const other = "https://other.example/line"
	for _, row := range []struct {
		name string
		set  linesim.Endpoint
		want connectors.Registration
	}{
		{"nothing", linesim.Endpoint{Active: true}, connectors.Registration{Detail: "no webhook is set"}},
		{"ours", linesim.Endpoint{URL: webhookURL, Active: true}, connectors.Registration{OK: true, URL: webhookURL}},
		{"ours with a query", linesim.Endpoint{URL: webhookURL + "?tenant=secret#x", Active: true}, connectors.Registration{OK: true, URL: webhookURL}},
		{"switched off", linesim.Endpoint{URL: webhookURL}, connectors.Registration{URL: webhookURL, Detail: `"Use webhook" is switched off in the console`}},
		{"another", linesim.Endpoint{URL: other + "?token=secret", Active: true}, connectors.Registration{URL: other, Detail: "webhooks go to another address"}},
		{"a slash too many", linesim.Endpoint{URL: webhookURL + "/", Active: true}, connectors.Registration{URL: webhookURL + "/", Detail: "webhooks go to another address"}},
		{"user info", linesim.Endpoint{URL: "https://user:word@other.example/line", Active: true}, connectors.Registration{URL: other, Detail: "webhooks go to another address"}},
		{"none that can be read", linesim.Endpoint{URL: "https://%zz", Active: true}, connectors.Registration{Detail: "webhooks go to another address"}},
	} {
		p.SetEndpoint(row.set)
		if got, err := registered(t, c, p.BotID); err != nil || got != row.want {
			t.Errorf("%s: got %+v, %v, want %+v", row.name, got, err, row.want)
		}
	}
}

// What is stored must also work, and LINE tells whether it does.
func TestRegisterTries(t *testing.T) {
	p, c := start(t)
	for _, row := range []struct {
		name, want string
		status     int
	}{
		{"no way to us", "COULD_NOT_CONNECT", 0},
		{"an error of ours", "ERROR_STATUS_CODE, HTTP status 503", 503},
	} {
		reach(p, c, row.status)
		err := register(t, c, p.BotID)
		wantKind(t, row.name, err, connectors.Misconfigured)
		if err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %s in it", row.name, err, row.want)
		}
	}
	tap(p, nil, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"success":false,"statusCode":-1,"reason":"token=secret","detail":"https://secret.example"}`)
	})
	err := register(t, c, p.BotID)
	wantKind(t, "a reason of tomorrow", err, connectors.Misconfigured)
	noSecret(t, "a reason of tomorrow", err, "secret")
}

func TestWebhookFailures(t *testing.T) {
	p, c := start(t)
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		kind   connectors.ErrorKind
	}{
		{"400", answerWith(400, "Invalid webhook endpoint URL"), connectors.Refused},
		{"401", answerWith(401, ""), connectors.Misconfigured},
		{"403", answerWith(403, ""), connectors.Misconfigured},
		{"429", answerWith(429, ""), connectors.Throttled},
		{"500", answerWith(500, ""), connectors.Unavailable},
		{"no answer", hangUp, connectors.Unavailable},
	} {
		tap(p, row.answer, row.answer) // net/http itself repeats a GET without an answer
		_, err := registered(t, c, p.BotID)
		wantKind(t, row.name, err, row.kind)
		tap(p, row.answer)
		wantKind(t, row.name, register(t, c, p.BotID), row.kind)
		tap(p, nil, row.answer)
		wantKind(t, row.name+" to the test", register(t, c, p.BotID), row.kind)
	}
	for _, body := range []string{"", "<html>", `{"endpoint":5}`, "[]", strings.Repeat(" ", 1<<20)} {
		tap(p, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		_, err := registered(t, c, p.BotID)
		wantKind(t, "answer "+body, err, connectors.Malformed)
	}
	calls := tap(p)
	_, err := registered(t, c, botID)
	wantKind(t, "another account", err, connectors.Misconfigured)
	wantKind(t, "another account", register(t, c, botID), connectors.Misconfigured)
	if n := len(calls()); n != 0 {
		t.Errorf("got %d calls for another account, want none", n)
	}
}
