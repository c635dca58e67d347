package identity_test

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestASessionFromBeginToEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, identity.Options{Config: configured(t)})
	cookie := h.signIn(t, benToken)
	if a := h.me(t, cookie); a.status != http.StatusOK || a.body != "ben Ben of support" {
		t.Errorf("signed in: got %d %s", a.status, a.body)
	}
	if a := h.call(t, http.MethodDelete, "/v1/session", "", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"); a.status != http.StatusNoContent || a.cookie == nil || a.cookie.MaxAge >= 0 {
		t.Errorf("signing out: got %d, cookie %v", a.status, a.cookie)
	}
	if a := h.me(t, cookie); a.status != http.StatusUnauthorized {
		t.Errorf("signed out: got %d %s", a.status, a.body)
	}
	if a := h.call(t, http.MethodDelete, "/v1/session", ""); a.status != http.StatusNoContent {
		t.Errorf("signing out again: got %d", a.status)
	}
}

// TestNothingTellsTheCookie: who reads Redis or the log cannot sign in with it.
func TestNothingTellsTheCookie(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	h := houseOn(t, journal(t, queuetest.StartIn(t, folder).Address()), identity.Options{Config: configured(t)})
	cookie := h.signIn(t, benToken)
	_, secret, _ := strings.Cut(cookie, "=")
	if len(secret) != 43 {
		t.Errorf("the cookie %q is not of 256 bits", cookie)
	}
	kept := files(t, folder)
	if !strings.Contains(kept, "lightlock:sessions") {
		t.Fatalf("no session in redis: %s", kept)
	}
	for where, text := range map[string]string{"redis": kept, "the log": h.log.String()} {
		for _, s := range []string{secret, benToken} {
			if strings.Contains(text, s) {
				t.Errorf("%s has a secret in %s", where, text)
			}
		}
	}
}

// files is the text of all files in a folder: of a Redis everything that it was told.
func files(t *testing.T, folder string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestCookies(t *testing.T) {
	t.Parallel()
	j := journal(t, queuetest.Redis(t))
	for _, c := range []struct {
		public string
		tls    *config.TLS
		secure bool
		name   string
	}{
		{"", nil, false, "lightlock"},
		{"http://localhost:8080", nil, false, "lightlock"},
		{"https://photos.example.com", nil, true, "__Host-lightlock"},
		{"HTTPS://photos.example.com/lightlock", nil, true, "__Host-lightlock"},
		{"", &config.TLS{}, true, "__Host-lightlock"},
	} {
		o := identity.Options{Config: configured(t)}
		o.Config.PublicURL, o.Config.TLS = c.public, c.tls
		h := houseOn(t, j, o)
		// A header that anybody can write changes nothing.
		a := h.call(t, http.MethodPost, "/v1/session", `{"token":"`+benToken+`"}`, "Content-Type", "application/json; charset=utf-8", "X-Forwarded-Proto", "https")
		got := a.cookie
		if got == nil {
			t.Fatalf("%s: got %d %s", c.public, a.status, a.body)
		}
		if got.Name != c.name || got.Secure != c.secure || !got.HttpOnly || got.SameSite != http.SameSiteStrictMode || got.Path != "/" || got.Domain != "" || got.MaxAge != 12*3600 {
			t.Errorf("%s: got %+v", c.public, got)
		}
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %v", c.public, a.header)
		}
		other := "lightlock"
		if c.name == other {
			other = "__Host-lightlock"
		}
		for _, cookie := range []string{other + "=" + got.Value, got.Name + "=" + got.Value + "; " + got.Name + "=x", got.Name + "=", got.Name + "=x", got.Name + "=" + strings.Repeat("x", 4000)} {
			if a := h.me(t, cookie); a.status != http.StatusUnauthorized {
				t.Errorf("%s with %.60s: got %d %s", c.public, cookie, a.status, a.body)
			}
		}
	}
}

