package ops_test

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/spool"
)

// promtool is where .ci/install has unpacked it, or on PATH.
func promtool(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err == nil {
		path := filepath.Join(cache, "lightlock", "prometheus", "usr", "bin", "promtool")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath("promtool")
	if err != nil {
		gatewaytest.Missing(t, "there is no promtool on PATH; .ci/install gets it from Debian's package prometheus")
	}
	return path
}

func TestRulesAreWhatPrometheusTakes(t *testing.T) {
	t.Parallel()
	tool := promtool(t)
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "testdata/rules_test.yaml"}} {
		if out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// rules reads the rules file.
func rules(t *testing.T) (list []alert) {
	t.Helper()
	text, err := os.ReadFile("rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct{ Rules []alert }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		list = append(list, g.Rules...)
	}
	if len(list) < 10 {
		t.Fatalf("got %d rules", len(list))
	}
	return list
}

type alert struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

// Whoever is woken by a rule is told what is wrong and what to do.
func TestEachRuleSaysWhatToDo(t *testing.T) {
	t.Parallel()
	tested, err := os.ReadFile("testdata/rules_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t) {
		for _, name := range []string{"summary", "description", "runbook"} {
			if len(r.Annotations[name]) < 20 {
				t.Errorf("%s: %s is %q", r.Alert, name, r.Annotations[name])
			}
		}
		if !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) {
			t.Errorf("%s: got severity %q", r.Alert, r.Labels["severity"])
		}
		if !strings.Contains(string(tested), `"`+r.Alert+`"`) {
			t.Errorf("%s is not in testdata/rules_test.yaml", r.Alert)
		}
	}
}

// used are the metrics of a rule with the labels that it asks for.
var used = regexp.MustCompile(`(lightlock_\w+)(?:\{([^}]*)\})?`)

// A metric that is renamed must not silence a rule.
func TestRulesNameMetricsThatThereAre(t *testing.T) {
	a := open(t)
	registerAll(a)
	_, text := a.get("/metrics")
	for _, r := range rules(t) {
		for _, m := range used.FindAllStringSubmatch(r.Expr, -1) {
			i := strings.Index(text, "\n"+m[1]+"{")
			if i < 0 {
				i = strings.Index(text, "\n"+m[1]+" ")
			}
			if i < 0 {
				t.Errorf("%s: there is no metric %s", r.Alert, m[1])
				continue
			}
			line, _, _ := strings.Cut(text[i+1:], "\n")
			for label := range strings.SplitSeq(m[2], ",") {
				if name, _, asked := strings.Cut(label, "="); asked && !strings.Contains(line, strings.TrimRight(name, "!")+`="`) {
					t.Errorf("%s: %s has no label %s: %s", r.Alert, m[1], name, line)
				}
			}
		}
	}
}

// registerAll registers what the gateway registers, and counts everything once.
func registerAll(a *admin) {
	a.metrics.Webhook("line/acme", "accepted")
	a.metrics.Photo("line/acme", "rejected", "unreachable")
	a.metrics.Forwarded("support", time.Second)
	a.metrics.Accepted("line/acme", time.Millisecond)
	a.metrics.Outgoing("line/acme", "notice", "unknown")
	a.metrics.LettersExpired("support", "age", 1)
	a.metrics.Trouble("journal", "take")
	ops.Told{Metrics: a.metrics, Log: slog.New(slog.DiscardHandler)}.Newer(queue.Newer{Queue: "support", IDs: []string{"1-0"}})
	lane := strings.Repeat("ab", 16)
	item := queue.Item{Kind: queue.ItemMessage, Key: strings.Repeat("5b", 32), Party: strings.Repeat("5c", 32), Lane: lane}
	if _, err := a.backend.Accept(a.t.Context(), "support", []queue.Item{item}); err != nil {
		a.t.Fatal(err)
	}
	for _, c := range []prometheus.Collector{
		ops.NewLanesCollector(a.backend, []string{"support"}, map[string]string{lane: "line/acme"}),
		ops.NewRedisCollector(func() queue.Condition { return queue.Condition{Filled: 0.5} }),
		ops.NewSpoolCollector(spooling{stats: []spool.Stats{{Queue: "support"}}}),
		ops.NewHostsCollector([]string{"line/acme"}, func() []ops.HostTrouble { return nil }),
	} {
		a.metrics.Register(c)
	}
}
