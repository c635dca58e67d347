package twilio_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
)

// withShortCode adds p's short code to the accounts.
func withShortCode(p *twiliosim.Platform) func(*twilio.Config) {
	return func(c *twilio.Config) {
		c.Accounts = append(c.Accounts, twilio.Account{Account: config.Account{ID: p.ShortCode, Name: "short", Queue: "support"}})
	}
}

func registered(t testing.TB, c connectors.Connector, account string) (connectors.Registration, error) {
	t.Helper()
	return c.(connectors.Registrar).Registered(t.Context(), account, webhookURL)
}

func register(t testing.TB, c connectors.Connector, account string) error {
	t.Helper()
	return c.(connectors.Registrar).Register(t.Context(), account, webhookURL)
}

// TestRegister registers a number and a short code, each by its own call.
func TestRegister(t *testing.T) {
	p := start(t)
	c := connect(t, p, withShortCode(p))
	for i, account := range []string{p.Number, p.ShortCode} {
		p.SetRecord(account, twiliosim.Record{URL: "https://demo.twilio.com/welcome", Method: "GET"})
		if err := register(t, c, account); err != nil {
			t.Fatal(err)
		}
		want := twiliosim.Record{URL: webhookURL + "#rc=3&rp=all", Method: "POST"}
		if got := p.Record(account); got != want {
			t.Errorf("%s: got %+v, want %+v", account, got, want)
		}
		got, err := registered(t, c, account)
		if want := (connectors.Registration{OK: true, URL: webhookURL}); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", account, got, err, want)
		}
		if other := p.Record([]string{p.ShortCode, p.Number}[i]); i == 0 && other != (twiliosim.Record{}) {
			t.Errorf("registering %s changed the other: %+v", account, other)
		}
	}
}

// TestRegisterAnswersThatSayLittle has answers to a change that was made.
func TestRegisterAnswersThatSayLittle(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	for _, body := range []string{"", "null", "<html>", `{"sid":5}`, strings.Repeat(" ", 1<<20)} {
		p.Server.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					h = failWith(http.StatusOK, body)(nil)
				}
				h.ServeHTTP(w, r)
			})
		})
		if err := register(t, c, p.Number); err != nil {
			t.Errorf("200 with %d bytes: got %v, want no error", len(body), err)
		}
	}
}

func TestRegistered(t *testing.T) {
	p := start(t)
	c := connect(t, p, withShortCode(p))
	const other = "https://other.example/sms"
	for _, row := range []struct {
		name string
		set  twiliosim.Record
		want connectors.Registration
	}{
		{"nothing", twiliosim.Record{Method: "POST"}, connectors.Registration{Detail: "no webhook is set"}},
		{"ours", twiliosim.Record{URL: webhookURL, Method: "POST"}, connectors.Registration{OK: true, URL: webhookURL}},
		{"ours with other overrides", twiliosim.Record{URL: webhookURL + "#rc=5", Method: "POST"}, connectors.Registration{OK: true, URL: webhookURL}},
		{"ours with a query", twiliosim.Record{URL: webhookURL + "?token=secret", Method: "POST"}, connectors.Registration{OK: true, URL: webhookURL}},
		{"GET", twiliosim.Record{URL: webhookURL, Method: "GET"}, connectors.Registration{URL: webhookURL, Detail: "the webhook's method is not HTTP POST"}},
		{"another", twiliosim.Record{URL: "https://user:secret@other.example/sms?token=secret#rc=1", Method: "POST"}, connectors.Registration{URL: other, Detail: "webhooks go to another address"}},
		{"a slash too many", twiliosim.Record{URL: webhookURL + "/", Method: "POST"}, connectors.Registration{URL: webhookURL + "/", Detail: "webhooks go to another address"}},
		{"none that can be read", twiliosim.Record{URL: "https://%zz", Method: "POST"}, connectors.Registration{Detail: "webhooks go to another address"}},
		{"an app", twiliosim.Record{URL: webhookURL, Method: "POST", Application: "AP" + accountSID[2:]}, connectors.Registration{Detail: "a TwiML app is set in the webhook's place"}},
	} {
		for _, account := range []string{p.Number, p.ShortCode} {
			if account == p.ShortCode && row.set.Application != "" {
				continue // a short code has none
			}
			p.SetRecord(account, row.set)
			if got, err := registered(t, c, account); err != nil || got != row.want {
				t.Errorf("%s, %s: got %+v, %v, want %+v", row.name, account, got, err, row.want)
			}
		}
	}
	if err := register(t, c, p.Number); err != nil || p.Record(p.Number).Application != "" {
		t.Errorf("got %v and %+v, want no app any more", err, p.Record(p.Number))
	}
}

// TestWebhookNumbers asks for numbers that are not there, and has answers that
// name others.
func TestWebhookNumbers(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	part := connect(t, p, func(c *twilio.Config) { c.Accounts[0].ID = p.Number[:len(p.Number)-1] })
	if _, err := registered(t, part, p.Number[:len(p.Number)-1]); connectors.KindOf(err) != connectors.Misconfigured {
		t.Errorf("a part of the number, which Twilio finds: got %v, want kind misconfigured", err)
	}
	for _, body := range []string{
		`{"incoming_phone_numbers":[]}`, `{}`, `{"incoming_phone_numbers":[{"phone_number":"` + p.Number + `"}]}`,
		`{"incoming_phone_numbers":[{"phone_number":"` + p.Number + `","sid":"PN../../x"}]}`,
		`{"incoming_phone_numbers":[{"phone_number":"` + number + `","sid":"PN` + accountSID[2:] + `"}]}`,
	} {
		p.Server.Wrap(always(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				t.Errorf("%s: a number was changed: %s", body, r.URL)
			}
			_, _ = io.WriteString(w, body)
		}))
		_, err := registered(t, c, p.Number)
		if err2 := register(t, c, p.Number); connectors.KindOf(err) != connectors.Misconfigured || connectors.KindOf(err2) != connectors.Misconfigured {
			t.Errorf("%s: got %v and %v, want kind misconfigured", body, err, err2)
		}
	}
	for _, body := range []string{"", "<html>", "[]", `{"incoming_phone_numbers":5}`, strings.Repeat(" ", 1<<20)} {
		p.Server.Wrap(failWith(http.StatusOK, body))
		if _, err := registered(t, c, p.Number); connectors.KindOf(err) != connectors.Malformed {
			t.Errorf("an answer of %d bytes: got %v, want kind malformed", len(body), err)
		}
	}
	p.Server.Wrap(nil)
	calls := tap(p)
	if err := register(t, c, number); connectors.KindOf(err) != connectors.Misconfigured || len(calls()) != 0 {
		t.Errorf("an account that is not configured: got %v after %d calls, want kind misconfigured and none", err, len(calls()))
	}
}

func TestWebhookFailures(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	for _, row := range []struct {
		status int
		body   string
		kind   connectors.ErrorKind
	}{
		{401, `{"code":20003}`, connectors.Misconfigured},
		{404, `{"code":20404}`, connectors.Misconfigured},
		{429, `{"code":20429}`, connectors.Throttled},
		{400, `{"code":21502}`, connectors.Refused},
		{500, ``, connectors.Unavailable},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			p.Server.Wrap(func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == method {
						h = failWith(row.status, row.body)(nil)
					}
					h.ServeHTTP(w, r)
				})
			})
			if err := register(t, c, p.Number); connectors.KindOf(err) != row.kind || err == nil {
				t.Errorf("HTTP %d to %s: got %v, want kind %v", row.status, method, err, row.kind)
			}
		}
	}
}
