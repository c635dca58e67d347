package messenger_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
)

// ours are the fields that Register subscribes.
func ours(more ...string) []string {
	return append([]string{"messages", "messaging_postbacks", "message_edits", "message_deliveries"}, more...)
}

// reachable lets the platform's handshake get to c.
func reachable(p *messengersim.Platform, c *messenger.Connector) {
	p.Reach(func(r *connectors.Request) (int, string) {
		body, err := c.Challenge(r)
		if err != nil {
			return http.StatusForbidden, ""
		}
		return http.StatusOK, body
	})
}

// withoutApp returns a connector to p that knows no app_id.
func withoutApp(t *testing.T, p *messengersim.Platform) *messenger.Connector {
	t.Helper()
	s := p.Settings("acme", "support").(*messenger.Config)
	s.AppID = ""
	return connect(t, s)
}

func wantRegistered(t *testing.T, what string, c *messenger.Connector, account string, want connectors.Registration) {
	t.Helper()
	got, err := c.Registered(t.Context(), account, webhookURL)
	if err != nil || got != want {
		t.Errorf("%s: got %+v, %v, want %+v", what, got, err, want)
	}
}

func TestRegister(t *testing.T) {
	p, c := start(t)
	reachable(p, c)
	page := p.Pages[0].ID
	wantRegistered(t, "before", c, page, connectors.Registration{Detail: "the app has no webhook for page"})
	for range 2 {
		if err := c.Register(t.Context(), page, webhookURL); err != nil {
			t.Fatal(err)
		}
		wantRegistered(t, "after", c, page, connectors.Registration{OK: true, URL: webhookURL})
	}
	p.Uninstall(p.Pages[0])
	wantRegistered(t, "after an hour of failures", c, page, connectors.Registration{URL: webhookURL, Detail: "the Page has not installed the app"})
}

func TestRegistered(t *testing.T) {
	tests := []struct {
		name      string
		address   string
		app, page []string // their fields
		want      connectors.Registration
	}{
		{"all", webhookURL, ours(), ours(), connectors.Registration{OK: true, URL: webhookURL}},
		{"more than all", webhookURL, ours("feed"), ours("standby"), connectors.Registration{OK: true, URL: webhookURL}},
		{
			"another address", "https://old.example/hook?key=secret", ours(), ours(),
			connectors.Registration{URL: "https://old.example/hook", Detail: "the app sends its webhooks to another address"},
		},
		{
			"the app has other fields", webhookURL, []string{"feed"}, ours(),
			connectors.Registration{URL: webhookURL, Detail: "the app's webhook is not subscribed to messages"},
		},
		{
			"the app hears of no edits", webhookURL, []string{"message_deliveries", "messages", "messaging_postbacks"}, ours(),
			connectors.Registration{URL: webhookURL, Detail: "the app's webhook is not subscribed to message_edits"},
		},
		{
			"the Page has other fields", webhookURL, ours(), []string{"feed"},
			connectors.Registration{URL: webhookURL, Detail: "the Page is not subscribed to messages"},
		},
		{
			"the Page tells of no edits", webhookURL, ours(), []string{"message_deliveries", "messages", "messaging_postbacks"},
			connectors.Registration{URL: webhookURL, Detail: "the Page is not subscribed to message_edits"},
		},
		{
			"the Page has no fields", webhookURL, ours(), []string{},
			connectors.Registration{URL: webhookURL, Detail: "the Page is not subscribed to messages"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, c := start(t)
			p.Register(test.address, test.app...)
			p.Install(p.Pages[0], test.page...)
			wantRegistered(t, "Registered", c, p.Pages[0].ID, test.want)
		})
	}
}

// Without an app_id only the Page's part can be seen and set.
func TestRegisterWithoutAppID(t *testing.T) {
	p, _ := start(t)
	c := withoutApp(t, p)
	page := p.Pages[0].ID
	seen := record(p)
	wantRegistered(t, "before", c, page, connectors.Registration{Detail: "the Page has not installed the app"})
	if err := c.Register(t.Context(), page, webhookURL); err != nil {
		t.Fatal(err)
	}
	wantRegistered(t, "after", c, page, connectors.Registration{OK: true})
	if strings.Contains(calls(seen()), "/subscriptions") {
		t.Errorf("got calls\n%s\nwant none about an app", calls(seen()))
	}
}

