package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

func TestFullDisk(t *testing.T) {
	dir := filepath.Join(gatewaytest.SmallDisk(t, 1), "photos")
	f := reopen(t, dir)
	put(t, f, key(), "before")
	large := key()
	large.Photo = 1
	if err := f.Put(t.Context(), large, make([]byte, 2<<20)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Put: got %v, want ENOSPC", err)
	}
	wantNone(t, f, large)
	wantNoRests(t, dir)
	filler := filepath.Join(dir, "filler")
	_ = os.WriteFile(filler, bytes.Repeat([]byte{1}, 2<<20), 0o600) // as much as fits
	if err := f.Check(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Check: got %v, want ENOSPC", err)
	}
	wantPicture(t, f, key(), "before")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	put(t, f, large, "fits now")
	if err := f.Check(t.Context()); err != nil {
		t.Errorf("Check: got %v, want nil", err)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	disk := gatewaytest.SmallDisk(t, 1)
	f := reopen(t, filepath.Join(disk, "photos"))
	put(t, f, key(), "before")
	gatewaytest.ReadOnly(t, disk, true)
	other := key()
	other.Photo = 1
	for what, err := range map[string]error{
		"Put":           f.Put(t.Context(), other, []byte("picture")),
		"Check":         f.Check(t.Context()),
		"DeleteAttempt": f.DeleteAttempt(t.Context(), key().Queue, key().Attempt),
	} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: got %v, want EROFS", what, err)
		}
	}
	wantPicture(t, f, key(), "before")
	wantNone(t, f, other)
	if again, err := Open(filepath.Join(disk, "photos")); err == nil {
		_ = again.Close()
		t.Error("Open: got nil from a folder that cannot be written to")
	}
}
