package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/gateway/load"
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

// TestLoadOfARunningGateway signs with a configuration's own secrets, reads the
// queue of the gateway's private redis-server, and serves the photos where the
// connectors look for them: where a platform was that has ended.
func TestLoadOfARunningGateway(t *testing.T) {
	t.Parallel()
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
	c.PublicURL, c.Data = "https://gateway.example/behind/a/proxy", t.TempDir()
	c.Listen, c.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	file, err := load.WriteConfig(t.TempDir(), c, []config.Settings{settings})
	if err != nil {
		t.Fatal(err)
	}
	program, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	g, err := load.StartGateway(t.Context(), program, file)
	if err != nil {
		t.Fatal(err)
	}
	r := loaded(t, "--config", file, "--target", "http://"+g.Public, "--messages", "50", "--photos", "0.5")
	if b := r.Balance; b.Accepted < 50 || b.Delivered+b.Withdrawn != b.Accepted || r.Photos["ready"] == 0 || len(r.Notes) > 0 {
		t.Errorf("got %+v and %+v", b, r)
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
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
		Answers: map[string]int{"200": 9999, "401": 5, "503": 12, "none": 1},
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
photos: 10 ready, 1 rejected corrupt
a note
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
