package line_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
)

const (
	webhookURL = "https://gateway.example/webhooks/line/acme"
	botID      = "U0aa1b2c3d4e5f60718293a4b5c6d7e8f"
	userID     = "U1111111111111111111111111111aaaa"
	jpeg       = "\xff\xd8\xff\xe0\x00\x10JFIF\x00 not much of a photo"
)

// start starts a LINE and a connector that knows it.
func start(t *testing.T) (*linesim.Platform, connectors.Connector) {
	t.Helper()
	p, err := linesim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, connect(t, p.Settings("acme", "support"))
}

func connect(t *testing.T, s config.Settings) connectors.Connector {
	t.Helper()
	c, err := line.New(s, connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// settings are those of a connector that nobody simulates anything for.
func settings() *line.Config {
	return &line.Config{
		Connector:     config.Connector{Channel: "line", Name: "acme"},
		ChannelSecret: config.Secrets{config.NewSecret("line-channel-secret-for-tests")},
		Accounts: []line.Account{{
			Account:            config.Account{ID: botID, Queue: "support"},
			ChannelAccessToken: config.NewSecret("line-access-token-for-tests"),
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

// parse returns what becomes of these events, each given as JSON.
func parse(t *testing.T, events ...string) []connectors.Event {
	t.Helper()
	body := fmt.Sprintf(`{"destination":%q,"events":[%s]}`, botID, strings.Join(events, ","))
	got, err := connect(t, settings()).Parse(post(body, "X", ""))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if len(got) != len(events) {
		t.Fatalf("got %d events, want %d", len(got), len(events))
	}
	return got
}

// event is a webhook event with what every one has; more is put behind that.
func event(kind, id, more string) string {
	return fmt.Sprintf(`{"type":%q,"mode":"active","timestamp":1755000000123,"webhookEventId":%q,`+
		`"deliveryContext":{"isRedelivery":false},"source":{"type":"user","userId":%q}%s}`, kind, id, userID, more)
}

// message is a message event with this message object.
func message(id, object string) string {
	return event("message", id, `,"replyToken":"0f0e0d0c0b0a09080706050403020100","message":`+object)
}

func said(id string) sim.Said {
	return sim.Said{ID: id, Consumer: "ada", Name: "Ada", At: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)}
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

func wantKind(t *testing.T, what string, err error, want connectors.ErrorKind) {
	t.Helper()
	if err == nil || connectors.KindOf(err) != want {
		t.Errorf("%s: got %v, want kind %v", what, err, want)
	}
}

// host is somebody's web server that remembers the headers it was sent.
type host struct {
	*httptest.Server
	mu      sync.Mutex
	headers []http.Header
}

func startHost(t *testing.T, h http.HandlerFunc) *host {
	t.Helper()
	s := &host{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.headers = append(s.headers, r.Header.Clone())
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// calls returns the headers of all calls.
func (h *host) calls() []http.Header {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.headers
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
