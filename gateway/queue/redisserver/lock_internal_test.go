package redisserver

import (
	"syscall"
	"testing"
)

// A child that is being started has copies of our files until its exec, and
// with them a copy of the lock.
func TestTheLockEndsAlsoForCopiesOfItsFile(t *testing.T) {
	dir := t.TempDir()
	lock, err := lockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	duplicate, err := syscall.Dup(int(lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(duplicate) }()
	unlockFolder(lock)
	again, err := lockFolder(dir)
	if err != nil {
		t.Fatalf("the folder is not free: %v", err)
	}
	unlockFolder(again)
}
