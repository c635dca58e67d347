//go:build !linux

package s3test

import "syscall"

// attributes are none where a child's life cannot be tied to its parent's.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
