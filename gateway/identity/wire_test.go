package identity_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity"
)

// secured is an issuer with a certificate of its own authority, written to a file.
func secured(t *testing.T) (f *fake, caFile string) {
	t.Helper()
	f = newFake(t)
	f.server.Close()
	f.server = httptest.NewTLSServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.server.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	if err := os.WriteFile(caFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return f, caFile
}

func TestAnAuthorityOfTheIssuersOwn(t *testing.T) {
	t.Parallel()
	f, ca := secured(t)
	c := config.Config{Agents: config.Agents{OIDC: &config.OIDC{Issuer: f.server.URL, ClientID: "lightlock"}}}
	if err := identity.AskIssuer(t.Context(), c); err == nil {
		t.Error("a certificate that nobody knows is believed")
	}
	c.Agents.OIDC.CAFile = ca
	if err := identity.AskIssuer(t.Context(), c); err != nil {
		t.Errorf("with its authority: %v", err)
	}
	for _, wrong := range []string{filepath.Join(t.TempDir(), "none.pem"), agentsFile(t)} {
		c.Agents.OIDC.CAFile = wrong
		if err := identity.AskIssuer(t.Context(), c); err == nil {
			t.Errorf("%s is taken for certificates", wrong)
		}
	}
}

func TestAProxyOnTheWay(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	asked := make(chan string, 8)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { asked <- r.In.URL.Host }})
	defer proxy.Close()
	h := f.believer(t, func(o *identity.Options) { o.Config.Agents.OIDC.Proxy = proxy.URL })
	gatewaytest.Await(t, "the issuer is known", h.issuerAnswers(t))
	if got := <-asked; "http://"+got != f.server.URL {
		t.Errorf("the proxy was asked for %s, want %s", got, f.server.URL)
	}
}
