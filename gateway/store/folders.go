package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// makeDurable makes dir, and brings to the disk what had to be made for it: what
// is stored in a folder without an entry of its own is lost with it.
func makeDurable(dir string) error {
	path, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	var made []string
	for ; ; path = filepath.Dir(path) {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the operator names the folder
			break
		}
		made = append(made, path)
	}
	if err := os.MkdirAll(dir, folderMode); err != nil { //nolint:gosec // as above
		return err
	}
	for _, folder := range made {
		if err := syncFolder(os.Open(filepath.Dir(folder))); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return nil
}

// makeFolders makes all folders of a path, from the top: first all, so that none
// is empty for long, then it brings them to the disk.
func (f *Files) makeFolders(where string) error {
	var names []string
	var made []bool
	for i := range len(where) + 1 {
		if i < len(where) && where[i] != '/' {
			continue
		}
		missing, err := f.makeFolder(where[:i])
		if err != nil {
			return err
		}
		names, made = append(names, where[:i]), append(made, missing)
	}
	for i, name := range names {
		if err := f.syncEntry(name, made[i]); err != nil {
			return err
		}
	}
	return f.plain(where)
}

// makeFolder makes one folder, and tells whether it was missing.
func (f *Files) makeFolder(name string) (bool, error) {
	err := f.root.Mkdir(name, folderMode)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// syncEntry makes sure that a folder survives a power cut, which takes a sync
// of the folder above. That is always done, as another Put may have made the
// folder just now; only queues, which are few and stay, are remembered.
func (f *Files) syncEntry(name string, made bool) error {
	few := !strings.Contains(name, "/")
	f.mu.Lock()
	known := few && !made && f.synced[name]
	f.mu.Unlock()
	if known {
		return nil
	}
	if err := f.sync(path.Dir(name)); err != nil {
		return err
	}
	if few {
		f.mu.Lock()
		f.synced[name] = true
		f.mu.Unlock()
	}
	return nil
}

// sync brings a folder's entries to the disk.
func (f *Files) sync(name string) error { return syncFolder(f.root.Open(name)) }

func syncFolder(folder *os.File, err error) error {
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// plain makes sure that a path consists of folders. A link inside the root would
// lead from one queue's pictures to another's, and os.Root follows it.
func (f *Files) plain(where string) error {
	for i := range len(where) + 1 {
		if i < len(where) && where[i] != '/' {
			continue
		}
		info, err := f.root.Lstat(where[:i])
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return errors.New("a folder of the store is none")
		}
	}
	return nil
}

// List visits all attempts, as Upkeep says, and removes folders that have been
// empty for a while.
func (f *Files) List(ctx context.Context, visit func(queue, attempt string, age time.Duration) error) error {
	return f.each(ctx, ".", func(queue string, _ fs.FileInfo) error {
		if !queueName.MatchString(queue) {
			return nil
		}
		return f.each(ctx, queue, func(prefix string, info fs.FileInfo) error {
			where := path.Join(queue, prefix)
			err := f.each(ctx, where, func(attempt string, info fs.FileInfo) error {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if attemptName.MatchString(attempt) && attempt[:2] == prefix && info.IsDir() {
					newest, err := f.newest(ctx, path.Join(where, attempt), info)
					if err != nil {
						return err
					}
					return visit(queue, attempt, max(0, time.Since(newest)))
				}
				return nil
			})
			if err == nil && prefixName.MatchString(prefix) && time.Since(info.ModTime()) > abandoned {
				return f.within(ctx, "list", func() error {
					_ = f.root.Remove(where) // which does nothing where there is something in it
					return nil
				})
			}
			return err
		})
	})
}

// newest is when the newest picture of an attempt was put. The folder's own date
// tells only where there is none: it is of today when a key is wrapped anew.
func (f *Files) newest(ctx context.Context, attempt string, folder fs.FileInfo) (newest time.Time, err error) {
	err = f.each(ctx, attempt, func(name string, info fs.FileInfo) error {
		if !isKey(name) && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		return nil
	})
	if newest.IsZero() {
		newest = folder.ModTime()
	}
	return newest, err
}

// eachAtOnce is how many entries of a folder are read with one step, because
// there may be a million.
const eachAtOnce = 100

// each calls visit for the entries of a folder. What is no folder, or gone, has
// none. Visit is not within the time of a step.
func (f *Files) each(ctx context.Context, name string, visit func(name string, info fs.FileInfo) error) error {
	folder, err := result(ctx, f, "list", func() (*os.File, error) {
		if info, err := f.root.Lstat(name); err != nil || !info.IsDir() {
			return nil, err
		}
		return f.root.Open(name)
	})
	if err != nil || folder == nil {
		return ignoreMissing(err)
	}
	defer func() { _ = folder.Close() }()
	for last := false; !last; {
		some, err := result(ctx, f, "list", func() (entries, error) { return f.entries(folder, name) })
		if err != nil {
			return err
		}
		for _, info := range some.infos {
			if err := ignoreMissing(visit(info.Name(), info)); err != nil {
				return err
			}
		}
		last = some.last
	}
	return nil
}

// entries are some of a folder's.
type entries struct {
	infos []fs.FileInfo
	last  bool
}

func (f *Files) entries(folder *os.File, name string) (some entries, err error) {
	names, err := folder.Readdirnames(eachAtOnce)
	if errors.Is(err, io.EOF) {
		some.last, err = true, nil
	}
	for _, child := range names {
		info, gone := f.root.Lstat(path.Join(name, child))
		if gone == nil {
			some.infos = append(some.infos, info)
		}
		if err == nil {
			err = ignoreMissing(gone)
		}
	}
	return some, err
}

// ignoreMissing turns the error of a missing file into none.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
