package redisserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The files that this package keeps in the data folder.
const (
	lockFile   = "lightlock.lock"
	pidFile    = "redis.pid"
	socketFile = "redis.sock"
	// elsewhereFile holds the path of a socket that had to be put elsewhere.
	elsewhereFile = "redis.sock.path"
	// elsewhere begins the name of the folder of such a socket.
	elsewhere = "lightlock-redis-"
)

// probe is the signal that only asks whether a process is there.
const probe = syscall.Signal(0)

// lockFolder takes the folder's lock, which the system gives back however this
// process ends. The file stays: removing it would let two processes lock two
// files of the same name.
func lockFolder(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("redisserver: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := os.ReadFile(path)
		_ = lock.Close()
		return nil, fmt.Errorf("redisserver: %w: %s is locked by process %.20s; stop it, or give this one another data folder",
			ErrInUse, dir, strings.TrimSpace(string(holder)))
	}
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("redisserver: lock %s: %w", path, err)
	}
	_ = lock.Truncate(0)
	_, _ = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return lock, nil
}

// unlockFolder gives the lock back by name and not by closing the file alone: a
// child that this process is just starting holds a copy of it until its exec.
func unlockFolder(lock *os.File) {
	_ = syscall.Flock(int(lock.Fd()), syscall.LOCK_UN)
	_ = lock.Close()
}

// placeSocket says where the socket goes: in the data folder, or where that
// path is too long for the system, in a new private folder that the next start
// can find again.
func placeSocket(dir string) (string, error) {
	socket := filepath.Join(dir, socketFile)
	if len(socket) <= socketPathLimit {
		return socket, nil
	}
	parent := os.TempDir()
	if len(parent) > socketPathLimit/2 {
		parent = "/tmp"
	}
	private, err := os.MkdirTemp(parent, elsewhere)
	if err != nil {
		return "", fmt.Errorf("redisserver: folder for the socket: %w", err)
	}
	socket = filepath.Join(private, socketFile)
	if err := os.WriteFile(filepath.Join(dir, elsewhereFile), []byte(socket), 0o600); err != nil {
		_ = os.Remove(private)
		return "", fmt.Errorf("redisserver: %w", err)
	}
	return socket, nil
}

// placed tells whether placeSocket may have made this path. It may have been
// read from a file, and what it names is asked to end and removed.
func placed(dir, socket string) bool {
	private := filepath.Dir(socket)
	return filepath.Base(socket) == socketFile && (private == dir || strings.HasPrefix(filepath.Base(private), elsewhere))
}

// removeSocket removes what placeSocket made, and nothing else.
func removeSocket(dir, socket string) {
	if !placed(dir, socket) {
		return
	}
	_ = os.Remove(socket)
	if private := filepath.Dir(socket); private != dir {
		_ = os.Remove(private)
		_ = os.Remove(filepath.Join(dir, elsewhereFile))
	}
}

// endLeftover ends the server that a killed parent left in this folder, if
// there is one. The caller holds the folder's lock, so no living gateway uses
// it.
func endLeftover(ctx context.Context, dir string) error {
	if err := endProcess(ctx, dir); err != nil {
		return err
	}
	for _, socket := range sockets(dir) {
		if err := askToEnd(ctx, dir, socket); err != nil {
			return err
		}
		removeSocket(dir, socket)
	}
	if err := os.Remove(filepath.Join(dir, pidFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("redisserver: leftover: %w", err)
	}
	return nil
}

// askToEnd ends a leftover that endProcess could not find: where there is no
// /proc, or no file with its number because the disk was full. Two servers in
// one folder would spoil each other's file.
func askToEnd(ctx context.Context, dir, socket string) error {
	if !placed(dir, socket) {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil // nobody is there
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(stopWithin))
	if _, err = conn.Write([]byte("SHUTDOWN NOSAVE\r\n")); err == nil {
		_, err = io.Copy(io.Discard, conn) // until it has ended
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("redisserver: a server is left over at %s and does not end; end it, then start again", socket)
	}
	return nil
}

// endProcess ends the leftover whose number stands in its file.
func endProcess(ctx context.Context, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, pidFile))
	if err != nil {
		return nil //nolint:nilerr // no file, no leftover
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return nil //nolint:nilerr // a torn file names nobody
	}
	process, alive := processOf(pid)
	if !alive || !isOurs(pid, dir) {
		return nil
	}
	for _, signal := range [...]syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = process.Signal(signal)
		if awaitEnd(ctx, pid, dir) {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("redisserver: end what was left over: %w", ctx.Err())
		}
	}
	return fmt.Errorf("redisserver: process %d is left over in %s and does not end; end it, then start again", pid, dir)
}

// awaitEnd tells whether the leftover has ended within the time it is given.
func awaitEnd(ctx context.Context, pid int, dir string) bool {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for isOurs(pid, dir) {
		select {
		case <-ctx.Done():
			return false
		case <-pause.C:
		}
	}
	return true
}

// isOurs tells whether a process is a redis-server at work in this folder. The
// number alone proves nothing: it may have been given to another process since.
func isOurs(pid int, dir string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	name, err := os.ReadFile(filepath.Join(proc, "comm"))
	if err != nil || !strings.HasPrefix(string(name), "redis-server") {
		return false
	}
	folder, err := os.Readlink(filepath.Join(proc, "cwd"))
	return err == nil && folder == dir
}
