package webhook_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/webhook"
)

func TestOnlyTrustedProxiesMayCall(t *testing.T) {
	t.Parallel()
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	proxies := config.Config{TrustedProxies: []string{"10.1.0.0/16", "2001:db8::/32"}}
	withTLS := proxies
	withTLS.TLS = &config.TLS{}
	for _, test := range []struct {
		name, from string
		config     config.Config
		in         bool
	}{
		{"a proxy", "10.1.2.3:4", proxies, true},
		{"a proxy, IPv6", "[2001:db8::1]:4", proxies, true},
		{"a proxy, IPv4 in IPv6", "[::ffff:10.1.2.3]:4", proxies, true},
		{"a stranger", "10.2.2.3:4", proxies, false},
		{"loopback, not named", "127.0.0.1:4", proxies, false},
		{"a stranger, IPv6", "[2001:db9::1]:4", proxies, false},
		{"no address", "@", proxies, false},
		{"a stranger, by TLS", "10.2.2.3:4", withTLS, true},
		{"no proxies named", "10.2.2.3:4", config.Config{}, true},
	} {
		door, err := webhook.Door(next, test.config)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/line/acme", nil)
		r.RemoteAddr = test.from
		r.Header.Set("X-Forwarded-For", "10.1.2.3")
		r.Header.Set("X-Real-Ip", "10.1.2.3")
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		want := http.StatusUnauthorized
		if test.in {
			want = http.StatusTeapot
		}
		if w.Code != want || w.Body.Len() != 0 {
			t.Errorf("%s: answered %d %q, want %d", test.name, w.Code, w.Body, want)
		}
	}
	if _, err := webhook.Door(next, config.Config{TrustedProxies: []string{"everybody"}}); err == nil {
		t.Error("nonsense was taken for a network")
	}
}

// certificate makes a self-signed one for 127.0.0.1.
func certificate(t *testing.T) *config.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := &config.TLS{CertFile: filepath.Join(t.TempDir(), "cert.pem"), KeyFile: filepath.Join(t.TempDir(), "key.pem")}
	for file, block := range map[string]*pem.Block{c.CertFile: {Type: "CERTIFICATE", Bytes: der}, c.KeyFile: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestTLS(t *testing.T) {
	t.Parallel()
	c := certificate(t)
	server, err := webhook.Listen("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve()
	t.Cleanup(func() { _ = server.Shutdown(t.Context()) })
	roots := x509.NewCertPool()
	text, err := os.ReadFile(c.CertFile)
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatalf("certificate: %v", err)
	}
	for name, test := range map[string]struct {
		most uint16
		ok   bool
	}{"today's": {tls.VersionTLS13, true}, "LINE's": {tls.VersionTLS12, true}, "outdated": {tls.VersionTLS11, false}} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: test.most}}
		r, err := (&http.Client{Transport: transport}).Get("https://" + server.Address())
		if ok := err == nil && r.StatusCode == http.StatusTeapot; ok != test.ok {
			t.Errorf("%s TLS: got %v, error %v; want an answer: %v", name, r, err, test.ok)
		}
		transport.CloseIdleConnections()
	}
}

func TestAListenerThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	taken, err := webhook.Listen("127.0.0.1:0", http.NotFoundHandler(), nil, log)
	if err != nil {
		t.Fatal(err)
	}
	go taken.Serve()
	defer func() { _ = taken.Shutdown(t.Context()) }()
	if _, err := webhook.Listen(taken.Address(), http.NotFoundHandler(), nil, log); err == nil {
		t.Error("a port that is taken was opened")
	}
	missing := &config.TLS{CertFile: filepath.Join(t.TempDir(), "none"), KeyFile: "none"}
	if _, err := webhook.Listen("127.0.0.1:0", http.NotFoundHandler(), missing, log); err == nil {
		t.Error("a certificate that is missing was served")
	}
}
