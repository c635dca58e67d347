package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// begin answers with the headers and one byte.
func begin(w http.ResponseWriter) {
	_, _ = w.Write([]byte("x"))
	_ = http.NewResponseController(w).Flush()
}

// wantText checks the words of an error that has a host in it.
func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if got := err.Error(); !strings.HasSuffix(got, ": "+want) {
		t.Errorf("got %q, want it to end with %q", got, want)
	}
}

// both runs a test over HTTP/1.1 and HTTP/2.
func both(t *testing.T, h http.HandlerFunc, test func(t *testing.T, client *Client, address string)) {
	t.Run("HTTP/1.1", func(t *testing.T) {
		server := httptest.NewTLSServer(h)
		t.Cleanup(server.Close)
		client := strict(t, map[string]*httptest.Server{"media.example.com": server})
		test(t, client, "https://media.example.com/")
	})
	t.Run("HTTP/2", func(t *testing.T) {
		client := strict(t, map[string]*httptest.Server{"media.example.com": serveTLS(t, h)})
		test(t, client, "https://media.example.com/")
	})
}

func TestBodyThatFallsSilent(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		<-r.Context().Done() // the client has to end it
	}
	both(t, handler, func(t *testing.T, client *Client, address string) {
		rc, err := client.Fetch(t.Context(), Fetch{Op: testOp, URL: address})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rc.Close() }()
		rc.(*body).idle = 20 * time.Millisecond // short for the body alone, so that a busy machine gets this far
		_, err = io.ReadAll(rc)
		wantKind(t, err, connectors.Unavailable)
		wantText(t, err, "no byte for too long")
		if errors.Is(err, context.Canceled) {
			t.Error("our own deadline looks like the caller's cancellation")
		}
		if _, again := rc.Read(make([]byte, 1)); !errors.Is(again, err) {
			t.Errorf("second read: got %v, want the same error", again)
		}
	})
}

// A server may close in good order when it sees us hang up; what came until then
// is still not the whole.
func TestEndAfterOurOwnEndIsNotTheEnd(t *testing.T) {
	client := NewClient(Options{})
	for _, cause := range []error{nil, errIdle} {
		call := client.newCall(t.Context(), testOp)
		b := &body{call: call, rc: io.NopCloser(strings.NewReader("")), idle: time.Minute}
		if cause != nil {
			call.cancel(cause)
		}
		_, err := b.Read(make([]byte, 1))
		if cause == nil && !errors.Is(err, io.EOF) || cause != nil && errors.Is(err, io.EOF) {
			t.Errorf("end for reason %v: got %v", cause, err)
		}
		_ = b.Close()
	}
}

func TestPauseOfTheCallerIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := NewClient(Options{}).newCall(t.Context(), testOp)
		b := &body{call: call, rc: io.NopCloser(strings.NewReader("photo")), idle: 10 * time.Second}
		for range 2 {
			if _, err := b.Read(make([]byte, 1)); err != nil {
				t.Errorf("got %v after a pause, want the next byte", err)
			}
			time.Sleep(20 * time.Second) // of the bubble's clock
			if err := call.ctx.Err(); err != nil {
				t.Errorf("got %v during a pause, want the call to go on", err)
			}
		}
		_ = b.Close()
		if call.ctx.Err() == nil {
			t.Error("the call outlives its body")
		}
	})
}

func TestForeignCancellationIsNotTheCallers(t *testing.T) {
	call := NewClient(Options{}).newCall(t.Context(), testOp)
	defer call.end()
	err := call.fail(fmt.Errorf("shared connection: %w", context.Canceled))
	wantKind(t, err, connectors.Unavailable)
	if errors.Is(err, context.Canceled) {
		t.Errorf("got %v with context.Canceled in it, want none", err)
	}
}

func TestSlowDripEndsAtTheTotalDeadline(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			begin(w)
			time.Sleep(time.Millisecond)
		}
	})
	_, err := fetchAll(t.Context(), simulated(t, Options{Timeout: 100 * time.Millisecond}), Fetch{URL: server.URL})
	wantKind(t, err, connectors.Unavailable)
	wantText(t, err, "deadline exceeded")
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.DeadlineExceeded in it, and not context.Canceled", err)
	}
}

func TestServersThatHangBeforeTheBody(t *testing.T) {
	release := make(chan struct{})
	hang := serveRaw(t, func(net.Conn) { <-release })
	drip := serveRaw(t, func(c net.Conn) {
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for i := 0; err == nil; i++ {
			_, err = fmt.Fprintf(c, "X-%d: y\r\n", i)
			time.Sleep(time.Millisecond)
		}
	})
	t.Cleanup(func() { close(release) }) // before the listeners wait for their connections
	for name, address := range map[string]string{
		"no answer": "http://" + hang, "no handshake": "https://" + hang, "headers without end": "http://" + drip,
	} {
		t.Run(name, func(t *testing.T) {
			client := simulated(t, Options{IdleTimeout: 50 * time.Millisecond})
			_, err := fetchAll(t.Context(), client, Fetch{URL: address})
			wantKind(t, err, connectors.Unavailable)
			wantText(t, err, "timeout")
		})
	}
}

