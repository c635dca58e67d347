package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

func TestAppendsThatArriveTogetherShareASync(t *testing.T) {
	var syncs atomic.Int64
	begun, finish := make(chan struct{}, 1), make(chan struct{})
	s := open(t, t.TempDir(), away(), func(o *Options) {
		o.sync = func(f *os.File) error {
			if syncs.Add(1) == 1 {
				begun <- struct{}{}
				<-finish
			}
			return f.Sync()
		}
	})
	var all sync.WaitGroup
	all.Go(func() { accept(t, s, "first") })
	<-begun
	const writers = 50
	for i := range writers {
		all.Go(func() { accept(t, s, i) })
	}
	b := s.backlogs[q]
	gatewaytest.Await(t, "all wait for the next write", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.forming != nil && len(b.forming.records) == writers
	})
	close(finish)
	all.Wait()
	if got := syncs.Load(); got != 2 {
		t.Errorf("got %d syncs for the first and %d others together, want 2", got, writers)
	}
	if got := len(s.Pending()); got != writers+1 {
		t.Errorf("%d wait, want %d", got, writers+1)
	}
}

func TestNothingIsAcknowledgedBeforeItIsSynced(t *testing.T) {
	finish := make(chan struct{})
	s := open(t, t.TempDir(), away(), func(o *Options) {
		o.sync = func(f *os.File) error { <-finish; return f.Sync() }
	})
	done := make(chan error, 1)
	go func() { _, err := s.Accept(context.Background(), q, []queue.Item{item("a")}); done <- err }()
	gatewaytest.Await(t, "it is written", func() bool { return len(segments(t, s.options.Folder, q, fullEnding)) == 1 })
	select {
	case err := <-done:
		t.Fatalf("answered %v before the sync has ended", err)
	default:
	}
	close(finish)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A disk that hangs costs a webhook its deadline and no more, and does not fill
// the memory.
func TestADiskThatHangs(t *testing.T) {
	finish := make(chan struct{})
	s := open(t, t.TempDir(), away(), func(o *Options) {
		o.closing = time.Millisecond
		o.sync = func(f *os.File) error { <-finish; return f.Sync() }
	})
	t.Cleanup(func() { close(finish); s.flushes.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Accept(ctx, q, []queue.Item{item("a")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline's error", err)
	}
	large := item("large")
	large.Payload = make([]byte, maxGroup)
	_, _ = s.Accept(ctx, q, []queue.Item{large})
	if _, err := s.Accept(t.Context(), q, []queue.Item{item("b")}); !errors.Is(err, errSlow) {
		t.Errorf("with %d bytes waiting: got %v, want %v", maxGroup, err, errSlow)
	}
	if err := s.Check(ctx); !errors.Is(err, errSlow) {
		t.Errorf("check: got %v, want %v", err, errSlow)
	}
	if err := s.Close(); !errors.Is(err, errSlow) {
		t.Errorf("close: got %v, want %v", err, errSlow)
	}
	if _, err := tryOpen(s.options.Folder, away()); !errors.Is(err, ErrInUse) {
		t.Errorf("open, while it is being written: got %v, want %v", err, ErrInUse)
	}
}

func TestTheBoundHolds(t *testing.T) {
	d := away()
	s := open(t, t.TempDir(), d, fast, func(o *Options) { o.Limit = 300 << 10 })
	took := 0
	var err error
	for ; err == nil; took++ {
		name := q
		if took%2 == 1 {
			name = other
		}
		_, err = s.Accept(t.Context(), name, []queue.Item{item(took)})
		if took > 10_000 {
			t.Fatal("there is no bound")
		}
	}
	if !errors.Is(err, ErrFull) || !errors.Is(err, queue.ErrAway) {
		t.Errorf("got %v, want one that says that the journal is away and the spool full", err)
	}
	var bytes int64
	_ = filepath.WalkDir(s.options.Folder, func(path string, e fs.DirEntry, _ error) error {
		if info, err := e.Info(); err == nil && filepath.Ext(path) == fullEnding {
			bytes += info.Size()
		}
		return nil
	})
	used, limit := s.Bytes()
	if bytes > limit || bytes != used || limit-used > 1<<10 {
		t.Errorf("the files have %d bytes, counted are %d of %d", bytes, used, limit)
	}
	if err := s.Check(t.Context()); !errors.Is(err, ErrFull) {
		t.Errorf("check: got %v, want %v", err, ErrFull)
	}
	d.set(nil)
	drainAll(t, s)
	wantNothingLeft(t, s)
	if got := len(d.got(q)) + len(d.got(other)); got != took-1 {
		t.Errorf("%d were handed in of %d that were acknowledged", got, took-1)
	}
}

// A spool that is full of what waits for a journal that is back does not turn a
// webhook away: the journal has it then.
func TestAFullSpoolIsNoReasonToRefuseWhatTheJournalTakes(t *testing.T) {
	d := away()
	s := open(t, t.TempDir(), d, func(o *Options) { o.Limit = 1 << 10 })
	accept(t, s, "a")
	large := item("large")
	large.Payload = make([]byte, 1<<10)
	if _, err := s.Accept(t.Context(), q, []queue.Item{large}); !errors.Is(err, ErrFull) || !errors.Is(err, queue.ErrAway) {
		t.Errorf("got %v, want one that says that the journal is away and the spool full", err)
	}
	d.set(nil)
	if _, err := s.Accept(t.Context(), q, []queue.Item{large}); err != nil {
		t.Error(err)
	}
	drainAll(t, s)
	want(t, "journal", d.got(q), keys("large", "a"))
}

func TestOnlyOursMayReadIt(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data", "spool")
	s := open(t, folder, away())
	accept(t, s, "a")
	_ = s.Check(t.Context())
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: got mode %o, want %o", path, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, folder, away())
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a folder that others could read: got %v, %v", info.Mode(), err)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			var syncs atomic.Int64
			s := open(b, b.TempDir(), away(), func(o *Options) {
				o.Limit = 4 << 30
				o.sync = func(f *os.File) error { syncs.Add(1); return f.Sync() }
			})
			one := item("a")
			one.Payload = make([]byte, 900)
			accept(b, s, "first")
			b.ResetTimer()
			var all sync.WaitGroup
			var n atomic.Int64
			for range writers {
				all.Go(func() {
					for n.Add(1) <= int64(b.N) {
						if _, err := s.Accept(context.Background(), q, []queue.Item{one}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/float64(syncs.Load()), "records/sync")
		})
	}
}

// Whoever asks while another does, or right after, is told of the disk and not of the
// other.
func TestChecksAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), away())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if err := s.Check(t.Context()); err != nil {
					t.Errorf("got %v, want nil", err)
				}
			}
		})
	}
	all.Wait()
}
