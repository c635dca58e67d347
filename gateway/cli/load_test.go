package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/gateway/load"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// loaded runs the real program and returns its report.
func loaded(t *testing.T, args ...string) *load.Report {
	t.Helper()
	p := start(t, append([]string{"load", "--json", "--wait", "60s"}, args...)...)
	if code := p.exit(t); code != exitDone {
		t.Fatalf("exit %d\n%s\n%s", code, p.out.String(), p.err.String())
	}
	var r load.Report
	if err := json.Unmarshal([]byte(p.out.String()), &r); err != nil {
		t.Fatalf("%v in %q", err, p.out.String())
	}
	return &r
}

// TestLoad: a gateway of its own, every channel and everything that may happen.
func TestLoad(t *testing.T) {
	t.Parallel()
	acked := filepath.Join(t.TempDir(), "acked")
	r := loaded(t, "--messages", "140", "--duplicates", "0.2", "--unsends", "0.1", "--forged", "0.1", "--photos", "0.1", "--acked", acked)
	b := r.Balance
	if b.Accepted < 140 || b.Delivered+b.Withdrawn != b.Accepted || r.Repeats == 0 || r.Refused.Count == 0 || r.Photos["ready"] == 0 {
		t.Errorf("got %+v and %+v", b, r)
	}
	if r.ToQueue.P50 <= 0 || r.Accepted.P50 <= 0 || len(r.Use) != 3 || r.Use[2].Idle == 0 {
		t.Errorf("got %+v, %+v and %+v, want figures", r.ToQueue, r.Accepted, r.Use)
	}
	if text, err := os.ReadFile(acked); err != nil || strings.Count(string(text), "\n") != b.Accepted {
		t.Errorf("the list of what was accepted: %v, %q; want %d lines", err, text, b.Accepted)
	}
}

// TestLoadPaused: two gateways that accept and do nothing more.
func TestLoadPaused(t *testing.T) {
	t.Parallel()
	r := loaded(t, "--messages", "300", "--paused", "--gateways", "2", "--channels", "line,viber", "--photos", "1", "--unsends", "0", "--rate", "1000/s")
	if b := r.Balance; b.Waiting != b.Accepted || b.Accepted < 300 || len(r.Use) != 4 || r.Use[3].Idle == 0 {
		t.Errorf("got %+v and %+v, want all of it waiting, and both gateways measured", b, r.Use)
	}
}

// called starts a gateway for one connector, whose photos are served by a platform
// that has ended, and returns it with its configuration's file.
func called(t *testing.T, redis *config.Redis) (g *load.Gateway, file string) {
	t.Helper()
	platform, err := linesim.Start()
	if err != nil {
		t.Fatal(err)
	}
	settings := platform.Settings("acme", "support")
	settings.Common().Registration = "off"
	if err := platform.Close(); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.PublicURL, c.Data, c.Redis = "https://gateway.example/behind/a/proxy", t.TempDir(), redis
	c.Listen, c.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	if file, err = load.WriteConfig(t.TempDir(), c, []config.Settings{settings}); err != nil {
		t.Fatal(err)
	}
	program, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	if g, err = load.StartGateway(t.Context(), program, file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Kill() })
	return g, file
}

// TestLoadOfARunningGateway signs with a configuration's own secrets, reads the
// queue of the gateway's private redis-server, and serves the photos where the
// connectors look for them: where a platform was that has ended.
func TestLoadOfARunningGateway(t *testing.T) {
	t.Parallel()
	g, file := called(t, nil)
	r := loaded(t, "--config", file, "--target", "http://"+g.Public, "--messages", "50", "--photos", "0.5")
	if b := r.Balance; b.Accepted < 50 || b.Delivered+b.Withdrawn != b.Accepted || r.Photos["ready"] == 0 || len(r.Notes) > 0 {
		t.Errorf("got %+v and %+v", b, r)
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
}

// TestLoadThroughAnOutage: Redis is killed under the calls. Where it comes back,
// everything is compared; where it does not, what was answered is told and kept.
func TestLoadThroughAnOutage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, wait string
		back       bool
		code       int
		out, err   string
	}{
		{"that ends", "60s", true, exitDone, "nothing lost, nothing doubled, nothing forged", ""},
		{"that does not", "1s", false, exitFailed, markNot + " the queue could not be compared", "lightlock: the queue could not be compared: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			redis := queuetest.Start(t)
			g, file := called(t, &config.Redis{Address: redis.Address()})
			acked := filepath.Join(t.TempDir(), "acked")
			p := start(t, "load", "--config", file, "--target", "http://"+g.Public, "--messages", "600", "--rate", "150/s", "--photos", "0",
				"--connections", "4", "--wait", c.wait, "--acked", acked)
			awaitDocument(t, p, redis.Address())
			redis.Kill()
			if c.back {
				time.Sleep(2500 * time.Millisecond) // an outage that go-redis' own repeats do not cover
				redis.Restart()
			}
			if code := p.exit(t); code != c.code {
				t.Errorf("exit %d, want %d; stderr:\n%s", code, c.code, &p.err)
			}
			written, err := os.ReadFile(acked)
			lines := strings.Count(string(written), "\n")
			if err != nil || lines == 0 {
				t.Errorf("the list of what was accepted: %v, %d lines", err, lines)
			}
			hasAll(t, p.out.String(), fmt.Sprintf("\n%d events accepted", lines), c.out)
			hasAll(t, p.err.String(), "made-up messages go into support, to the agents' software that reads there\n", c.err)
			if strings.Contains(p.err.String(), "pool.go") {
				t.Errorf("the client of Redis speaks for itself:\n%s", &p.err)
			}
		})
	}
}

