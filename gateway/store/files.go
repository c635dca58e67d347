package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"syscall"
	"time"
)

// unfinished is the folder of files that have no name yet. No queue can be
// called so.
const unfinished = ".unfinished"

// abandoned is how old an unfinished file must be to be nobody's any more. A
// write takes seconds.
const abandoned = time.Hour

// Only the gateway's user may read, and list, what is here.
const (
	folderMode = 0o700
	fileMode   = 0o600
)

// atOnce is how many calls may wait for a disk. With a disk that hangs, the next
// ones fail in time and hold nothing.
const atOnce = 256

// Files is a store in a folder, which may be shared. Nobody but the gateway's
// user can read or list it, a picture survives a power cut once Put has
// returned, and no key leads out of the folder: every access goes through an
// os.Root.
//
// It keeps bytes as they are given; Sealed gives it what nobody can read.
//
// Files are written in DIR/.unfinished, then get their name by a hard link,
// which unlike a rename never replaces another file. One folder for all that is
// unfinished can be cleaned at a start without reading the whole store.
type Files struct {
	root     *os.Root
	patience time.Duration
	lockTime time.Duration // the const of that name, unless a test is in a hurry
	busy     chan struct{} // one for each call that waits for the disk

	// between is for tests: what happens between a look at a file and its change.
	between func()

	mu     sync.Mutex
	synced map[string]bool // folders whose own entry is on the disk
	// writes counts those to a folder that go on; written tells that one is over.
	writes  map[string]int
	written *sync.Cond
}

// errNotBegun says that so many calls wait for the disk that this one never came
// to its turn.
var errNotBegun = errors.New("others wait for the disk")

// Open opens the store in dir, which is made if it is missing, removes what
// writers that are long gone left unfinished, and makes sure that dir can be
// written to.
func Open(dir string) (*Files, error) {
	if err := makeDurable(dir); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	f := &Files{root: root, patience: callTime, lockTime: lockTime, busy: make(chan struct{}, atOnce), synced: map[string]bool{}, writes: map[string]int{}}
	f.written = sync.NewCond(&f.mu)
	if err := f.prepare(); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("store: %s: %w", dir, err)
	}
	return f, nil
}

// Close gives back the folder's descriptor. Pictures that are open stay so.
func (f *Files) Close() error { return f.root.Close() }

func (f *Files) prepare() error {
	if err := f.closeToOthers("."); err != nil {
		return err
	}
	if _, err := f.makeFolder(unfinished); err != nil {
		return err
	}
	if err := f.makeLock(); err != nil {
		return err
	}
	if err := f.closeToOthers(unfinished); err != nil {
		return err
	}
	if err := f.removeAbandoned(); err != nil {
		return err
	}
	return f.Check(context.Background())
}

// closeToOthers takes everybody else's rights to a folder that was there before.
func (f *Files) closeToOthers(name string) error {
	info, err := f.root.Lstat(name)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", name)
	case info.Mode().Perm()&^folderMode == 0:
		return nil
	}
	if err := f.root.Chmod(name, folderMode); err != nil {
		return fmt.Errorf("others may read it, and that could not be changed: %w", err)
	}
	return nil
}

// removeAbandoned removes unfinished files that nobody writes any more.
func (f *Files) removeAbandoned() error {
	return f.each(context.Background(), unfinished, func(name string, info fs.FileInfo) error {
		if time.Since(info.ModTime()) <= abandoned {
			return nil
		}
		return f.root.Remove(path.Join(unfinished, name))
	})
}

// within waits for a step that the disk may hold up, but not for ever: nothing
// ends a call that hangs in the system. What the step does after that, nobody
// hears of.
func (f *Files) within(ctx context.Context, step string, do func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.patience, fmt.Errorf("the disk has not answered in %v: %w", f.patience, context.DeadlineExceeded))
	defer cancel()
	select {
	case f.busy <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("store: %s: %w: %w", step, errNotBegun, context.Cause(ctx))
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-f.busy }()
		done <- do()
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("store: %s: %w", step, err)
	}
	return nil
}

// result is within for a step that has one. What comes too late is nobody's; a
// file is closed when it is collected.
func result[T any](ctx context.Context, f *Files, step string, do func() (T, error)) (T, error) {
	var got T
	err := f.within(ctx, step, func() (err error) {
		got, err = do()
		return err
	})
	if err != nil {
		return *new(T), err // and got may still be written
	}
	return got, nil
}

// put keeps bytes, as blobs says: on the disk when it returns nil.
func (f *Files) put(ctx context.Context, name string, data []byte) error {
	return f.change(ctx, "put", name, data, f.putNew)
}

// swap puts other bytes in the place of those that are there, as blobs says.
func (f *Files) swap(ctx context.Context, name string, was, data []byte) error {
	err := f.change(ctx, "swap", name, data, func(name string, data []byte) error { return f.replace(name, was, data) })
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}

