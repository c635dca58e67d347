package spool

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// TestFullDisk fills the disk with webhooks, and again after room was made. What
// was acknowledged is there, also in a process that starts on the full disk, and
// nothing of what was not.
func TestFullDisk(t *testing.T) {
	folder, d := filepath.Join(gatewaytest.SmallDisk(t, 1), "spool"), away()
	s := open(t, folder, d)
	filler := filepath.Join(folder, "filler")
	write(t, filler, bytes.Repeat([]byte{1}, 512<<10))
	n := 0
	fill := func() {
		t.Helper()
		for ; n < 10_000; n++ {
			i := item(n)
			i.Payload = bytes.Repeat([]byte{'x'}, 3000)
			if _, err := s.Accept(t.Context(), q, []queue.Item{i}); err != nil {
				if !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, queue.ErrAway) {
					t.Errorf("got %v, want ENOSPC beside the journal's error", err)
				}
				break
			}
		}
		for range 3 { // each try meets the full disk again
			large := item("never")
			large.Payload = make([]byte, 10_000)
			if _, err := s.Accept(t.Context(), q, []queue.Item{large}); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("got %v, want ENOSPC", err)
			}
		}
		if err := s.Check(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("check: got %v, want ENOSPC", err)
		}
	}
	fill()
	first := n
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("check: got %v, want nil", err)
	}
	accept(t, s, n)
	n++
	fill()
	if n < first+20 {
		t.Errorf("%d fit before there was room, and %d more after", first, n-first)
	}
	want(t, "pending", s.Pending(), upTo(n))
	_ = s.Close()
	s = open(t, folder, d, func(o *Options) { o.OnBroken = func(string) { t.Error("half a record was left") } })
	d.set(nil)
	drainAll(t, s)
	want(t, "journal", d.got(q), upTo(n))
	wantNothingLeft(t, s)
	d.set(queue.ErrAway)
	accept(t, s, "and on")
}

func TestReadOnlyDisk(t *testing.T) {
	disk := gatewaytest.SmallDisk(t, 1)
	d := away()
	s := open(t, filepath.Join(disk, "spool"), d)
	accept(t, s, "a")
	_ = s.Close()
	gatewaytest.ReadOnly(t, disk, true)
	if again, err := tryOpen(filepath.Join(disk, "spool"), d); !errors.Is(err, syscall.EROFS) {
		t.Errorf("open: got %v, want EROFS", err)
		_ = again.Close()
	}
}

// A sync that fails leaves nobody knowing what is on the disk. The webhooks of
// that write are refused, and those after it go into another file.
func TestASyncThatFails(t *testing.T) {
	for what, before := range map[string][]any{"first of its file": nil, "second of its file": {"before"}} {
		t.Run(what, func(t *testing.T) {
			folder, d, fail := t.TempDir(), away(), false
			s := open(t, folder, d, func(o *Options) {
				o.sync = func(f *os.File) error {
					if fail {
						return errors.Join(f.Sync(), syscall.EIO)
					}
					return f.Sync()
				}
			})
			accept(t, s, before...)
			fail = true
			if _, err := s.Accept(t.Context(), q, []queue.Item{item("lost")}); !errors.Is(err, syscall.EIO) {
				t.Errorf("got %v, want EIO", err)
			}
			fail = false
			accept(t, s, "after")
			want(t, "pending", s.Pending(), keys(append(before, "after")...))
			d.set(nil)
			drainAll(t, s)
			want(t, "journal", d.got(q), keys(append(before, "after")...))
			wantNothingLeft(t, s)
		})
	}
}
