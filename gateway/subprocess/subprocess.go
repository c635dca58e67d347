// Package subprocess starts processes that are this one's alone.
//
// It promises that a child has a process group of its own, so that a terminal's
// Ctrl-C does not reach it and this process can still use it while it stops, and
// that on Linux the kernel kills it when this process is gone, however that came.
// Elsewhere nothing ties the two lives together, and whoever starts a child that
// outlives a kill must find it by other means.
package subprocess

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Start starts a command, and returns when it runs. Live is called then, in the
// background, and must wait for the command's end. It keeps its thread for so
// long: Linux sends the signal of a parent's death when the thread that started
// the child ends, not when the process does.
func Start(cmd *exec.Cmd, live func()) error {
	cmd.SysProcAttr = Attributes()
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			live()
		}
	}()
	return <-started
}

// Attributes are for a command that is started otherwise, from a thread that lives
// as long as this process.
func Attributes() *syscall.SysProcAttr { return attributes() }
