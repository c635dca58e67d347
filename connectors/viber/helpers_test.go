package viber_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/viber"
	"github.com/lightlock/lightlock/connectors/viber/vibersim"
)

const (
	webhookURL = "https://gateway.example/webhooks/viber/acme"
	botID      = "acmebot"
	userID     = "a1B2c3D4e5F6g7H8i9J0kQ=="
	testToken  = "viber-token-for-tests"
	jpeg       = "\xff\xd8\xff\xe0\x00\x10JFIF\x00 not much of a photo"
)

// start starts a Viber and a connector that knows it.
func start(t *testing.T) (*vibersim.Platform, *viber.Connector) {
	t.Helper()
	p, err := vibersim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, connect(t, p.Settings("acme", "support"), time.Now)
}

func connect(t *testing.T, s config.Settings, now func() time.Time) *viber.Connector {
	t.Helper()
	c, err := viber.New(s, connectors.Env{Log: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*viber.Connector)
}

// settings are those of a connector that nobody simulates anything for.
func settings() *viber.Config {
	return &viber.Config{
		Connector: config.Connector{Channel: "viber", Name: "acme"},
		AuthToken: config.Secrets{config.NewSecret(testToken)},
		Accounts:  []viber.Account{{Account: config.Account{ID: botID, Queue: "support"}}},
	}
}

// production is a connector as it is in use: no private addresses.
func production(t *testing.T) *viber.Connector { return connect(t, settings(), time.Now) }

// post is a call with this body and signature.
func post(body, header, signature string) *connectors.Request {
	return &connectors.Request{
		Method: http.MethodPost, URL: webhookURL, Body: []byte(body), ReceivedAt: time.Now(),
		Header: http.Header{http.CanonicalHeaderKey(header): {signature}},
	}
}

// parse returns what becomes of one call.
func parse(t *testing.T, body string) connectors.Event {
	t.Helper()
	got, err := production(t).Parse(post(body, "X", ""))
	if err != nil {
		t.Fatalf("Parse of %s: %v", body, err)
	}
	if len(got) != 1 {
		t.Fatalf("got %d events of %s, want 1", len(got), body)
	}
	return got[0]
}

// message is a message event with this message object.
func message(object string) string {
	return `{"event":"message","timestamp":1755000000123,"chat_hostname":"SN-CHAT-05_","message_token":5900000000000000123,` +
		`"sender":{"id":"` + userID + `","name":"Ana","language":"en","country":"RS","api_version":10},` +
		`"message":` + object + `,"silent":false}`
}

// other is an event of another kind with what every one has; more is put behind
// that.
func other(event, more string) string {
	return fmt.Sprintf(`{"event":%q,"timestamp":1755000000123,"message_token":5900000000000000123%s}`, event, more)
}

func said(id string) sim.Said {
	return sim.Said{ID: id, Consumer: "ada", Name: "Ada", Text: "hello", At: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)}
}

// heard returns the events of what was said.
func heard(t *testing.T, p *vibersim.Platform, c connectors.Connector, said ...sim.Said) []connectors.Event {
	t.Helper()
	requests, err := p.Webhook(webhookURL, said...)
	if err != nil {
		t.Fatal(err)
	}
	var events []connectors.Event
	for _, r := range requests {
		if err := c.Verify(r); err != nil {
			t.Fatal(err)
		}
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

// host is somebody's web server that remembers what it was asked.
type host struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
}

func startHost(t *testing.T, h http.HandlerFunc) *host {
	t.Helper()
	s := &host{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Clone(context.Background()))
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// calls returns all requests.
func (h *host) calls() []*http.Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seen
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
