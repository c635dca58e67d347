package gatewaytest

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// SmallDisk returns the folder of a file system of so many MiB, which is there
// until the test ends. Only root can mount one.
func SmallDisk(t testing.TB, megabytes int) string {
	t.Helper()
	folder := t.TempDir()
	SmallDiskOn(t, folder, megabytes)
	return folder
}

// SmallDiskOn is SmallDisk on a folder of the test's, which is made where it is
// missing.
func SmallDiskOn(t testing.TB, folder string, megabytes int) {
	t.Helper()
	if os.Getuid() != 0 {
		Missing(t, "only root can mount the small file system that this test fills")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=700", megabytes)); err != nil {
		Missing(t, fmt.Sprintf("this system does not let us mount a small file system: %v", err))
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}

// ReadOnly makes a small disk one that cannot be written to, or ends that.
func ReadOnly(t testing.TB, folder string, on bool) {
	t.Helper()
	flags := uintptr(syscall.MS_REMOUNT)
	if on {
		flags |= syscall.MS_RDONLY
	}
	if err := syscall.Mount("", folder, "", flags, ""); err != nil {
		Missing(t, fmt.Sprintf("this system does not let us mount it otherwise: %v", err))
	}
}
