package wire

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"go.uber.org/goleak"

	"github.com/lightlock/lightlock/connectors"
)

const testOp = "test: fetch"

// TestMain fails when a test leaves a connection, a timer's goroutine or a body
// behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// simulated returns a client as it is used against simulated platforms.
func simulated(t *testing.T, o Options) *Client {
	t.Helper()
	o.AllowPrivate = true
	client := NewClient(o)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// strict returns a client with all rules for the internet, except that names
// lead to the given servers: name -> server, whatever the port. What the dialer
// itself refuses is tested in dial_test.go.
func strict(t *testing.T, servers map[string]*httptest.Server) *Client {
	t.Helper()
	client := NewClient(Options{})
	pool := x509.NewCertPool()
	for _, server := range servers {
		if server.Certificate() != nil {
			pool.AddCert(server.Certificate())
		}
	}
	client.transport.TLSClientConfig.RootCAs = pool
	client.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		name, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		server, ok := servers[name]
		if !ok {
			return nil, fmt.Errorf("the test knows no host %s", name)
		}
		var d net.Dialer
		return d.DialContext(ctx, network, server.Listener.Addr().String())
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// serve starts a plain server, and serveTLS one with HTTP/2.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func serveTLS(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// serveRaw starts a listener that gives each connection to talk, after it has
// read the beginning of the request.
func serveRaw(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			talk(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

// fetchAll opens and reads a URL.
func fetchAll(ctx context.Context, c *Client, f Fetch) ([]byte, error) {
	if f.Op == "" {
		f.Op = testOp
	}
	rc, err := c.Fetch(ctx, f)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rc.Close() }()
	return io.ReadAll(rc)
}

// wantKind checks an error's kind and that it has the shape of our errors.
func wantKind(t *testing.T, err error, want connectors.ErrorKind) {
	t.Helper()
	var e *connectors.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v (%T), want a *connectors.Error of kind %s", err, err, want)
	}
	if e.Kind != want {
		t.Errorf("got kind %s, want %s: %v", e.Kind, want, err)
	}
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func hostport(server *httptest.Server) string { return server.Listener.Addr().String() }
