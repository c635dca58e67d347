package mediabench

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cost is what a process and its children took.
type cost struct {
	cpu  time.Duration // user and system
	peak int64         // resident bytes
}

// both is the cost of two processes, one after the other.
func (c cost) both(d cost) cost {
	return cost{c.cpu + d.cpu, max(c.peak, d.peak)}
}

// ours develops files with this binary as a child.
func ours(t *testing.T, folder string, files ...string) cost {
	t.Helper()
	return measure(t, oursCommand(t, folder, files...))
}

// oursCommand has an empty environment, like that of the gateway's children.
func oursCommand(t *testing.T, folder string, files ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, append([]string{childArg, folder}, files...)...)
	cmd.Env = []string{}
	return cmd
}

// measure runs a command. Linux begins a child's peak with what its parent has held by
// then, because the two share their memory until execve(2); so this process stays
// small: it never holds a photo. A child of ours that is smaller says its peak itself.
func measure(t *testing.T, cmd *exec.Cmd) cost {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", cmd.Args, err, out)
	}
	state := cmd.ProcessState
	theirs, ok := state.SysUsage().(*syscall.Rusage)
	var mine syscall.Rusage
	if !ok || syscall.Getrusage(syscall.RUSAGE_SELF, &mine) != nil {
		t.Fatal("this system does not say what a process took")
	}
	if n, ok := strings.CutPrefix(strings.TrimSpace(string(out)), peakWord); ok && n != "0" {
		peak, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return cost{state.UserTime() + state.SystemTime(), peak}
	}
	if theirs.Maxrss <= mine.Maxrss {
		t.Errorf("%s held no more than this process, %d: its peak cannot be told", cmd.Path, mine.Maxrss)
	}
	return cost{state.UserTime() + state.SystemTime(), int64(theirs.Maxrss) * maxrssUnit()} //nolint:unconvert // 32 bits on some systems
}

// maxrssUnit is what the system counts Maxrss in, in bytes.
func maxrssUnit() int64 {
	if runtime.GOOS == "darwin" {
		return 1
	}
	return 1 << 10
}

// do runs a command that is not measured, and returns what it printed.
func do(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return string(out)
}

// need skips the test, and says so where nobody overlooks it, unless all programs are
// there.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("SKIPPED, NOT COMPARED: there is no %s on PATH. Install it: apt-get install libvips-tools libjxl-devtools", p)
		}
	}
}
