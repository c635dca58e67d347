package queue_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// cutter stands between a journal and Redis, and can lose one reply: the script
// has run by then, and the connection ends.
type cutter struct {
	address string
	armed   atomic.Bool
	cuts    atomic.Int32
}

func startCutter(t *testing.T, redis string) *cutter {
	t.Helper()
	c := &cutter{address: filepath.Join(filepath.Dir(redis), "cutter.sock")}
	listener, err := net.Listen("unix", c.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", redis)
			if err != nil {
				_ = near.Close()
				return
			}
			go c.serve(near, far)
		}
	}()
	return c
}

func (c *cutter) serve(near, far net.Conn) {
	var script atomic.Bool
	go func() {
		defer func() { _ = far.Close() }()
		c.forward(near, far, func(chunk []byte) bool {
			if bytes.Contains(bytes.ToLower(chunk), []byte("\r\neval")) {
				script.Store(true)
			}
			return true
		})
	}()
	defer func() { _ = near.Close() }()
	c.forward(far, near, func(reply []byte) bool {
		executed := script.Swap(false) && !bytes.HasPrefix(reply, []byte("-NOSCRIPT"))
		if executed && c.armed.CompareAndSwap(true, false) {
			c.cuts.Add(1)
			return false
		}
		return true
	})
}

// forward copies until one side ends or pass says no.
func (c *cutter) forward(from io.Reader, to io.Writer, pass func([]byte) bool) {
	chunk := make([]byte, 64<<10)
	for {
		n, err := from.Read(chunk)
		if err != nil || !pass(chunk[:n]) {
			return
		}
		if _, err := to.Write(chunk[:n]); err != nil {
			return
		}
	}
}

func TestALostReplyMakesNoSecondEffect(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	client, proxy := connect(t, address), startCutter(t, address)
	run := func(s scenario, cut bool) (answer any, after counts, starts string) {
		client.FlushAll(t.Context())
		j := journal(t, proxy.address, queue.Options{})
		e := s.prepare(t, j, client)
		proxy.armed.Store(cut)
		answer, err := s.act(t, j, e)
		if err != nil {
			t.Errorf("%s, cut %v: %v", s.name, cut, err)
		}
		work := "{" + queue.Stream(q) + "}:work:" + hash("a")
		fields := client.HMGet(t.Context(), work, "starts", "deaths:3").Val()
		return answer, count(t, j), fmt.Sprint(fields)
	}
	for i, s := range scenarios() {
		answer, after, starts := run(s, false)
		cutAnswer, cutAfter, cutStarts := run(s, true)
		if got := int(proxy.cuts.Load()); got != i+1 {
			t.Fatalf("%s: %d replies were lost so far, want %d", s.name, got, i+1)
		}
		if cutAnswer != answer && !s.moves {
			t.Errorf("%s: got %v after a lost reply, %v without", s.name, cutAnswer, answer)
		}
		if cutAfter != after || cutStarts != starts {
			t.Errorf("%s: a lost reply leads to %+v %s, without it is %+v %s", s.name, cutAfter, cutStarts, after, starts)
		}
	}
}
