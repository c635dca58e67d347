package twitter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twitter"
	"github.com/lightlock/lightlock/connectors/twitter/twittersim"
)

const (
	webhookURL = "https://gateway.example/webhooks/twitter/acme"
	accountID  = "1000000000000000001"
	consumerID = "2000000000000000002"
	messageID  = "1900000000000000001"
	appID      = "15551234"
	secret     = "x-consumer-secret-for-tests"
	jpeg       = "\xff\xd8\xff\xe0\x00\x10JFIF\x00 not much of a photo"
	photoURL   = "https://ton.twitter.com/1.1/ton/data/dm/1900000000000000001/1900000000000000002/AbCdEf12.jpg"
)

// start starts an X and a connector that knows it; change may set what kind.
func start(t *testing.T, change ...func(*twittersim.Platform)) (*twittersim.Platform, *twitter.Connector) {
	t.Helper()
	p, err := twittersim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	for _, f := range change {
		f(p)
	}
	return p, connect(t, p.Settings("acme", "support"))
}

// oauth2 makes the account have an OAuth 2.0 token.
func oauth2(p *twittersim.Platform) { p.OAuth2 = true }

// now is the connector's clock.
func now() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

func connect(t *testing.T, s config.Settings) *twitter.Connector {
	t.Helper()
	c, err := twitter.New(s, connectors.Env{Log: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*twitter.Connector)
}

// settings are those of a connector that nobody simulates anything for.
func settings() *twitter.Config {
	return &twitter.Config{
		Connector:      config.Connector{Channel: "twitter", Name: "acme"},
		ConsumerKey:    config.NewSecret("ck-test"),
		ConsumerSecret: config.Secrets{config.NewSecret(secret)},
		SourceAppID:    appID,
		Accounts: []twitter.Account{{
			Account:           config.Account{ID: accountID, Queue: "support"},
			AccessToken:       config.NewSecret("100-tok"),
			AccessTokenSecret: config.NewSecret("ts-test"),
		}},
	}
}

// post is a call with this body and signature.
func post(body, header, signature string) *connectors.Request {
	return &connectors.Request{
		Method: http.MethodPost, URL: webhookURL, Body: []byte(body), ReceivedAt: time.Now(),
		Header: http.Header{http.CanonicalHeaderKey(header): {signature}},
	}
}

func get(query string) *connectors.Request {
	return &connectors.Request{Method: http.MethodGet, URL: webhookURL + query, Header: http.Header{}}
}

// parse returns what becomes of a webhook.
func parse(t *testing.T, body string) []connectors.Event {
	t.Helper()
	got, err := connect(t, settings()).Parse(post(body, "X", ""))
	if err != nil {
		t.Fatalf("Parse of %s: %v", body, err)
	}
	return got
}

// one returns the event that becomes of a webhook with one.
func one(t *testing.T, body string) connectors.Event {
	t.Helper()
	got := parse(t, body)
	if len(got) != 1 {
		t.Fatalf("got %s of %s, want one event", toJSON(t, got), body)
	}
	return got[0]
}

// lists is a webhook of the Account Activity API with these messages.
func lists(messages ...string) string {
	return fmt.Sprintf(`{"for_user_id":%q,"direct_message_events":[%s],"users":{%q:{"id":%q,"name":"Ana","screen_name":"ana"}}}`,
		accountID, strings.Join(messages, ","), consumerID, consumerID)
}

// activity is a webhook of the X Activity API with this payload.
func activity(kind, payload string) string {
	return fmt.Sprintf(`{"data":{"event_uuid":"-6850000000000000000","event_type":%q,"tag":"dm-inbound","filter":{"user_id":%q},"payload":%s}}`,
		kind, accountID, payload)
}

// message is a direct message from the consumer with this message_data.
func message(id, data string) string { return messageFrom(consumerID, id, "268278", data) }

func messageFrom(sender, id, app, data string) string {
	return fmt.Sprintf(`{"type":"message_create","id":%q,"created_timestamp":"1755000000123","message_create":{`+
		`"target":{"recipient_id":%q},"sender_id":%q,"source_app_id":%q,"message_data":%s}}`, id, accountID, sender, app, data)
}

// media is message_data with an attachment of this kind at photoURL.
func media(text, kind string) string {
	return fmt.Sprintf(`{"text":%q,"entities":{},"attachment":{"type":"media","media":{"id":1900000000000000002,"id_str":"1900000000000000002",`+
		`"type":%q,"media_url":%q,"media_url_https":%q,"url":"https://t.co/AbCdEfGhIj","indices":[30,53]}}}`, text, kind, photoURL, photoURL)
}

func said(id string) sim.Said {
	return sim.Said{ID: id, Consumer: "ada", Name: "Ada", At: now()}
}

// onePhoto makes a consumer send a photo and returns its reference.
func onePhoto(t *testing.T, p *twittersim.Platform, c connectors.Connector) connectors.Photo {
	t.Helper()
	s := said("photo")
	s.Photos = [][]byte{[]byte(jpeg)}
	events := heard(t, p, c, s)
	if len(events) != 1 || len(events[0].Photos) != 1 {
		t.Fatalf("got %s, want one photo", toJSON(t, events))
	}
	return events[0].Photos[0]
}

func heard(t *testing.T, p *twittersim.Platform, c connectors.Connector, said ...sim.Said) []connectors.Event {
	t.Helper()
	requests, err := p.Webhook(webhookURL, said...)
	if err != nil {
		t.Fatal(err)
	}
	var events []connectors.Event
	for _, r := range requests {
		more, err := c.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, more...)
	}
	return events
}

// fetch reads a photo to its end.
func fetch(c connectors.Connector, p connectors.Photo) (string, error) {
	stream, err := c.Fetch(context.Background(), p)
	if err != nil {
		return "", err
	}
	defer func() { _ = stream.Close() }()
	data, err := io.ReadAll(stream)
	return string(data), err
}

func fetchError(c connectors.Connector, p connectors.Photo) error {
	_, err := fetch(c, p)
	return err
}

func wantKind(t *testing.T, what string, err error, want connectors.ErrorKind) {
	t.Helper()
	if err == nil || connectors.KindOf(err) != want {
		t.Errorf("%s: got %v, want kind %v", what, err, want)
	}
}

// answers makes the platform's API give this answer to everything.
func answers(p *twittersim.Platform, status int, header http.Header, body string) {
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range header {
				w.Header()[http.CanonicalHeaderKey(name)] = values
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	})
}

// seen is what the platform's API was asked.
type seen struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

// watch notes all requests to the platform's API from now on.
func watch(p *twittersim.Platform) *seen {
	s := &seen{}
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			s.mu.Lock()
			s.requests, s.bodies = append(s.requests, r.Clone(context.Background())), append(s.bodies, string(body))
			s.mu.Unlock()
			h.ServeHTTP(w, r)
		})
	})
	return s
}

// calls returns method and address of all requests.
func (s *seen) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []string
	for _, r := range s.requests {
		calls = append(calls, r.Method+" "+r.URL.String())
	}
	return calls
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
