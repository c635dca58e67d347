package store

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
)

// conversation is that of the tests' photos.
const conversation = "00112233445566778899aabbccddeeff"

// jpegs are two pictures that say what they are, for whoever looks into the store.
var jpegs = map[Kind][]byte{
	Preview:   append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00 the preview "), bytes.Repeat([]byte("a face "), 50)...),
	Thumbnail: []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00 the thumbnail: a face "),
}

// storeKey makes a key of one letter.
func storeKey(id string, letter byte) config.StoreKey {
	return config.StoreKey{ID: id, Key: config.NewSecret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{letter}, 32)))}
}

// counted is a kind of store that counts its calls, and does as a test says before
// each.
type counted struct {
	kind
	puts, gets, swaps atomic.Int64
	before            func(call string) error
}

func (c *counted) call(n *atomic.Int64, name string) error {
	n.Add(1)
	if c.before != nil {
		return c.before(name)
	}
	return nil
}

func (c *counted) put(ctx context.Context, name string, data []byte) error {
	return errors.Join(c.call(&c.puts, "put"), c.kind.put(ctx, name, data))
}

func (c *counted) get(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	if err := c.call(&c.gets, "get"); err != nil {
		return nil, err
	}
	return c.kind.get(ctx, name)
}

func (c *counted) swap(ctx context.Context, name string, was, data []byte) error {
	if err := c.call(&c.swaps, "swap"); err != nil {
		return err
	}
	return c.kind.swap(ctx, name, was, data)
}

// vault is a sealed store in a folder of the test's.
type vault struct {
	*Sealed
	t     *testing.T
	dir   string
	under *counted
}

func openVault(t *testing.T, keys ...config.StoreKey) *vault {
	t.Helper()
	if keys == nil {
		keys = []config.StoreKey{storeKey("one", 1)}
	}
	files, dir := open(t)
	v := &vault{t: t, dir: dir, under: &counted{kind: files}}
	return v.with(keys...)
}

// with opens the same folder with other keys.
func (v *vault) with(keys ...config.StoreKey) *vault {
	v.t.Helper()
	ring, err := newKeyring(keys)
	if err != nil {
		v.t.Fatal(err)
	}
	return &vault{Sealed: seal(v.under, ring), t: v.t, dir: v.dir, under: v.under}
}

// photoOf is the n-th photo of the tests.
func photoOf(n int, kind Kind) Key {
	return Key{Queue: "support", Attempt: attemptA, Photo: n, Kind: kind, Conversation: conversation}
}

// fill puts both pictures of n photos.
func (v *vault) fill(n int) {
	v.t.Helper()
	for i := range n {
		for _, kind := range []Kind{Preview, Thumbnail} {
			if err := v.Put(v.t.Context(), photoOf(i, kind), append(bytes.Clone(jpegs[kind]), byte(i))); err != nil {
				v.t.Fatalf("put %s %d: %v", kind, i, err)
			}
		}
	}
}

func (v *vault) read(k Key) ([]byte, error) {
	f, err := v.Open(v.t.Context(), k)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	return data, errors.Join(err, f.Close())
}

// wantAll wants both pictures of n photos.
func (v *vault) wantAll(n int) {
	v.t.Helper()
	for i := range n {
		for kind, want := range jpegs {
			if got, err := v.read(photoOf(i, kind)); err != nil || !bytes.Equal(got, append(bytes.Clone(want), byte(i))) {
				v.t.Errorf("%s of photo %d: got %d bytes, %v", kind, i, len(got), err)
			}
		}
	}
}

