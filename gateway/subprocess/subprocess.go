// Package subprocess starts processes that are this one's alone.
//
// It promises that a child has a process group of its own, so that a terminal's
// Ctrl-C does not reach it and this process can still use it while it stops, and
// that on Linux the kernel kills it when this process is gone, however that came.
// Elsewhere nothing ties the two lives together, and whoever starts a child that
// outlives a kill must find it by other means.
package subprocess

import "syscall"

// Attributes are for exec.Cmd.SysProcAttr.
func Attributes() *syscall.SysProcAttr { return attributes() }
