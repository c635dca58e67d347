package store

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/config"
)

// newStore opens the store of a configuration, and returns what was logged.
func newStore(t *testing.T, c config.Config) (*Sealed, string, error) {
	t.Helper()
	var log bytes.Buffer
	s, err := New(c, slog.New(slog.NewTextHandler(&log, nil)))
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, log.String(), err
}

func TestKeyFile(t *testing.T) {
	c := config.Config{Data: filepath.Join(t.TempDir(), "data")}
	s, log, err := newStore(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log, "KEY MADE: keep a copy") || !strings.Contains(log, s.First()) {
		t.Errorf("logged %q", log)
	}
	for path, mode := range map[string]os.FileMode{KeyFile(c): 0o600, filepath.Dir(KeyFile(c)): 0o700 | os.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode(), err, mode)
		}
	}
	if files, err := os.ReadDir(filepath.Dir(KeyFile(c))); err != nil || len(files) != 1 {
		t.Errorf("beside the key: %v, %v", files, err)
	}
	if err := s.Put(t.Context(), photoOf(0, Preview), jpegs[Preview]); err != nil {
		t.Fatal(err)
	}
	again, log, err := newStore(t, c)
	if err != nil || log != "" || again.First() != s.First() {
		t.Errorf("the second start: %v, logged %q, key %s, want %s", err, log, again.First(), s.First())
	}
	// A configured key goes before it, and it still opens what it has wrapped.
	c.Store.Keys = newKeys
	both, _, err := newStore(t, c)
	if err != nil || both.First() != "new" {
		t.Fatalf("with a configured key: %v", err)
	}
	if f, err := both.Open(t.Context(), photoOf(0, Preview)); err != nil {
		t.Error(err)
	} else {
		_ = f.Close()
	}
	if got, err := both.Rewrap(t.Context(), ignore); err != nil || got.Changed != 1 || len(got.Needed("new")) != 0 {
		t.Errorf("rewrap: got %+v, %v", got, err)
	}
	if err := os.Remove(KeyFile(c)); err != nil {
		t.Fatal(err)
	}
	alone, log, err := newStore(t, c)
	if err != nil || log != "" {
		t.Fatalf("without the file: %v, logged %q", err, log)
	}
	if _, err := os.Stat(KeyFile(c)); err == nil {
		t.Error("a key was made although one is configured")
	}
	if _, err := alone.Open(t.Context(), photoOf(0, Preview)); err != nil {
		t.Error(err)
	}
}

// A key that was lost is not made anew in silence.
func TestLostKeyFile(t *testing.T) {
	c := config.Config{Data: t.TempDir()}
	s, log, err := newStore(t, c)
	if err != nil || strings.Contains(log, "MISSING") {
		t.Fatalf("%v, logged %q", err, log)
	}
	if err := errors.Join(s.Put(t.Context(), photoOf(0, Preview), jpegs[Preview]), os.Remove(KeyFile(c))); err != nil {
		t.Fatal(err)
	}
	other, log, err := newStore(t, c)
	if err != nil || !strings.Contains(log, "THE KEY OF WHAT IS STORED IS MISSING") {
		t.Errorf("%v, logged %q", err, log)
	}
	if _, err := other.Open(t.Context(), photoOf(0, Preview)); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), s.First()) {
		t.Errorf("got %v, want ErrLocked and the id of the lost key, %s", err, s.First())
	}
}

// Of gateways that start at once on one folder, all have the same key.
func TestKeyFileAtOnce(t *testing.T) {
	c := config.Config{Data: t.TempDir()}
	var firsts [8]string
	var all sync.WaitGroup
	for i := range firsts {
		all.Go(func() {
			s, err := New(c, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Error(err)
				return
			}
			firsts[i] = s.First()
			_ = s.Close()
		})
	}
	all.Wait()
	for _, first := range firsts {
		if first != firsts[0] || first == "" {
			t.Errorf("got keys %q, want one", firsts)
			break
		}
	}
}

func TestKeyFilesThatAreNone(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
	}{
		"empty":           {"", 0o600, "not 32 bytes in base64"},
		"half written":    {"AAAA", 0o600, "not 32 bytes in base64"},
		"others may read": {storeKey("", 1).Key.Reveal(), 0o644, "others may read"},
	} {
		c := config.Config{Data: t.TempDir()}
		if err := errors.Join(os.Mkdir(filepath.Dir(KeyFile(c)), 0o700), os.WriteFile(KeyFile(c), []byte(test.content), test.mode), os.Chmod(KeyFile(c), test.mode)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := newStore(t, c); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "AAAA") || strings.Contains(err.Error(), "AQEB") {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestNoKeyForABucket(t *testing.T) {
	if _, _, err := newStore(t, config.Config{Store: config.Store{S3: &config.S3{Endpoint: "https://s3.example.com", Bucket: "photos"}}}); err == nil {
		t.Error("a bucket was opened without a key")
	}
}

// Documents do not show what is in them, and none opens under another's name.
func TestSealedDocuments(t *testing.T) {
	v := openVault(t)
	d := v.Documents()
	text := []byte("Ana: my secret address")
	for _, name := range []string{"notes/a", "notes/b"} {
		if err := d.Put(t.Context(), name, append(text, name...)); err != nil {
			t.Fatal(err)
		}
	}
	files := v.files()
	a, b := v.path(documents+"notes/a"), v.path(documents+"notes/b")
	if bytes.Contains(files[a], []byte("secret")) {
		t.Errorf("the file holds %q", files[a])
	}
	v.write(a, files[b])
	if got, err := d.Get(t.Context(), "notes/a"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("another's bytes: got %q, %v", got, err)
	}
	for bit := 0; bit < len(files[a])*8; bit += 3 {
		spoilt := bytes.Clone(files[a])
		spoilt[bit/8] ^= 1 << (bit % 8)
		v.write(a, spoilt)
		if got, err := d.Get(t.Context(), "notes/a"); err == nil || errors.Is(err, ErrNotFound) {
			t.Fatalf("bit %d: got %q, %v", bit, got, err)
		}
	}
}
