package darkroom

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
)

// peak is the most memory that one child has held at once.
//
// The kernel tells it in two places, and neither alone will do. A process's own
// status is gone with the process, so it is read when an answer begins to
// arrive: the work is done then, and the child waits to be ended. What is left of
// one that has ended otherwise is its resource usage. On Linux that begins with
// the most that its parent had ever held, because the two share their memory
// until execve(2) (exec_mmap in the kernel's fs/exec.c); so it says something
// only where it is above ours.
type peak struct{ bytes atomic.Int64 }

// PeakMemory returns the most memory that one child has held while it developed
// a photo, in resident bytes as the kernel counts them, or zero where nothing is
// known. A child that was lost counts only where it held more than this process
// ever has.
func (d *Darkroom) PeakMemory() int64 { return d.peak.bytes.Load() }

// raise keeps the larger of both.
func (p *peak) raise(to int64) {
	for {
		before := p.bytes.Load()
		if to <= before || p.bytes.CompareAndSwap(before, to) {
			return
		}
	}
}

// watch returns r, at whose first byte the process is looked at.
func (p *peak) watch(r io.Reader, pid int) io.Reader { return &watched{Reader: r, peak: p, pid: pid} }

type watched struct {
	io.Reader
	peak *peak
	pid  int
	seen bool
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 && !w.seen {
		w.seen = true
		w.peak.raise(highWater(w.pid))
	}
	return n, err
}

// highWater returns the most resident bytes that a living process has held
// (VmHWM in proc_pid_status(5)), or zero where that cannot be told.
func highWater(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, behind, _ := bytes.Cut(status, []byte("\nVmHWM:"))
	kilobytes, _, _ := bytes.Cut(behind, []byte(" kB"))
	n, err := strconv.ParseInt(string(bytes.TrimSpace(kilobytes)), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// ended notes what is left of a process that has ended.
func (p *peak) ended(state *os.ProcessState) {
	var ours syscall.Rusage
	theirs, ok := state.SysUsage().(*syscall.Rusage)
	if ok && syscall.Getrusage(syscall.RUSAGE_SELF, &ours) == nil && theirs.Maxrss > ours.Maxrss {
		p.raise(int64(theirs.Maxrss) * maxrssUnit()) //nolint:unconvert // 32 bits on some systems
	}
}

// maxrssUnit is what the system counts Maxrss in, in bytes.
func maxrssUnit() int64 {
	if runtime.GOOS == "darwin" {
		return 1
	}
	return 1 << 10
}