// files are all of the store's, by their names.
func (v *vault) files() map[string][]byte {
	v.t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(v.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == lockFile {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return all
}

func (v *vault) write(path string, data []byte) {
	v.t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		v.t.Fatal(err)
	}
}

func (v *vault) path(name string) string { return filepath.Join(v.dir, name) }

func TestNothingOfAPictureCanBeSeen(t *testing.T) {
	v := openVault(t)
	v.fill(2)
	files := v.files()
	if len(files) != 6 {
		t.Errorf("got %d files, want two pictures and a key for each of two photos", len(files))
	}
	for path, data := range files {
		for _, secret := range []string{"JFIF", "\xff\xd8\xff", "a face", "the preview", string(bytes.Repeat([]byte{1}, 8))} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
	}
	v.wantAll(2)
}

// A flipped bit anywhere is an error, and never another picture.
func TestFlippedBits(t *testing.T) {
	v := openVault(t, storeKey("one", 1), storeKey("two", 2))
	v.fill(1)
	for path, data := range v.files() {
		for bit := range len(data) * 8 {
			if bit%8 != 0 && bit%8 != 5 { // one that makes another character, and one another case
				continue
			}
			spoilt := bytes.Clone(data)
			spoilt[bit/8] ^= 1 << (bit % 8)
			v.write(path, spoilt)
			for kind := range jpegs {
				if !strings.HasSuffix(path, keySuffix) && !strings.HasSuffix(path, string(kind)) {
					continue
				}
				got, err := v.read(photoOf(0, kind))
				if err == nil || errors.Is(err, ErrNotFound) || !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrLocked) && !strings.Contains(err.Error(), "a newer gateway") {
					t.Fatalf("bit %d of %s: got %d bytes, %v", bit, filepath.Base(path), len(got), err)
				}
			}
		}
		v.write(path, data)
	}
	v.wantAll(1)
}

// What was moved to another name does not open there.
func TestSwappedObjects(t *testing.T) {
	for name, swapped := range map[string][2]string{
		"preview and thumbnail":       {photoOf(0, Preview).name(), photoOf(0, Thumbnail).name()},
		"the previews of two photos":  {photoOf(0, Preview).name(), photoOf(1, Preview).name()},
		"the keys of two photos":      {photoOf(0, Preview).lock(), photoOf(1, Preview).lock()},
		"a picture and a key":         {photoOf(0, Preview).name(), photoOf(0, Preview).lock()},
		"photos of two conversations": {photoOf(0, Preview).lock(), photoOf(9, Preview).lock()},
	} {
		v := openVault(t)
		v.fill(2)
		other := photoOf(9, Preview)
		other.Conversation = strings.Repeat("f", 32)
		if err := v.Put(t.Context(), other, jpegs[Preview]); err != nil {
			t.Fatal(err)
		}
		files := v.files()
		a, b := v.path(swapped[0]), v.path(swapped[1])
		v.write(a, files[b])
		v.write(b, files[a])
		for _, k := range []Key{photoOf(0, Preview), photoOf(0, Thumbnail), photoOf(1, Preview), photoOf(1, Thumbnail), other} {
			touched := k.name() == swapped[0] || k.name() == swapped[1] || k.lock() == swapped[0] || k.lock() == swapped[1]
			got, err := v.read(k)
			if touched == (err == nil) || errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %s of photo %d: got %d bytes, %v", name, k.Kind, k.Photo, len(got), err)
			}
		}
	}
}

// A whole photo with its key, moved to another queue, opens nowhere.
func TestMovedPhoto(t *testing.T) {
	v := openVault(t)
	v.fill(1)
	for _, moved := range []Key{{Queue: "sales", Attempt: attemptA}, {Queue: "support", Attempt: attemptB}, {Queue: "support", Attempt: attemptA, Photo: 1}} {
		for kind := range jpegs {
			moved.Kind = kind
			if err := os.MkdirAll(filepath.Dir(v.path(moved.name())), 0o700); err != nil {
				t.Fatal(err)
			}
			files := v.files()
			v.write(v.path(moved.name()), files[v.path(photoOf(0, kind).name())])
			v.write(v.path(moved.lock()), files[v.path(photoOf(0, kind).lock())])
			if got, err := v.read(moved); err == nil {
				t.Errorf("%+v: got %d bytes", moved, len(got))
			}
		}
	}
}

