package load

import "syscall"

// attributes let a gateway die with this process, and keep the terminal's Ctrl-C
// from it: what was sent is judged before it is stopped.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
