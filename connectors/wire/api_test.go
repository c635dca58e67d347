package wire

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "%s %s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), body)
}

// api returns the API at a server that answers with h.
func api(t *testing.T, h http.HandlerFunc) API {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	a, err := NewAPI(config.Connector{Channel: "x", APIBase: server.URL + "/v1/", AllowPrivateAddresses: true}, "https://api.example", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestDo(t *testing.T) {
	a := api(t, echo)
	for _, row := range []struct {
		request Request
		want    string
	}{
		{Request{Path: "/a?b=c", Authorization: "Bearer t"}, "GET /v1/a?b=c Bearer t  "},
		{Request{Path: "/a", Method: "PUT"}, "PUT /v1/a   "},
		{Request{Path: "/a", Header: map[string]string{"content-type": "text/plain"}}, "GET /v1/a  text/plain "},
		{Request{Path: "/a", Body: map[string]string{"text": "<b> & \u2028 写"}}, `POST /v1/a  application/json {"text":"<b> & \u2028 写"}`},
		{Request{Path: "/a", Body: url.Values{"a": {"b c"}}}, "POST /v1/a  application/x-www-form-urlencoded a=b+c"},
		{Request{Path: "/a", Body: []int{1}, Method: "PATCH", MaxBody: 3}, "PATCH /v1/a  application/json [1]"},
	} {
		row.request.Op = "x: do"
		got, err := a.Do(t.Context(), row.request)
		if err != nil || string(got) != row.want {
			t.Errorf("got %q, %v, want %q", got, err, row.want)
		}
	}
}

func TestDoFails(t *testing.T) {
	var calls atomic.Int32
	a := api(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = w.Write(make([]byte, maxAnswer+1))
	})
	for name, row := range map[string]struct {
		request Request
		kind    connectors.ErrorKind
		calls   int32
	}{
		"what is no JSON":    {Request{Body: func() {}}, connectors.Other, 0},
		"no address":         {Request{Path: "%zz"}, connectors.Misconfigured, 0},
		"a request too long": {Request{Body: "ab", MaxBody: 3}, connectors.Refused, 0},
		"an answer too long": {Request{}, connectors.Malformed, 1},
		"a shorter limit":    {Request{MaxAnswer: maxAnswer}, connectors.Malformed, 1},
		"a longer limit":     {Request{MaxAnswer: maxAnswer + 1}, connectors.Other, 1},
	} {
		calls.Store(0)
		_, err := a.Do(t.Context(), row.request)
		if (err == nil) != (name == "a longer limit") || connectors.KindOf(err) != row.kind || calls.Load() != row.calls {
			t.Errorf("%s: got %v after %d calls, want kind %v after %d", name, err, calls.Load(), row.kind, row.calls)
		}
	}
}

func TestNewAPI(t *testing.T) {
	for base, want := range map[string]string{"": "https://api.example/v1", "https://proxy.example/x/": "https://proxy.example/x"} {
		a, err := NewAPI(config.Connector{APIBase: base}, "https://api.example/v1", Options{})
		if err != nil || a.Base != want {
			t.Errorf("%q: got %q, %v, want %q", base, a.Base, err, want)
		}
		if a.options.AllowPrivate {
			t.Errorf("%q: got a client for private addresses, which nobody has allowed", base)
		}
	}
	if _, err := NewAPI(config.Connector{Channel: "x", APIBase: "no"}, "https://api.example", Options{}); connectors.KindOf(err) != connectors.Misconfigured {
		t.Errorf("got %v for what is no address, want kind misconfigured", err)
	}
}

func TestHost(t *testing.T) {
	a := API{Base: "https://api.example/v1"}
	for address, want := range map[string]bool{
		"https://api.example/x": true, "https://API.example:443/": true, "http://api.example/": false, "http://api.example:443/": false,
		"https://api.example:8443/": false, "https://x.api.example/": false, "https://api.example@h.example/": false, "/v1": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Host(u); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}

func TestBase(t *testing.T) {
	for _, row := range []struct{ base, want string }{
		{"", "https://api.example"},
		{"http://127.0.0.1:1/", "http://127.0.0.1:1"},
		{"https://proxy.example/line//", "https://proxy.example/line"},
	} {
		u, err := Base("x", row.base, "https://api.example")
		if err != nil || u.String() != row.want {
			t.Errorf("%q: got %v, %v, want %s", row.base, u, err, row.want)
		}
	}
	for _, base := range []string{"x", "https://", "%", "/only/path"} {
		if _, err := Base("x", base, "https://api.example"); connectors.KindOf(err) != connectors.Misconfigured || err == nil {
			t.Errorf("%q: got %v, want kind misconfigured", base, err)
		}
	}
}
