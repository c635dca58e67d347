package cli

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

const (
	secretCanary = "canary-6f1f0c2e-secret"
	tokenCanary  = "canary-9b2d7a41-token-of-a-service-and-long"
)

const goodGateway = `public_url: https://photos.acme.test/
services:
  - name: desktop
    token: ${TEST_TOKEN}
    queues: [support]
`

const goodLine = `channel: line
name: acme
channel_secret: ${TEST_SECRET}
accounts:
  - id: U00000000000000000000000000000000
    channel_access_token: ${TEST_ACCESS}
    queue: support
`

// configured writes a configuration into the working directory, which is an
// empty one.
func configured(t *testing.T, gateway, line string) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("TEST_TOKEN", tokenCanary)
	t.Setenv("TEST_SECRET", secretCanary)
	t.Setenv("TEST_ACCESS", secretCanary+"-access")
	put(t, ".", "lightlock.yaml", []byte(gateway))
	if line != "" {
		put(t, ".", "connectors/line.yaml", []byte(line))
	}
}

// discreet checks that no secret was printed.
func discreet(t *testing.T, r result) {
	t.Helper()
	if text := r.out + r.err; strings.Contains(text, "canary") {
		t.Errorf("a secret was printed:\n%s", text)
	}
}

// TestCheckFindsAll: three wrong keys and two wrong types in two files are five
// findings.
func TestCheckFindsAll(t *testing.T) {
	configured(t, `public_url: https://photos.acme.test
lisen: 127.0.0.1:8080
work:
  slots: many
services:
  - name: desktop
    token: ${TEST_TOKEN}
    queue: [support]
    queues: [support]
`, `channel: line
name: acme
channel_secret: ${TEST_SECRET}
chanel_secret: `+secretCanary+`
accounts:
  - id: U00000000000000000000000000000000
    channel_access_token: ${TEST_ACCESS}
    queue: support
    photos:
      preview_side: [2048]
`)
	want := []string{
		`connectors/line.yaml:4:1: unknown key "chanel_secret"`, `connectors/line.yaml:10:21: `,
		`lightlock.yaml:2:1: unknown key "lisen"`, `lightlock.yaml:4:10: `, `lightlock.yaml:8:5: unknown key "`,
	}
	r := lightlock(t, "check")
	discreet(t, r)
	if r.code != exitFindings || r.err != "" {
		t.Errorf("exit %d, stderr %q", r.code, r.err)
	}
	hasAll(t, r.out, append(want, "5 problems in 2 of 2 files\n")...)
	if got := strings.Count(r.out, "\n  fix  "); got != len(want) {
		t.Errorf("%d findings, want %d:\n%s", got, len(want), r.out)
	}

	r = lightlock(t, "check", "--json")
	discreet(t, r)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if r.code != exitFindings || len(lines) != len(want) {
		t.Fatalf("--json: exit %d, %d lines, want %d:\n%s", r.code, len(lines), len(want), r.out)
	}
	for i, line := range lines {
		var n notice
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%s:%d:%d: %s", n.File, n.Line, n.Column, n.What)
		if !strings.HasPrefix(got, want[i]) || n.Severity != "problem" || n.Fix == "" {
			t.Errorf("line %d: %s, want %s", i, line, want[i])
		}
	}
}

func TestCheckGood(t *testing.T) {
	configured(t, goodGateway, goodLine)
	t.Setenv("PATH", t.TempDir())
	r := lightlock(t, "check")
	discreet(t, r)
	want := `line/acme
  webhook  https://photos.acme.test/webhooks/line/acme
  account  U00000000000000000000000000000000, queue support
queue support
  photos   for desktop
redis
  memory only
warning: no redis is configured and no redis-server is on PATH
  why  messages would die with the gateway
  fix  install redis-server, or set redis.address
no problems, 1 warning in 2 files
`
	if r.code != exitDone || r.out != want || r.err != "" {
		t.Errorf("exit %d, stderr %q, got:\n%s\nwant:\n%s", r.code, r.err, r.out, want)
	}
	r = lightlock(t, "check", "--json")
	if r.code != exitDone || !strings.HasPrefix(r.out, `{"severity":"warning","file":"lightlock.yaml",`) || strings.Count(r.out, "\n") != 1 {
		t.Errorf("--json: exit %d, %s", r.code, r.out)
	}
}

