//go:build !linux

package darkroom

import (
	"runtime"
	"syscall"
)

// lockIn limits Go's own use of memory: more is not known of this system.
func lockIn(l limits) string {
	limitRuntime(l)
	return "none: only Linux is known, not " + runtime.GOOS
}

// attributes has nothing to ask of this system.
func attributes() *syscall.SysProcAttr { return nil }
