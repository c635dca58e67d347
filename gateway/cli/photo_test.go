package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image/jpeg"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// milliseconds are not the same twice.
var milliseconds = regexp.MustCompile(`(?m) +[0-9]+$`)

func withoutMS(table string) string { return milliseconds.ReplaceAllString(table, " N") }

// withoutEffort takes out what a run took, which is not the same twice either.
// The memory of children that are gone at once may not be known.
func withoutEffort(text string) string {
	return regexp.MustCompile(`[0-9.]+ s(, peak memory of a child [0-9.]+ MB)?`).ReplaceAllString(text, "N s")
}

// keysOf returns the keys of a JSON object in their order, with those of the
// objects in it behind a dot.
func keysOf(t *testing.T, line string) (keys []string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	var path []string
	expectKey := false
	for d.More() || len(path) > 0 {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		switch {
		case token == json.Delim('{'):
			expectKey = true
			if len(keys) > 0 || path != nil {
				path = append(path, keys[len(keys)-1]+".")
			} else {
				path = []string{""}
			}
		case token == json.Delim('}'):
			path = path[:len(path)-1]
			expectKey = true
		case expectKey:
			keys = append(keys, path[len(path)-1]+token.(string))
			expectKey = false
		default:
			expectKey = true
		}
	}
	return keys
}

// resultKeys are the keys that every command's result has, behind those that
// name the photo.
var resultKeys = []string{
	"status", "reason", "detail",
	"source", "source.type", "source.bytes", "source.width", "source.height",
	"preview", "preview.path", "preview.type", "preview.bytes", "preview.width", "preview.height",
	"thumbnail", "thumbnail.path", "thumbnail.type", "thumbnail.bytes", "thumbnail.width", "thumbnail.height",
	"ms",
}

func TestPhotoTable(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, ".", "in/a.jpg", jpegOf(t, 300, 200))
	put(t, ".", "in/b.gif", gifOf(t, 3))
	put(t, ".", "in/c.txt", []byte("hello"))
	put(t, ".", "in/d.jpg", padded(t, 10<<20))
	put(t, ".", "in/e.jpg", padded(t, 10<<20+1))
	put(t, ".", "in/f.gif", gifOf(t, 1))
	r := lightlock(t, "photo", "in", "--max-bytes", "10485760")
	// Columns are the business of TestTable; sizes below a megabyte are the encoder's.
	want := `
 FILE VERDICT SOURCE PREVIEW THUMB MS
✓ in/a.jpg ready # 300×200 # # N
✗ in/b.gif animated # 8×8 3 frames; only still pictures are shown
✗ in/c.txt unsupported_type # a text file (text/plain); accepted are jpeg, png, gif
✓ in/d.jpg ready 10.0 MB 8×8 # # N
✗ in/e.jpg too_large over 10 MB more than 10 MB; the limit is 10 MB
✓ in/f.gif ready # 8×8 # # N
3 of 6 ready, 3 rejected; N s
`
	got := "\n" + withoutEffort(withoutMS(r.out))
	got = regexp.MustCompile(`[0-9]+ k?B\b`).ReplaceAllString(got, "#")
	got = regexp.MustCompile(` +`).ReplaceAllString(got, " ")
	if r.code != exitDone || r.err != "" || got != want {
		t.Errorf("exit %d, stderr %q, got:%s\nwant:%s", r.code, r.err, got, want)
	}
}

func TestPhotoJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, ".", "in/a.jpg", jpegOf(t, 300, 200))
	put(t, ".", "in_a.jpg", jpegOf(t, 40, 50))
	r := lightlock(t, "photo", "--json", "--out", "out/deep", "in/a.jpg", "in_a.jpg")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if r.code != exitDone || len(lines) != 2 {
		t.Fatalf("exit %d, %s%s", r.code, r.out, r.err)
	}
	if got, want := keysOf(t, lines[0]), append([]string{"path"}, resultKeys...); !slices.Equal(got, want) {
		t.Errorf("keys %q, want %q", got, want)
	}
	if got, want := withoutEffort(r.err), "2 of 2 ready; N s\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	for i, want := range []row{
		{Path: ptr("in/a.jpg"), Source: source{"image/jpeg", 0, 300, 200}, Preview: &pictureFile{Path: "out/deep/in_a.jpg.preview.jpg", Width: 300, Height: 200}, Thumbnail: &pictureFile{Path: "out/deep/in_a.jpg.thumbnail.jpg"}},
		{Path: ptr("in_a.jpg"), Source: source{"image/jpeg", 0, 40, 50}, Preview: &pictureFile{Path: "out/deep/in_a.jpg~2.preview.jpg", Width: 40, Height: 50}, Thumbnail: &pictureFile{Path: "out/deep/in_a.jpg~2.thumbnail.jpg"}},
	} {
		var got row
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		if *got.Path != *want.Path || got.Status != statusReady || got.Reason != "" || got.Source.Width != want.Source.Width ||
			got.Preview.Path != want.Preview.Path || got.Thumbnail.Path != want.Thumbnail.Path {
			t.Errorf("got %s", lines[i])
		}
		isKept(t, *got.Preview, want.Preview.Width, want.Preview.Height)
	}
}

