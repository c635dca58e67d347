package webhook_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// Who asks before sending is told at once what nobody wants, and nothing is
// read.
func TestExpectContinue(t *testing.T) {
	x := open(t)
	const expect = "\r\nExpect: 100-continue\r\n\r\n"
	for name, head := range map[string]string{
		"too long":          strings.TrimSuffix(head(limit+1), "\r\n\r\n"),
		"unknown connector": "POST /webhooks/line/nobody HTTP/1.1\r\nHost: a\r\nContent-Length: 10",
	} {
		if got := x.raw(head + expect); got.status != http.StatusUnauthorized {
			t.Errorf("%s: answered %d, want %d at once", name, got.status, http.StatusUnauthorized)
		}
	}
	r := x.call("a")
	c := dial(t, x.address)
	call := request(r.Method, path, r.Header, nil)
	call = strings.Replace(call, "Content-Length: 0\r\n\r\n", fmt.Sprintf("Content-Length: %d", len(r.Body)), 1)
	say(t, c, call+expect)
	answers := bufio.NewReader(c)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("got %q, error %v; want to be told to go on", line, err)
	}
	_, _ = answers.ReadString('\n')
	say(t, c, string(r.Body))
	if a, err := http.ReadResponse(answers, nil); err != nil || a.StatusCode != http.StatusOK {
		t.Errorf("got %v, error %v; want %d", a, err, http.StatusOK)
	}
}

// Calls that are sent without waiting for the answers are worked on one after
// another.
func TestCallsSentAtOnceOverOneConnection(t *testing.T) {
	x := open(t)
	c := dial(t, x.address)
	const n = 10
	var all strings.Builder
	for i := range n {
		r := x.call(fmt.Sprint("call ", i))
		all.WriteString(request(r.Method, path, r.Header, r.Body))
	}
	say(t, c, all.String())
	answers := bufio.NewReader(c)
	for i := range n {
		a, err := http.ReadResponse(answers, nil)
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("call %d: got %v, error %v; want %d", i, a, err, http.StatusOK)
		}
		_, _ = io.Copy(io.Discard, a.Body)
		_ = a.Body.Close()
	}
	if got := x.waiting(); got != n {
		t.Errorf("%d messages are waiting, want %d", got, n)
	}
}

// What surrounds a body is bounded as the body is.
func TestLongHeads(t *testing.T) {
	x := open(t)
	r := x.call("a")
	long := strings.Repeat("a", 24<<10)
	for name, test := range map[string]struct {
		call   string
		status int
	}{
		"a long header": {"POST " + path + " HTTP/1.1\r\nHost: a\r\nX-Long: " + long + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"many headers":  {"POST " + path + " HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X-Long: a\r\n", 3000) + "\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"a long query":  {"POST " + path + "?" + long + " HTTP/1.1\r\nHost: a\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"a long trailer": {"POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Long\r\n\r\n" +
			fmt.Sprintf("%x\r\n%s\r\n0\r\nX-Long: %s\r\n\r\n", len(r.Body), r.Body, long), http.StatusUnauthorized},
		"long extensions of chunks": {"POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("1;"+long[:2000]+"\r\na\r\n", 100) + "0\r\n\r\n", http.StatusUnauthorized},
		"two lengths": {"POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", http.StatusBadRequest},
	} {
		x.want(name, x.raw(test.call), test.status)
	}
	if got := x.counted()["line/acme incomplete"]; got != 2 {
		t.Errorf("%v calls counted as incomplete, want those with the trailer and the extensions; all: %v", got, x.counted())
	}
	gatewaytest.Await(t, "everything is given back", func() bool { return x.bodies.Held() == 0 })
}