func TestCallersOwnEnd(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		<-r.Context().Done()
	})
	client := simulated(t, Options{})
	t.Run("cancelled while reading", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		rc, err := client.Fetch(ctx, Fetch{Op: testOp, URL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rc.Close() }()
		if _, err := rc.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		cancel()
		_, err = rc.Read(make([]byte, 10))
		wantKind(t, err, connectors.Other)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled in it", err)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("shutdown of " + canary))
		_, err := fetchAll(ctx, client, Fetch{URL: server.URL})
		wantKind(t, err, connectors.Other)
		if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), canary) {
			t.Errorf("got %v, want context.Canceled and nothing else in it", err)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("lease"))
		defer cancel()
		_, err := fetchAll(ctx, client, Fetch{URL: server.URL})
		wantKind(t, err, connectors.Unavailable)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.DeadlineExceeded in it", err)
		}
	})
}

func TestBodyThatBreaksOff(t *testing.T) {
	raw := func(answer string, reset bool) string {
		return "http://" + serveRaw(t, func(c net.Conn) {
			_, _ = io.WriteString(c, answer)
			if reset {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
		})
	}
	const ok = "HTTP/1.1 200 OK\r\n"
	rows := []struct {
		name, url string
		short     bool // io.ErrUnexpectedEOF is under the error
	}{
		{"shorter than announced", raw(ok+"Content-Length: 100\r\n\r\nphoto", false), true},
		{"nothing of it", raw(ok+"Content-Length: 100\r\n\r\n", false), true},
		{"no last chunk", raw(ok+"Transfer-Encoding: chunked\r\n\r\n5\r\nphoto\r\n", false), true},
		{"half a chunk", raw(ok+"Transfer-Encoding: chunked\r\n\r\n50\r\nphoto", false), true},
		{"chunk of no size", raw(ok+"Transfer-Encoding: chunked\r\n\r\nzz\r\nphoto", false), false},
		{"reset", raw(ok+"Content-Length: 100\r\n\r\nphoto", true), false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := fetchAll(t.Context(), simulated(t, Options{}), Fetch{URL: row.url})
			wantKind(t, err, connectors.Unavailable)
			if errors.Is(err, io.EOF) || row.short && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v (under it %v)", err, errors.Unwrap(errors.Unwrap(err)))
			}
		})
	}
}

func TestBodyThatTheHandlerAborts(t *testing.T) {
	handler := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		begin(w)
		panic(http.ErrAbortHandler)
	}
	both(t, handler, func(t *testing.T, client *Client, address string) {
		_, err := fetchAll(t.Context(), client, Fetch{URL: address})
		wantKind(t, err, connectors.Unavailable)
	})
}

// A caller that has seen enough closes the body, and the server notices.
func TestEndlessBodyEndsWithItsReader(t *testing.T) {
	stopped := make(chan struct{}, 1)
	handler := func(w http.ResponseWriter, _ *http.Request) {
		for chunk := make([]byte, 32<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				stopped <- struct{}{}
				return
			}
		}
	}
	both(t, handler, func(t *testing.T, client *Client, address string) {
		rc, err := client.Fetch(t.Context(), Fetch{Op: testOp, URL: address})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, rc, 1<<20); err != nil {
			t.Fatal(err)
		}
		if err := rc.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		<-stopped
		if err := rc.Close(); err != nil {
			t.Errorf("second close: %v", err)
		}
		if _, err := rc.Read(make([]byte, 1)); !errors.Is(err, errClosed) {
			t.Errorf("read after close: got %v, want %v", err, errClosed)
		}
	})
}

func TestCloseFreesAReaderThatWaits(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		<-r.Context().Done()
	})
	rc, err := simulated(t, Options{}).Fetch(t.Context(), Fetch{Op: testOp, URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		_, err := io.ReadAll(rc)
		read <- err
	}()
	_ = rc.Close()
	if err := <-read; !errors.Is(err, errClosed) {
		t.Errorf("got %v, want %v", err, errClosed)
	}
}

func TestCompressedBodyStaysAsItIs(t *testing.T) {
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	_, _ = packer.Write(make([]byte, 1<<20))
	_ = packer.Close()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("got Accept-Encoding %q, want none", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	got, err := fetchAll(t.Context(), simulated(t, Options{}), Fetch{URL: server.URL})
	if err != nil || !bytes.Equal(got, bomb.Bytes()) {
		t.Errorf("got %d bytes, %v, want the %d that were sent", len(got), err, bomb.Len())
	}
}

func TestHugeHeadersAreRefused(t *testing.T) {
	handler := func(w http.ResponseWriter, _ *http.Request) {
		for i := range 100 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("y", 1<<10))
		}
		begin(w)
	}
	both(t, handler, func(t *testing.T, client *Client, address string) {
		_, err := fetchAll(t.Context(), client, Fetch{URL: address})
		wantKind(t, err, connectors.Unavailable)
	})
}