// A second Page joins without taking anything away, and each by its own token.
func TestRegisterEachPage(t *testing.T) {
	p, _ := start(t)
	two := p.AddPage("shop")
	c := connect(t, p.Settings("acme", "support"))
	reachable(p, c)
	if err := c.Register(t.Context(), two.ID, webhookURL); err != nil {
		t.Fatal(err)
	}
	wantRegistered(t, "the second", c, two.ID, connectors.Registration{OK: true, URL: webhookURL})
	wantRegistered(t, "the first", c, p.Pages[0].ID, connectors.Registration{URL: webhookURL, Detail: "the Page has not installed the app"})
}

// forms returns the forms of all POSTs to p from now on, by the last part of
// their paths.
func forms(p *messengersim.Platform) map[string]url.Values {
	list := map[string]url.Values{}
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.ParseForm() == nil {
				list[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]] = r.PostForm
			}
			h.ServeHTTP(w, r)
		})
	})
	return list
}

// Meta puts a new list of fields in the place of the old one, so what somebody
// has chosen by hand has to be in it.
func TestRegisterKeepsFields(t *testing.T) {
	p, c := start(t)
	reachable(p, c)
	p.Register("https://old.example/hook", "feed", "messages")
	p.Install(p.Pages[0], "standby")
	list := forms(p)
	if err := c.Register(t.Context(), p.Pages[0].ID, webhookURL); err != nil {
		t.Fatal(err)
	}
	app, page := list["subscriptions"], list["subscribed_apps"]
	for form, want := range map[string]string{
		app.Get("object"): "page", app.Get("callback_url"): webhookURL, app.Get("verify_token"): p.VerifyToken,
		sorted(app.Get("fields")):             "feed,message_deliveries,message_edits,messages,messaging_postbacks",
		sorted(page.Get("subscribed_fields")): "message_deliveries,message_edits,messages,messaging_postbacks,standby",
	} {
		if form != want {
			t.Errorf("got %q, want %q", form, want)
		}
	}
}

// sorted returns a list of fields in the order of the alphabet.
func sorted(list string) string {
	fields := strings.Split(list, ",")
	slices.Sort(fields)
	return strings.Join(fields, ",")
}

// No token and no secret is in an address, where somebody might log it.
func TestRegisterShowsNoSecretInAddresses(t *testing.T) {
	p, c := start(t)
	reachable(p, c)
	seen := record(p)
	if err := c.Register(t.Context(), p.Pages[0].ID, webhookURL); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll("GET /v25.0/APP/subscriptions\nPOST /v25.0/APP/subscriptions\nGET /v25.0/PAGE/subscribed_apps\nPOST /v25.0/PAGE/subscribed_apps", "APP", p.AppID)
	if got := calls(seen()); got != strings.ReplaceAll(want, "PAGE", p.Pages[0].ID) {
		t.Errorf("got calls\n%s", got)
	}
	for _, r := range seen() {
		if r.URL.RawQuery != "" {
			t.Errorf("got query %s, want none", r.URL.RawQuery)
		}
	}
}

// Meta saves nothing unless the handshake succeeds.
func TestRegisterWithoutHandshake(t *testing.T) {
	tests := []struct {
		name  string
		reach func(*connectors.Request) (int, string)
	}{
		{"nobody there", nil},
		{"wrong token", func(*connectors.Request) (int, string) { return http.StatusForbidden, "" }},
		{"another body", func(*connectors.Request) (int, string) { return http.StatusOK, "ok" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, c := start(t)
			p.Reach(test.reach)
			err := c.Register(t.Context(), p.Pages[0].ID, webhookURL)
			wantKind(t, "Register", err, connectors.Misconfigured)
			if err == nil || !strings.Contains(err.Error(), "Graph error 220") || strings.Contains(err.Error(), p.VerifyToken) {
				t.Errorf("got %v, want Graph's code and no token", err)
			}
			wantRegistered(t, "after", c, p.Pages[0].ID, connectors.Registration{Detail: "the app has no webhook for page"})
		})
	}
}

