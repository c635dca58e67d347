package redisserver

import "syscall"

// attributes let the server die with its parent, and keep the terminal's Ctrl-C
// from it: the gateway must still be able to write while it stops.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
