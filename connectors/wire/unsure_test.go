package wire

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

// Whether a message may have been sent decides whether it may be sent again.
func TestUnsure(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	status := func(code int) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }).URL
	}
	answer := func(text string) string {
		return "http://" + serveRaw(t, func(c net.Conn) { _, _ = io.WriteString(c, text) })
	}
	long := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100)) })
	for _, row := range []struct {
		name, url string
		want      bool
	}{
		{"connection refused", "http://" + closed.Addr().String(), false},
		{"not a public address", "http://user:word@" + closed.Addr().String(), false},
		{"hung up without an answer", answer(""), true},
		{"answer cut in its body", answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"), true},
		{"answer too long to read", long.URL, true},
		{"400", status(400), false},
		{"429", status(429), false},
		{"500", status(500), false},
		{"503", status(503), false},
		{"504", status(504), true},
	} {
		api := API{Client: simulated(t, Options{}), Base: row.url}
		_, err := api.Do(t.Context(), Request{Op: testOp, Body: map[string]string{"text": "hello"}, MaxAnswer: 10})
		if got := connectors.UnsureOf(err); err == nil || got != row.want {
			t.Errorf("%s: got unsure %v with %v, want %v", row.name, got, err, row.want)
		}
	}
}

func TestAcceptedIsEnoughForAPost(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	api := API{Client: simulated(t, Options{}), Base: server.URL}
	if _, err := api.Do(t.Context(), Request{Op: testOp, Body: 1}); err != nil {
		t.Errorf("got %v for a POST that was accepted, want none", err)
	}
	_, err := api.Do(t.Context(), Request{Op: testOp})
	wantKind(t, err, connectors.Unavailable)
}

// A connection that ended while nobody used it takes a request and sends none of
// it. The transport dials again; if nobody is there then, nothing was ever sent.
func TestUnsureOnlyOfTheLastConnection(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	api := API{Client: simulated(t, Options{}), Base: server.URL}
	var over atomic.Bool
	dial := api.transport.DialContext
	api.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if over.Load() {
			return nil, syscall.ECONNREFUSED
		}
		conn, err := dial(ctx, network, address)
		return &dyingConn{conn, &over}, err
	}
	send := Request{Op: testOp, Body: map[string]string{"text": "hello"}}
	if _, err := api.Do(t.Context(), send); err != nil {
		t.Fatal(err)
	}
	over.Store(true)
	if _, err := api.Do(t.Context(), send); err == nil || connectors.UnsureOf(err) {
		t.Errorf("got %v, unsure %v, want an error that is sure", err, connectors.UnsureOf(err))
	}
}

// dyingConn is a connection that sends nothing more once it is over.
type dyingConn struct {
	net.Conn
	over *atomic.Bool
}

func (c *dyingConn) Write(p []byte) (int, error) {
	if c.over.Load() {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(p)
}
