package webhook_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/webhook"
)

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

// house is a listener with few places. It answers at once, and calls of /slow
// when it is told to.
type house struct {
	t      *testing.T
	most   int
	server *webhook.Server
	came   chan string
	answer chan struct{}
	log    *gatewaytest.Log
	client *tls.Config
}

func openHouse(t *testing.T, most int, c *config.TLS) *house {
	t.Helper()
	t.Parallel()
	h := &house{t: t, most: most, came: make(chan string, 10), answer: make(chan struct{}), log: &gatewaytest.Log{}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			h.came <- r.URL.RawQuery
			select {
			case <-h.answer:
			case <-r.Context().Done():
				h.came <- r.URL.RawQuery + " is over"
				return
			}
		}
		w.WriteHeader(http.StatusTeapot)
	})
	var err error
	if h.server, err = webhook.ListenMost(handler, c, h.log.Logger(), most); err != nil {
		t.Fatal(err)
	}
	if c != nil {
		h.client = &tls.Config{InsecureSkipVerify: true} // the test makes its own certificate
	}
	run(t, h.server)
	return h
}

// dial opens a connection; with TLS its handshake is over.
func (h *house) dial() net.Conn {
	h.t.Helper()
	c := dial(h.t, h.server.Address())
	if h.client == nil {
		return c
	}
	secret := tls.Client(c, h.client)
	if err := secret.Handshake(); err != nil {
		h.t.Fatal(err)
	}
	return secret
}

// answered reads one answer.
func (h *house) answered(what string, c net.Conn) {
	h.t.Helper()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != http.StatusTeapot {
		h.t.Fatalf("%s: got %v, error %v; want an answer", what, r, err)
	}
}

// idle opens a connection that has had its answer.
func (h *house) idle() net.Conn {
	h.t.Helper()
	waiting, busy := h.server.Open()
	c := h.dial()
	say(h.t, c, get)
	h.answered("a quick one", c)
	h.await(min(waiting+1, h.most-busy), busy)
	return c
}

// slow opens a connection with a call that is not answered yet, and may have a
// body that is not read.
func (h *house) slow(name string, body int) net.Conn {
	h.t.Helper()
	c := h.dial()
	say(h.t, c, fmt.Sprintf("POST /slow?%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", name, body))
	h.hears(name)
	return c
}

// hears waits for what the handler tells next.
func (h *house) hears(want string) {
	h.t.Helper()
	select {
	case got := <-h.came:
		if got != want {
			h.t.Fatalf("the handler told %q, want %q", got, want)
		}
	case <-time.After(30 * time.Second):
		h.t.Fatalf("waited in vain for the handler to tell %q", want)
	}
}

// await waits until so many connections are without a call, and with one.
func (h *house) await(waiting, busy int) {
	h.t.Helper()
	gatewaytest.Await(h.t, "the connections are counted", func() bool {
		w, b := h.server.Open()
		return w == waiting && b == busy
	})
}

func TestSilentConnectionsMakeRoom(t *testing.T) {
	h := openHouse(t, 3, nil)
	silent := []net.Conn{h.dial(), h.dial(), h.dial()}
	say(t, silent[0], get[:20]) // half a head is no call
	h.await(3, 0)
	h.idle()
	ended(t, silent[0])
	h.await(3, 0)
	for _, c := range silent[1:] {
		say(t, c, get)
		h.answered("one that came later", c)
	}
	if !strings.Contains(h.log.String(), "make room") {
		t.Errorf("the log does not tell:\n%s", h.log)
	}
}

// What is idle goes before what is under way, by TLS and without.
func TestIdleConnectionsMakeRoomBeforeCalls(t *testing.T) {
	for name, c := range map[string]*config.TLS{"plain": nil, "TLS": certificate(t)} {
		t.Run(name, func(t *testing.T) {
			h := openHouse(t, 3, c)
			slow := h.slow("a", 0)
			first, second := h.idle(), h.idle()
			h.idle()
			ended(t, first)
			say(t, second, get)
			h.answered("the second", second)
			close(h.answer)
			h.answered("the slow one", slow)
			h.await(3, 0)
		})
	}
}

func TestTheLongestCallMakesRoomWhereAllHaveOne(t *testing.T) {
	h := openHouse(t, 2, nil)
	first, second := h.slow("first", 10), h.slow("second", 0)
	third := h.dial()
	ended(t, first)
	h.hears("first is over")
	say(t, third, get)
	h.answered("the third", third)
	close(h.answer)
	h.answered("the second", second)
	h.await(2, 0)
}

// However many come, no more are open than there may be; and who has gone takes
// no place.
func TestManyConnectionsOneAfterAnother(t *testing.T) {
	const most = 8
	h := openHouse(t, most, nil)
	for range 200 {
		h.dial()
		if waiting, busy := h.server.Open(); waiting+busy > most {
			t.Fatalf("%d connections are open, want at most %d", waiting+busy, most)
		}
	}
	h.await(most, 0)
	c := h.dial()
	say(t, c, get)
	h.answered("the last", c)
	h.await(most, 0)
	for range 3 * most {
		_ = h.idle().Close()
		h.await(most-1, 0)
	}
}

func TestOneConnectionIsOneCall(t *testing.T) {
	h := openHouse(t, 3, certificate(t))
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: h.client}
	defer transport.CloseIdleConnections()
	r, err := (&http.Client{Transport: transport}).Get("https://" + h.server.Address())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	if r.ProtoMajor != 1 {
		t.Errorf("spoke %s, want HTTP/1.1", r.Proto)
	}
}
