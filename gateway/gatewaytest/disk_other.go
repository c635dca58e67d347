//go:build !linux

package gatewaytest

import "testing"

// SmallDisk would mount a small file system, as it does on Linux.
func SmallDisk(t testing.TB, megabytes int) string {
	t.Helper()
	SmallDiskOn(t, "", megabytes)
	return ""
}

// SmallDiskOn is SmallDisk on a folder of the test's.
func SmallDiskOn(t testing.TB, _ string, _ int) {
	t.Helper()
	Missing(t, "only on Linux do we know how to mount a small file system")
}

// ReadOnly is for a small disk, which there is none of here.
func ReadOnly(testing.TB, string, bool) {}
