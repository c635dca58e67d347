package darkroom

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
)

// held returns the most memory that this process has held, in bytes.
func held(t *testing.T) int64 {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return int64(usage.Maxrss) * maxrssUnit() //nolint:unconvert // 32 bits on some systems
}

// hold makes this process have held that much memory, and lets go of it.
func hold(size int64) {
	touch(make([]byte, size))
	debug.FreeOSMemory()
}

func touch(block []byte) {
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	runtime.KeepAlive(block)
}

// What a child has held is told, and not what this process had held when it
// started the child.
func TestPeakMemoryIsTheChildrens(t *testing.T) {
	if highWater(os.Getpid()) == 0 {
		t.Skip("SKIPPED: this system has no /proc to look at a living process")
	}
	const ours, theirs = 256 << 20, 64 << 20
	hold(ours)
	d, _ := room(t, "play", Options{})
	mustDevelop(t, d)
	small := d.PeakMemory()
	if _, err := d.Develop(t.Context(), []byte("need 64 MB, do fill"), settings()); err != nil {
		t.Fatal(err)
	}
	large := d.PeakMemory()
	if small < 4<<20 || small >= theirs || large <= theirs || large >= ours {
		t.Errorf("got %d bytes and then %d, want what a child takes for a small photo, and then more than %d, less than %d", small, large, theirs, ours)
	}
}

func TestPeakMemoryOfTheDead(t *testing.T) {
	const dd = "/bin/dd"
	if _, err := os.Stat(dd); err != nil {
		t.Skip("SKIPPED:", err)
	}
	more := held(t) + 64<<20
	end := func(block int64) *os.ProcessState {
		cmd := exec.CommandContext(t.Context(), dd, "if=/dev/zero", "of=/dev/null", "count=1", fmt.Sprint("bs=", block))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return cmd.ProcessState
	}
	var p peak
	p.ended(end(512))
	if got := p.bytes.Load(); got != 0 {
		t.Errorf("a small process: got %d bytes, which are ours", got)
	}
	p.ended(end(more))
	if got := p.bytes.Load(); got < more || got > more+64<<20 {
		t.Errorf("a large process: got %d bytes, want a little more than %d", got, more)
	}
	p.raise(1)
	if got := p.bytes.Load(); got < more {
		t.Errorf("a smaller one made it %d", got)
	}
}

func TestHighWaterOfNobody(t *testing.T) {
	if got := highWater(1 << 30); got != 0 {
		t.Errorf("got %d bytes of a process that is not there", got)
	}
}
