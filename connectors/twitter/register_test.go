package twitter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/twitter"
	"github.com/lightlock/lightlock/connectors/twitter/twittersim"
)

// reach makes the platform's check get to c, as the gateway would pass it on.
func reach(p *twittersim.Platform, c *twitter.Connector) {
	p.Reach(func(r *connectors.Request) (int, string) {
		body, err := c.Challenge(r)
		if err != nil {
			return http.StatusUnauthorized, ""
		}
		return http.StatusOK, body
	})
}

// with makes a connector for p whose settings are changed.
func with(t *testing.T, p *twittersim.Platform, change func(*twitter.Config)) *twitter.Connector {
	t.Helper()
	s := p.Settings("acme", "support").(*twitter.Config)
	change(s)
	return connect(t, s)
}

func byAccountActivity(s *twitter.Config) { s.API = "account_activity" }

func register(p *twittersim.Platform, c *twitter.Connector) error {
	return c.Register(context.Background(), p.UserID, webhookURL)
}

func registered(t *testing.T, p *twittersim.Platform, c *twitter.Connector) connectors.Registration {
	t.Helper()
	got, err := c.Registered(context.Background(), p.UserID, webhookURL)
	if err != nil {
		t.Fatalf("Registered: %v", err)
	}
	return got
}

func TestRegister(t *testing.T) {
	for name, change := range both() {
		for api, subscriptions := range map[string][]string{"": {"dm.received", "chat.received"}, "activity": {"dm.received", "chat.received"}, "account_activity": {"all"}} {
			p, _ := start(t, change)
			c := with(t, p, func(s *twitter.Config) { s.API = api })
			reach(p, c)
			if got := registered(t, p, c); got.OK || got.URL != "" || got.Detail == "" {
				t.Errorf("%s, %s: got %+v before, want nothing on record", name, api, got)
			}
			for range 2 {
				if err := register(p, c); err != nil {
					t.Fatalf("%s, %s: %v", name, api, err)
				}
				if got, want := registered(t, p, c), (connectors.Registration{OK: true, URL: webhookURL}); got != want {
					t.Errorf("%s, %s: got %+v, want %+v", name, api, got, want)
				}
				if got := p.Subscriptions(); !slices.Equal(got, subscriptions) {
					t.Errorf("%s, %s: got subscriptions %q, want %q", name, api, got, subscriptions)
				}
			}
		}
	}
}

// Without a bearer token of the app, the account's OAuth 1.0a token serves.
func TestRegisterWithoutBearer(t *testing.T) {
	for name, change := range both() {
		p, _ := start(t, change)
		c := with(t, p, func(s *twitter.Config) { s.BearerToken = config.Secret{} })
		reach(p, c)
		err := register(p, c)
		if name == "OAuth 1.0a" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "OAuth 2.0" {
			wantKind(t, name, err, connectors.Misconfigured)
		}
	}
}

// Each account subscribes with its own token, the webhook is the app's.
func TestRegisterAuthority(t *testing.T) {
	p, c := start(t, oauth2)
	reach(p, c)
	log := watch(p)
	if err := register(p, c); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET /2/webhooks app", "POST /2/webhooks app", "GET /2/activity/subscriptions app",
		"POST /2/activity/subscriptions user", "POST /2/activity/subscriptions user",
	}
	var got []string
	for i, call := range log.calls() {
		who := map[string]string{"Bearer " + p.BearerToken: "app", "Bearer " + p.OAuth2Token: "user"}[log.requests[i].Header.Get("Authorization")]
		got = append(got, call+" "+who)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got calls %q, want %q", got, want)
	}
	if got, want := log.bodies[1], `{"url":"`+webhookURL+`"}`; got != want {
		t.Errorf("got body %s, want %s", got, want)
	}
	if got := log.bodies[3]; !strings.HasPrefix(got, `{"event_type":"dm.received","filter":{"user_id":"`+p.UserID+`"},"webhook_id":"`) {
		t.Errorf("got body %s, want the account's messages", got)
	}
}

// A webhook that X has given up is checked again and not made anew.
func TestRegisterInvalid(t *testing.T) {
	p, c := start(t)
	id := p.AddHook(webhookURL, false)
	got := registered(t, p, c)
	if got.OK || got.URL != webhookURL || !strings.Contains(got.Detail, "invalid") {
		t.Errorf("got %+v, want it invalid", got)
	}
	wantKind(t, "while the gateway cannot be reached", register(p, c), connectors.Refused)
	reach(p, c)
	log := watch(p)
	if err := register(p, c); err != nil {
		t.Fatal(err)
	}
	if calls := log.calls(); !slices.Contains(calls, "PUT /2/webhooks/"+id) || slices.Contains(calls, "POST /2/webhooks") {
		t.Errorf("got calls %q, want the check again", calls)
	}
	if got := registered(t, p, c); !got.OK {
		t.Errorf("got %+v, want it registered", got)
	}
}

