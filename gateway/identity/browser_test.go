package identity_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

// What a cookie is good for is a browser's to decide, so it is asked.

// browser starts the one browser of these tests when the first of them needs it.
var browser = sync.OnceValues(consoletest.StartBrowser)

var started bool

func TestMain(m *testing.M) {
	code := m.Run()
	if started {
		if b, err := browser(); err == nil {
			b.Stop()
		}
	}
	os.Exit(code)
}

// text is what a script returns, as text.
func text(p *consoletest.Page, script string) string { return fmt.Sprint(p.Eval(script)) }

// awaitAt waits until the page is at an address, and loaded.
func awaitAt(p *consoletest.Page, address string) {
	p.Await(fmt.Sprintf(`location.href === %q && document.readyState === 'complete'`, address))
}

const status = `(method) => fetch('/v1/me', {method}).then(r => r.status)`

func TestInARealBrowser(t *testing.T) {
	t.Parallel()
	b := consoletest.Need(t, browser)
	started = true
	h, _ := withIssuer(t, false, nil)
	// The issuer, on localhost, is another site than the gateway, on 127.0.0.1; another
	// port of 127.0.0.1 is the same site, from where cookies come along.
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>theirs</title><form method=post action="%[1]s/v1/me"></form><a href="%[1]s/v1/me">see</a>`, h.server.URL)
	}))
	defer other.Close()
	sameSite := other.URL
	crossSite := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)

	p := b.Page(t, "")
	p.Go(h.server.URL + "/")
	if got := text(p, `(`+status+`)('GET')`); got != "401" {
		t.Fatalf("before: got %s", got)
	}
	p.Eval(`location.href = '/v1/session/oidc?to=/%3Fback'`)
	p.Await(`document.querySelector('input[name=username]')`)
	p.Eval(`document.querySelector('input[name=username]').value = 'eva'; document.querySelector('input[name=password]').value = 'correct horse'; document.querySelector('form').submit()`)
	awaitAt(p, h.server.URL+"/?back")
	for _, method := range []string{"GET", "POST", "DELETE"} {
		if got := text(p, `(`+status+`)('`+method+`')`); got != "200" {
			t.Errorf("signed in, from our own page, %s: got %s", method, got)
		}
	}
	if got := text(p, `document.cookie`); got != "" {
		t.Errorf("a script reads the cookie %s", got)
	}
	for _, c := range []struct{ name, at, do, want string }{
		{"another site posts a form", crossSite, `document.forms[0].submit()`, "401"},
		{"another site links", crossSite, `document.links[0].click()`, "401"},
		{"a neighbour posts a form", sameSite, `document.forms[0].submit()`, "403"},
		{"a neighbour links", sameSite, `document.links[0].click()`, "200"},
	} {
		p.Go(c.at)
		p.Eval(c.do)
		awaitAt(p, h.server.URL+"/v1/me")
		if got := text(p, `String(performance.getEntriesByType('navigation')[0].responseStatus)`); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	p.Go(h.server.URL + "/")
	p.Eval(`fetch('/v1/session', {method: 'DELETE'}).then(r => r.status)`)
	if got := text(p, `(`+status+`)('GET')`); got != "401" {
		t.Errorf("signed out: got %s", got)
	}
}
