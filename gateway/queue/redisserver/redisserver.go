// Package redisserver runs a private redis-server as a child process.
//
// It promises that the server keeps everything it has acknowledged, and of what it
// has not the whole of a script or nothing, however it died; that it is reached
// through a unix socket only, dies with the process that started it, and shares
// its folder with no other: the folder is locked, and a server that a killed
// parent left behind is ended first. It knows nothing of what is stored.
package redisserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrInUse means that another process has locked the data folder.
var ErrInUse = errors.New("the data folder is in use by another gateway")

// ErrEnded means that the server has failed by itself, such as on a full disk.
var ErrEnded = errors.New("redis-server has ended by itself")

// ErrNotFound means that there is no redis-server on PATH.
var ErrNotFound = errors.New("there is no redis-server on PATH")

const (
	// startWithin bounds the wait for the first PONG; loading a large file
	// takes Redis about a second per 100 MB.
	startWithin = 60 * time.Second
	// stopWithin is how long the server may take to end by itself.
	stopWithin = 10 * time.Second
	// socketPathLimit is below the 108 bytes of sockaddr_un.sun_path.
	socketPathLimit = 100
	defaultMemory   = 1 << 30
)

// Options say where and how the server runs.
type Options struct {
	// Dir is the folder for its data; it is made if missing.
	Dir string
	// Binary is the program; empty means redis-server on PATH.
	Binary string
	// MaxMemory is when it stops taking anything in, in bytes; 0 means 1 GiB.
	MaxMemory int64
	// File is a configuration file, over which all arguments win. Only a Sentinel
	// needs one, which writes to it.
	File string
	// Extra are further arguments, such as "--cluster-enabled", "yes".
	Extra []string
}

// Server is a running redis-server.
type Server struct {
	dir     string
	socket  string
	lock    *os.File
	process *os.Process
	log     *tail
	// done is closed when the process has ended; failure is set before.
	done    chan struct{}
	failure error
	torn    bool
	once    sync.Once
}

// Start locks the folder, ends what a killed parent left there, starts the
// server and waits until it answers. It returns an error that unwraps to
// ErrInUse or ErrNotFound where that is the cause. ctx bounds the start only.
func Start(ctx context.Context, o Options) (*Server, error) {
	binary, err := find(o.Binary)
	if err != nil {
		return nil, err
	}
	dir, err := prepare(o.Dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, lock: lock}
	if err := s.start(ctx, binary, o); err != nil {
		s.cleanUp()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, binary string, o Options) error {
	if err := endLeftover(ctx, s.dir); err != nil {
		return err
	}
	var err error
	if s.socket, err = placeSocket(s.dir); err != nil {
		return err
	}
	err = s.run(ctx, binary, o)
	if err == nil || !s.log.holds(saidTorn) {
		return err
	}
	if err := takeOffTornEnd(ctx, binary, s.dir); err != nil {
		return err
	}
	s.torn = true
	return s.run(ctx, binary, o)
}

// run starts a process and waits until it answers, or has ended.
func (s *Server) run(ctx context.Context, binary string, o Options) error {
	s.log, s.done = new(tail), make(chan struct{})
	if err := s.spawn(binary, s.arguments(o)); err != nil {
		return err
	}
	if err := s.await(ctx); err != nil {
		_ = s.stop()
		return err
	}
	return nil
}

// Torn tells whether the server was killed the last time while it wrote, and what
// it had not acknowledged was taken off the end of its file.
func (s *Server) Torn() bool { return s.torn }

// Address returns the path of the server's unix socket.
func (s *Server) Address() string { return s.socket }

// PID returns the server's process id.
func (s *Server) PID() int { return s.process.Pid }

// Done is closed when the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Close ends the server, waits for it, and unlocks the folder. If the server had
// failed before, the error unwraps to ErrEnded and tells its last words. Close
// may be called more than once.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		select {
		case <-s.done:
			if s.failure != nil {
				err = fmt.Errorf("redisserver: %w: %w; its last words: %s", ErrEnded, s.failure, s.log)
			}
		default:
			err = s.stop()
		}
		s.cleanUp()
	})
	return err
}

func (s *Server) stop() error {
	_ = s.process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
		return nil
	case <-time.After(stopWithin):
	}
	// What it acknowledged is on the disk already.
	_ = s.process.Kill()
	<-s.done
	return fmt.Errorf("redisserver: had to be killed after %v", stopWithin)
}

func (s *Server) cleanUp() {
	if s.socket != "" {
		removeSocket(s.dir, s.socket)
	}
	unlockFolder(s.lock)
}

func find(binary string) (string, error) {
	if binary == "" {
		binary = "redis-server"
	}
	path, err := exec.LookPath(binary)
	if err != nil {
		return "", fmt.Errorf("redisserver: %w: %w", ErrNotFound, err)
	}
	return path, nil
}

// prepare makes the folder, closes it to all other users, and returns its one
// true name: /proc tells a process' folder without symbolic links.
func prepare(dir string) (string, error) {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err == nil {
		// It may have been there, and Redis lets everybody read its files.
		err = os.Chmod(dir, 0o700) //nolint:gosec // a folder without x cannot be used
	}
	if err != nil {
		return "", fmt.Errorf("redisserver: %w", err)
	}
	return dir, nil
}

// arguments configure the server completely, so that no file outside the folder
// has a say.
func (s *Server) arguments(o Options) []string {
	memory := o.MaxMemory
	if memory == 0 {
		memory = defaultMemory
	}
	var file []string
	if o.File != "" {
		file = []string{o.File}
	}
	return slices.Concat(file, []string{
		"--port", "0", "--unixsocket", s.socket, "--unixsocketperm", "700",
		"--dir", s.dir, "--pidfile", filepath.Join(s.dir, pidFile), "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no", "--save", "",
		refuseTorn, "no",
		"--maxmemory", strconv.FormatInt(memory, 10), "--maxmemory-policy", "noeviction",
		"--loglevel", "warning", "--always-show-logo", "no",
	}, o.Extra)
}

// await returns when the server answers PONG; until then it may be refusing
// connections, or loading.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	pause := time.NewTicker(3 * time.Millisecond)
	defer pause.Stop()
	for !answers(ctx, s.socket) {
		select {
		case <-s.done:
			return fmt.Errorf("redisserver: it ended at once; its last words: %s", s.log)
		case <-ctx.Done():
			return fmt.Errorf("redisserver: no answer: %w; its last words: %s", ctx.Err(), s.log)
		case <-pause.C:
		}
	}
	return nil
}

func answers(ctx context.Context, socket string) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	reply, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(reply, "+PONG")
}
