//go:build !linux

package darkroom

import (
	"runtime"
)

// lockIn does nothing: what this system offers is not known here.
func lockIn(limits) string { return "none: only Linux is known, not " + runtime.GOOS }

// limitSpace has nothing to ask of this system.
func (limits) limitSpace(int64) {}

// addressSpace is not looked at.
func addressSpace() int64 { return 0 }
