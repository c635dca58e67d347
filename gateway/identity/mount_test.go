package identity_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lightlock/lightlock/gateway/identity"
)

func TestBadSignIns(t *testing.T) {
	t.Parallel()
	var refused atomic.Int64
	h := newHouse(t, identity.Options{Config: configured(t), Refused: func() { refused.Add(1) }})
	first := ""
	for _, c := range []struct {
		kind, body string
		status     int
	}{
		{"application/json", `{"token":"wrong"}`, 401},
		{"application/json", `{"token":""}`, 401},
		{"application/json", `{}`, 401},
		{"application/json", `{"token":"` + deskToken + `"}`, 401}, // a program has no browser
		{"application/json", `{"token":"` + benToken + `"`, 400},
		{"application/json", `{"token":"` + benToken + `"} {}`, 400},
		{"application/json", `{"token":"` + benToken + `","more":1}`, 400},
		{"application/json", `{"token":7}`, 400},
		{"application/json", ``, 400},
		{"application/json", `{"token":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
		{"application/json", `{"token":"x"}` + strings.Repeat(" ", 64<<10), 413},
		{"text/plain", `{"token":"` + benToken + `"}`, 415},
		{"", `{"token":"` + benToken + `"}`, 415},
		{"application/x-www-form-urlencoded", "token=" + benToken, 415},
	} {
		a := h.call(t, http.MethodPost, "/v1/session", c.body, "Content-Type", c.kind)
		if a.status != c.status || a.cookie != nil || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %.50s: got %d %s, want %d", c.kind, c.body, a.status, a.body, c.status)
		}
		if a.status == 401 && first == "" {
			first = a.body
		}
		if a.status == 401 && a.body != first {
			t.Errorf("%.50s: the answer %s differs from %s", c.body, a.body, first)
		}
	}
	if got := refused.Load(); got != 4 {
		t.Errorf("%d sign-ins are counted as refused, want 4", got)
	}
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	h := newHouse(t, identity.Options{Config: configured(t)})
	for path, allowed := range map[string]string{"/v1/session": "DELETE, POST", "/v1/session/ways": "GET, HEAD"} {
		if a := h.call(t, http.MethodPut, path, ""); a.status != 405 || a.header.Get("Allow") != allowed {
			t.Errorf("%s: got %d, allowed %s", path, a.status, a.header.Get("Allow"))
		}
	}
	a := h.call(t, http.MethodGet, "/v1/session/ways", "")
	if a.status != 200 || strings.TrimSpace(a.body) != `{"token":true}` {
		t.Errorf("ways: got %d %s", a.status, a.body)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Referrer-Policy": "no-referrer",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("ways: %s is %q, want %q", name, got, want)
		}
	}
}

// TestFailuresAreFew: an address that has failed too often is told to wait. The right
// token is good all the same, because others may have the same address.
func TestFailuresAreFew(t *testing.T) {
	t.Parallel()
	o := identity.Options{Config: configured(t)}
	o.Config.TrustedProxies = []string{"127.0.0.0/8", "10.0.0.0/8"}
	h := newHouse(t, o)
	try := func(token, forwarded string) answer {
		return h.call(t, http.MethodPost, "/v1/session", `{"token":"`+token+`"}`, "Content-Type", "application/json", "X-Forwarded-For", forwarded)
	}
	for i := range 10 {
		// What stands before the first address that is not a proxy's is anybody's word.
		if a := try("wrong", fmt.Sprintf("198.51.100.%d, 203.0.113.7, 10.0.0.1", i)); a.status != 401 {
			t.Fatalf("try %d: got %d", i, a.status)
		}
	}
	a := try("wrong", "203.0.113.7")
	if after, err := strconv.Atoi(a.header.Get("Retry-After")); a.status != 429 || err != nil || after < 1 || a.cookie != nil {
		t.Errorf("the next: got %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
	if a := try(benToken, "203.0.113.7"); a.status != 204 || a.cookie == nil {
		t.Errorf("the right one: got %d", a.status)
	}
	for _, other := range []string{"203.0.113.8", "", "not an address", "2001:db8::7"} {
		if a := try("wrong", other); a.status != 401 {
			t.Errorf("from %q: got %d", other, a.status)
		}
	}
	for i := range 10 {
		try("wrong", fmt.Sprintf("2001:db8:1:2::%d", i))
	}
	if a := try("wrong", "2001:db8:1:2:3::"); a.status != 429 {
		t.Errorf("another address of the same network: got %d", a.status)
	}
	if a := try("wrong", "2001:db8:1:3::"); a.status != 401 {
		t.Errorf("another network: got %d", a.status)
	}
}
