package spool

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

const q, other = "support", "sales"

// desk is a journal that can be told how to fail. Like the real one, it has one
// effect of each key.
type desk struct {
	mu      sync.Mutex
	fail    func(items []queue.Item, letters []queue.Letter) error
	keys    map[string][]string // by queue, in order, dead letters too
	seen    map[string]bool
	letters []queue.Letter
	repeats int
	largest int // how many events came at once
}

func (d *desk) Accept(_ context.Context, name string, items []queue.Item) ([]queue.Accepted, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		if err := d.fail(items, nil); err != nil {
			return nil, err
		}
	}
	d.largest = max(d.largest, len(items))
	answer := make([]queue.Accepted, len(items))
	for i, item := range items {
		answer[i].New = d.take(name, item.Key)
	}
	return answer, nil
}

func (d *desk) Bury(_ context.Context, name string, letters []queue.Letter) ([]bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		if err := d.fail(nil, letters); err != nil {
			return nil, err
		}
	}
	fresh := make([]bool, len(letters))
	for i, l := range letters {
		if fresh[i] = d.take(name, l.Key); fresh[i] {
			d.letters = append(d.letters, l)
		}
	}
	return fresh, nil
}

func (d *desk) take(name, key string) bool {
	if d.keys == nil {
		d.keys, d.seen = map[string][]string{}, map[string]bool{}
	}
	if d.seen[name+key] {
		d.repeats++
		return false
	}
	d.seen[name+key] = true
	d.keys[name] = append(d.keys[name], key)
	return true
}

// set makes every call fail with err, or none.
func (d *desk) set(err error) {
	d.when(func([]queue.Item, []queue.Letter) error { return err })
}

func (d *desk) when(fail func([]queue.Item, []queue.Letter) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = fail
}

func (d *desk) got(name string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.keys[name])
}

// away is a desk that does not answer.
func away() *desk {
	d := &desk{}
	d.set(queue.ErrAway)
	return d
}

// open opens a spool that is closed with the test.
func open(t testing.TB, folder string, d Journal, edit ...func(*Options)) *Spool {
	t.Helper()
	s, err := tryOpen(folder, d, edit...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func tryOpen(folder string, d Journal, edit ...func(*Options)) (*Spool, error) {
	o := Options{Folder: folder, Limit: 64 << 20, Queues: []string{q, other}, Journal: d}
	for _, e := range edit {
		e(&o)
	}
	return Open(o)
}

// fast leaves the syncs out, where a test is not about them: they take most of
// its time.
func fast(o *Options) { o.sync = func(*os.File) error { return nil } }

// key is what a name's event is called.
func key(name any) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(name)))
	return hex.EncodeToString(sum[:8])
}

func keys(names ...any) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = key(n)
	}
	return all
}

func upTo(n int) []string {
	var all []string
	for i := range n {
		all = append(all, key(i))
	}
	return all
}

func item(name any) queue.Item {
	return queue.Item{Kind: queue.ItemMessage, Key: key(name), Party: key("party"), Payload: []byte(`{"text":"` + fmt.Sprint(name) + `"}`)}
}

// accept hands in a webhook for each name, in order.
func accept(t testing.TB, s *Spool, names ...any) {
	t.Helper()
	for _, name := range names {
		if _, err := s.Accept(t.Context(), q, []queue.Item{item(name)}); err != nil {
			t.Errorf("accept %v: %v", name, err)
		}
	}
}

// spooled makes a folder with a webhook for each number, in one segment.
func spooled(t testing.TB, n int) string {
	t.Helper()
	folder := t.TempDir()
	s := open(t, folder, away(), fast)
	for i := range n {
		accept(t, s, i)
	}
	_ = s.Close()
	return folder
}

// segments are the files of a queue that are read.
func segments(t testing.TB, folder, name, ending string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, name, "*"+ending))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// drainAll empties a spool that nothing is in the way of.
func drainAll(t testing.TB, s *Spool) {
	t.Helper()
	for _, b := range s.backlogs {
		if err := b.drain(t.Context()); err != nil {
			t.Fatalf("drain: %v", err)
		}
	}
}

// run drains in the background until the test ends, or stop is called.
func run(t testing.TB, s *Spool) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx, time.Minute)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func want(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %d keys %.200v, want %d %.200v", what, len(got), got, len(want), want)
	}
}

// wantNothingLeft checks that a drained spool has given everything back.
func wantNothingLeft(t testing.TB, s *Spool) {
	t.Helper()
	if used, _ := s.Bytes(); used != 0 {
		t.Errorf("%d bytes are counted as used, want none", used)
	}
	if left := s.Pending(); len(left) != 0 {
		t.Errorf("pending: got %v, want none", left)
	}
	for _, name := range []string{q, other} {
		if files := segments(t, s.options.Folder, name, ""); len(files) != 0 {
			t.Errorf("left behind: %v", files)
		}
	}
}

// logTo makes a spool log where a test can read it.
func logTo(l *gatewaytest.Log) func(*Options) {
	return func(o *Options) { o.Log = l.Logger() }
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// again tries what was passed over once more.
func again(t testing.TB, s *Spool) {
	t.Helper()
	s.backlogs[q].round()
	if err := s.backlogs[q].again(t.Context()); err != nil {
		t.Fatalf("again: %v", err)
	}
}

// disk is one that fails as it is told to.
type disk struct {
	err      error
	from, to int64 // which bytes of each file; to is zero where not even an open works
	mended   bool
}

// on makes a spool read from it, and wait for it no longer than a moment.
func (d *disk) on(o *Options) {
	o.patience = time.Nanosecond
	o.open = func(path string) (source, error) {
		if !d.mended && d.to == 0 {
			return nil, &os.PathError{Op: "open", Path: path, Err: d.err}
		}
		file, err := os.Open(path)
		return readsFrom{file, d}, err
	}
}

// readsFrom is a file on a disk. Like a real one it gives what lies before the
// place that it cannot read.
type readsFrom struct {
	*os.File
	disk *disk
}

func (r readsFrom) ReadAt(b []byte, at int64) (int, error) {
	d := r.disk
	if d.mended || at >= d.to || at+int64(len(b)) <= d.from {
		return r.File.ReadAt(b, at)
	}
	n, _ := r.File.ReadAt(b[:max(0, d.from-at)], at)
	return n, d.err
}
