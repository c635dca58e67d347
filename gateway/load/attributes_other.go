//go:build unix && !linux

package load

import "syscall"

// attributes keep the terminal's Ctrl-C from a gateway: what was sent is judged
// before it is stopped.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
