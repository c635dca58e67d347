//go:build failpoints && linux

package failpoint_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/failpoint"
)

// child is set where this program is the process of which a test wants to see
// the end. It hits two points three times, and says how far it got.
const child = "FAILPOINT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	for range 3 {
		failpoint.Hit(failpoint.MidFetch)
		os.Stdout.WriteString("fetched ")
		failpoint.Hit(failpoint.MidDevelop)
	}
	if ahead := time.Until(failpoint.Now()).Round(time.Minute); ahead != 0 {
		os.Stdout.WriteString(ahead.String())
	}
	os.Exit(0)
}

// start starts the child, and returns what it has said so far and the points
// that it has hit.
func start(t *testing.T, environment ...string) (*exec.Cmd, func() (said, hits string)) {
	t.Helper()
	said := &strings.Builder{}
	hits := filepath.Join(t.TempDir(), "hits")
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(append(os.Environ(), child+"=1", "LIGHTLOCK_FAILPOINTS_HITS="+hits), environment...)
	c.Stdout, c.Stderr = said, said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, func() (string, string) {
		text, _ := os.ReadFile(hits)
		return said.String(), strings.ReplaceAll(string(text), "\n", " ")
	}
}

const full = "mid-fetch mid-develop mid-fetch mid-develop mid-fetch mid-develop "

func TestNoPlan(t *testing.T) {
	c, seen := start(t, "LIGHTLOCK_FAILPOINTS_CLOCK=-10m")
	err := c.Wait()
	if said, hits := seen(); err != nil || said != "fetched fetched fetched -10m0s" || hits != full {
		t.Errorf("got %v, said %q, hits %q", err, said, hits)
	}
}

func TestKill(t *testing.T) {
	c, seen := start(t, "LIGHTLOCK_FAILPOINTS=mid-fetch=kill@2")
	err := c.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("got %v, want a death by SIGKILL", err)
	}
	if said, hits := seen(); said != "fetched " || hits != "mid-fetch mid-develop mid-fetch " {
		t.Errorf("said %q, hits %q; want it to end at the second hit", said, hits)
	}
}

func TestStop(t *testing.T) {
	c, seen := start(t, "LIGHTLOCK_FAILPOINTS=mid-fetch=sleep:1ms@1,mid-develop=stop@2")
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(c.Process.Pid, &status, syscall.WUNTRACED, nil)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if !status.Stopped() {
		t.Fatalf("got status %v, want it stopped", status)
	}
	if _, hits := seen(); hits != "mid-fetch mid-develop mid-fetch mid-develop " {
		t.Errorf("hits %q, want it to stop at the second of mid-develop", hits)
	}
	if err := c.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	if _, hits := seen(); err != nil || hits != full {
		t.Errorf("got %v, hits %q; want it to go on to its end", err, hits)
	}
}

func TestWrongPlans(t *testing.T) {
	for _, plan := range []string{"mid-fetch", "mid-fetch=kill", "nowhere=kill@1", "mid-fetch=kill@0", "mid-fetch=bite@1", "mid-fetch=sleep:x@1"} {
		c, seen := start(t, "LIGHTLOCK_FAILPOINTS="+plan)
		err := c.Wait()
		if said, _ := seen(); err == nil || !strings.Contains(said, "panic") {
			t.Errorf("%s: got %v, said %q; want a panic", plan, err, said)
		}
	}
}
