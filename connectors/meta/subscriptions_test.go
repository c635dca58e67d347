package meta_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
)

const hook = "https://gateway.example/webhooks/messenger/acme"

// app is a Graph on which app 7 with the secret "now" has a list on record.
type app struct {
	list string
	mu   sync.Mutex
	sent []url.Values
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "Bearer 7|now" || r.URL.String() != "/v25.0/7/subscriptions":
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":{"code":190}}`))
	case r.Method == http.MethodPost:
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		a.sent = append(a.sent, form)
		_, _ = w.Write([]byte(`{"success":true}`))
	default:
		_, _ = w.Write([]byte(a.list))
	}
}

func subscriptions(t *testing.T, a *app, secrets ...string) meta.Subscriptions {
	t.Helper()
	s := meta.Subscriptions{
		Op: "test", Graph: graph(t, "", a.ServeHTTP), App: meta.App{AppID: "7", VerifyToken: config.NewSecret("shown")},
		Object: "page", Fields: []string{"messages", "message_edits"},
	}
	for _, secret := range secrets {
		s.App.AppSecret = append(s.App.AppSecret, config.NewSecret(secret))
	}
	return s
}

func TestSubscriptionsRegistered(t *testing.T) {
	page := func(more string) string {
		return `{"data":[{"object":"user","callback_url":"https://elsewhere.example/","active":true,"fields":[{"name":"feed"}]},{"object":"page",` + more + `}]}`
	}
	tests := []struct {
		name, list string
		want       connectors.Registration
	}{
		{"as it should be", page(`"callback_url":"` + hook + `","active":true,"fields":[{"name":"messages","version":"v25.0"},{"name":"message_edits"},{"name":"feed"}]`),
			connectors.Registration{OK: true, URL: hook}},
		{"fields by their names", page(`"callback_url":"` + hook + `","active":true,"fields":["message_edits","messages"]`),
			connectors.Registration{OK: true, URL: hook}},
		{"one field missing", page(`"callback_url":"` + hook + `","active":true,"fields":["messages"]`),
			connectors.Registration{URL: hook, Detail: "the app's webhook is not subscribed to message_edits"}},
		{"fields that cannot be read", page(`"callback_url":"` + hook + `","active":true,"fields":[5,{},[]]`),
			connectors.Registration{URL: hook, Detail: "the app's webhook is not subscribed to messages"}},
		{"inactive", page(`"callback_url":"` + hook + `","active":false,"fields":["messages","message_edits"]`),
			connectors.Registration{URL: hook, Detail: "the app's webhook is switched off"}},
		{"elsewhere", page(`"callback_url":"https://elsewhere.example/?token=canary","active":true`),
			connectors.Registration{URL: "https://elsewhere.example/", Detail: "the app sends its webhooks to another address"}},
		{"our address with a query", page(`"callback_url":"` + hook + `?x=y","active":true,"fields":["messages","message_edits"]`),
			connectors.Registration{OK: true, URL: hook}},
		{"an address that cannot be read", page(`"callback_url":"%zz","active":true`),
			connectors.Registration{Detail: "the app sends its webhooks to another address"}},
		{"of another object only", `{"data":[{"object":"user","callback_url":"` + hook + `"}]}`,
			connectors.Registration{Detail: "the app has no webhook for page"}},
		{"none", `{"data":[]}`, connectors.Registration{Detail: "the app has no webhook for page"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := subscriptions(t, &app{list: test.list}, "now").Registered(t.Context(), hook)
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

func TestSubscriptionsRegister(t *testing.T) {
	a := &app{list: `{"data":[{"object":"page","callback_url":"https://elsewhere.example/","active":true,"fields":[{"name":"feed"},{"name":"messages"}]}]}`}
	if err := subscriptions(t, a, "now").Register(t.Context(), hook); err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"object": {"page"}, "callback_url": {hook}, "verify_token": {"shown"},
		"fields": {"feed,messages,message_edits"}, "include_values": {"true"},
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sent) != 1 || a.sent[0].Encode() != want.Encode() {
		t.Errorf("got %v, want %v", a.sent, want)
	}
}

func TestSubscriptionsSecrets(t *testing.T) {
	tests := []struct {
		name    string
		secrets []string
		want    connectors.ErrorKind
	}{
		{"one", []string{"now"}, connectors.Other},
		{"the old one first", []string{"old", "now"}, connectors.Other},
		{"the new one first", []string{"now", "old"}, connectors.Other},
		{"wrong ones", []string{"old", "older"}, connectors.Misconfigured},
		{"none", nil, connectors.Misconfigured},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := subscriptions(t, &app{list: `{"data":[]}`}, test.secrets...)
			_, asked := s.Registered(t.Context(), hook)
			done := s.Register(t.Context(), hook)
			for _, err := range []error{asked, done} {
				if connectors.KindOf(err) != test.want || (err == nil) != (test.want == connectors.Other) {
					t.Errorf("got %v, want kind %v", err, test.want)
				}
				if err != nil && strings.Contains(err.Error(), "old") {
					t.Errorf("the error tells the secret: %v", err)
				}
			}
		})
	}
}

func TestSubscriptionsReadNoAnswerButAList(t *testing.T) {
	for _, list := range []string{``, `{}`, `{"data":null}`, `{"data":{}}`, `[]`, `<html>`, `{"data":[{"object":5}]}`} {
		s := subscriptions(t, &app{list: list}, "now")
		got, err := s.Registered(t.Context(), hook)
		if connectors.KindOf(err) != connectors.Unavailable || got != (connectors.Registration{}) {
			t.Errorf("%q: got %+v, %v, want kind unavailable", list, got, err)
		}
		if err := s.Register(t.Context(), hook); connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("%q: Register: got %v, want kind unavailable", list, err)
		}
	}
}
