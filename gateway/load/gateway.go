package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lightlock/lightlock/gateway/subprocess"
)

const (
	// startWithin bounds the wait until a gateway is ready, which may have a
	// large journal to load; stopWithin the wait for its end.
	startWithin = 2 * time.Minute
	stopWithin  = 30 * time.Second
	// lastWords is how many lines of a gateway's log are kept for the error that
	// says why it would not start.
	lastWords = 10
)

// Gateway is the program as a process of its own, serving.
type Gateway struct {
	// Public and Admin are where it listens, host:port.
	Public, Admin string

	command *exec.Cmd
	done    chan struct{} // closed when it has ended
	failure error         // how; set before done is closed

	mu   sync.Mutex
	last []string
}

// StartGateway starts the program with a configuration and returns when it says
// that it is ready. The process dies with this one, and not by a terminal's
// Ctrl-C: what was sent is judged before it is stopped. Its environment is this
// one's; env adds to it.
func StartGateway(ctx context.Context, binary, file string, env ...string) (*Gateway, error) {
	g := &Gateway{done: make(chan struct{})}
	//nolint:gosec,noctx // it is the caller's program; Stop ends it, not a context
	g.command = exec.Command(binary, "serve", "--config", file, "--log-format", "json")
	g.command.Env = append(os.Environ(), env...)
	log, err := g.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	ready := make(chan error, 1)
	if err := subprocess.Start(g.command, func() { g.run(log, ready) }); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the gateway did not start: %w\n%s", err, g.words()), g.Kill())
	}
	return g, nil
}

// run is the process's life.
func (g *Gateway) run(log io.Reader, ready chan<- error) {
	defer close(g.done)
	g.read(log, ready)
	g.failure = g.command.Wait()
	select {
	case ready <- errors.New("it ended before it was ready"):
	default: // it was ready once
	}
}

// read goes through the log for the line that tells where it listens.
func (g *Gateway) read(log io.Reader, ready chan<- error) {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var line struct{ Msg, Public, Admin string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
			g.Public, g.Admin = line.Public, line.Admin
			ready <- nil
		}
		g.mu.Lock()
		g.last = append(g.last, lines.Text())
		g.last = g.last[max(0, len(g.last)-lastWords):]
		g.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, log) // a full pipe would stop it
}

func (g *Gateway) words() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Join(g.last, "\n")
}

// PID is the process's id.
func (g *Gateway) PID() int { return g.command.Process.Pid }

// Done is closed when the process has ended.
func (g *Gateway) Done() <-chan struct{} { return g.done }

// Stop tells the gateway to stop, and waits for it. It is an error if it had
// ended before, or does not end as it should.
func (g *Gateway) Stop() error {
	select {
	case <-g.done:
		return fmt.Errorf("the gateway had ended by itself: %w\n%s", g.failure, g.words())
	default:
	}
	_ = g.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.done:
		return g.failure
	case <-time.After(stopWithin):
		return errors.Join(fmt.Errorf("the gateway did not stop within %v and was killed", stopWithin), g.Kill())
	}
}

// Kill ends the process as a power cut would, and waits for it.
func (g *Gateway) Kill() error {
	_ = g.command.Process.Kill()
	<-g.done
	return nil
}
