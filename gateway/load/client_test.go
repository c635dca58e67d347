package load

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestReadAnswer: the status, and whether the connection is good for another
// call, whose answer is read from where this one ends.
func TestReadAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		status int
		again  bool
	}{
		"empty":             {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, true},
		"with a body":       {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX: close\r\n\r\nhello", 200, true},
		"closes":            {"HTTP/1.1 401 Unauthorized\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", 401, false},
		"old":               {"HTTP/1.0 503 No\r\nContent-Length: 0\r\n\r\n", 503, false},
		"without a length":  {"HTTP/1.1 200 OK\r\n\r\nhello", 200, false},
		"chunks":            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, false},
		"cut in its body":   {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 200, false},
		"endless":           {"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nhello", 200, false},
		"less than nothing": {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", 200, false},
		"no number":         {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 0, false},
		"no HTTP":           {"SSH-2.0-OpenSSH_9.2p1\r\n", 0, false},
		"no status":         {"HTTP/1.1 OK\r\nx\r\n\r\n", 0, false},
		"cut in its head":   {"HTTP/1.1 200 OK\r\nContent-", 0, false},
		"a head too long":   {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 10_000) + "\r\n\r\n", 0, false},
		"nothing":           {"", 0, false},
	} {
		in := bufio.NewReader(strings.NewReader(c.answer + "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"))
		if !c.again {
			in = bufio.NewReader(strings.NewReader(c.answer))
		}
		status, again, err := readAnswer(in)
		if status != c.status || again != c.again || (err == nil) != (status > 0) {
			t.Errorf("%s: got %d, %v, %v; want %d, %v", name, status, again, err, c.status, c.again)
		}
		if again {
			if status, _, err := readAnswer(in); status != 204 {
				t.Errorf("%s: the next answer is read as %d, %v", name, status, err)
			}
		}
	}
}

// TestClient: one connection for call after call, and a new one where the
// gateway has closed it.
func TestClient(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "hello" {
			t.Errorf("the gateway reads %q, %v", body, err)
		}
		if r.URL.Path == "/close" {
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c, err := NewClient(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, path := range []string{"/", "/", "/close", "/", "/"} {
		want := map[string]int{"/": 200, "/close": 401}[path]
		call := &Call{bytes: []byte("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")}
		if status, err := c.Send(context.Background(), call); status != want || err != nil {
			t.Errorf("%s: got %d, %v; want %d", path, status, err, want)
		}
	}
	if opened.Load() != 2 {
		t.Errorf("%d connections were opened, want 2", opened.Load())
	}
	for _, wrong := range []string{"", "127.0.0.1:8080", "ftp://127.0.0.1", "http://"} {
		if _, err := NewClient(wrong); err == nil {
			t.Errorf("%q is taken for the address of a gateway", wrong)
		}
	}
}
