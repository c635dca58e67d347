package whatsapp_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
)

const elsewhere = "https://elsewhere.example/hook"

// registrar returns a connector whose gateway the platform can reach. change
// may take away some of its settings.
func registrar(t *testing.T, p *whatsappsim.Platform, change func(*whatsapp.Config)) connectors.Registrar {
	t.Helper()
	s := p.Settings("acme", "support").(*whatsapp.Config)
	change(s)
	c := connect(t, s)
	p.Reach(func(r *connectors.Request) (int, string) {
		body, err := c.(connectors.Challenger).Challenge(r)
		if err != nil {
			return http.StatusUnauthorized, ""
		}
		return http.StatusOK, body
	})
	return c.(connectors.Registrar)
}

func everything(*whatsapp.Config)    {}
func withoutApp(c *whatsapp.Config)  { c.AppID = "" }
func withoutWABA(c *whatsapp.Config) { c.Accounts[0].WABAID = "" }
func withNeither(c *whatsapp.Config) { c.AppID, c.Accounts[0].WABAID = "", "" }
func rightSub(url string) whatsappsim.Subscription {
	return whatsappsim.Subscription{CallbackURL: url, Fields: []string{"messages"}, Active: true}
}

func TestRegistered(t *testing.T) {
	off := rightSub(webhookURL)
	off.Active = false
	noField := rightSub(webhookURL)
	noField.Fields = []string{"account_update"}
	tests := []struct {
		name       string
		settings   func(*whatsapp.Config)
		app        whatsappsim.Subscription
		subscribed bool
		override   string
		want       connectors.Registration
	}{
		{"all is well", everything, rightSub(webhookURL), true, "", connectors.Registration{OK: true, URL: webhookURL}},
		{"nothing yet", everything, whatsappsim.Subscription{}, false, "",
			connectors.Registration{Detail: "the WhatsApp Business Account has not subscribed the app"}},
		{"the app has no webhook", everything, whatsappsim.Subscription{}, true, "",
			connectors.Registration{Detail: "the app has no webhook for whatsapp_business_account"}},
		{"the account has not subscribed", everything, rightSub(webhookURL), false, "",
			connectors.Registration{Detail: "the WhatsApp Business Account has not subscribed the app"}},
		{"another address", everything, rightSub(elsewhere + "?token=canary"), true, "",
			connectors.Registration{URL: elsewhere, Detail: "the app sends its webhooks to another address"}},
		{"switched off", everything, off, true, "",
			connectors.Registration{URL: webhookURL, Detail: "the app's webhook is switched off"}},
		{"not the messages", everything, noField, true, "",
			connectors.Registration{URL: webhookURL, Detail: "the app's webhook is not subscribed to messages"}},
		{"the account has another address", everything, rightSub(webhookURL), true, elsewhere + "?token=canary",
			connectors.Registration{URL: elsewhere, Detail: "the WhatsApp Business Account has its webhooks sent to another address"}},
		{"the account has our address", everything, rightSub(elsewhere), true, webhookURL,
			connectors.Registration{OK: true, URL: webhookURL}},
		{"the account has our address with a query", everything, rightSub(elsewhere), true, webhookURL + "?token=canary",
			connectors.Registration{OK: true, URL: webhookURL}},
		{"waba_id alone, our address with a query", withoutApp, rightSub(elsewhere), true, webhookURL + "?token=canary",
			connectors.Registration{OK: true, URL: webhookURL}},

		{"app_id alone", withoutWABA, rightSub(webhookURL), false, "", connectors.Registration{OK: true, URL: webhookURL}},
		{"waba_id alone", withoutApp, rightSub(webhookURL), true, webhookURL, connectors.Registration{OK: true, URL: webhookURL}},
		{"waba_id alone, address of the app", withoutApp, rightSub(webhookURL), true, "",
			connectors.Registration{Detail: "app_id is not set, so the app's own address is not known"}},
		{"neither", withNeither, rightSub(webhookURL), true, webhookURL,
			connectors.Registration{Detail: "neither app_id nor waba_id is set, so nobody can be asked"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, _ := start(t)
			p.Record(test.app)
			if test.subscribed {
				p.Subscribe(p.Numbers[0].WABA, test.override)
			}
			got, err := registrar(t, p, test.settings).Registered(t.Context(), p.Numbers[0].ID, webhookURL)
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

func TestRegister(t *testing.T) {
	tests := []struct {
		name       string
		settings   func(*whatsapp.Config)
		app        whatsappsim.Subscription
		subscribed bool
		override   string
	}{
		{"both ids", everything, rightSub(webhookURL), true, ""},
		{"app_id alone", withoutWABA, rightSub(webhookURL), true, elsewhere},
		{"waba_id alone", withoutApp, rightSub(elsewhere), true, webhookURL},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, _ := start(t)
			n := p.Numbers[0]
			p.Record(rightSub(elsewhere))
			p.Subscribe(n.WABA, elsewhere)
			if err := registrar(t, p, test.settings).Register(t.Context(), n.ID, webhookURL); err != nil {
				t.Fatal(err)
			}
			app, override, subscribed := p.Recorded(n.WABA)
			if !reflect.DeepEqual(app, test.app) || override != test.override || subscribed != test.subscribed {
				t.Errorf("got %+v, %q, %t on record, want %+v, %q, %t", app, override, subscribed, test.app, test.override, test.subscribed)
			}
		})
	}
}

// TestRegisterKeepsOtherFields subscribes to messages, and takes nothing away
// from whoever else reads the app's webhooks.
func TestRegisterKeepsOtherFields(t *testing.T) {
	p, _ := start(t)
	p.Record(whatsappsim.Subscription{CallbackURL: elsewhere, Fields: []string{"account_update"}})
	if err := registrar(t, p, everything).Register(t.Context(), p.Numbers[0].ID, webhookURL); err != nil {
		t.Fatal(err)
	}
	want := whatsappsim.Subscription{CallbackURL: webhookURL, Fields: []string{"account_update", "messages"}, Active: true}
	if app, _, _ := p.Recorded(p.Numbers[0].WABA); !reflect.DeepEqual(app, want) {
		t.Errorf("got %+v on record, want %+v", app, want)
	}
}

func TestRegisterNeedsAGateway(t *testing.T) {
	for name, settings := range map[string]func(*whatsapp.Config){"both ids": everything, "waba_id alone": withoutApp} {
		p, _ := start(t)
		r := registrar(t, p, settings)
		p.Reach(nil)
		err := r.Register(t.Context(), p.Numbers[0].ID, webhookURL)
		if connectors.KindOf(err) != connectors.Misconfigured || !strings.Contains(err.Error(), "2200") {
			t.Errorf("%s: got %v, want kind misconfigured for code 2200", name, err)
		}
		if app, override, subscribed := p.Recorded(p.Numbers[0].WABA); app.CallbackURL != "" || override != "" || subscribed {
			t.Errorf("%s: got %+v, %q, %t on record, want nothing", name, app, override, subscribed)
		}
	}
}

func TestRegisterFails(t *testing.T) {
	tests := []struct {
		name     string
		settings func(*whatsapp.Config)
		account  string
		want     connectors.ErrorKind
	}{
		{"neither id", withNeither, "", connectors.Misconfigured},
		{"another app's id", func(c *whatsapp.Config) { c.AppID = "1" }, "", connectors.Misconfigured},
		{"another account's id", func(c *whatsapp.Config) { c.Accounts[0].WABAID = "1" }, "", connectors.Misconfigured},
		{"another app's secret", func(c *whatsapp.Config) { c.AppSecret = settings("wrong").AppSecret }, "", connectors.Misconfigured},
		{"a number that we have not", everything, "1", connectors.Misconfigured},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, _ := start(t)
			account := p.Numbers[0].ID
			if test.account != "" {
				account = test.account
			}
			err := registrar(t, p, test.settings).Register(t.Context(), account, webhookURL)
			if connectors.KindOf(err) != test.want {
				t.Errorf("got %v, want kind %v", err, test.want)
			}
		})
	}
}

