package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/console/consoletest"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity/issuertest"
)

// TestSigningIn is all of it as an agent has it: the console in a real browser, a token
// of the agents file, and a real issuer in a process of its own.
func TestSigningIn(t *testing.T) {
	t.Parallel()
	b := consoletest.Need(t, consoletest.StartBrowser)
	t.Cleanup(b.Stop)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	base := "http://" + address
	issuer := issuertest.Start(t, []issuertest.User{{ID: "7", Username: "eva", First: "Eva", Last: "Holm"}}, base+config.OIDCReturn)
	const token = "llat_a-token-that-is-Bens-alone-and-nobody-elses"
	h := prepare(t)
	c := &h.loaded.Config
	c.Listen, c.PublicURL, c.Agents.OIDC = address, base, issuer.Config(testQueue)
	c.Agents.File = filepath.Join(t.TempDir(), "agents.yaml")
	text := "agents: [{id: ben, name: Ben, token_sha256: " + config.TokenHash(token) + ", queues: [" + testQueue + "]}]\n"
	if err := os.WriteFile(c.Agents.File, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	h.start()

	ben := b.Page(t, base)
	ben.Go("/")
	ben.AwaitText("#sign-in-heading", "Sign in")
	ben.Eval(`document.querySelector('#token').value = '` + token + `'; document.querySelector('#sign-in-form').requestSubmit()`)
	ben.Await(`!document.querySelector('#sign-in').open`)

	eva := b.Page(t, base)
	eva.Go("/mine")
	eva.AwaitText("#by-oidc", "Sign in with localhost")
	gatewaytest.Await(t, "the issuer is known", func() bool { return h.app.desk.Check(t.Context())[1].State == "ok" })
	eva.Eval(`document.querySelector('#by-oidc').click()`)
	eva.Await(`!!document.querySelector('input[name=username]')`)
	eva.Eval(`document.querySelector('input[name=username]').value = 'eva'; document.querySelector('input[name=password]').value = 'correct horse'; document.querySelector('form').submit()`)
	eva.Await(`location.href == '` + base + `/mine' && document.querySelector('#sign-in') && !document.querySelector('#sign-in').open`)
	const me = `fetch('/v1/me').then(r => r.json()).then(m => m.name)`
	for page, want := range map[*consoletest.Page]string{ben: "Ben", eva: "Eva Holm"} {
		if got := page.Eval(me); got != want {
			t.Errorf("signed in is %v, want %s", got, want)
		}
	}
}