// awaitDocument waits until the queue has one.
func awaitDocument(t *testing.T, p *process, address string) {
	t.Helper()
	backend, err := queue.Attach(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: address}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = backend.Close(context.Background()) }()
	p.await(t, "document in the queue", func() bool {
		last, err := backend.Last(t.Context(), "support")
		return err == nil && last != queue.Beginning
	})
}

// TestLoadCannotRun: nothing is sent, and it is said why.
func TestLoadCannotRun(t *testing.T) {
	for want, args := range map[string][]string{
		`--channels has "fax"; it may have line`: {"--channels", "fax"},
		"/nowhere.yaml does not exist":           {"--config", "/nowhere.yaml"},
		"--target needs --config":                {"--target", "http://127.0.0.1:1"},
		"are for gateways that are started here": {"--config", "/nowhere.yaml", "--paused"},
		"photos is 2; a share is from 0 to 1":    {"--photos", "2"},
		`"fast" is no rate; write it like 500/s`: {"--rate", "fast"},
		"has no unit; write it like 4 GB":        {"--memory", "4"},
		"--gateways is 0 and --consumers 1000":   {"--gateways", "0"},
		"--gateways is 1 and --consumers 0":      {"--consumers", "0"},
		"/nowhere.jpg: no such file":             {"--photo", "/nowhere.jpg"},
	} {
		r := lightlock(t, append([]string{"load"}, args...)...)
		if r.code != exitFailed || r.out != "" || !strings.Contains(r.err, want) {
			t.Errorf("%q: exit %d, %q; want %d and %q", args, r.code, r.err, exitFailed, want)
		}
	}
}

// TestLoadReport: what is wrong stands out, with the keys to look for.
func TestLoadReport(t *testing.T) {
	var b bytes.Buffer
	err := printLoad(stream{Writer: &b}, &load.Report{
		Seconds: 2, Connections: 16, PerSecond: 4999.6, Repeats: 7,
		Accepted: load.Latency{Count: 9999, P50: 1.26, P95: 2, P99: 3, Max: 40.5}, Refused: load.Latency{Count: 3},
		Answers: map[string]int{"200": 9999, "401": 5, "503": 12, "none": 1}, Events: map[string]int{"message": 9900, "edit": 91, "unsend": 1},
		ToQueue: load.Latency{Count: 9000, P50: 100}, Photos: map[string]int{"ready": 10, "rejected corrupt": 1},
		Use:   []load.Use{{Process: "load", Microseconds: 30.04, Idle: 10 << 20, Bytes: 20 << 20}},
		Notes: []string{"a note"},
		Balance: load.Balance{
			Accepted: 9992, Delivered: 9000, Withdrawn: 1, Waiting: 2, Taken: 3, Dead: 4, Unsettled: 1,
			Lost: []string{"a", "b", "c", "d", "e", "f"}, Doubled: []string{"g"}, Forged: []string{"h"}, Revived: []string{"i"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `  WHAT             CALLS  PER SECOND  P50 MS  P95 MS  P99 MS  MAX MS
✓ accepted          9999        5000     1.3     2.0     3.0    40.5
✓ forged, refused      3                 0.0     0.0     0.0     0.0
✗ answered 401         2
✗ answered 503        12
✗ not answered         1
✓ call to queue     9000               100.0     0.0     0.0     0.0

  PROCESS  µS PER CALL  MB IDLE  MB AT THE END
  load            30.0     10.0           20.0

10017 calls in 2.0 s over 16 connections; 7 duplicates among the accepted ones
9999 calls accepted = 9900 messages + 91 edits + 1 unsend + 7 duplicates
photos: 10 ready, 1 rejected corrupt
a note
13 calls not answered, or put off: nothing was promised for what they told, and a platform would repeat them
9992 events accepted = 9000 delivered + 1 withdrawn + 2 waiting + 3 taken by readers + 4 dead letters + 6 LOST
1 message without their photos so far
✗ 6 lost: a b c d e
✗ 1 in the queue more than once: g
✗ 1 forged and taken all the same: h
✗ 1 in the queue after being taken back: i
`
	if got := b.String(); trimmed(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// trimmed is a text without blanks at the ends of its lines.
func trimmed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}