func TestWithoutItsKey(t *testing.T) {
	v := openVault(t)
	v.fill(2)
	if err := os.Remove(v.path(photoOf(0, Preview).lock())); err != nil {
		t.Fatal(err)
	}
	for kind := range jpegs {
		if got, err := v.read(photoOf(0, kind)); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: got %d bytes, %v, want ErrNotFound: it is destroyed", kind, len(got), err)
		}
		if _, err := v.read(photoOf(1, kind)); err != nil {
			t.Errorf("the %s of the other photo: %v", kind, err)
		}
	}
}

func TestOperatorsKeys(t *testing.T) {
	v := openVault(t, storeKey("one", 1))
	v.fill(1)
	for name, test := range map[string]struct {
		keys  []config.StoreKey
		opens bool
	}{
		"behind a newer one":        {[]config.StoreKey{storeKey("two", 2), storeKey("one", 1)}, true},
		"missing":                   {[]config.StoreKey{storeKey("two", 2)}, false},
		"another under its id":      {[]config.StoreKey{storeKey("one", 2)}, false},
		"the same under another id": {[]config.StoreKey{storeKey("two", 1)}, false},
	} {
		other := v.with(test.keys...)
		_, err := other.read(photoOf(0, Preview))
		if test.opens && err != nil || !test.opens && (!errors.Is(err, ErrLocked) || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `"one"`)) {
			t.Errorf("%s: got %v", name, err)
		}
		if err := other.Put(t.Context(), photoOf(0, Preview), []byte("other")); test.opens != errors.Is(err, ErrExists) {
			t.Errorf("%s: put: got %v", name, err)
		}
	}
	v.wantAll(1)
}

// What a crash leaves between any two steps of both Puts is in nobody's way.
func TestCrashBetweenKeyAndPicture(t *testing.T) {
	for after := range 3 {
		v := openVault(t, storeKey("one", 1))
		died := errors.New("died")
		ctx, die := context.WithCancelCause(t.Context())
		v.under.before = func(string) error {
			if int(v.under.puts.Load()) > after {
				die(died)
			}
			return nil
		}
		for _, kind := range []Kind{Preview, Thumbnail} {
			_ = v.Put(ctx, photoOf(0, kind), append(bytes.Clone(jpegs[kind]), 0))
		}
		if ctx.Err() == nil {
			t.Fatalf("nobody died after %d puts", after)
		}
		v.under.before = nil
		again := v.with(storeKey("two", 2), storeKey("one", 1))
		again.fill(1)
		again.wantAll(1)
		v.wantAll(min(1, after)) // the key was wrapped before it died, where there is one
	}
}

// What sealing costs is counted in requests, which a bucket's owner pays for.
func TestRequests(t *testing.T) {
	v := openVault(t)
	v.fill(10)
	if puts, gets := v.under.puts.Load(), v.under.gets.Load(); puts != 30 || gets != 0 {
		t.Errorf("ten photos took %d puts and %d gets, want three puts for each", puts, gets)
	}
	if _, err := v.read(photoOf(0, Preview)); err != nil || v.under.gets.Load() != 2 {
		t.Errorf("a read took %d gets, error %v, want two", v.under.gets.Load(), err)
	}
	if n := len(v.half.keys); n != 0 {
		t.Errorf("%d keys are remembered of photos that are whole", n)
	}
	for i := range maxHalves + 50 {
		v.half.keep(photoOf(i, Preview).lock(), &dataKey{})
	}
	if n := len(v.half.keys); n != maxHalves {
		t.Errorf("%d keys are remembered, want %d at most", n, maxHalves)
	}
}

// Only so much is decrypted at once, and what has been holds up nobody, however long
// it stays open.
func TestOpenPicturesAreBounded(t *testing.T) {
	v := openVault(t)
	large := photoOf(0, Preview)
	if err := v.Put(t.Context(), large, make([]byte, MaxBytes)); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * openBytes / MaxBytes {
		f, err := v.Open(t.Context(), large)
		if err != nil {
			t.Fatalf("with %d open: %v", i, err)
		}
		defer f.Close()
	}
	if !v.room.TryAcquire(openBytes) {
		t.Fatal("what has been read is still held")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := v.Open(ctx, large); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while others are read: got %v, want that it waits", err)
	}
}
