//go:build unix && !linux

package redisserver

import "syscall"

// attributes keep the terminal's Ctrl-C from the server. Only Linux can tie a
// child's life to its parent's; elsewhere the next start asks the leftover to
// end.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
