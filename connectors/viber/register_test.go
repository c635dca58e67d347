package viber_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/viber"
	"github.com/lightlock/lightlock/connectors/viber/vibersim"
)

// gateway lets p reach c as it would behind a gateway, and returns what it was
// told.
func gateway(t *testing.T, p *vibersim.Platform, c connectors.Connector) *[]connectors.Event {
	t.Helper()
	var told []connectors.Event
	p.Reach(func(r *connectors.Request) (int, string) {
		if err := c.Verify(r); err != nil {
			return http.StatusUnauthorized, ""
		}
		events, err := c.Parse(r)
		if err != nil {
			t.Errorf("Parse: %v", err)
		}
		told = append(told, events...)
		return http.StatusOK, ""
	})
	return &told
}

func registered(t *testing.T, c *viber.Connector, account, address string) connectors.Registration {
	t.Helper()
	got, err := c.Registered(t.Context(), account, address)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Viber calls the webhook while the registration is under way.
func TestRegister(t *testing.T) {
	p, c := start(t)
	told := gateway(t, p, c)
	if got := registered(t, c, p.BotID, webhookURL); got.OK || got.URL != "" || got.Detail != "no webhook is set" {
		t.Errorf("before: got %+v, want nothing on record", got)
	}
	if err := c.Register(t.Context(), p.BotID, webhookURL); err != nil {
		t.Fatal(err)
	}
	if len(*told) != 1 || (*told)[0].Kind != connectors.Ignored || (*told)[0].Reason != "webhook" {
		t.Errorf("got %s, want the event webhook before the answer", toJSON(t, *told))
	}
	if got, want := registered(t, c, p.BotID, webhookURL), (connectors.Registration{OK: true, URL: webhookURL}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := registered(t, c, p.BotID, webhookURL+"2"), (connectors.Registration{URL: webhookURL, Detail: "webhooks go to another address"}); got != want {
		t.Errorf("another address: got %+v, want %+v", got, want)
	}
}

// A webhook that does not answer 200 is not taken, and the operator is told.
func TestRegisterUnreachable(t *testing.T) {
	p, c := start(t)
	for name, status := range map[string]int{"refused": 401, "failing": 503, "accepted": 202, "missing": 0} {
		p.Reach(func(*connectors.Request) (int, string) { return status, "" })
		err := c.Register(t.Context(), p.BotID, webhookURL)
		wantKind(t, name, err, connectors.Misconfigured)
		if got := registered(t, c, p.BotID, webhookURL); got.OK {
			t.Errorf("%s: got %+v, want it not on record", name, got)
		}
	}
}

func TestRegisterRequest(t *testing.T) {
	c, a := startAPI(t, 200, `{"status":0,"status_message":"ok","event_types":["delivered"]}`)
	if err := c.Register(t.Context(), botID, webhookURL+"?a=1&b=2"); err != nil {
		t.Fatal(err)
	}
	call, body, header, _ := a.last()
	want := `{"url":"` + webhookURL + `?a=1&b=2","event_types":["delivered","seen","failed","subscribed","unsubscribed","conversation_started"],` +
		`"send_name":true,"send_photo":false}`
	if call != "POST /pa/set_webhook" || body != want || header.Get("X-Viber-Auth-Token") != testToken {
		t.Errorf("got %s %s\nwant %s", call, body, want)
	}
}

func TestRegisterErrors(t *testing.T) {
	for answer, want := range map[string]connectors.ErrorKind{
		`{"status":1,"status_message":"invalidUrl"}`: connectors.Misconfigured, `{"status":2}`: connectors.Misconfigured, `{"status":3}`: connectors.Refused,
		`{"status":12}`: connectors.Throttled, `{"status":99}`: connectors.Unavailable, "{}": connectors.Unavailable, "": connectors.Unavailable,
	} {
		c, _ := startAPI(t, 200, answer)
		wantKind(t, "Register: "+answer, c.Register(t.Context(), botID, webhookURL), want)
		if strings.Contains(answer, ":1,") {
			continue
		}
		_, err := c.Registered(t.Context(), botID, webhookURL)
		wantKind(t, "Registered: "+answer, err, want)
	}
	c, a := startAPI(t, 200, `{"status":0}`)
	wantKind(t, "Register of another account", c.Register(t.Context(), "other", webhookURL), connectors.Misconfigured)
	_, err := c.Registered(t.Context(), "other", webhookURL)
	wantKind(t, "Registered of another account", err, connectors.Misconfigured)
	if _, _, _, calls := a.last(); calls != 0 {
		t.Errorf("got %d calls for accounts that are not configured, want none", calls)
	}
}

func TestRegisteredRequest(t *testing.T) {
	c, a := startAPI(t, 200, `{"status":0}`)
	registered(t, c, botID, webhookURL)
	if call, body, header, _ := a.last(); call != "POST /pa/get_account_info" || body != "{}" || header.Get("X-Viber-Auth-Token") != testToken {
		t.Errorf("got %s %s, want an empty object at get_account_info", call, body)
	}
}

func TestRegisteredAnswers(t *testing.T) {
	const bot = `"status":0,"id":"pa:75346594275468546724","uri":"AcmeBot",`
	const all = `"event_types":["delivered","seen","failed","message"]`
	for _, row := range []struct {
		name, answer, account string
		ok                    bool
		url, detail           string
	}{
		{"as registered", `{` + bot + `"webhook":"` + webhookURL + `",` + all + `}`, botID, true, webhookURL, ""},
		{"the bot's id", `{` + bot + `"webhook":"` + webhookURL + `",` + all + `}`, "pa:75346594275468546724", true, webhookURL, ""},
		{"the id without its beginning", `{` + bot + `"webhook":"` + webhookURL + `",` + all + `}`, "75346594275468546724", true, webhookURL, ""},
		{"with a query of our own", `{` + bot + `"webhook":"` + webhookURL + `?key=secret",` + all + `}`, botID, true, webhookURL, ""},
		{"names that are missing", `{"status":0,"webhook":"` + webhookURL + `"}`, botID, true, webhookURL, ""},
		{"names of another shape", `{"status":0,"id":5,"uri":{},"webhook":"` + webhookURL + `","event_types":"all"}`, botID, true, webhookURL, ""},
		{"no webhook", `{` + bot + `"webhook":""}`, botID, false, "", "no webhook is set"},
		{"a webhook of another shape", `{` + bot + `"webhook":null}`, botID, false, "", "no webhook is set"},
		{"another webhook", `{` + bot + `"webhook":"https://old.example/viber",` + all + `}`, botID, false, "https://old.example/viber", "webhooks go to another address"},
		{"one below it", `{` + bot + `"webhook":"` + webhookURL + `/x",` + all + `}`, botID, false, webhookURL + "/x", "webhooks go to another address"},
		{"another bot", `{` + bot + `"webhook":"` + webhookURL + `",` + all + `}`, "othershop", false, webhookURL, "auth_token is another bot's than the account's id names"},
		{"no receipts", `{` + bot + `"webhook":"` + webhookURL + `","event_types":["message","subscribed"]}`, botID, false, webhookURL, "what becomes of sent messages is not told"},
		{"no event types", `{` + bot + `"webhook":"` + webhookURL + `","event_types":[]}`, botID, false, webhookURL, "what becomes of sent messages is not told"},
	} {
		_, a := startAPI(t, 200, row.answer)
		s := settings()
		s.APIBase, s.AllowPrivateAddresses, s.Accounts[0].ID = a.url, true, row.account
		got := registered(t, connect(t, s, time.Now), row.account, webhookURL)
		if want := (connectors.Registration{OK: row.ok, URL: row.url, Detail: row.detail}); got != want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, want)
		}
	}
}

// The API answers by name and by URI of the bot alike.
func TestRegisteredByURI(t *testing.T) {
	p, _ := start(t)
	s := p.Settings("acme", "support").(*viber.Config)
	s.Accounts[0].ID = p.URI
	c := connect(t, s, time.Now)
	gateway(t, p, c)
	if err := c.Register(t.Context(), p.URI, webhookURL); err != nil {
		t.Fatal(err)
	}
	if got := registered(t, c, p.URI, webhookURL); !got.OK || got.Detail != "" {
		t.Errorf("got %+v, want it registered", got)
	}
}