func TestRegisteredUnsubscribed(t *testing.T) {
	p, _ := start(t)
	p.AddHook(webhookURL, true)
	for _, change := range []func(*twitter.Config){func(*twitter.Config) {}, byAccountActivity} {
		got := registered(t, p, with(t, p, change))
		if got.OK || got.URL != webhookURL || !strings.Contains(got.Detail, "not subscribed") {
			t.Errorf("got %+v, want it not subscribed", got)
		}
	}
}

// A query does not change where events go, so there is nothing to mend.
func TestRegisteredWithAQuery(t *testing.T) {
	p, c := start(t, func(p *twittersim.Platform) { p.Hooks = 1 })
	p.AddHook(webhookURL+"?tenant=canary", true)
	reach(p, c)
	if err := register(p, c); err != nil {
		t.Fatal(err)
	}
	if got, want := registered(t, p, c), (connectors.Registration{OK: true, URL: webhookURL}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Another address is shown without its query, which may hold what is not ours.
func TestRegisteredElsewhere(t *testing.T) {
	p, c := start(t)
	p.AddHook("https://elsewhere.example/hook?token=x", true)
	want := connectors.Registration{URL: "https://elsewhere.example/hook", Detail: "the app has no webhook at this address"}
	if got := registered(t, p, c); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// X's words for what is wrong reach the operator; others' do not.
func TestRegisterReasons(t *testing.T) {
	p, c := start(t, func(p *twittersim.Platform) { p.Hooks = 1 })
	err := register(p, c)
	wantKind(t, "no way to the gateway", err, connectors.Refused)
	if err == nil || !strings.Contains(err.Error(), "CrcValidationFailed") {
		t.Errorf("got %v, want X's reason", err)
	}
	for _, answer := range []struct {
		status int
		body   string
	}{{200, `{"response_token":"sha256=AAAA"}`}, {200, ""}, {302, ""}, {503, ""}} {
		p.Reach(func(*connectors.Request) (int, string) { return answer.status, answer.body })
		wantKind(t, "a wrong answer to the check", register(p, c), connectors.Refused)
	}
	p.AddHook("https://elsewhere.example/hook", true)
	reach(p, c)
	err = register(p, c)
	if err == nil || !strings.Contains(err.Error(), "WebhookLimitExceeded") {
		t.Errorf("got %v, want the limit as reason: another's webhook is not ours to remove", err)
	}
	for _, address := range []string{"http://gateway.example/x", "https://gateway.example:8443/x", "https://gateway.example/" + strings.Repeat("x", 200)} {
		if err := c.Register(context.Background(), p.UserID, address); err == nil || !strings.Contains(err.Error(), "UrlValidationFailed") {
			t.Errorf("%s: got %v, want X's reason", address, err)
		}
	}
	answers(p, http.StatusBadRequest, nil, `{"errors":[{"message":"SecretReason: do not print"}]}`)
	if err := register(p, c); err == nil || strings.Contains(err.Error(), "Secret") {
		t.Errorf("got %v, want none of the answer's text", err)
	}
}

// A subscription that X has already is as good as a new one.
func TestRegisterDuplicate(t *testing.T) {
	for _, change := range []func(*twitter.Config){func(*twitter.Config) {}, byAccountActivity} {
		p, _ := start(t)
		c := with(t, p, change)
		reach(p, c)
		if err := register(p, c); err != nil {
			t.Fatal(err)
		}
		// The list is a moment behind.
		p.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "subscriptions") {
					_, _ = io.WriteString(w, `{"data":[]}`)
					return
				}
				h.ServeHTTP(w, r)
			})
		})
		if err := register(p, c); err != nil {
			t.Errorf("got %v, want no error", err)
		}
	}
}

// Not every app may have encrypted chats, and the others are worth having.
func TestRegisterWithoutChats(t *testing.T) {
	for kind, want := range map[string]bool{"chat.received": true, "dm.received": false} {
		p, c := start(t)
		reach(p, c)
		p.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				if strings.Contains(string(body), kind) {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				h.ServeHTTP(w, r)
			})
		})
		if err := register(p, c); want != (err == nil) {
			t.Errorf("without %s: got %v, want success %v", kind, err, want)
		}
	}
}

func TestRegisterOddAnswers(t *testing.T) {
	for _, body := range []string{"", "x", "[]", `{"data":5}`, `{"data":{}}`, `{"data":[5]}`, `{"data":[{"id":"../x","url":"` + webhookURL + `","valid":true}]}`, `{"data":[{}]}`} {
		p, c := start(t)
		answers(p, http.StatusOK, nil, body)
		_, err := c.Registered(context.Background(), p.UserID, webhookURL)
		wantKind(t, "Registered after "+body, err, connectors.Unavailable)
		wantKind(t, "Register after "+body, register(p, c), connectors.Unavailable)
	}
	// The old answer to an account that is not subscribed.
	p, _ := start(t)
	p.AddHook(webhookURL, true)
	c := with(t, p, byAccountActivity)
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/all") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	if got := registered(t, p, c); got.OK || got.Detail == "" {
		t.Errorf("got %+v, want it not subscribed", got)
	}
}

func TestRegisterCancelled(t *testing.T) {
	p, c := start(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Register(ctx, p.UserID, webhookURL); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
