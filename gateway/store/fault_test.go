package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestLeftovers has what a crash leaves behind between any two steps of Put.
func TestLeftovers(t *testing.T) {
	tests := []struct {
		name  string
		leave func(dir, name string) error // what a Put had done
		there bool                         // whether the picture is
	}{
		{"half a file", func(dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, unfinished, "REST"), []byte("pict"), 0o600)
		}, false},
		{"a file and folders", func(dir, name string) error {
			return errors.Join(os.MkdirAll(filepath.Dir(name), 0o700),
				os.WriteFile(filepath.Join(dir, unfinished, "REST"), []byte("picture"), 0o600))
		}, false},
		{"both names", func(dir, name string) error {
			rest := filepath.Join(dir, unfinished, "REST")
			return errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(rest, []byte("picture"), 0o600), os.Link(rest, name))
		}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, dir := open(t)
			k := key()
			if err := test.leave(dir, filepath.Join(dir, folder(k.Queue, k.Attempt), k.file())); err != nil {
				t.Fatal(err)
			}
			f := reopen(t, dir)
			rest := filepath.Join(dir, unfinished, "REST")
			if _, err := os.Stat(rest); err != nil {
				t.Errorf("a file that may still be written was removed: %v", err)
			}
			if test.there {
				wantPicture(t, f, k, "picture")
			} else {
				wantNone(t, f, k)
			}
			put(t, f, k, "picture")
			old := time.Now().Add(-2 * abandoned)
			if err := os.Chtimes(rest, old, old); err != nil {
				t.Fatal(err)
			}
			f = reopen(t, dir)
			wantNoRests(t, dir)
			wantPicture(t, f, k, "picture")
		})
	}
}

// writerEnv makes the test binary a process that puts pictures until it is
// killed.
const writerEnv = "STORE_TEST_WRITE_TO"

// pictureOf is what the writer puts for its n-th key.
func pictureOf(n int) (Key, []byte) {
	k := Key{Queue: "killed", Attempt: fmt.Sprintf("%032x", n), Kind: Preview}
	return k, bytes.Repeat([]byte(k.Attempt), 4096)
}

// writeForEver prints the number of each picture that is surely stored.
func writeForEver(dir string) {
	f, err := Open(dir)
	for n := 0; err == nil; n++ {
		k, data := pictureOf(n)
		if err = f.Put(context.Background(), k, data); err == nil {
			fmt.Println(n)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestKilledWriter kills a process amid its writes: what was confirmed is there,
// and nothing is there by half.
func TestKilledWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "photos")
	confirmed := -1
	for round := range 2 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), writerEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			n := 0
			if _, err := fmt.Sscan(lines.Text(), &n); err != nil {
				t.Errorf("the writer said %q", lines.Text())
			}
			confirmed = max(confirmed, n)
			if n == 10*(round+1) {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
	}
	if confirmed < 20 {
		t.Fatalf("the writer confirmed %d pictures, want 20 at least", confirmed)
	}
	f := reopen(t, dir)
	for n := range confirmed + 10 {
		k, want := pictureOf(n)
		got, err := get(t, f, k)
		missing := errors.Is(err, ErrNotFound) && n > confirmed
		if !missing && (err != nil || got != string(want)) {
			t.Errorf("picture %d: got %d bytes, %v, want %d", n, len(got), err, len(want))
		}
	}
}

// TestPlantedLinks puts links where a store puts folders and files.
func TestPlantedLinks(t *testing.T) {
	victim := Key{Queue: "victim", Attempt: attemptB, Kind: Preview}
	inside := "../../../" + folder(victim.Queue, victim.Attempt) // seen from an attempt's folder
	tests := []struct {
		name, link string // where the link is, below the folder
		target     string // relative inside, or "" for a folder outside
	}{
		{"queue outside", key().Queue, ""},
		{"queue inside", key().Queue, victim.Queue},
		{"attempt outside", folder(key().Queue, key().Attempt), ""},
		{"attempt inside", folder(key().Queue, key().Attempt), "../../" + folder(victim.Queue, victim.Attempt)},
		{"file outside", filepath.Join(folder(key().Queue, key().Attempt), key().file()), ""},
		{"file inside", filepath.Join(folder(key().Queue, key().Attempt), key().file()), inside + "/" + victim.file()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, dir := open(t)
			put(t, f, victim, "victim's")
			outside := t.TempDir()
			secret := filepath.Join(outside, "secret")
			if err := os.WriteFile(secret, []byte("picture"), 0o600); err != nil {
				t.Fatal(err)
			}
			target := test.target
			if target == "" {
				target = outside
			}
			if test.name == "file outside" {
				target = secret
			}
			link := filepath.Join(dir, test.link)
			if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o700), os.Symlink(target, link)); err != nil {
				t.Fatal(err)
			}
			if got, err := get(t, f, key()); err == nil {
				t.Errorf("Get followed the link: %q", got)
			}
			if err := f.Put(t.Context(), key(), []byte("picture")); err == nil {
				t.Error("Put followed the link")
			}
			_ = f.DeleteAttempt(t.Context(), key().Queue, key().Attempt)
			wantPicture(t, f, victim, "victim's")
			if left, err := os.ReadDir(outside); err != nil || len(left) != 1 {
				t.Errorf("outside: got %v, %v, want the secret alone", left, err)
			}
			wantNoRests(t, dir)
		})
	}
}
