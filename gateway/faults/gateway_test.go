package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/subprocess"
)

// gateway is the program as a process.
type gateway struct {
	w      *world
	name   string
	file   string // its configuration
	cmd    *exec.Cmd
	log    *gatewaytest.Log
	ended  chan struct{} // closed when the process is gone
	public atomic.Value  // string: where it listens, once it has said so
	admin  atomic.Value  // string
	hurt   atomic.Bool   // killed by a test, and not at a point
}

var readyLine = regexp.MustCompile(`msg=ready public=(\S+) admin=(\S+)`)

// start starts a gateway and waits until it is ready. The environment may hold
// faults: "LIGHTLOCK_FAILPOINTS=...".
func (w *world) start(environment ...string) *gateway {
	w.t.Helper()
	g := w.launch(environment...)
	w.await(g.name+" is ready", func() bool { return g.ready() || g.dead() })
	if g.listens() == "" {
		w.t.Fatalf("%s ended before it was ready:\n%s", g.name, g.log.String())
	}
	return g
}

// launch starts a gateway and does not wait.
func (w *world) launch(environment ...string) *gateway {
	w.t.Helper()
	binary, err := program()
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	g := &gateway{w: w, name: fmt.Sprintf("gateway%d", len(w.gateways)+1), log: &gatewaytest.Log{}, ended: make(chan struct{})}
	w.gateways = append(w.gateways, g)
	g.file = w.configure(g.name, w.spoolOf(g))
	w.mu.Unlock()
	if w.program != "" {
		binary = w.program
	}
	g.cmd = exec.Command(binary, "serve", "--config", g.file)
	g.cmd.Env = w.environment(g.name, environment)
	g.cmd.Stderr = io.MultiWriter(g.log, w.log)
	g.cmd.WaitDelay = 5 * time.Second // a darkroom child may hold the pipe for a moment
	if err := subprocess.Start(g.cmd, func() {
		_ = g.cmd.Wait() // how it ended is read from ProcessState
		close(g.ended)
	}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { g.kill() })
	return g
}

// environment is that of the program, with a test's own.
func (w *world) environment(name string, own []string) []string {
	return slices.Concat([]string{"PATH=" + os.Getenv("PATH"), "LIGHTLOCK_FAILPOINTS_HITS=" + w.hitsFile(name)}, w.secrets, own)
}

// hitsFile is where a process notes the points that it hits.
func (w *world) hitsFile(name string) string {
	return filepath.Join(scratch, "hits "+filepath.Base(w.dir)+" "+name)
}

// hits is how often this world's processes have hit a point.
func (w *world) hits(point failpoint.Point) int {
	files, _ := filepath.Glob(w.hitsFile("*")) // the pattern is good
	return hits(files...)[point]
}

// retry gives all dead letters another try, as an operator beside a gateway does,
// and returns its exit code, which is -1 if it was killed.
func (w *world) retry(beside *gateway, environment ...string) int {
	w.t.Helper()
	return w.dead([]string{"retry", "--all", "--config", beside.file}, environment...)
}

// dead runs the command of that name.
func (w *world) dead(arguments []string, environment ...string) int {
	w.t.Helper()
	binary, err := program()
	if err != nil {
		w.t.Fatal(err)
	}
	retry := exec.Command(binary, append([]string{"dead"}, arguments...)...)
	retry.Env = w.environment("operator", environment)
	out, err := retry.CombinedOutput()
	_, _ = w.log.Write(out)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return retry.ProcessState.ExitCode()
}

// spoolOf gives a gateway the folder of its spool.
func (w *world) spoolOf(g *gateway) string {
	n := slices.IndexFunc(w.spools, (*gateway).dead)
	if n < 0 {
		n, w.spools = len(w.spools), append(w.spools, nil)
	}
	w.spools[n] = g
	return w.spoolFolder(n)
}

// ready tells whether the gateway has said where it listens.
func (g *gateway) ready() bool {
	found := readyLine.FindStringSubmatch(g.log.String())
	if found != nil {
		g.admin.Store(found[2])
		g.public.Store(found[1])
	}
	return found != nil
}

// listens returns where the gateway listens, or nothing before it has said so.
func (g *gateway) listens() string {
	address, _ := g.public.Load().(string)
	return address
}

func (g *gateway) dead() bool {
	select {
	case <-g.ended:
		return true
	default:
		return false
	}
}

// signal sends a signal to a process that may be gone.
func (g *gateway) signal(s syscall.Signal) {
	g.w.t.Helper()
	if err := g.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		g.w.t.Fatalf("%v %s: %v", s, g.name, err)
	}
}

// kill ends the gateway as a power cut does.
func (g *gateway) kill() {
	g.w.t.Helper()
	g.signal(syscall.SIGKILL)
	<-g.ended
}