// TestOtherSites: what a browser sends for another site's page changes nothing,
// whichever way it says so.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	o := identity.Options{Config: configured(t)}
	o.Config.PublicURL = "http://photos.localhost"
	h := newHouse(t, o)
	cookie := h.signIn(t, benToken)
	own := strings.TrimPrefix(h.server.URL, "http://")
	for _, c := range []struct {
		name    string
		method  string
		headers []string
		status  int
	}{
		{"same origin", "POST", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"typed by the user", "POST", []string{"Sec-Fetch-Site", "none"}, 200},
		{"own origin", "POST", []string{"Origin", "http://" + own}, 200},
		{"public origin", "POST", []string{"Origin", "http://photos.localhost"}, 200},
		{"public origin behind a proxy", "POST", []string{"Origin", "http://photos.localhost", "Sec-Fetch-Site", "same-origin"}, 200},
		{"loopback by name", "POST", []string{"Origin", "http://localhost:1", "Host", "localhost:1"}, 200},
		{"cross-site", "POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"same-site", "POST", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://evil.localhost"}, 403},
		{"another origin", "POST", []string{"Origin", "https://evil.example.com"}, 403},
		{"another port", "POST", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"no origin at all", "POST", []string{"Origin", "null"}, 403},
		{"nothing said", "POST", nil, 403},
		{"nothing said", "DELETE", nil, 403},
		{"cross-site", "PUT", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"cross-site", "PATCH", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"nothing said", "GET", nil, 200},
		{"cross-site", "HEAD", []string{"Sec-Fetch-Site", "cross-site"}, 200},
	} {
		if a := h.call(t, c.method, "/v1/me", "", append(c.headers, "Cookie", cookie)...); a.status != c.status {
			t.Errorf("%s, %s %v: got %d, want %d", c.name, c.method, c.headers, a.status, c.status)
		}
		if a := h.call(t, c.method, "/v1/me", "", append(c.headers, "Authorization", "Bearer "+benToken)...); a.status != 200 {
			t.Errorf("%s, %s by token: got %d", c.name, c.method, a.status)
		}
	}
	for _, site := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example.com"}} {
		headers := append([]string{"Content-Type", "application/json"}, site...)
		if a := h.call(t, http.MethodPost, "/v1/session", `{"token":"`+benToken+`"}`, headers...); a.status != http.StatusUnauthorized || a.cookie != nil {
			t.Errorf("another site signs somebody in: %d, %v", a.status, a.cookie)
		}
		if a := h.call(t, http.MethodDelete, "/v1/session", "", append(site, "Cookie", cookie)...); a.status != http.StatusUnauthorized {
			t.Errorf("another site signs somebody out: %d", a.status)
		}
	}
	if a := h.me(t, cookie); a.status != 200 {
		t.Errorf("still signed in: got %d", a.status)
	}
}

func TestASessionEndsWithItsTime(t *testing.T) {
	t.Parallel()
	var skew time.Duration
	o := identity.Options{Config: configured(t), Now: func() time.Time { return time.Now().Add(skew) }}
	h := newHouse(t, o)
	cookie := h.signIn(t, benToken)
	skew = 12*time.Hour - time.Minute
	if a := h.me(t, cookie); a.status != 200 {
		t.Errorf("a minute before: got %d", a.status)
	}
	skew = 12 * time.Hour
	if a := h.me(t, cookie); a.status != 401 {
		t.Errorf("after it: got %d %s", a.status, a.body)
	}
}

// TestASecondSignInEndsTheFirst, of the same browser: nobody can sign it out any more.
func TestASecondSignInEndsTheFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t, identity.Options{Config: configured(t)})
	first := h.signIn(t, benToken)
	a := h.call(t, http.MethodPost, "/v1/session", `{"token":"`+evaToken+`"}`, "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin", "Cookie", first)
	if a.status != http.StatusNoContent || a.cookie == nil {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if a := h.me(t, first); a.status != 401 {
		t.Errorf("the first session: got %d %s", a.status, a.body)
	}
	if a := h.me(t, a.cookie.Name+"="+a.cookie.Value); !strings.HasPrefix(a.body, "eva") {
		t.Errorf("the second: got %d %s", a.status, a.body)
	}
}

func TestRedisIsAway(t *testing.T) {
	t.Parallel()
	proxy := queuetest.NewProxy(t, queuetest.Redis(t))
	h := houseOn(t, journal(t, proxy.Address()), identity.Options{Config: configured(t)})
	cookie := h.signIn(t, benToken)
	proxy.Down()
	gatewaytest.Await(t, "Redis is away", func() bool { return h.journal.Ping(t.Context()) != nil })
	if a := h.me(t, cookie); a.status != http.StatusServiceUnavailable {
		t.Errorf("by cookie: got %d", a.status)
	}
	if a := h.call(t, http.MethodGet, "/v1/me", "", "Authorization", "Bearer "+benToken); a.status != 200 {
		t.Errorf("by token: got %d", a.status)
	}
	a := h.call(t, http.MethodPost, "/v1/session", `{"token":"`+benToken+`"}`, "Content-Type", "application/json")
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || a.cookie != nil {
		t.Errorf("signing in: got %d %v", a.status, a.header)
	}
}

// TestSignInOfWhoIsThere is how a page that knows who sits before it signs them in.
func TestSignInOfWhoIsThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t, identity.Options{Config: configured(t)})
	w, req := httptest.NewRecorder(), httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
	if err := h.SignIn(w, req, "ben"); err != nil {
		t.Fatal(err)
	}
	c := w.Result().Cookies()[0]
	if a := h.me(t, c.Name+"="+c.Value); !strings.HasPrefix(a.body, "ben") {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if err := h.SignIn(w, req, "nobody"); err == nil {
		t.Error("nobody is signed in")
	}
}