// TestPhotoSettings: what the command line says holds as an account's settings
// do in the gateway.
func TestPhotoSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, ".", "a.jpg", jpegOf(t, 30, 20))
	put(t, ".", "a.gif", gifOf(t, 1))
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "2 of 2 ready"},
		{[]string{"--formats", "gif,png"}, "accepted are gif, png\n"},
		{[]string{"--formats", "gif", "--formats", "webp"}, "accepted are gif, webp\n"},
		{[]string{"--formats=jpeg"}, "accepted are jpeg\n"},
		{[]string{"--max-bytes=100"}, "the limit is 100 bytes\n"},
	} {
		r := lightlock(t, append([]string{"photo", "."}, c.args...)...)
		if r.code != exitDone || r.err != "" {
			t.Errorf("%q: exit %d, stderr %q", c.args, r.code, r.err)
		}
		hasAll(t, r.out, c.want)
	}
}

// TestPhotoJudgesEachAlike: what a photo may take does not depend on how many are
// developed beside it, and is what it may in the gateway.
func TestPhotoJudgesEachAlike(t *testing.T) {
	t.Chdir(t.TempDir())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	put(t, ".", "giant.png", giantPNG())
	for _, name := range []string{"a.gif", "b.gif", "c.gif"} {
		put(t, ".", name, gifOf(t, 1))
	}
	limit := regexp.MustCompile("developing takes .*")
	alone, among := lightlock(t, "photo", "giant.png"), lightlock(t, "photo", ".")
	if got, want := limit.FindString(among.out), limit.FindString(alone.out); got != want || want == "" {
		t.Errorf("got %q among others and %q alone", among.out, alone.out)
	}
}

// giantPNG announces 49 million pixels of eight bytes each, interlaced, so that
// all would have to be held at once, and has as much data as they could be
// packed into.
func giantPNG() []byte {
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []string{"IHDR\x00\x00\x1b\x58\x00\x00\x1b\x58\x10\x06\x00\x00\x01", "IDAT" + strings.Repeat("\x00", 400<<10), "IEND"} {
		file = binary.BigEndian.AppendUint32(file, uint32(len(chunk)-4))
		file = binary.BigEndian.AppendUint32(append(file, chunk...), crc32.ChecksumIEEE([]byte(chunk)))
	}
	return file
}

// TestPhotoEffort: what it took is said, with the memory of a child whose
// pictures are too large to be sent in one piece.
func TestPhotoEffort(t *testing.T) {
	path := put(t, t.TempDir(), "a.jpg", jpegOf(t, 1600, 1200))
	for _, args := range [][]string{{"photo", path}, {"photo", "--json", path}} {
		r := lightlock(t, args...)
		text := r.out
		if args[1] == "--json" {
			text = r.err
		}
		if !regexp.MustCompile(`(?m)^1 of 1 ready; [0-9]+\.[0-9] s, peak memory of a child [0-9.]+ MB$`).MatchString(text) {
			t.Errorf("%q: got %q and %q", args, r.out, r.err)
		}
	}
}

