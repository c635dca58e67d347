package redisserver_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

// parentDir makes this test binary a gateway that starts a server there, says so
// and waits to be killed.
const parentDir = "REDISSERVER_TEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentDir); dir != "" {
		beParent(dir)
	}
	goleak.VerifyTestMain(m)
}

func beParent(dir string) {
	server, err := redisserver.Start(context.Background(), redisserver.Options{Dir: dir})
	if err != nil {
		_, _ = os.Stdout.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString(strconv.Itoa(server.PID()) + "\n")
	select {}
}

func start(t *testing.T, dir string) *redisserver.Server {
	t.Helper()
	server, err := redisserver.Start(t.Context(), redisserver.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// say sends one command, words without spaces, and returns the first line of
// the answer, or of the text in it.
func say(t *testing.T, socket, command string) string {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(command + "\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(conn)
	line, err := answer.ReadString('\n')
	if err == nil && strings.HasPrefix(line, "$") && !strings.HasPrefix(line, "$-1") {
		line, err = answer.ReadString('\n')
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func alive(pid int) bool {
	state, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, rest, _ := strings.Cut(string(state), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

func TestItKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir)
	if got := say(t, first.Address(), "SET a 1"); got != "+OK" {
		t.Fatalf("got %q", got)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if got := say(t, start(t, dir).Address(), "GET a"); got != "1" {
		t.Errorf("got %q after a restart, want 1", got)
	}
}

func TestItIsReachedThroughAPrivateSocketOnly(t *testing.T) {
	t.Parallel()
	server := start(t, t.TempDir())
	info, err := os.Stat(server.Address())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got mode %v, error %v; want 0700", info.Mode(), err)
	}
	inodes := map[string]bool{}
	fds := filepath.Join("/proc", strconv.Itoa(server.PID()), "fd")
	entries, err := os.ReadDir(fds)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if link, err := os.Readlink(filepath.Join(fds, entry.Name())); err == nil {
			inodes[strings.Trim(strings.TrimPrefix(link, "socket:"), "[]")] = true
		}
	}
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		text, _ := os.ReadFile("/proc/net/" + table)
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 9 && inodes[fields[9]] {
				t.Errorf("it has a %s socket: %s", table, line)
			}
		}
	}
}

func TestItClosesItsFolderToOthers(t *testing.T) {
	t.Parallel()
	// Also a name with characters that Redis' configuration gives a meaning.
	dir := filepath.Join(t.TempDir(), `Ana's "old" data #1\n`)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // whatever the umask
		t.Fatal(err)
	}
	if got := say(t, start(t, dir).Address(), "SET a 1"); got != "+OK" {
		t.Errorf("got %q", got)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v; want a folder that nobody else can enter", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "appendonlydir")); err != nil {
		t.Errorf("its file is elsewhere: %v", err)
	}
}

func TestTwoGatewaysDoNotShareAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir)
	_, err := redisserver.Start(t.Context(), redisserver.Options{Dir: dir})
	if !errors.Is(err, redisserver.ErrInUse) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("got %v, want ErrInUse that names this process", err)
	}
	if got := say(t, first.Address(), "PING"); got != "+PONG" {
		t.Errorf("the first server answers %q afterwards", got)
	}
}

func TestItDiesWithItsParent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentDir+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || !alive(pid) {
		t.Fatalf("the parent says %q", line)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	gatewaytest.Await(t, "the server has died with its parent", func() bool { return !alive(pid) })
	start(t, dir)
}

// leave starts a server as a killed parent would have left it, and returns when
// it has ended.
func leave(t *testing.T, dir string, extra ...string) (ended chan error) {
	t.Helper()
	socket := filepath.Join(dir, "redis.sock")
	leftover := exec.Command("redis-server", append([]string{
		"--port", "0", "--dir", dir, "--unixsocket", socket, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
	}, extra...)...)
	if err := leftover.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = leftover.Process.Kill() })
	ended = make(chan error, 1)
	go func() { ended <- leftover.Wait() }()
	gatewaytest.Await(t, "the leftover answers", func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	if got := say(t, socket, "SET a 1"); got != "+OK" {
		t.Fatalf("got %q", got)
	}
	return ended
}

func TestALeftoverIsEndedBeforeANewOneStarts(t *testing.T) {
	t.Parallel()
	numbered := t.TempDir()
	for dir, extra := range map[string][]string{
		numbered:    {"--pidfile", filepath.Join(numbered, "redis.pid")},
		t.TempDir(): nil, // the disk was full, or the system has no /proc
	} {
		ended := leave(t, dir, extra...)
		server := start(t, dir)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Errorf("the leftover with %v still runs", extra)
		}
		if got := say(t, server.Address(), "GET a"); got != "1" {
			t.Errorf("got %q of what the leftover with %v knew, want 1", got, extra)
		}
	}
}

func TestAStrangerWithTheSameNumberIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	// Once another program, once a redis-server that works elsewhere.
	stranger := exec.Command("sleep", "60")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	for _, pid := range []int{stranger.Process.Pid, start(t, other).PID()} {
		if err := os.WriteFile(filepath.Join(dir, "redis.pid"), []byte(strconv.Itoa(pid)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := start(t, dir).Close(); err != nil {
			t.Fatal(err)
		}
		if !alive(pid) {
			t.Errorf("process %d was ended, and is not ours", pid)
		}
	}
}

func TestALongPathGetsItsSocketElsewhere(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	first := start(t, dir)
	if len(first.Address()) > 107 {
		t.Errorf("the socket's path has %d bytes", len(first.Address()))
	}
	private := filepath.Dir(first.Address())
	if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v; want a private folder", info, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{private, filepath.Join(dir, "redis.sock.path")} {
		if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there", gone)
		}
	}
}

func TestASocketThatAKilledParentLeftElsewhereIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for folder, removed := range map[string]bool{
		filepath.Join(t.TempDir(), "lightlock-redis-1"): true,
		filepath.Join(t.TempDir(), "precious"):          false,
	} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		socket := filepath.Join(folder, "redis.sock")
		for path, text := range map[string]string{socket: "", filepath.Join(dir, "redis.sock.path"): socket} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := start(t, dir).Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(socket); errors.Is(err, os.ErrNotExist) != removed {
			t.Errorf("%s: got %v, want removed %v", socket, err, removed)
		}
	}
}

func TestAServerThatWillNotStartSaysWhy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := redisserver.Start(t.Context(), redisserver.Options{Dir: dir, Extra: []string{"--no-such-setting", "1"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-setting") {
		t.Errorf("got %v, want the server's own words", err)
	}
	start(t, dir) // the folder is free again
	_, err = redisserver.Start(t.Context(), redisserver.Options{Dir: t.TempDir(), Binary: "no-such-server"})
	if !errors.Is(err, redisserver.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
