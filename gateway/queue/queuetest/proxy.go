package queuetest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Fault is what a Proxy does to one command.
type Fault int

// The faults.
const (
	// CutBefore ends the connection before Redis has seen the command.
	CutBefore Fault = iota + 1
	// CutAfter ends it when Redis has executed the command, before its reply.
	CutAfter
	// Mute lets Redis execute the command, and nothing more comes back on that
	// connection, which stays open.
	Mute
)

// Match tells whether a fault is meant for a command, of which the first word
// is its name in lower case.
type Match func(command []string) bool

// Named matches commands of these names; without names, every command.
func Named(names ...string) Match {
	return func(command []string) bool {
		return len(names) == 0 || len(command) > 0 && slices.Contains(names, command[0])
	}
}

// Scripts matches the running of any script.
func Scripts() Match { return Named("eval", "evalsha", "eval_ro", "evalsha_ro") }

// Proxy stands between a gateway and one Redis, and does harm when told to. It
// reads both sides' frames, so a fault strikes one command and not a piece of
// its bytes. An answer NOSCRIPT is no execution: the fault waits for the next.
type Proxy struct {
	network, target string
	listener        net.Listener
	delay           atomic.Int64
	struck          atomic.Int32
	links           sync.WaitGroup

	mu     sync.Mutex
	faults []*armed
	down   bool
	held   chan struct{} // closed while nothing is held up
	conns  map[net.Conn]struct{}
}

type armed struct {
	fault Fault
	left  int
	match Match
}

// NewProxy starts a proxy before the Redis at target, a socket's path or
// host:port, that ends with the test. It listens on the same kind of address.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{network: "tcp", target: target, held: make(chan struct{}), conns: make(map[net.Conn]struct{})}
	close(p.held)
	address := "127.0.0.1:0"
	if filepath.IsAbs(target) {
		dir, err := os.MkdirTemp("", "proxy-") // t.TempDir may be too long for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		p.network, address = "unix", filepath.Join(dir, "proxy.sock")
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), p.network, address)
	if err != nil {
		t.Fatal(err)
	}
	p.listener = listener
	p.links.Go(p.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		p.Continue()
		p.Down()
		p.links.Wait()
	})
	return p
}

// Address is what a gateway is given in place of Redis' own.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Arm lets a fault strike the next n commands that match.
func (p *Proxy) Arm(f Fault, n int, match Match) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &armed{f, n, match})
}

// Disarm forgets the faults that have not struck.
func (p *Proxy) Disarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// Struck is how many faults have struck so far.
func (p *Proxy) Struck() int { return int(p.struck.Load()) }

// Delay keeps each reply back for a time from now on, on all connections; zero
// ends it.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Pause lets nothing through in either direction, as if the network had gone:
// connections stay open and new ones are taken. Continue ends it.
func (p *Proxy) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.held:
		p.held = make(chan struct{})
	default:
	}
}

// Continue lets through what Pause has held up, and everything after.
func (p *Proxy) Continue() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.held:
	default:
		close(p.held)
	}
}

// Down ends all connections, and new ones at once, as if Redis had been killed.
func (p *Proxy) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// Up ends Down.
func (p *Proxy) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

func (p *Proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		far, err := (&net.Dialer{Timeout: 5 * time.Second}).Dial(p.network, p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.link(near, far)
	}
}

// link carries one connection's frames both ways until either side ends.
func (p *Proxy) link(near, far net.Conn) {
	if !p.enter(near, far) {
		return
	}
	l := &link{proxy: p, near: near, far: far, asked: make(chan asked, 1<<12)}
	p.links.Go(func() {
		l.forward()
		l.end()
		close(l.asked)
	})
	p.links.Go(func() {
		l.answer()
		l.end()
		for range l.asked { // so that forward is not held up by what nobody answers
		}
	})
}

func (p *Proxy) enter(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		if p.down {
			_ = conn.Close()
			continue
		}
		p.conns[conn] = struct{}{}
	}
	return !p.down
}

func (p *Proxy) leave(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close()
		delete(p.conns, conn)
	}
}

// wait returns when nothing is held up.
func (p *Proxy) wait() {
	p.mu.Lock()
	held := p.held
	p.mu.Unlock()
	<-held
}

// armedFor returns what is armed for a command, or nil, and counts it as struck:
// no other command gets it meanwhile.
func (p *Proxy) armedFor(command []string) *armed {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.faults {
		if a.left > 0 && a.match(command) {
			a.left--
			return a
		}
	}
	return nil
}

// spare gives back a fault whose command was not executed.
func (p *Proxy) spare(a *armed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.left++
}

// asked is a command that Redis has yet to answer.
type asked struct{ fault *armed }

type link struct {
	proxy     *Proxy
	near, far net.Conn
	asked     chan asked
}

func (l *link) end() { l.proxy.leave(l.near, l.far) }

// forward carries commands to Redis.
func (l *link) forward() {
	from := bufio.NewReader(l.near)
	for {
		frame, words, err := readCommand(from)
		if err != nil {
			return
		}
		l.proxy.wait()
		fault := l.proxy.armedFor(words)
		if fault != nil && fault.fault == CutBefore {
			l.proxy.struck.Add(1)
			return
		}
		l.asked <- asked{fault}
		if _, err := l.far.Write(frame); err != nil {
			return
		}
	}
}

// answer carries replies to the gateway, each known to be the one to the first
// command that has none.
func (l *link) answer() {
	from := bufio.NewReader(l.far)
	for {
		frame, err := readReply(from)
		if err != nil {
			return
		}
		var fault *armed
		if frame[0] != '>' { // what Redis says unasked answers nothing
			fault = (<-l.asked).fault
		}
		if fault != nil && bytes.HasPrefix(frame, []byte("-NOSCRIPT")) {
			l.proxy.spare(fault)
			fault = nil
		}
		time.Sleep(time.Duration(l.proxy.delay.Load()))
		l.proxy.wait()
		if fault != nil {
			l.proxy.struck.Add(1)
			if fault.fault == Mute {
				_, _ = io.Copy(io.Discard, from)
			}
			return
		}
		if _, err := l.near.Write(frame); err != nil {
			return
		}
	}
}

// readCommand reads a frame of what a client sends, and its words.
func readCommand(from *bufio.Reader) (frame []byte, words []string, err error) {
	frame, err = readReply(from)
	if err != nil {
		return nil, nil, err
	}
	rest := bufio.NewReader(bytes.NewReader(frame))
	line, _ := rest.ReadString('\n')
	if line[0] != '*' {
		return frame, strings.Fields(strings.ToLower(line)), nil
	}
	for range count(line) {
		word, err := readReply(rest)
		if err != nil {
			return nil, nil, err
		}
		_, text, _ := strings.Cut(string(word), "\r\n")
		words = append(words, strings.TrimSuffix(text, "\r\n"))
	}
	if len(words) > 0 {
		words[0] = strings.ToLower(words[0])
	}
	return frame, words, nil
}
