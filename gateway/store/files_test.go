package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	attemptA = "0123456789abcdef0123456789abcdef"
	attemptB = "fedcba98765432100123456789abcdef"
)

// key is a preview of attempt A.
func key() Key { return Key{Queue: "acme-support", Attempt: attemptA, Kind: Preview} }

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		writeForEver(dir)
	}
	os.Exit(m.Run())
}

// open opens a store in a new folder.
func open(t *testing.T) (*Files, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "photos")
	return reopen(t, dir), dir
}

func reopen(t *testing.T, dir string) *Files {
	t.Helper()
	f, err := Open(dir)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func put(t *testing.T, f *Files, k Key, data string) {
	t.Helper()
	if err := f.Put(t.Context(), k, []byte(data)); err != nil {
		t.Fatalf("Put %+v: %v", k, err)
	}
}

// get returns the picture's bytes, or an error.
func get(t *testing.T, f *Files, k Key) (string, error) {
	t.Helper()
	file, err := f.Get(t.Context(), k)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(file)
	return string(data), err
}

func wantPicture(t *testing.T, f *Files, k Key, want string) {
	t.Helper()
	if got, err := get(t, f, k); err != nil || got != want {
		t.Errorf("Get %+v: got %q, %v, want %q", k, got, err, want)
	}
}

func wantNone(t *testing.T, f *Files, k Key) {
	t.Helper()
	if got, err := get(t, f, k); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get %+v: got %q, %v, want ErrNotFound", k, got, err)
	}
}

// wantNoRests makes sure that no unfinished file is left.
func wantNoRests(t *testing.T, dir string) {
	t.Helper()
	rests, err := os.ReadDir(filepath.Join(dir, unfinished))
	if err != nil || len(rests) > 0 {
		t.Errorf("unfinished files: got %v, %v, want none", rests, err)
	}
}

func TestPutGetDelete(t *testing.T) {
	f, dir := open(t)
	thumbnail, second, other := key(), key(), key()
	thumbnail.Kind, second.Photo, other.Attempt = Thumbnail, 1, attemptB
	wantNone(t, f, key())
	for i, k := range []Key{key(), thumbnail, second, other} {
		put(t, f, k, fmt.Sprint("picture ", i))
	}
	f = reopen(t, dir)
	for i, k := range []Key{key(), thumbnail, second, other} {
		wantPicture(t, f, k, fmt.Sprint("picture ", i))
	}
	for range 2 {
		if err := f.DeleteAttempt(t.Context(), key().Queue, attemptA); err != nil {
			t.Errorf("DeleteAttempt: %v", err)
		}
	}
	for _, k := range []Key{key(), thumbnail, second} {
		wantNone(t, f, k)
	}
	wantPicture(t, f, other, "picture 3")
	if err := f.DeleteAttempt(t.Context(), "no-such-queue", attemptA); err != nil {
		t.Errorf("DeleteAttempt of nothing: %v", err)
	}
	wantNoRests(t, dir)
}

func TestPutAgain(t *testing.T) {
	f, dir := open(t)
	put(t, f, key(), "first")
	put(t, f, key(), "first")
	for _, other := range []string{"other", "firs", "first!"} {
		if err := f.Put(t.Context(), key(), []byte(other)); !errors.Is(err, ErrExists) {
			t.Errorf("Put of %q: got %v, want ErrExists", other, err)
		}
	}
	if err := f.Put(t.Context(), key(), nil); err == nil {
		t.Error("a picture without bytes was taken")
	}
	wantPicture(t, f, key(), "first")
	wantNoRests(t, dir)
}

func TestGetCanSeek(t *testing.T) {
	f, _ := open(t)
	put(t, f, key(), "0123456789")
	file, err := f.Get(t.Context(), key())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if size, err := file.Seek(0, io.SeekEnd); size != 10 || err != nil {
		t.Errorf("size: got %d, %v, want 10", size, err)
	}
}

