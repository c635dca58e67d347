package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ignoreVisits is a visitor of List who does nothing.
func ignoreVisits(string, string, time.Duration) error { return nil }

// TestEmptyFolders has what deleting leaves, and what a killed Put leaves.
func TestEmptyFolders(t *testing.T) {
	f, dir := open(t)
	other := key()
	other.Attempt = attemptB
	put(t, f, key(), "picture")
	put(t, f, other, "picture")
	if err := f.DeleteAttempt(t.Context(), key().Queue, attemptA); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, filepath.Dir(folder(key().Queue, attemptA)))
	kept := filepath.Join(dir, filepath.Dir(folder(key().Queue, attemptB)))
	foreign := filepath.Join(dir, key().Queue, "lost+found")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	there := func(folder string) bool { _, err := os.Stat(folder); return err == nil }
	if err := f.List(t.Context(), ignoreVisits); err != nil || !there(empty) {
		t.Errorf("List: %v; a folder that was used just now is there: %t, want true", err, there(empty))
	}
	old := time.Now().Add(-2 * abandoned)
	for _, folder := range []string{empty, kept, foreign} {
		if err := os.Chtimes(folder, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.List(t.Context(), ignoreVisits); err != nil || there(empty) || !there(kept) || !there(foreign) {
		t.Errorf("List: %v; there: the empty folder %t, one with an attempt %t, a stranger's %t, want the first gone", err, there(empty), there(kept), there(foreign))
	}
	wantPicture(t, f, other, "picture")
	put(t, f, key(), "picture") // although the folder was known
	wantPicture(t, f, key(), "picture")
}

// TestFoldersThatGo has folders removed all the while that pictures are put into
// them.
func TestFoldersThatGo(t *testing.T) {
	f, dir := open(t)
	ctx, stop := context.WithCancel(t.Context())
	var remover sync.WaitGroup
	remover.Go(func() {
		for ctx.Err() == nil {
			_ = os.Remove(filepath.Join(dir, filepath.Dir(folder(key().Queue, attemptA))))
			time.Sleep(time.Millisecond) // a hundred times as often as anybody would
		}
	})
	for i := range 40 {
		k := key()
		k.Attempt = attemptA[:2] + fmt.Sprintf("%030x", i)
		if err := f.Put(t.Context(), k, []byte("picture")); err != nil {
			t.Errorf("Put: %v", err)
		}
		wantPicture(t, f, k, "picture")
		if t.Failed() {
			break
		}
		if err := f.DeleteAttempt(t.Context(), k.Queue, k.Attempt); err != nil {
			t.Errorf("DeleteAttempt: %v", err)
		}
	}
	stop()
	remover.Wait()
	wantNoRests(t, dir)
}

// TestDiskThatHangs has steps that never end, of which there can only be so many.
func TestDiskThatHangs(t *testing.T) {
	f, _ := open(t)
	put(t, f, key(), "picture")
	picture, err := f.Get(t.Context(), key())
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	f.patience = 20 * time.Millisecond
	release := make(chan struct{})
	defer close(release)
	for len(f.busy) < atOnce {
		err := f.within(t.Context(), "put", func() error { <-release; return nil })
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the disk has not answered in") {
			t.Fatalf("got %v, want that the disk has not answered", err)
		}
		f.patience = time.Millisecond // the others need not wait as long
	}
	f.patience = 20 * time.Millisecond
	_, got := f.Get(t.Context(), key())
	_, read := picture.Read(make([]byte, 1))
	for call, err := range map[string]error{
		"get": got, "read": read,
		"list":  f.List(t.Context(), func(string, string, time.Duration) error { return nil }),
		"check": f.within(t.Context(), "check", func() error { t.Error("a step began although the disk hangs"); return nil }),
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want that the disk has not answered", call, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.patience = time.Hour
	if err := f.within(ctx, "put", func() error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own end", err)
	}
}

// Somebody who is stopped while they hold the lock keeps deletes waiting, and nothing
// else: these give up, and make room for others.
func TestAStoppedLockHolder(t *testing.T) {
	f, dir := open(t)
	put(t, f, key(), "picture")
	f.patience, f.lockTime = 20*time.Millisecond, 50*time.Millisecond
	stopped, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(stopped.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	var deletes sync.WaitGroup
	for range atOnce {
		deletes.Go(func() {
			if err := f.DeleteAttempt(t.Context(), key().Queue, attemptA); err == nil {
				t.Error("deleted in spite of the lock")
			}
		})
	}
	deletes.Wait()
	f.idle()
	f.patience = time.Minute
	wantPicture(t, f, key(), "picture")
	if err := f.DeleteAttempt(t.Context(), key().Queue, attemptA); err == nil || !strings.Contains(err.Error(), "rewrap") {
		t.Errorf("got %v, want that somebody has locked the folder", err)
	}
	_ = stopped.Close()
	if err := f.DeleteAttempt(t.Context(), key().Queue, attemptA); err != nil {
		t.Error(err)
	}
}
