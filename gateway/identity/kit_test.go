package identity_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// house is a gateway that knows nothing but who calls.
type house struct {
	*identity.Registry
	journal *queue.Backend
	server  *httptest.Server
	log     *gatewaytest.Log
}

// journal opens one on a Redis.
func journal(t testing.TB, address string) *queue.Backend {
	t.Helper()
	b, err := queue.Open(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(t.Context()) })
	return b
}

// newHouse starts a gateway with a Redis of its own.
func newHouse(t *testing.T, o identity.Options) *house {
	t.Helper()
	return houseOn(t, journal(t, queuetest.Redis(t)), o)
}

func houseOn(t testing.TB, j *queue.Backend, o identity.Options) *house {
	t.Helper()
	return houseAt(t, httptest.NewUnstartedServer(nil), j, o)
}

// houseAt starts a gateway at a listener that is there already.
func houseAt(t testing.TB, server *httptest.Server, j *queue.Backend, o identity.Options) *house {
	t.Helper()
	h := &house{journal: j, log: &gatewaytest.Log{}, server: server}
	o.Sessions, o.Seen, o.Log = j, j, h.log.Logger()
	h.Registry = open(t, o)
	e := echo.New()
	h.Mount(e)
	e.GET("/", func(c echo.Context) error { return c.HTML(http.StatusOK, "<!doctype html><title>ours</title>") })
	e.Any("/v1/me", func(c echo.Context) error {
		caller, err := h.Caller(c.Request())
		switch {
		case errors.Is(err, identity.ErrCrossOrigin):
			return c.String(http.StatusForbidden, "from elsewhere")
		case errors.Is(err, identity.ErrAway):
			return c.String(http.StatusServiceUnavailable, "away")
		case err != nil:
			return c.String(http.StatusUnauthorized, "nobody")
		}
		return c.String(http.StatusOK, caller.Agent.ID+" "+caller.Agent.Name+" of "+strings.Join(caller.Queues, " "))
	})
	h.server.Config.Handler = e
	h.server.Start()
	t.Cleanup(h.server.Close)
	return h
}

// answer is what came of a call.
type answer struct {
	status int
	header http.Header
	body   string
	cookie *http.Cookie // of the session
	other  *http.Cookie // of the way to the issuer
}

// call makes a call with headers, given as name, value, name, value.
func (h *house) call(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: got.StatusCode, header: got.Header, body: string(text)}
	for _, c := range got.Cookies() {
		if strings.HasSuffix(c.Name, "lightlock") {
			a.cookie = c
		} else {
			a.other = c
		}
	}
	return a
}

// signIn signs in by a token, as the console does, and returns the cookie as a
// browser sends it.
func (h *house) signIn(t testing.TB, token string) string {
	t.Helper()
	a := h.call(t, http.MethodPost, "/v1/session", `{"token":"`+token+`"}`, "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin")
	if a.status != http.StatusNoContent || a.cookie == nil {
		t.Fatalf("signing in: got %d %s, cookie %v", a.status, a.body, a.cookie)
	}
	return a.cookie.Name + "=" + a.cookie.Value
}

// me asks who a cookie is.
func (h *house) me(t *testing.T, cookie string) answer {
	t.Helper()
	return h.call(t, http.MethodGet, "/v1/me", "", "Cookie", cookie)
}
