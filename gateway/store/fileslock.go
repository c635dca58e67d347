package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockFile is what those who replace a file, and those who remove one, lock: the
// gateways and the commands that use a folder. It is beside what is stored, where no
// name can be.
const lockFile = ".lock"

// makeLock makes the file, which stays.
func (f *Files) makeLock() error {
	lock, err := f.openLock()
	if err != nil {
		return err
	}
	return lock.Close()
}

func (f *Files) openLock() (*os.File, error) {
	return f.root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, fileMode)
}

// lockTime is how long a call waits for the lock. Whoever is stopped while they hold it
// must not take all who wait for the disk with them.
const lockTime = 5 * time.Second

// locked does something while nobody else, here or in another process, holds the
// lock otherwise: syscall.LOCK_SH suffers others that do so too, syscall.LOCK_EX
// nobody. The system gives it back however this process ends.
func (f *Files) locked(how int, do func() error) error {
	lock, err := f.openLock()
	if err != nil {
		return err
	}
	defer lock.Close()
	end := time.Now().Add(f.lockTime)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err = syscall.Flock(int(lock.Fd()), how|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EINTR) && !errors.Is(err, syscall.EWOULDBLOCK) {
			return errors.Join(errNoLock, err)
		}
		if time.Now().After(end) {
			return fmt.Errorf("somebody has locked the folder for %v; has a rewrap been stopped?", f.lockTime)
		}
		time.Sleep(pause)
	}
	// By name and not by closing the file alone: a child may hold a copy of it.
	defer func() { _ = syscall.Flock(int(lock.Fd()), syscall.LOCK_UN) }()
	return do()
}

// errNoLock says that the file system has no locks.
var errNoLock = errors.New("the folder cannot be locked")

// removing does what removes files while nobody replaces any. Where there are no
// locks, nobody does.
func (f *Files) removing(do func() error) error {
	err := f.locked(syscall.LOCK_SH, do)
	if errors.Is(err, errNoLock) {
		return do()
	}
	return err
}