func TestCheckWarnings(t *testing.T) {
	t.Run("nobody may see the photos", func(t *testing.T) {
		configured(t, "public_url: https://photos.acme.test\n", goodLine)
		r := lightlock(t, "check")
		hasAll(t, r.out, `warning: no service and no agent may see the photos of queue "support"`, "no problems, 1 warning in 2 files")
		if r.code != exitDone {
			t.Errorf("exit %d", r.code)
		}
	})
	t.Run("no connectors", func(t *testing.T) {
		configured(t, "listen: 127.0.0.1:8080\n", "")
		r := lightlock(t, "check")
		hasAll(t, r.out, "warning: no connectors", "no problems, 1 warning in 1 file")
		if r.code != exitDone {
			t.Errorf("exit %d", r.code)
		}
	})
	t.Run("private addresses", func(t *testing.T) {
		configured(t, goodGateway, goodLine+"allow_private_addresses: true\n")
		hasAll(t, lightlock(t, "check").out, "private addresses and plain http")
	})
}

// An Apple account that takes photos is named, because iPhones store HEIC; one
// that takes none has nothing to fear, and other channels neither.
func TestCheckWarnsOfHEIC(t *testing.T) {
	configured(t, goodGateway, goodLine)
	put(t, ".", "connectors/apple.yaml", []byte(`channel: apple
name: acme
msp_id: 00000000-0000-0000-0000-000000000000
secret: ${TEST_BASE64}
accounts:
  - {id: 00000000-0000-0000-0000-000000000001, name: shop, queue: support}
  - {id: 00000000-0000-0000-0000-000000000002, name: repairs, queue: support, photos: {formats: [png, webp]}}
  - {id: 00000000-0000-0000-0000-000000000003, name: text-only, queue: support, photos: {enabled: false}}
`))
	t.Setenv("TEST_BASE64", base64.StdEncoding.EncodeToString([]byte(secretCanary+secretCanary)))
	t.Setenv("PATH", t.TempDir())
	p := testProgram()
	p.Channels = append(p.Channels, Channel{Channel: apple.Channel()})
	r := lightlockUntil(t.Context(), p, "check")
	discreet(t, r)
	hasAll(t, r.out, "warning: apple/acme/shop accepts no HEIC", "warning: apple/acme/repairs accepts no HEIC", "rejected as unsupported_type",
		"is asked for a JPEG", "is asked for png or webp",
		"no problems, 3 warnings in 3 files")
	if n := strings.Count(r.out, "HEIC, in which iPhones"); r.code != exitDone || r.err != "" || n != 2 {
		t.Errorf("exit %d, stderr %q, %d accounts named, want 2:\n%s", r.code, r.err, n, r.out)
	}
	r = lightlockUntil(t.Context(), p, "check", "--json")
	if n := strings.Count(r.out, `{"severity":"warning"`); r.code != exitDone || n != 3 {
		t.Errorf("--json: exit %d, %d warnings, want 3:\n%s", r.code, n, r.out)
	}
}

// What photos.memory cannot be here is told at its place, with what it can be.
func TestCheckFindsMemoryThatDoesNotFit(t *testing.T) {
	configured(t, goodGateway+"photos:\n  memory: 2 GB\n", goodLine)
	p := testProgram()
	p.NewGateway = func(loaded *config.Loaded, _ *slog.Logger) (Gateway, error) {
		_, err := budget.Reckon(loaded.Config.Photos.Memory, config.MB, 1<<30)
		return nil, err
	}
	r := lightlockUntil(t.Context(), p, "check")
	line := 1 + strings.Count(goodGateway, "\n")
	hasAll(t, r.out, fmt.Sprintf("lightlock.yaml:%d:1: photos.memory is 2 GB, and the container's limit is 1 GB\n", line),
		"why  the gateway would not start\n", "fix  set it to three quarters of the limit or less, or raise the limit\n")
	if r.code != exitFindings {
		t.Errorf("exit %d", r.code)
	}
}

func TestCheckAsksRedis(t *testing.T) {
	withRedis := func(address string) string {
		return goodGateway + "redis:\n  address: " + address + "\n"
	}
	for _, c := range []struct {
		name  string
		redis []string
		code  int
		want  []string
	}{
		{"good", nil, exitDone, []string{", durability fsync, version ", "no problems in 2 files"}},
		{"forgetful", []string{"--appendfsync", "everysec", "--appendonly", "no"}, exitFindings, []string{
			`lightlock.yaml:6:1: redis: appendonly is "no"`, `redis: appendfsync is "everysec"`, "\n  fix  run: CONFIG SET appendonly yes, then CONFIG REWRITE, in that Redis", "2 problems in 1 of 2 files",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			configured(t, withRedis(queuetest.Start(t, append(c.redis, "--maxmemory", "100mb", "--maxmemory-policy", "noeviction")...).Address()), goodLine)
			r := lightlock(t, "check")
			discreet(t, r)
			hasAll(t, r.out, c.want...)
			if r.code != c.code || r.err != "" {
				t.Errorf("exit %d, want %d; stderr %q; %s", r.code, c.code, r.err, r.out)
			}
		})
	}
	t.Run("a stranger to it", func(t *testing.T) {
		configured(t, withRedis(queuetest.Redis(t))+"  username: nobody\n  password: ${TEST_SECRET}\n", goodLine)
		r := lightlock(t, "check")
		discreet(t, r)
		hasAll(t, r.out, "lightlock.yaml:6:1: redis at ", " refuses the user or password\n", "fix  correct redis.password or redis.username\n", "1 problem in 1 of 2 files")
		if r.code != exitFindings || r.err != "" {
			t.Errorf("exit %d, stderr %q", r.code, r.err)
		}
	})
	t.Run("away", func(t *testing.T) {
		configured(t, withRedis("/nowhere/redis.sock"), goodLine)
		r := lightlock(t, "check")
		hasAll(t, r.out, "warning: redis at /nowhere/redis.sock does not answer: no such file or directory\n", "no problems, 1 warning in 2 files")
		if r.code != exitDone || r.err != "" {
			t.Errorf("exit %d, stderr %q", r.code, r.err)
		}
	})
}

