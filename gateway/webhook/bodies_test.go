package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/gateway/webhook"
)

const (
	// long is the limit of most channels.
	long = 4 << 20
	step = 4 << 10
	path = "/webhooks/line/acme"
)

// head announces so many bytes to a connector.
func head(bytes int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", path, bytes)
}

// padded is a call of so many bytes, rightly signed.
func (x *edge) padded(name string, size int) *connectors.Request {
	x.t.Helper()
	body := x.call(name).Body
	return x.signed(append(bytes.Repeat([]byte(" "), size-len(body)), body...))
}

// Connections that send a byte now and then take nothing from the others, hold
// about what they have sent, and end.
func TestSlowClients(t *testing.T) {
	x := open(t)
	const bodies = 250
	var inHead, inBody []net.Conn
	for range bodies {
		c := dial(t, x.address)
		say(t, c, "POST "+path+" HTTP/1.1\r\nX-Drip: ")
		inHead = append(inHead, c)
		c = dial(t, x.address)
		say(t, c, head(limit)+"{")
		inBody = append(inBody, c)
	}
	gatewaytest.Await(t, "every body has begun", func() bool { return x.bodies.Held() >= bodies*step })
	stop := drip(append(inHead, inBody...))
	x.want("a quick one", x.post(x.call("a")), http.StatusOK)
	if got := x.bodies.Held(); got > bodies*step {
		t.Errorf("bodies of a few bytes hold %d bytes, want at most %d", got, bodies*step)
	}
	for _, c := range inHead {
		ended(t, c)
	}
	stop()
	for _, c := range inBody {
		_ = c.Close()
	}
	gatewaytest.Await(t, "the bodies are given back", func() bool { return x.bodies.Held() == 0 })
	if got := x.waiting(); got != 1 {
		t.Errorf("%d messages are waiting, want 1", got)
	}
}

// drip sends a byte over each connection again and again.
func drip(all []net.Conn) (stop func()) {
	over := make(chan struct{})
	var dripping sync.WaitGroup
	dripping.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			for _, c := range all {
				_, _ = c.Write([]byte("x"))
			}
		}
	})
	return func() { close(over); dripping.Wait() }
}

// ended reads until the other side has ended the connection.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	for buffer := make([]byte, 512); ; {
		if _, err := c.Read(buffer); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("a connection was not ended")
			}
			return
		}
	}
}

// Long bodies share what there is for them, and leave the rest to the short.
func TestManyLongBodiesAtOnce(t *testing.T) {
	const conns, first, rest = 200, 64 << 20, 16 << 20
	x := openWith(t, with{limit: long, patient: true, bodies: webhook.NewBodies(first, rest, time.Minute)})
	text := append([]byte(head(long)), bytes.Repeat([]byte(" "), long-1)...)
	var sending sync.WaitGroup
	var all []net.Conn
	for range conns {
		c := dial(t, x.address)
		all = append(all, c)
		sending.Go(func() { _, _ = c.Write(text) })
	}
	gatewaytest.Await(t, "there is no room for long bodies", x.bodies.Crowded)
	for i, size := range []int{0, 5 << 10, limit} {
		r := x.call(fmt.Sprint("short ", i))
		if size > 0 {
			r = x.padded(fmt.Sprint("short ", i), size)
		}
		x.want(fmt.Sprint("a short one of ", len(r.Body)), x.post(r), http.StatusOK)
		if got, most := x.bodies.Held(), int64(conns*limit+rest); got > most {
			t.Errorf("bodies hold %d bytes, want at most %d", got, most)
		}
	}
	if !x.bodies.Crowded() {
		t.Error("there is room for long bodies, so that the short ones proved nothing")
	}
	x.hurry()
	for _, c := range all {
		_ = c.Close()
	}
	sending.Wait()
	gatewaytest.Await(t, "everything is given back", func() bool { return x.bodies.Free(first, rest) })
}

// Where there is no room in time, the call may be a platform's, which is asked
// to repeat it.
func TestNoRoom(t *testing.T) {
	x := openWith(t, with{limit: long, bodies: webhook.NewBodies(limit, limit, 0)})
	for name, size := range map[string]int{"fits": 2 * limit, "short": limit} {
		x.want(name, x.post(x.padded(name, size)), http.StatusOK)
	}
	got := x.post(x.padded("too long", 2*limit+1))
	x.want("too long", got, http.StatusServiceUnavailable)
	if got.header.Get("Retry-After") == "" || !strings.Contains(got.head, "Connection: close") || got.body != "" {
		t.Errorf("answered %q with %v", got.body, got.header)
	}
	if got := x.counted()["line/acme no_room"]; got != 1 {
		t.Errorf("counted %v times, want 1; all: %v", got, x.counted())
	}
	gatewaytest.Await(t, "everything is given back", func() bool { return x.bodies.Free(limit, limit) })
	x.want("a short one after it", x.post(x.call("a")), http.StatusOK)
}