// isKept looks at the picture's file.
func isKept(t *testing.T, p pictureFile, width, height int) {
	t.Helper()
	data, err := os.ReadFile(p.Path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || int64(len(data)) != p.Bytes || c.Width != p.Width || c.Height != p.Height || c.Width != width || c.Height != height || p.Type != "image/jpeg" {
		t.Errorf("%s: %d bytes, %d × %d, %v; want %d bytes, %d × %d (%v)", p.Path, len(data), c.Width, c.Height, err, p.Bytes, width, height, p)
	}
	if info, err := os.Stat(p.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s can be read by others: %v", p.Path, info.Mode())
	}
}

// TestPhotoHostileNames: nothing that a file is called reaches a terminal as a
// command, nothing keeps the program waiting, and everything has its line.
func TestPhotoHostileNames(t *testing.T) {
	dir := oddFolder(t)
	names := []string{"new\nline.jpg", "\x1b[31mred\x1b]0;own\a.jpg", "\xff\xfe.jpg", "\u009b31m.jpg", "\u202egpj.jpg", "a b.jpg", "-rf", "~2"}
	for _, name := range names {
		put(t, dir, name, jpegOf(t, 8, 8))
	}
	if err := os.Truncate(put(t, dir, "huge.jpg", nil), 100<<30); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, args := range [][]string{{"photo", ".", "--out", t.TempDir()}, {"photo", "--json", "."}} {
		r := lightlock(t, args...)
		if r.code != exitFailed || !strings.Contains(r.err, "4 files could not be judged") {
			t.Errorf("%q: exit %d, %s", args, r.code, r.err)
		}
		for line := range strings.Lines(r.out + r.err) {
			if text := strings.TrimSuffix(line, "\n"); visible(text) != text {
				t.Errorf("%q: %q reaches the terminal", args, text)
			}
		}
		hasAll(t, r.out, `new\nline.jpg`, "31mred", "31m.jpg", "a b.jpg", "huge.jpg", "a/deep/c.jpg", "dangling", "no such file or directory",
			"fifo", "not a regular file", "a link to a folder, which is not followed", "102400 MB; the limit is 10 MB")
	}
}

func TestPhotoThatCannotBeKept(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, ".", "a.jpg", jpegOf(t, 8, 8))
	for _, out := range []string{"a.jpg", "a.jpg/b", "/proc/self/out"} {
		r := lightlock(t, "photo", "--out", out, "a.jpg")
		if r.code != exitFailed || !strings.Contains(r.err, "the pictures cannot be kept") || r.out != "" {
			t.Errorf("--out %s: exit %d, %s%s", out, r.code, r.out, r.err)
		}
	}
	// The folder is fine, but one name in it is taken by a folder.
	if err := os.MkdirAll("out/a.jpg.thumbnail.jpg", 0o700); err != nil {
		t.Fatal(err)
	}
	r := lightlock(t, "photo", "--out", "out", "--json", "a.jpg")
	var got row
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	if r.code != exitFailed || got.Status != statusFailed || got.Preview != nil || !strings.Contains(got.Detail, "could not be kept") {
		t.Errorf("exit %d, %s", r.code, r.out)
	}
}

func TestPhotoNothingThere(t *testing.T) {
	dir := t.TempDir()
	if r := lightlock(t, "photo", dir); r.code != exitFailed || !strings.Contains(r.err, "no files in "+dir) {
		t.Errorf("an empty folder: exit %d, %s", r.code, r.err)
	}
	r := lightlock(t, "photo", filepath.Join(dir, "nowhere"))
	if r.code != exitFailed || !strings.Contains(r.out, "not judged  no such file or directory") {
		t.Errorf("a missing file: exit %d, %s", r.code, r.out)
	}
}

// TestPhotoInterrupted: what was done is reported, and how much was not.
func TestPhotoInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a", "b", "c"} {
		put(t, ".", name, jpegOf(t, 8, 8))
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := testProgram()
	var out, errs gatewaytest.Log
	p.Stdout, p.Stderr = &cancelling{&out, cancel}, &errs
	if code := run(ctx, []string{"photo", "--json", "."}, p); code != exitInterrupted || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit %d, %s", code, errs.String())
	}
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d lines after the interruption behind the first", n)
	}
	if r := lightlockUntil(ctx, testProgram(), "photo", "."); r.code != exitInterrupted || r.out != "" {
		t.Errorf("interrupted before the first: exit %d, %s", r.code, r.out)
	}
}

// cancelling interrupts the program as soon as it has printed something.
type cancelling struct {
	*gatewaytest.Log
	cancel func()
}

func (c *cancelling) Write(p []byte) (int, error) {
	c.cancel()
	return c.Log.Write(p)
}

// TestPhotoUnprinted: results that nobody got are a failure.
func TestPhotoUnprinted(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	path := put(t, t.TempDir(), "a.jpg", jpegOf(t, 8, 8))
	for _, args := range [][]string{{"photo", path}, {"photo", "--json", path}, {"--help"}} {
		var errs gatewaytest.Log
		p := testProgram()
		p.Stdout, p.Stderr = full, &errs
		if code := run(t.Context(), args, p); code != exitFailed || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%q: exit %d, %s", args, code, errs.String())
		}
	}
}

// TestPhotoWithoutAReader: `| head` ends the program, and is no reason for a
// complaint.
func TestPhotoWithoutAReader(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.jpg", jpegOf(t, 8, 8))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	program := command(t, "photo", "--json", "a.jpg")
	var errs gatewaytest.Log
	program.Dir, program.Stdout, program.Stderr = dir, w, &errs
	_ = program.Run()
	_ = w.Close()
	if code := program.ProcessState.ExitCode(); code != exitFailed || errs.String() != "" {
		t.Errorf("ended with %v, want exit %d; stderr %q", program.ProcessState, exitFailed, errs.String())
	}
}