// change is what put and swap have in common.
func (f *Files) change(ctx context.Context, step, name string, data []byte, do func(string, []byte) error) error {
	if err := errors.Join(ctx.Err(), checkSize(data)); err != nil {
		return err
	}
	leave := f.enter(path.Dir(name))
	err := f.within(ctx, step, func() error {
		defer leave()
		return do(name, data)
	})
	if errors.Is(err, errNotBegun) {
		leave()
	}
	return err
}

// enter counts a write to a folder, until what it returns is called. A write goes
// on when its caller has gone, who may delete the folder next.
func (f *Files) enter(where string) (leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes[where]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.writes[where]--; f.writes[where] == 0 {
			delete(f.writes, where)
		}
		f.written.Broadcast()
	}
}

// quiet waits until nobody here writes to a folder.
func (f *Files) quiet(where string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.writes[where] > 0 {
		f.written.Wait()
	}
}

func (f *Files) putNew(name string, data []byte) error {
	temporary, err := f.write(data)
	if err != nil {
		return err
	}
	defer func() { _ = f.root.Remove(temporary) }() // else it is abandoned
	for range 10 {
		// A folder may go between two steps, because it was empty.
		if err = f.name(temporary, name, data); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// name gives a file its name.
func (f *Files) name(temporary, name string, data []byte) error {
	where := path.Dir(name)
	if err := f.makeFolders(where); err != nil {
		return err
	}
	err := f.root.Link(temporary, name)
	if errors.Is(err, fs.ErrExist) {
		err = f.same(name, data)
	}
	if err != nil {
		return err
	}
	// Sync, even if it was there before: whoever put it may not have got so far.
	return f.sync(where)
}

// replace gives a new file the name of another that has these bytes. A rename
// leaves the one or the other, whenever the power fails. It would bring back a file
// that was removed since the look, so nobody removes any between the two.
func (f *Files) replace(name string, was, data []byte) error {
	temporary, err := f.write(data)
	if err != nil {
		return err
	}
	err = f.locked(syscall.LOCK_EX, func() error {
		if err := f.same(name, was); err != nil {
			return err
		}
		if f.between != nil {
			f.between()
		}
		return f.root.Rename(temporary, name)
	})
	if err != nil {
		_ = f.root.Remove(temporary)
		return err
	}
	return f.sync(path.Dir(name))
}

// same tells whether the file that is there has these bytes.
func (f *Files) same(name string, data []byte) error {
	file, err := f.open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return same(file, data)
}

// write writes an unfinished file, syncs it and returns its name. It leaves none
// behind where it fails.
func (f *Files) write(data []byte) (string, error) {
	name := path.Join(unfinished, rand.Text())
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		_ = f.root.Remove(name)
		return "", err
	}
	return name, nil
}

// remove removes a file, as blobs says.
func (f *Files) remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.within(ctx, "remove", func() error {
		err := f.plain(path.Dir(name))
		if err == nil {
			err = f.removing(func() error { return f.root.Remove(name) })
		}
		if err == nil {
			err = f.sync(path.Dir(name))
		}
		f.prune(path.Dir(name))
		return ignoreMissing(err)
	})
}

// DeleteAttempt removes all pictures of an attempt, as Pictures says, and the keys
// first: what a crash leaves nobody can read.
func (f *Files) DeleteAttempt(ctx context.Context, queue, attempt string) error {
	if err := errors.Join(ctx.Err(), checkAttempt(queue, attempt)); err != nil {
		return err
	}
	return f.within(ctx, "delete", func() error { return f.delete(folder(queue, attempt)) })
}

func (f *Files) delete(where string) error {
	f.quiet(where)
	err := f.plain(path.Dir(where))
	if err == nil {
		err = f.removing(func() error { return f.deleteKeys(where) })
	}
	for range 10 {
		// Another process may put something there still.
		if err != nil && !errors.Is(err, syscall.ENOTEMPTY) {
			break
		}
		if err = f.root.RemoveAll(where); err == nil {
			break
		}
	}
	if err == nil {
		err = f.sync(path.Dir(where))
	}
	return ignoreMissing(err)
}

// deleteKeys removes the keys of an attempt from the disk.
func (f *Files) deleteKeys(where string) error {
	if info, err := f.root.Lstat(where); err != nil || !info.IsDir() {
		return err
	}
	folder, err := f.root.Open(where)
	if err != nil {
		return err
	}
	names, err := folder.Readdirnames(-1)
	for _, name := range names {
		if isKey(name) {
			err = errors.Join(err, ignoreMissing(f.root.Remove(path.Join(where, name))))
		}
	}
	return errors.Join(err, folder.Sync(), folder.Close())
}

// Check writes a file as Put does, and deletes it again.
func (f *Files) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.within(ctx, "check", f.check)
}

func (f *Files) check() error {
	name, err := f.write(make([]byte, 4096)) // a block, so that a full disk shows
	if err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	linked := name + ".link"
	err = f.root.Link(name, linked)
	if err == nil {
		err = errors.Join(f.sync(unfinished), f.root.Remove(linked))
	}
	if err = errors.Join(err, f.root.Remove(name)); err != nil {
		return fmt.Errorf("cannot link, sync and delete: %w", err)
	}
	return nil
}
