package spool

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// large are webhooks of which about one fills a block.
func large(t *testing.T, n int) (folder string) {
	t.Helper()
	folder = t.TempDir()
	s := open(t, folder, away(), fast)
	for i := range n {
		one := item(i)
		one.Payload = make([]byte, block-200)
		if _, err := s.Accept(t.Context(), q, []queue.Item{one}); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
	return folder
}

// TestWhatTheDiskDoesNotGiveBack is passed over after a while, whatever the
// disk says, with as little beside it as can be. When it is readable again, in
// this process or the next, it is handed in, and nothing else a second time.
func TestWhatTheDiskDoesNotGiveBack(t *testing.T) {
	const n = 40
	for _, err := range []error{syscall.EIO, syscall.EBADMSG, syscall.ESTALE, syscall.EACCES, errors.New("structure needs cleaning")} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(err, ", restart ", restart), func(t *testing.T) {
				folder, d, text, counted := large(t, n), &desk{}, &gatewaytest.Log{}, 0
				bad := &disk{err: err, from: 10 * block, to: 11 * block}
				s := open(t, folder, d, bad.on, logTo(text), func(o *Options) { o.OnBroken = func(string) { counted++ } })
				if got := s.backlogs[q].drain(t.Context()); !errors.Is(got, err) {
					t.Fatalf("drain: got %v, want %v", got, err)
				}
				drainAll(t, s)
				got := d.got(q)
				if len(got) < n-3 || len(got) >= n || counted != 1 || s.Stats()[1].Aside != 1 || !strings.Contains(text.String(), "given back") {
					t.Fatalf("%d of %d are handed in, counted %d, %+v, log:\n%s", len(got), n, counted, s.Stats(), text)
				}
				if left := s.Pending(); len(left) != n-len(got) {
					t.Errorf("%d are pending, want the %d that are left", len(left), n-len(got))
				}
				again(t, s)
				if more := d.got(q); len(more) != len(got) || counted != 1 {
					t.Errorf("%d are handed in, counted %d, and nothing was mended", len(more), counted)
				}
				bad.mended = true
				if restart {
					_ = s.Close()
					s = open(t, folder, d)
				}
				again(t, s)
				if got := d.got(q); len(got) != n || d.repeats != 0 {
					t.Errorf("%d of %d are handed in, %d twice", len(got), n, d.repeats)
				}
				wantNothingLeft(t, s)
			})
		}
	}
}

// A volume that cannot be read at all holds up what comes later only once, not
// once for each file.
func TestAVolumeThatCannotBeRead(t *testing.T) {
	folder, d, bad := spooled(t, 2), away(), &disk{err: syscall.ESTALE, mended: true}
	s := open(t, folder, d, bad.on, func(o *Options) { o.patience = time.Hour })
	s.backlogs[q].segments[0].over = true // the hour is over
	s.backlogs[q].failing = time.Now().Add(-2 * time.Hour)
	accept(t, s, "after")
	bad.mended = false
	for range 2 {
		_ = s.backlogs[q].drain(t.Context())
	}
	if got := s.Stats()[1]; got.Records != 0 || got.Aside != 2 {
		t.Errorf("got %+v, want both files aside", got)
	}
	want(t, "pending", s.Pending(), append(upTo(2), key("after")))
	bad.mended = true
	d.set(queue.ErrAway)
	s.backlogs[q].round()
	if err := s.backlogs[q].again(t.Context()); !errors.Is(err, queue.ErrAway) {
		t.Errorf("again: got %v, want the journal's error", err)
	}
	d.set(nil)
	again(t, s)
	want(t, "journal", d.got(q), append(upTo(2), key("after")))
	wantNothingLeft(t, s)
}

// What passes by itself is waited for: a disk that stalls for less than minutes,
// and a process that has too many files open.
func TestWhatPassesIsWaitedFor(t *testing.T) {
	for err, patience := range map[error]time.Duration{syscall.EIO: time.Hour, syscall.EMFILE: 1, syscall.ENFILE: 1, syscall.ENOMEM: 1} {
		d, bad := &desk{}, &disk{err: err, mended: true}
		s := open(t, spooled(t, 2), d, bad.on, func(o *Options) { o.patience = patience })
		bad.mended = false
		for range 10 {
			if got := s.backlogs[q].drain(t.Context()); !errors.Is(got, err) {
				t.Fatalf("%v: got %v", err, got)
			}
		}
		bad.mended = true
		drainAll(t, s)
		want(t, err.Error(), d.got(q), upTo(2))
		wantNothingLeft(t, s)
	}
}

