// Package queuetest helps tests that need a real Redis, and checks documents
// for agents' software.
//
// It promises a server of the test's own, on a unix socket in a folder that is
// removed with it, with every write on the disk before it is acknowledged. It
// starts in about 20 ms. Only tests import it.
package queuetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

// Redis starts a redis-server that ends with the test, and returns the path of
// its socket.
func Redis(t testing.TB) string {
	t.Helper()
	return Start(t).Address()
}

// Server is a redis-server that a test can kill and start again.
type Server struct {
	t       testing.TB
	options redisserver.Options
	server  *redisserver.Server
}

// Start starts a redis-server that ends with the test. Extra are arguments of
// redis-server, such as "--maxmemory", "20mb". Without redis-server the test
// fails, because what it would prove stays unproven.
func Start(t testing.TB, extra ...string) *Server {
	t.Helper()
	return start(t, redisserver.Options{Extra: extra})
}

// StartIn is Start with the server's files in a folder of the test's.
func StartIn(t testing.TB, dir string, extra ...string) *Server {
	t.Helper()
	return startIn(t, redisserver.Options{Dir: dir, Extra: extra})
}

// start starts a server in a folder of its own. A File of the options is its
// text, not its path.
func start(t testing.TB, o redisserver.Options) *Server {
	t.Helper()
	// Not t.TempDir: its path holds the test's name, and is removed while a
	// server that is being killed may still write to it.
	dir, err := os.MkdirTemp("", "queuetest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	o.Dir = dir
	if text := o.File; text != "" {
		o.File = filepath.Join(dir, "redis.conf")
		if err := os.WriteFile(o.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startIn(t, o)
}

func startIn(t testing.TB, o redisserver.Options) *Server {
	t.Helper()
	s := &Server{t: t, options: o}
	t.Cleanup(func() {
		if s.server != nil {
			s.Kill()
		}
	})
	s.Restart()
	return s
}

// Ended tells whether the server has ended by itself.
func (s *Server) Ended() bool {
	select {
	case <-s.server.Done():
		return true
	default:
		return false
	}
}

// Address returns the path of the server's socket, the same after a restart.
func (s *Server) Address() string { return s.server.Address() }

// Kill ends the server as a power cut would, but for the disk. One that has
// ended already stays so.
func (s *Server) Kill() {
	s.t.Helper()
	select {
	case <-s.server.Done(): // its number may be another process' by now
	default:
		if err := syscall.Kill(s.server.PID(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			s.t.Fatalf("kill redis-server: %v", err)
		}
		<-s.server.Done()
	}
	if err := s.server.Close(); err != nil && !errors.Is(err, redisserver.ErrEnded) {
		s.t.Fatalf("clean up after redis-server: %v", err)
	}
}

// Restart starts the server again with the data that it had.
func (s *Server) Restart() {
	s.t.Helper()
	server, err := redisserver.Start(context.Background(), s.options)
	if errors.Is(err, redisserver.ErrNotFound) {
		s.t.Fatalf("%v; install it with: apt-get install redis-server", err)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = server
}

// Torn tells whether the last Kill came while the server wrote.
func (s *Server) Torn() bool { return s.server.Torn() }

// KillChildren kills the processes that write the server's file anew.
func (s *Server) KillChildren() {
	s.t.Helper()
	pid := s.server.PID()
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, one := range strings.Fields(string(list)) {
		child, err := strconv.Atoi(one)
		if err == nil {
			err = syscall.Kill(child, syscall.SIGKILL)
		}
		if err != nil {
			s.t.Errorf("kill redis-server's child %s: %v", one, err)
		}
	}
}

// Pause stops the server as if its machine had fallen asleep; connections stay
// open and nothing answers.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Continue ends a Pause.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.server.PID(), sig); err != nil {
		s.t.Fatalf("%v redis-server: %v", sig, err)
	}
}
