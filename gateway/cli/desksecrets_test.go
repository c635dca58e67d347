package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// secretless names secrets that this machine does not have, in each way that a
// file can.
const (
	secretlessGateway = `public_url: https://photos.acme.test/
services:
  - name: desktop
    token: ${ABSENT_TOKEN}
    queues: [support]
`
	secretlessLine = `channel: line
name: acme
channel_secret_file: /nowhere/line
accounts:
  - id: U00000000000000000000000000000000
    channel_access_token: ${ABSENT_ACCESS}
    queue: support
`
)

// An operator at a shell looks at queues and dead letters without the secrets that
// only a gateway needs; a gateway does not start without them.
func TestDeskWithoutSecrets(t *testing.T) {
	address, dir := queuetest.Redis(t), t.TempDir()
	put(t, dir, "lightlock.yaml", []byte(secretlessGateway+"redis:\n  address: "+address+"\n"))
	put(t, dir, "connectors/line.yaml", []byte(secretlessLine))
	b, err := queue.Attach(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: address}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close(context.Background()) }()
	g := graveyard{t, b}
	if err := b.EnsureQueue(t.Context(), "support"); err != nil {
		t.Fatal(err)
	}
	g.bury(queue.Letter{Key: keyOf("a"), Connector: "line/acme", Cause: "no account", Content: queue.ContentPayload, Raw: jobOf(deadBot, "hello")})
	absent := []string{"the environment variable ABSENT_TOKEN is not set", "the environment variable ABSENT_ACCESS is not set", "channel_secret_file: the file does not exist"}
	for _, row := range []struct {
		args     []string
		code     int
		out, err []string
	}{
		{[]string{"queue", "support", "--over", "1ms"}, exitDone, []string{"dead        1", "queue support"}, nil},
		{[]string{"dead", "show", keyOf("a")[:12]}, exitDone, []string{"hello"}, nil},
		{[]string{"dead", "retry", "--all"}, exitDone, []string{"line/acme", "1 of 1 dead letter retried"}, nil},
		{[]string{"serve"}, exitFailed, nil, append(absent, "nothing was started")},
		{[]string{"check"}, exitFindings, absent, nil},
	} {
		p := startIn(t, dir, row.args...)
		if code := p.exit(t); code != row.code {
			t.Errorf("%v: exit %d, want %d\n%s", row.args, code, row.code, &p.err)
		}
		hasAll(t, p.out.String(), row.out...)
		hasAll(t, p.err.String(), row.err...)
	}
	g.want(0, 1)
}

// What a look needs itself is wanted as ever.
func TestDeskNeedsThePasswordOfRedis(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, ".", "lightlock.yaml", []byte(secretlessGateway+"redis:\n  address: 127.0.0.1:1\n  password: ${ABSENT_PASSWORD}\n"))
	put(t, ".", filepath.Join("connectors", "line.yaml"), []byte(secretlessLine))
	for _, command := range []string{"queue", "dead"} {
		r := lightlock(t, command)
		wantExit(t, r, exitFailed)
		hasAll(t, r.err, "redis.password: the environment variable ABSENT_PASSWORD is not set", "1 problem")
	}
}

// TestChangesWantAConfiguration: what looks may look at the simulated channels; what
// changes or destroys would find nothing there, and that would read as done.
func TestChangesWantAConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range []string{
		"forget U1 --yes", "forget U1 --dry-run", "rewrap", "agent release --id ben", "dead retry --all", "dead drop --all --yes",
	} {
		r := lightlock(t, strings.Fields(args)...)
		wantExit(t, r, exitFailed)
		hasAll(t, r.err, "the configuration lightlock.yaml does not exist", "Name yours with --config")
		if r.out != "" {
			t.Errorf("%s: printed %q", args, r.out)
		}
		r = lightlock(t, append(strings.Fields(args), "--config", "other.yaml")...)
		wantExit(t, r, exitFailed)
		hasAll(t, r.err, "the configuration other.yaml does not exist")
		if strings.Contains(r.err, "--config") {
			t.Errorf("%s: was named, and printed %q", args, r.err)
		}
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("got %v, %v in the folder, want nothing", entries, err)
	}
	for _, args := range []string{"queue", "dead list"} {
		r := lightlock(t, strings.Fields(args)...)
		wantExit(t, r, exitFailed)
		hasAll(t, r.err, "name the gateway's file with --config")
	}
	for args, want := range map[string]string{"forget": "", "rewrap": "", "queue": "without both, the simulated channels", "dead list": "without both, the simulated channels"} {
		r := lightlock(t, append(strings.Fields(args), "--help")...)
		text := strings.Join(strings.Fields(r.out), " ")
		hasAll(t, text, "without it, ./lightlock.yaml", want)
		if want == "" && strings.Contains(text, "simulated channels") {
			t.Errorf("%s --help speaks of simulated channels:\n%s", args, r.out)
		}
	}
}