// A start with files that cannot be read goes on without them, and hands them in
// when they can.
func TestAFileThatCannotBeReadAtTheStart(t *testing.T) {
	for what, bad := range map[string]*disk{
		"open": {err: syscall.EACCES}, "head": {err: syscall.EIO, to: 1}, "no files": {err: syscall.EMFILE}, "middle": {err: syscall.EIO, from: 100, to: 101},
	} {
		t.Run(what, func(t *testing.T) {
			d := &desk{}
			s := open(t, spooled(t, 3), d, bad.on)
			stop := run(t, s)
			gatewaytest.Await(t, "a webhook passes", func() bool {
				_, err := s.Accept(t.Context(), q, []queue.Item{item("new")})
				return err == nil && len(d.got(q)) > 0
			})
			stop()
			bad.mended = true
			run(t, s) // which looks at what is aside, as a start does
			gatewaytest.Await(t, "all are handed in", func() bool { return len(d.got(q)) == 4 })
			gatewaytest.Await(t, "the files are gone", func() bool { used, _ := s.Bytes(); return used == 0 })
			wantNothingLeft(t, s)
		})
	}
}

// A file that became shorter under our hands has lost its records, and blocks
// nothing; one that an operator has removed is forgotten.
func TestAFileThatIsCutOrRemoved(t *testing.T) {
	folder, d, counted := spooled(t, 2), away(), 0
	s := open(t, folder, d, func(o *Options) { o.patience, o.OnBroken = time.Nanosecond, func(string) { counted++ } })
	accept(t, s, "after")
	first := segments(t, folder, q, fullEnding)[0]
	if err := os.Truncate(first, segmentHead); err != nil {
		t.Fatal(err)
	}
	d.set(nil)
	_ = s.backlogs[q].drain(t.Context())
	drainAll(t, s)
	want(t, "journal", d.got(q), keys("after"))
	kept := segments(t, folder, q, keptEnding)
	if counted != 1 || len(kept) != 1 {
		t.Fatalf("counted %d, kept %v", counted, kept)
	}
	again(t, s)
	moved := s.options.Folder + ".moved" // the volume is not there for a while
	if err := os.Rename(s.options.Folder, moved); err != nil {
		t.Fatal(err)
	}
	again(t, s)
	if err := os.Rename(moved, s.options.Folder); err != nil || s.Stats()[1].Aside != 1 {
		t.Fatalf("%v; got %+v, want the file aside", err, s.Stats())
	}
	for _, path := range append(kept, segments(t, folder, q, leftEnding)...) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	again(t, s)
	wantNothingLeft(t, s)
}

// Without its list, what stands behind the first place that was left is handed in
// again, and is a repeat.
func TestAListThatCannotBeRead(t *testing.T) {
	for _, list := range []string{"", "[[64", "[[64,1e9]]", "[]"} {
		folder, d := spooled(t, 5), &desk{}
		path := segments(t, folder, q, fullEnding)[0]
		file := read(t, path)
		second := segmentHead + (len(file)-segmentHead)/5
		file[second+recordHead] ^= 1
		write(t, path, file)
		s := open(t, folder, d)
		drainAll(t, s)
		_ = s.Close()
		write(t, segments(t, folder, q, leftEnding)[0], []byte(list))
		kept := segments(t, folder, q, keptEnding)[0]
		file = read(t, kept)
		file[second+recordHead] ^= 1
		write(t, kept, file)
		s = open(t, folder, d)
		again(t, s)
		if want(t, list, d.got(q), keys(0, 2, 3, 4, 1)); d.repeats != 3 {
			t.Errorf("%q: %d repeats, want 3", list, d.repeats)
		}
		wantNothingLeft(t, s)
	}
}

// TestPatienceBeginsAnew when the disk gives something back, also while the journal
// takes nothing: two stalls with hours of health between them are no long one.
func TestPatienceBeginsAnew(t *testing.T) {
	bad := &disk{err: syscall.EIO, mended: true}
	s := open(t, spooled(t, 2), away(), bad.on, func(o *Options) { o.patience = time.Hour })
	b := s.backlogs[q]
	bad.mended = false
	if err := b.drain(t.Context()); !errors.Is(err, syscall.EIO) || b.failing.IsZero() {
		t.Fatalf("got %v, failing since %v", err, b.failing)
	}
	bad.mended = true
	if err := b.drain(t.Context()); !errors.Is(err, queue.ErrAway) || !b.failing.IsZero() {
		t.Errorf("got %v, failing since %v, want that patience begins anew", err, b.failing)
	}
}
