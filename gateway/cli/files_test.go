package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// oddFolder holds one of everything that is no plain file.
func oddFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "b.jpg", jpegOf(t, 8, 8))
	put(t, dir, "a/deep/c.jpg", jpegOf(t, 8, 8))
	for _, err := range []error{
		os.Symlink("/nowhere/at/all", filepath.Join(dir, "dangling")),
		os.Symlink("..", filepath.Join(dir, "a", "loop")),
		os.Symlink("b.jpg", filepath.Join(dir, "link.jpg")),
		os.Symlink("/dev/zero", filepath.Join(dir, "zero")),
		syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestExpand(t *testing.T) {
	dir := oddFolder(t)
	t.Chdir(dir)
	if err := os.Symlink("a", "named"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ give, want []string }{
		{[]string{"b.jpg", "nowhere"}, []string{"b.jpg", "nowhere"}},
		{[]string{"."}, []string{"a/deep/c.jpg", "a/loop", "b.jpg", "dangling", "fifo", "link.jpg", "named", "zero"}},
		{[]string{"./a/"}, []string{"a/deep/c.jpg", "a/loop"}},
		{[]string{"named"}, []string{"named/deep/c.jpg", "named/loop"}},
		{[]string{"link.jpg", "fifo"}, []string{"link.jpg", "fifo"}},
	} {
		files, err := expand(c.give)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range files {
			got = append(got, filepath.ToSlash(f.path))
			if link := filepath.Base(f.path) == "loop" || f.path == "named"; link != errors.Is(f.err, errLinkFolder) {
				t.Errorf("%s: error %v", f.path, f.err)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q gives %q, want %q", c.give, got, c.want)
		}
	}
	if _, err := expand([]string{t.TempDir()}); err == nil {
		t.Error("an empty folder is no error")
	}
}

func TestOpenRegular(t *testing.T) {
	dir := oddFolder(t)
	for name, want := range map[string]error{
		"b.jpg": nil, "link.jpg": nil, "fifo": errNotRegular, "zero": errNotRegular,
		"dangling": fs.ErrNotExist, "a": errFolder, "a/loop": errFolder,
	} {
		f, size, err := openRegular(filepath.Join(dir, name))
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if err == nil {
			if size == 0 {
				t.Errorf("%s: no size", name)
			}
			_ = f.Close()
		}
	}
}

func TestNames(t *testing.T) {
	n := names{}
	for _, c := range [][2]string{
		{"a/b.jpg", "a_b.jpg"}, {"a_b.jpg", "a_b.jpg~2"}, {"a/b.jpg", "a_b.jpg"}, {"a_b.jpg~2", "a_b.jpg~2~2"},
		{"/tmp/x", "_tmp_x"}, {"../x", ".._x"}, {"x", "x"},
	} {
		if got := n.of(flat(c[0]), c[0]); got != c[1] {
			t.Errorf("%s is called %s, want %s", c[0], got, c[1])
		}
	}
}
