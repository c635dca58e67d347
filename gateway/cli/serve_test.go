package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/lightlock/lightlock/config"
)

// served is a folder with a configuration of one LINE connector, and listeners
// wherever there is room.
func served(t *testing.T) string {
	t.Helper()
	t.Setenv("TEST_TOKEN", tokenCanary)
	t.Setenv("TEST_SECRET", secretCanary)
	t.Setenv("TEST_ACCESS", secretCanary+"-access")
	dir := t.TempDir()
	put(t, dir, "lightlock.yaml", []byte(goodGateway+"listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\n"))
	put(t, dir, "connectors/line.yaml", []byte(goodLine))
	return dir
}

var adminAddress = regexp.MustCompile(`msg=ready public=\S+ admin=(\S+)`)

// serving starts the program and waits until it is ready.
func serving(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := startIn(t, dir, append([]string{"serve"}, args...)...)
	p.await(t, "ready", func() bool { return adminAddress.MatchString(p.err.String()) })
	return p
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// redisOf is the process id of the private redis-server whose folder matches.
func redisOf(t *testing.T, pattern string) int {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: found %q, %v", pattern, found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestServeStopsInOrder(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			p := serving(t, served(t))
			response, err := http.Get("http://" + adminAddress.FindStringSubmatch(p.err.String())[1] + "/healthz")
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("/healthz: %d %s", response.StatusCode, body)
			}
			p.signal(t, s)
			if code := p.exit(t); code != exitDone {
				t.Errorf("exit %d, want %d", code, exitDone)
			}
			text := p.err.String()
			hasAll(t, text, `msg="stopping: `, "msg=stopped")
			if strings.Contains(text, "canary") || strings.Contains(text, "NO CONFIGURATION") || p.out.String() != "" {
				t.Errorf("stdout %q, stderr:\n%s", p.out.String(), text)
			}
		})
	}
}

// TestServeEndsWithItsRedis: without its private redis-server a gateway can
// make nothing durable, and must not stay up as if it could.
func TestServeEndsWithItsRedis(t *testing.T) {
	dir := served(t)
	p := serving(t, dir, "--config", "lightlock.yaml")
	if err := syscall.Kill(redisOf(t, filepath.Join(dir, "data/redis/redis.pid")), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := p.exit(t); code != exitFailed {
		t.Errorf("exit %d, want %d", code, exitFailed)
	}
	hasAll(t, p.err.String(), "lightlock: stopped: the private redis-server has ended")
}

func TestServeWhereSomebodyListens(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := served(t)
	text := fmt.Sprintf("%slisten: %s\nadmin_listen: 127.0.0.1:0\n", goodGateway, taken.Addr())
	put(t, dir, "other.yaml", []byte(text))
	p := startIn(t, dir, "serve", "--config", "other.yaml")
	if code := p.exit(t); code != exitFailed {
		t.Errorf("exit %d, want %d", code, exitFailed)
	}
	hasAll(t, p.err.String(), "address already in use", "Is another gateway running?")
}

func TestServeWrongConfiguration(t *testing.T) {
	configured(t, goodGateway+"lisen: x\nwork:\n  slots: 0\n", goodLine)
	r := lightlock(t, "serve")
	discreet(t, r)
	hasAll(t, r.err, `unknown key "lisen"`, "work.slots", "2 problems in 1 of 2 files", "nothing was started")
	if r.code != exitFailed {
		t.Errorf("exit %d, want %d", r.code, exitFailed)
	}
	if r := lightlock(t, "serve", "--config", "nowhere.yaml"); r.code != exitFailed || !strings.Contains(r.err, "nowhere.yaml does not exist") {
		t.Errorf("a named file that is missing: exit %d, %s", r.code, r.err)
	}
}

// TestServeWithoutConfiguration simulates every channel, and says so loudly.
func TestServeWithoutConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	p := testProgram()
	ctx, cancel := context.WithCancel(t.Context())
	var got *config.Loaded
	p.NewGateway = func(loaded *config.Loaded, _ *slog.Logger) (Gateway, error) {
		got = loaded
		return &fakeGateway{start: func(context.Context) error { cancel(); return nil }}, nil
	}
	r := lightlockUntil(ctx, p, "--log-format=json")
	hasAll(t, r.err, `"level":"WARN","msg":"NO CONFIGURATION`, `"msg":"ready","public":"127.0.0.1:1","admin":"127.0.0.1:2"`, `"msg":"stopped"`)
	hasAll(t, r.out, "console    http://127.0.0.1:1/#token=", "phones     http://127.0.0.1:", "as Eva")
	for _, line := range strings.Split(r.out, "\n") {
		if _, token, ok := strings.Cut(line, "#token="); ok && strings.Contains(r.err, token) {
			t.Errorf("the log holds what signs in: %s", r.err)
		}
	}
	if r.code != exitDone || got == nil || len(got.Connectors) != len(p.Channels) || got.Config.Redis != nil {
		t.Errorf("exit %d with %+v", r.code, got)
	}
}

func TestServeFailures(t *testing.T) {
	t.Chdir(t.TempDir())
	ended := make(chan struct{})
	close(ended)
	for what, c := range map[string]struct {
		gateway *fakeGateway
		failed  error
		want    string
	}{
		"cannot be put together": {nil, errTest, errTest.Error()},
		"cannot start":           {&fakeGateway{start: func(context.Context) error { return errTest }}, nil, errTest.Error()},
		"ends":                   {&fakeGateway{ended: ended}, nil, "redis-server has ended"},
		"ends badly":             {&fakeGateway{ended: ended, closed: errTest}, nil, errTest.Error()},
	} {
		p := testProgram()
		p.NewGateway = func(*config.Loaded, *slog.Logger) (Gateway, error) { return c.gateway, c.failed }
		r := lightlockUntil(t.Context(), p, "serve")
		if r.code != exitFailed || !strings.Contains(r.err, c.want) {
			t.Errorf("%s: exit %d, %s", what, r.code, r.err)
		}
	}
}

// TestServeStoppedWhileItStarts is no failure: it was told to.
func TestServeStoppedWhileItStarts(t *testing.T) {
	t.Chdir(t.TempDir())
	p := testProgram()
	p.NewGateway = func(*config.Loaded, *slog.Logger) (Gateway, error) {
		return &fakeGateway{start: func(ctx context.Context) error { return fmt.Errorf("journal: %w", ctx.Err()) }}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := lightlockUntil(ctx, p, "serve"); r.code != exitDone {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
}