// A long body has the room that another leaves.
func TestABodyWaitsForRoom(t *testing.T) {
	x := openWith(t, with{limit: long, patient: true, bodies: webhook.NewBodies(long, limit, time.Minute)})
	holds := dial(t, x.address)
	say(t, holds, head(2*limit)+strings.Repeat(" ", limit+1))
	gatewaytest.Await(t, "it has all there is", x.bodies.Crowded)
	waits := x.padded("waits", 2*limit)
	var posted sync.WaitGroup
	posted.Go(func() { x.want("the one that waits", x.post(waits), http.StatusOK) })
	gatewaytest.Await(t, "the other has its first part", func() bool { return x.bodies.Held() == 3*limit })
	_ = holds.Close()
	posted.Wait()
	gatewaytest.Await(t, "everything is given back", func() bool { return x.bodies.Free(long, limit) })
}

// says is a line that says the same to every call.
type says struct{ err error }

func (s says) Receive(context.Context, *routes.Route, *connectors.Request) error { return s.err }

func TestABodyIsGivenBackWhateverBecomesOfIt(t *testing.T) {
	const size = 3 * limit
	chunks := strings.Replace(head(0), "Content-Length: 0", "Transfer-Encoding: chunked", 1)
	for name, test := range map[string]struct {
		line   webhook.Receiver // nil is the real one
		call   string           // "" is a good one
		result string
	}{
		"accepted":         {nil, "", "accepted"},
		"unauthentic":      {nil, head(size) + strings.Repeat(" ", size), "unauthentic"},
		"too long":         {nil, head(long+1) + strings.Repeat(" ", size), "too_large"},
		"too long, chunks": {nil, chunks + fmt.Sprintf("%x\r\n%s", long+1, strings.Repeat(" ", long+1)), "too_large"},
		"broken chunks":    {nil, chunks + fmt.Sprintf("%x\r\n%s\r\nno chunk\r\n", size, strings.Repeat(" ", size)), "incomplete"},
		"half":             {nil, head(size) + strings.Repeat(" ", size/2), "incomplete"},
		"unavailable":      {says{errors.New("no")}, "", "unavailable"},
		"panic":            {panics{"a mistake"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			const first, rest = limit, long
			x := openWith(t, with{limit: long, bodies: webhook.NewBodies(first, rest, 0), wrap: func(line webhook.Receiver) webhook.Receiver {
				if test.line != nil {
					return test.line
				}
				return line
			}})
			call := test.call
			if call == "" {
				r := x.padded("a", size)
				call = request(r.Method, path, r.Header, r.Body)
			}
			x.send(call, true)
			gatewaytest.Await(t, "everything is given back", func() bool { return x.bodies.Free(first, rest) && x.bodies.Held() == 0 })
			if got := x.counted()["line/acme "+test.result]; test.result != "" && got != 1 {
				t.Errorf("%s counted %v times, want 1; all: %v", test.result, got, x.counted())
			}
		})
	}
}

func TestABodyIsGivenBackWhenTheClientIsGone(t *testing.T) {
	x := openWith(t, with{limit: long})
	c := dial(t, x.address)
	say(t, c, head(long)+strings.Repeat(" ", limit+1))
	gatewaytest.Await(t, "it has arrived", func() bool { return x.bodies.Held() == 2*limit })
	_ = c.Close()
	gatewaytest.Await(t, "it is given back", func() bool { return x.bodies.Held() == 0 })
}

// Room is taken for what has come, whatever is announced.
func TestAnAnnouncementTakesNoRoom(t *testing.T) {
	x := openWith(t, with{limit: long, patient: true})
	for _, test := range []struct{ sent, held int64 }{
		{1, step}, {step, step}, {step + 1, 2 * step}, {limit, limit}, {limit + 1, 2 * limit}, {long - 1, long},
	} {
		c := dial(t, x.address)
		say(t, c, head(long)+strings.Repeat(" ", int(test.sent)))
		gatewaytest.Await(t, fmt.Sprintf("%d bytes hold %d", test.sent, test.held), func() bool { return x.bodies.Held() == test.held })
		_ = c.Close()
		gatewaytest.Await(t, "they are given back", func() bool { return x.bodies.Held() == 0 })
	}
}
