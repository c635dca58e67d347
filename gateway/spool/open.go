package spool

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// lockFile marks the folder as some process' own. It stays there: removing it
// would let two processes lock two files of the same name.
const lockFile = "lock"

var queueName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// Open locks the folder and finds what an earlier process has left there. It
// unwraps to ErrInUse where another process has it. A disk that is full is no
// error: there may be room when it is needed.
func Open(o Options) (*Spool, error) {
	s := &Spool{
		options: o.withDefaults(), room: room{limit: o.Limit}, backlogs: map[string]*backlog{},
		segmentBytes: max(minSegment, min(maxSegment, o.Limit/64)), tell: rate.Sometimes{First: 1, Interval: complainEvery},
		checking: make(chan struct{}, 1),
	}
	if o.Limit == 0 {
		return s, nil
	}
	if err := makeFolder(o.Folder); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	var err error
	if s.lock, err = lockFolder(o.Folder); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("spool: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

// Close ends what is being written, and gives the folder back. Accept and Run
// must have ended. A disk that hangs is not waited for long: then the folder stays
// this process' until it ends, because nobody else may write there before.
func (s *Spool) Close() error {
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.flushes.Wait()
	}()
	select {
	case <-written:
	case <-time.After(s.options.closing):
		return fmt.Errorf("close: %w: something is still being written", errSlow)
	}
	for _, b := range s.backlogs {
		b.mu.Lock()
		for _, g := range b.segments {
			if g.file != nil {
				_ = g.file.Close() // all of it is synced
				g.file = nil
			}
		}
		b.mu.Unlock()
	}
	if s.lock == nil {
		return nil
	}
	// By name and not by closing the file alone: a child may hold a copy of it.
	_ = syscall.Flock(int(s.lock.Fd()), syscall.LOCK_UN)
	return s.lock.Close()
}

// makeFolder makes the folder so that it survives a power cut, and takes
// everybody else's rights to one that was there.
func makeFolder(folder string) error {
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(folder))
	if err := errors.Join(syncFolder(parent), syncFolder(filepath.Dir(parent))); err != nil {
		return err
	}
	info, err := os.Stat(folder)
	if err == nil && info.Mode().Perm()&^folderMode != 0 {
		err = os.Chmod(folder, folderMode)
	}
	return err
}

// lockFolder takes the folder's lock, which the system gives back however this
// process ends.
func lockFolder(folder string) (*os.File, error) {
	path := filepath.Join(folder, lockFile)
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		_ = lock.Truncate(0)
		_, _ = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		return lock, nil
	}
	_ = lock.Close()
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	owner, _ := os.ReadFile(path)
	return nil, fmt.Errorf("%w: %s is locked by process %.20s; stop it, or give this one a spool.folder of its own",
		ErrInUse, path, strings.TrimSpace(string(owner)))
}

// load makes the backlogs of all queues, and of those that have left something.
func (s *Spool) load() error {
	entries, err := os.ReadDir(s.options.Folder)
	if err != nil {
		return err
	}
	names := slices.Clone(s.options.Queues)
	for _, e := range entries {
		if e.IsDir() && queueName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		b := &backlog{
			spool: s, name: name, folder: filepath.Join(s.options.Folder, name), number: 1,
			wake: make(chan struct{}, 1), tell: rate.Sometimes{First: 1, Interval: complainEvery},
		}
		if err := b.load(); err != nil {
			return err
		}
		if n := b.waiting(); n > 0 {
			s.options.Log.Info("webhooks wait in the spool", "queue", name, "records", n, "configured", slices.Contains(s.options.Queues, name))
		}
		s.backlogs[name] = b
	}
	return nil
}

// load reads the segments of a queue. One that is not ours to touch is named in
// the log, and takes its bytes from the limit as long as it is there.
func (b *backlog) load() error {
	found, err := listSegments(b.folder)
	for _, f := range found {
		b.number = max(b.number, f.number+1)
		s, err := load(f.path, b.spool.options.open)
		switch {
		case errors.Is(err, errNothing):
			_ = os.Remove(f.path)
			continue
		case err != nil:
			b.spool.options.Log.Error("a file of the spool is left alone", "file", f.path, "err", err)
			b.putAside(&aside{path: f.path, charged: f.bytes})
		case f.kept:
			b.putAside(&aside{path: f.path, segment: s, charged: f.bytes})
		default:
			b.segments = append(b.segments, s)
			f.bytes = s.charged
		}
		b.spool.room.add(f.bytes)
	}
	return err
}

// file is one of a queue's folder.
type file struct {
	path   string
	number uint64
	kept   bool
	bytes  int64
}

// listSegments lists the segments of a folder, which need not be there, in the
// order of their numbers. Other files are passed over.
func listSegments(folder string) ([]file, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []file
	for _, e := range entries {
		number, kept, ok := numberOf(e.Name())
		info, err := e.Info()
		if ok && err == nil && info.Mode().IsRegular() {
			found = append(found, file{filepath.Join(folder, e.Name()), number, kept, info.Size()})
		}
	}
	slices.SortFunc(found, func(a, b file) int { return cmp.Compare(a.number, b.number) })
	return found, nil
}