// TestCheckPutsTogether: what only the gateway itself finds is a finding too.
func TestCheckPutsTogether(t *testing.T) {
	configured(t, goodGateway, goodLine)
	p := testProgram()
	p.NewGateway = func(*config.Loaded, *slog.Logger) (Gateway, error) {
		return nil, errors.Join(errTest, errors.New("and\x1bmore"))
	}
	r := lightlockUntil(t.Context(), p, "check")
	hasAll(t, r.out, "lightlock.yaml: "+errTest.Error()+"\n", `lightlock.yaml: and\x1bmore`+"\n", "2 problems in 1 of 2 files")
	if r.code != exitFindings {
		t.Errorf("exit %d", r.code)
	}
}

func TestCheckCannotRun(t *testing.T) {
	t.Chdir(t.TempDir())
	r := lightlock(t, "check")
	if r.code != exitFailed || !strings.Contains(r.err, "lightlock.yaml does not exist") || r.out != "" {
		t.Errorf("no file: exit %d, %s%s", r.code, r.out, r.err)
	}
	put(t, ".", "config/lightlock.yaml", nil)
	hasAll(t, lightlock(t, "check").err, "check --config config/lightlock.yaml")
	if r := lightlock(t, "check", "--config", "."); r.code != exitFailed || !strings.Contains(r.err, "cannot be read") {
		t.Errorf("a folder: exit %d, %s", r.code, r.err)
	}
	// A program whose own settings make no sense is not the operator's fault.
	p := testProgram()
	p.Channels[0].Settings = func() config.Settings { return &senseless{} }
	if r := lightlockUntil(t.Context(), p, "check", "--config", "config/lightlock.yaml"); r.code != exitFailed || r.out != "" || r.err == "" {
		t.Errorf("wrong tags: exit %d, %s%s", r.code, r.out, r.err)
	}
}

// senseless are settings that no file can be decoded into.
type senseless struct {
	config.Connector `yaml:",inline"`
	Channels         chan int `yaml:"channels"`
}

func (*senseless) AccountList() []config.Account { return nil }
func (*senseless) Check() []config.Finding       { return nil }

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{nil, exitDone, ""},
		{errTest, exitFailed, "lightlock: what the test broke\n"},
		{failure{code: exitFindings}, exitFindings, ""},
		{fmt.Errorf("more: %w", failure{exitFindings, errTest}), exitFindings, "lightlock: what the test broke\n"},
		{errors.New("a\x1b[2Jb\nc"), exitFailed, "lightlock: a\\x1b[2Jb\nc\n"},
	} {
		var b strings.Builder
		s := session{Program: Program{Stderr: &b}}
		if got := s.exitCode(t.Context(), c.err); got != c.code || b.String() != c.text {
			t.Errorf("%v: exit %d, %q; want %d, %q", c.err, got, b.String(), c.code, c.text)
		}
	}
}

// TestCheckKnowsAnExamplesAddress, which no platform can call.
func TestCheckKnowsAnExamplesAddress(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for host, want := range map[string]bool{
		"photos.example.com": true, "EXAMPLE.ORG:8443": true, "a.b.example.net.": true, "gateway.example": true,
		"photos.acme.test": false, "myexample.com": false, "example.com.acme.test": false, "photos.example.community": false,
	} {
		configured(t, strings.Replace(goodGateway, "photos.acme.test", host, 1), goodLine)
		r := lightlock(t, "check")
		wantExit(t, r, exitDone)
		if got := strings.Contains(r.out, "warning: public_url is still an example's: "); got != want {
			t.Errorf("%s: warned %v, want %v:\n%s", host, got, want, r.out)
		}
		if r := lightlock(t, "check", "--json"); strings.Contains(r.out, `"line":1,`) != want {
			t.Errorf("%s: %s", host, r.out)
		}
	}
}