// awaitDeath waits until the gateway is gone, and wants it killed.
func (g *gateway) awaitDeath() {
	g.w.t.Helper()
	g.w.await(g.name+" is dead", g.dead)
	if status := g.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		g.w.t.Fatalf("%s: %v, want it killed", g.name, g.cmd.ProcessState)
	}
}

// terminate ends the gateway as an orchestrator does, and returns its exit code.
func (g *gateway) terminate() int {
	g.w.t.Helper()
	g.signal(syscall.SIGTERM)
	g.w.await(g.name+" has stopped", g.dead)
	return g.cmd.ProcessState.ExitCode()
}

// stopped tells whether the process is stopped, by its state in /proc.
func (g *gateway) stopped() bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(g.cmd.Process.Pid), "stat"))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && strings.HasPrefix(state, "T")
}

// awaitStopped waits until the process has stopped itself.
func (g *gateway) awaitStopped() {
	g.w.t.Helper()
	g.w.await(g.name+" stands still", g.stopped)
}

// children are the processes that this one has started: its darkroom.
func (g *gateway) children() []int {
	var pids []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", g.cmd.Process.Pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for word := range strings.FieldsSeq(string(text)) {
			pid, _ := strconv.Atoi(word)
			pids = append(pids, pid)
		}
	}
	return pids
}

// platformTime is how long a platform waits for an answer. LINE waits for two
// seconds.
const platformTime = 2 * time.Second

// post makes a platform's call and returns how it was answered: 0 where it was
// not. What is answered 2xx is noted.
func (g *gateway) post(c call) int {
	ctx, cancel := context.WithTimeout(context.Background(), platformTime)
	defer cancel()
	status := g.send(ctx, c.Request)
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	if status/100 != 2 {
		g.w.refused++
		return status
	}
	for _, key := range c.keys {
		if g.w.acked[key].IsZero() {
			g.w.acked[key] = time.Now()
		}
	}
	return status
}

// platforms keep no connections in tests: one to a gateway that was killed would
// be repeated behind our back.
var platformClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func (g *gateway) send(ctx context.Context, r *connectors.Request) int {
	request, err := http.NewRequestWithContext(ctx, r.Method, "http://"+g.listens()+strings.TrimPrefix(r.URL, publicURL), bytes.NewReader(r.Body))
	if err != nil {
		return 0
	}
	request.Header = r.Header.Clone()
	request.GetBody = nil // nobody repeats a call but we
	response, err := platformClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0
	}
	return response.StatusCode
}

// accepts posts calls and wants each answered 200.
func (g *gateway) accepts(calls ...call) {
	g.w.t.Helper()
	for _, c := range calls {
		if status := g.post(c); status != http.StatusOK {
			g.w.t.Fatalf("%s: a call of %s is answered %d, want 200", g.name, c.channel, status)
		}
	}
}

// deliver posts a call as a platform does that repeats it until it is answered
// 200, each time by any gateway.
func (w *world) deliver(c call) {
	w.t.Helper()
	accepted := holds(func() bool {
		w.mu.Lock()
		var up []*gateway
		for _, g := range w.gateways {
			if g.listens() != "" && !g.dead() {
				up = append(up, g)
			}
		}
		w.mu.Unlock()
		return len(up) > 0 && up[rand.IntN(len(up))].post(c) == http.StatusOK
	})
	if !accepted {
		w.t.Errorf("no gateway accepts a call of %s", c.channel)
	}
}

// get asks the gateway for a page: of its public side, or of the operators' where
// the path is one of theirs.
func (g *gateway) get(path string) (int, string) {
	address := g.listens()
	if path == "/metrics" || path == "/readyz" || path == "/healthz" {
		address, _ = g.admin.Load().(string)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return 0, ""
	}
	request.Header.Set("Authorization", "Bearer "+serviceToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(body)
}

// metric sums the values of a metric over the series whose labels hold a text.
func (g *gateway) metric(name, labels string) float64 {
	g.w.t.Helper()
	_, text := g.get("/metrics")
	var sum float64
	for line := range strings.Lines(text) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if found, rest, _ := strings.Cut(series, "{"); found == name && strings.Contains(rest, labels) {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				g.w.t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// fault is the environment of a gateway that meets these.
func fault(plans ...string) string { return "LIGHTLOCK_FAILPOINTS=" + strings.Join(plans, ",") }

// resume ends a stop.
func (g *gateway) resume() {
	g.w.t.Helper()
	g.signal(syscall.SIGCONT)
}

// said tells whether the log has a text.
func (g *gateway) said(text string) bool { return strings.Contains(g.log.String(), text) }