// While the secret is being replaced, the one that is right proves the app.
func TestRegisterRotation(t *testing.T) {
	p, _ := start(t)
	for _, place := range []int{0, 1} {
		s := p.Settings("acme", "support").(*messenger.Config)
		list := config.Secrets{config.NewSecret("another"), config.NewSecret("another")}
		list[place] = s.AppSecret[0]
		s.AppSecret = list
		c := connect(t, s)
		reachable(p, c)
		if err := c.Register(t.Context(), p.Pages[0].ID, webhookURL); err != nil {
			t.Errorf("right secret in place %d: %v", place, err)
		}
	}
	s := p.Settings("acme", "support").(*messenger.Config)
	for _, secrets := range []config.Secrets{nil, {config.NewSecret("another")}} {
		s.AppSecret = secrets
		_, err := connect(t, s).Registered(t.Context(), p.Pages[0].ID, webhookURL)
		wantKind(t, "no right secret", err, connectors.Misconfigured)
	}
}

func TestRegisterErrors(t *testing.T) {
	p, c := start(t)
	reachable(p, c)
	page := p.Pages[0].ID
	_, err := c.Registered(t.Context(), "1", webhookURL)
	wantKind(t, "check of an account that is not ours", err, connectors.Misconfigured)
	wantKind(t, "an account that is not ours", c.Register(t.Context(), "1", webhookURL), connectors.Misconfigured)

	s := p.Settings("acme", "support").(*messenger.Config)
	s.Accounts[0].PageAccessToken = config.NewSecret("revoked")
	p.Register(webhookURL, ours()...)
	_, err = connect(t, s).Registered(t.Context(), page, webhookURL)
	wantKind(t, "revoked token", err, connectors.Misconfigured)

	tests := []struct {
		name   string
		status int
		body   string
		want   connectors.ErrorKind
	}{
		{"a page", 200, `<html>`, connectors.Unavailable},
		{"too much", 200, `{"data":[],"x":"` + strings.Repeat("x", 1<<20) + `"}`, connectors.Malformed},
		{"in trouble", 500, `{"error":{"code":2}}`, connectors.Unavailable},
		{"no permission", 403, `{"error":{"code":200}}`, connectors.Misconfigured},
		{"no such object", 400, `{"error":{"code":100,"error_subcode":33}}`, connectors.Misconfigured},
		{"no success", 200, `{"data":[],"success":false}`, connectors.Unavailable},
	}
	for _, test := range tests {
		p.Wrap(func(http.Handler) http.Handler { return answers(test.status, test.body) })
		wantKind(t, test.name, c.Register(t.Context(), page, webhookURL), test.want)
	}
	// The documentation writes a success as a string.
	p.Wrap(func(http.Handler) http.Handler { return answers(200, `{"data":[],"success":"true"}`) })
	if err := c.Register(t.Context(), page, webhookURL); err != nil {
		t.Errorf(`success as a string: got %v, want no error`, err)
	}
}

func TestRegisteredWithoutAList(t *testing.T) {
	p, _ := start(t)
	c := withoutApp(t, p)
	for _, body := range []string{`{}`, `{"data":null}`, `{"data":{}}`, `[]`, `<html>`} {
		p.Wrap(func(http.Handler) http.Handler { return answers(200, body) })
		_, err := c.Registered(t.Context(), p.Pages[0].ID, webhookURL)
		wantKind(t, body, err, connectors.Unavailable)
	}
}

// The app's id comes as a string or as a number, and somebody else's app is not
// ours.
func TestRegisteredFindsItsApp(t *testing.T) {
	p, _ := start(t)
	c := withoutApp(t, p)
	s := p.Settings("acme", "support").(*messenger.Config)
	fields, err := json.Marshal(ours())
	if err != nil {
		t.Fatal(err)
	}
	for app, want := range map[string]string{
		`"1517776481860111"`: "", `1517776481860111`: "", `"1"`: "the Page has not installed the app",
	} {
		p.Register(webhookURL, ours()...)
		p.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/subscribed_apps") {
					h = answers(200, `{"data":[{"id":`+app+`,"subscribed_fields":`+string(fields)+`}]}`)
				}
				h.ServeHTTP(w, r)
			})
		})
		wantRegistered(t, "app "+app, connect(t, s), p.Pages[0].ID, connectors.Registration{OK: want == "", URL: webhookURL, Detail: want})
		wantRegistered(t, "without app_id, app "+app, c, p.Pages[0].ID, connectors.Registration{OK: true})
	}
}