// TestPutsAtOnce puts the same key from many sides: one content wins, whole, and
// only those who brought it are told that it is there.
func TestPutsAtOnce(t *testing.T) {
	f, dir := open(t)
	second := reopen(t, dir)
	contents := [2]string{strings.Repeat("a", 1<<16), strings.Repeat("b", 1<<16)}
	var told [2]atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			err := []*Files{f, second}[i%4/2].Put(t.Context(), key(), []byte(contents[i%2]))
			if err == nil {
				told[i%2].Add(1)
			} else if !errors.Is(err, ErrExists) {
				t.Errorf("got %v, want ErrExists", err)
			}
		})
	}
	all.Wait()
	got, err := get(t, f, key())
	if err != nil {
		t.Fatal(err)
	}
	for i, content := range contents {
		want := int32(0)
		if got == content {
			want = 8
		}
		if n := told[i].Load(); n != want {
			t.Errorf("%d of 8 were told that %q is there, want %d", n, content[:1], want)
		}
	}
	wantNoRests(t, dir)
}

func TestManyKeysAtOnce(t *testing.T) {
	f, dir := open(t)
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			k := Key{Queue: fmt.Sprint("q", i%3), Attempt: fmt.Sprintf("%032x", i%8), Photo: i, Kind: Thumbnail}
			if err := f.Put(t.Context(), k, []byte{byte(i)}); err != nil {
				t.Errorf("Put: %v", err)
			}
			if got, err := get(t, f, k); err != nil || got != string([]byte{byte(i)}) {
				t.Errorf("Get: got %q, %v", got, err)
			}
		})
	}
	all.Wait()
	wantNoRests(t, dir)
}

func TestNobodyElseCanRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "photos")
	if err := errors.Join(os.Mkdir(dir, 0o777), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	f := reopen(t, dir)
	put(t, f, key(), "picture")
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(folderMode)
		if !d.IsDir() {
			want = fileMode
			files++
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: mode %o, want %o", path, got, want)
		}
		return nil
	})
	if err != nil || files != 2 {
		t.Errorf("got %d files, %v, want a picture and the lock", files, err)
	}
}

func TestList(t *testing.T) {
	f, dir := open(t)
	keys := []Key{key(), {Queue: "b", Attempt: attemptB, Kind: Thumbnail}}
	for _, k := range keys {
		put(t, f, k, "picture")
	}
	hours := time.Now().Add(-3 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, keys[1].name()), hours, hours); err != nil {
		t.Fatal(err)
	}
	for _, foreign := range []string{"lost+found", "b/zz", "b/fe/short", "b/00/" + attemptB} {
		if err := os.MkdirAll(filepath.Join(dir, foreign), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]time.Duration{}
	err := f.List(t.Context(), func(queue, attempt string, age time.Duration) error {
		got[queue+"/"+attempt] = age.Truncate(time.Hour)
		return f.DeleteAttempt(t.Context(), queue, attempt)
	})
	want := map[string]time.Duration{"acme-support/" + attemptA: 0, "b/" + attemptB: 3 * time.Hour}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, k := range keys {
		wantNone(t, f, k)
	}
}

func TestListEnds(t *testing.T) {
	f, _ := open(t)
	put(t, f, key(), "picture")
	enough := errors.New("enough")
	if err := f.List(t.Context(), func(string, string, time.Duration) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want the visitor's error", err)
	}
}

func TestCheck(t *testing.T) {
	f, dir := open(t)
	if err := f.Check(t.Context()); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	wantNoRests(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, unfinished)); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(t.Context()); err == nil {
		t.Error("got nil from a store whose folder is gone")
	}
}

func TestOpenWhereNoFolderCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := Open(file); err == nil {
		_ = f.Close()
		t.Error("got a store in a file")
	}
}

func TestLargePicture(t *testing.T) {
	f, _ := open(t)
	large := string(bytes.Repeat([]byte{0xff, 0xd8, 0}, 1_000_000))
	put(t, f, key(), large)
	wantPicture(t, f, key(), large)
}