// TestRegisterWhileTheSecretIsReplaced finds the secret that is good for calls,
// wherever it stands.
func TestRegisterWhileTheSecretIsReplaced(t *testing.T) {
	for i, other := range []string{"before", "after"} {
		p, _ := start(t)
		r := registrar(t, p, func(c *whatsapp.Config) {
			both := settings("retired", "retired").AppSecret
			both[i] = c.AppSecret[0]
			c.AppSecret = both
		})
		if err := r.Register(t.Context(), p.Numbers[0].ID, webhookURL); err != nil {
			t.Errorf("the good secret stands %s the other: got %v, want no error", other, err)
		}
		if got, err := r.Registered(t.Context(), p.Numbers[0].ID, webhookURL); err != nil || !got.OK {
			t.Errorf("the good secret stands %s the other: got %+v, %v, want OK", other, got, err)
		}
	}
}

func TestRegisteredReadsAnyAnswer(t *testing.T) {
	tests := []struct {
		name, apps, subscriptions string
		detail                    string
		want                      connectors.ErrorKind
	}{
		{"fields without a version", `{"data":[{"whatsapp_business_api_data":{"id":"APP"}}]}`,
			`{"data":[{"object":"whatsapp_business_account","callback_url":"` + webhookURL + `","active":true,"fields":["messages"]}]}`, "", 0},
		{"nobody says that it is active", `{"data":[{"whatsapp_business_api_data":{"id":"APP","name":5}}],"paging":{}}`,
			`{"data":[{"object":"whatsapp_business_account","callback_url":"` + webhookURL + `","fields":[{"name":"messages"},5]}]}`, "", 0},
		{"no app", `{"data":[]}`, ``, "the WhatsApp Business Account has not subscribed the app", 0},
		{"app of another shape", `{"data":[{}]}`, ``, "the WhatsApp Business Account has not subscribed the app", 0},
		{"no list of apps", `{}`, ``, "", connectors.Unavailable},
		{"a page for apps", `<html>`, ``, "", connectors.Unavailable},
		{"no list of subscriptions", `{"data":[{"whatsapp_business_api_data":{"id":"APP"}}]}`, `{}`, "", connectors.Unavailable},
		{"a page for subscriptions", `{"data":[{"whatsapp_business_api_data":{"id":"APP"}}]}`, `<html>`, "", connectors.Unavailable},
	}
	p, _ := start(t)
	r := registrar(t, p, everything)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.Wrap(func(http.Handler) http.Handler {
				mux := http.NewServeMux()
				mux.Handle("/v25.0/{id}/subscribed_apps", answer(http.StatusOK, strings.ReplaceAll(test.apps, "APP", p.AppID)))
				mux.Handle("/v25.0/{id}/subscriptions", answer(http.StatusOK, test.subscriptions))
				return mux
			})
			got, err := r.Registered(t.Context(), p.Numbers[0].ID, webhookURL)
			if test.want != 0 {
				if connectors.KindOf(err) != test.want {
					t.Errorf("got %+v, %v, want kind %v", got, err, test.want)
				}
				return
			}
			if err != nil || got.Detail != test.detail || got.OK != (test.detail == "") {
				t.Errorf("got %+v, %v, want detail %q", got, err, test.detail)
			}
		})
	}
}

// TestRegisterWantsToHearOfSuccess takes no other 200 for one.
func TestRegisterWantsToHearOfSuccess(t *testing.T) {
	p, _ := start(t)
	r := registrar(t, p, everything)
	for body, ok := range map[string]bool{
		`{"success":true}`: true, `{"success":"true"}`: true,
		`{"success":false}`: false, `{}`: false, `<html>`: false, ``: false,
	} {
		p.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					h = answer(http.StatusOK, body)
				}
				h.ServeHTTP(w, r)
			})
		})
		err := r.Register(t.Context(), p.Numbers[0].ID, webhookURL)
		if (err == nil) != ok || !ok && connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("%s: got %v, want ok %t", body, err, ok)
		}
	}
}
