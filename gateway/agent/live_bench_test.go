package agent_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

const (
	benchConversations = 2000
	benchListeners     = 200
)

// crowd are listeners, who note how long each message took to reach them.
type crowd struct {
	sent   sync.Map      // number of a message: when its work ended
	left   atomic.Int64  // how many have not heard the newest
	all    chan struct{} // told when all have
	mu     sync.Mutex
	delays []time.Duration
}

// join opens one more stream, over a connection that costs as little as can be.
func (c *crowd) join(h *house, token string) {
	h.Helper()
	conn, err := net.Dial("tcp", h.address)
	h.must(err)
	h.Cleanup(func() { _ = conn.Close() })
	_, err = conn.Write([]byte("GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n\r\n"))
	h.must(err)
	go func() {
		r := bufio.NewReaderSize(conn, 4<<10)
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if _, after, found := bytes.Cut(line, []byte(`"text":"number `)); found && bytes.Contains(line, []byte(`"message":`)) {
				number, _, _ := bytes.Cut(after, []byte(`"`))
				c.note(string(number))
			}
		}
	}()
}

func (c *crowd) note(number string) {
	at, ok := c.sent.Load(number)
	if !ok {
		return
	}
	took := time.Since(at.(time.Time))
	c.mu.Lock()
	c.delays = append(c.delays, took)
	c.mu.Unlock()
	if c.left.Add(-1) == 0 {
		c.all <- struct{}{}
	}
}

// employMany writes an agents file of so many agents, and returns their tokens.
func (h *house) employMany(n int) (tokens []string) {
	h.Helper()
	var text strings.Builder
	text.WriteString("agents:\n")
	for i := range n {
		tokens = append(tokens, fmt.Sprintf("llat_%s-agent-%d", canary, i))
		fmt.Fprintf(&text, "  - {id: a%d, token_sha256: %s, queues: [support]}\n", i, config.TokenHash(tokens[i]))
	}
	h.must(os.WriteFile(h.agents+".new", []byte(text.String()), 0o600))
	h.must(os.Rename(h.agents+".new", h.agents))
	return tokens
}

// inUse is what this process holds in memory: the gateway and, with its listeners,
// their ends of the connections too.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// BenchmarkLive is how long it takes from the end of its work until a message has
// reached the agents who listen: 200 of them on one gateway, while 2,000 conversations
// are open. Each message goes to all; the next follows when all have heard it. Gateway,
// listeners and Redis share the machine. With fsync, Redis is as a gateway wants it,
// and writes the end of the work to the disk first; without, the disk is left out.
func BenchmarkLive(b *testing.B) {
	b.Run("fsync", func(b *testing.B) { benchLive(b, "always") })
	b.Run("without", func(b *testing.B) { benchLive(b, "no") })
}

func benchLive(b *testing.B, appendfsync string) {
	h := open(b)
	redis := queuetest.Inspect(b, h.redis.Address())
	redis.Set("appendfsync", "no") // what is open before takes no part
	for i := range benchConversations {
		h.hear(said{queue: support, consumer: "U" + strconv.Itoa(i), text: "hello"})
	}
	tokens := h.employMany(benchListeners)
	c := &crowd{all: make(chan struct{}, 1)}
	gatewaytest.Await(b, "the agents are known", func() bool { return h.call(tokens[0], "GET", "/v1/me", "").status == 200 })
	before := inUse()
	for _, token := range tokens {
		c.join(h, token)
	}
	gatewaytest.Await(b, "all listen", func() bool { n, _ := h.api.Streams(); return n == benchListeners })
	perListener := float64(inUse()-before) / benchListeners
	redis.Set("appendfsync", appendfsync)
	sent := int64(0)
	for b.Loop() {
		number := strconv.FormatInt(sent, 10)
		s := said{queue: support, consumer: "U" + strconv.Itoa(int(sent)%benchConversations), text: "number " + number}
		e := h.accept(s)
		c.left.Store(benchListeners)
		c.sent.Store(number, time.Now())
		h.finish(e, s)
		sent++
		select {
		case <-c.all:
		case <-time.After(time.Minute):
			b.Fatalf("%d have not heard message %s", c.left.Load(), number)
		}
	}
	b.StopTimer()
	slices.Sort(c.delays)
	at := func(percent int) float64 {
		return float64(c.delays[(len(c.delays)-1)*percent/100]) / float64(time.Millisecond)
	}
	b.ReportMetric(at(50), "p50-ms")
	b.ReportMetric(at(95), "p95-ms")
	b.ReportMetric(at(100), "max-ms")
	b.ReportMetric(perListener/1024, "KiB/listener")
	b.ReportMetric(float64(inUse())/(1<<20), "MiB-in-all")
	b.ReportMetric(0, "ns/op")
}
