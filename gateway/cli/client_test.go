package cli

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

// gatewayThat is a gateway's listener with a handler of the test's.
func gatewayThat(t *testing.T, answers http.HandlerFunc) *client {
	t.Helper()
	server := httptest.NewServer(answers)
	t.Cleanup(server.Close)
	c := newClient(strings.TrimPrefix(server.URL, "http://"))
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

func TestClientNeverWaitsForEver(t *testing.T) {
	if c := newClient("127.0.0.1:1"); c.http.Timeout != answerTime {
		t.Errorf("the time limit is %v", c.http.Timeout)
	}
}

func TestPost(t *testing.T) {
	call := &connectors.Request{Method: http.MethodPost, URL: simulatedURL + "/webhooks/line/demo?sig=canary", Header: http.Header{"X-Sig": {"1"}}, Body: []byte("body")}
	var got *http.Request
	status := http.StatusOK
	c := gatewayThat(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
	})
	if err := c.post(t.Context(), call); err != nil || got.URL.String() != "/webhooks/line/demo?sig=canary" || got.Header.Get("X-Sig") != "1" {
		t.Errorf("%v; the gateway saw %v", err, got.URL)
	}
	for _, status = range []int{http.StatusUnauthorized, http.StatusServiceUnavailable, http.StatusFound} {
		err := c.post(t.Context(), call)
		if err == nil || !strings.HasPrefix(err.Error(), "the webhook was answered ") || got.URL.Path == "/elsewhere" {
			t.Errorf("%d: %v, last asked for %v", status, err, got.URL)
		}
	}
	away := newClient("127.0.0.1:1")
	if err := away.post(t.Context(), call); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestGet(t *testing.T) {
	body := "picture"
	c := gatewayThat(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(body))
	})
	good := &remotePicture{Href: "/v1/photos/x/preview", Bytes: 7}
	if data, err := c.get(t.Context(), good, "token"); err != nil || string(data) != body {
		t.Errorf("got %q, %v", data, err)
	}
	for what, c2 := range map[string]struct {
		p           *remotePicture
		token, body string
	}{
		"another's token": {good, "other", "picture"},
		"longer":          {good, "token", "picture and more"},
		"shorter":         {good, "token", "pic"},
		"none":            {nil, "token", "picture"},
		"no size":         {&remotePicture{Href: "/x"}, "token", "picture"},
		"huge":            {&remotePicture{Href: "/x", Bytes: largestPicture + 1}, "token", "picture"},
	} {
		body = c2.body
		if data, err := c.get(t.Context(), c2.p, c2.token); err == nil {
			t.Errorf("%s: got %q", what, data)
		}
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	asked, release := make(chan struct{}, 2), make(chan struct{})
	c := gatewayThat(t, func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	})
	t.Cleanup(func() { close(release) })
	for what, call := range map[string]func(context.Context) error{
		"post": func(ctx context.Context) error {
			return c.post(ctx, &connectors.Request{Method: http.MethodPost, URL: simulatedURL + "/x"})
		},
		"get": func(ctx context.Context) error {
			_, err := c.get(ctx, &remotePicture{Href: "/x", Bytes: 1}, "")
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-asked
			cancel()
		}()
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want that it was cancelled", what, err)
		}
	}
}
