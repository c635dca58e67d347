//go:build !failpoints

package failpoint_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/failpoint"
)

func TestNothingHappensWithoutTheTag(t *testing.T) {
	hits := filepath.Join(t.TempDir(), "hits")
	t.Setenv("LIGHTLOCK_FAILPOINTS", "before-accept=kill@1")
	t.Setenv("LIGHTLOCK_FAILPOINTS_HITS", hits)
	t.Setenv("LIGHTLOCK_FAILPOINTS_CLOCK", "10m")
	failpoint.Hit(failpoint.BeforeAccept)
	if _, err := os.Stat(hits); err == nil {
		t.Error("a hit was written down")
	}
	if ahead := time.Until(failpoint.Now()); ahead > time.Second {
		t.Errorf("the clock is %v ahead", ahead)
	}
}

// TestWithTheTag runs this package's tests in the other build.
func TestWithTheTag(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: points do nothing on this system")
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-tags", "failpoints", "-count=1", "-v", ".").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestKill")) {
		t.Errorf("with the tag failpoints: %v\n%s", err, out)
	}
}
