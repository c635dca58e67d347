package store_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/store/s3test"
)

// The keys of all of an attempt's photos go before any picture, so that what an end
// in the middle leaves nobody can read.
func TestKeysAreDeletedFirst(t *testing.T) {
	t.Parallel()
	at := "pre/acme-support/01/" + attemptA + "/"
	l := &lister{page: func(*http.Request) ([]string, bool) {
		return []string{at + "0.key", at + "0.preview", at + "0.thumbnail", at + "1.key", at + "1.preview", at + "1.thumbnail"}, false
	}}
	s := fake(t, l.ServeHTTP)
	s.Hurry(limit, limit)
	if err := s.DeleteAttempt(t.Context(), key().Queue, attemptA); err != nil {
		t.Fatal(err)
	}
	if len(l.deleted) != 6 || slices.IndexFunc(l.deleted, func(name string) bool { return !strings.HasSuffix(name, ".key") }) != 2 {
		t.Errorf("deleted %v, want two keys first", l.deleted)
	}
}

// A photo is as old as its pictures, whenever its key was wrapped: it must not be
// kept for longer.
func TestRewrappedPhotosAreNoYounger(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	dir := t.TempDir()
	newKey := config.StoreKey{ID: "new", Key: config.NewSecret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")}
	for name, c := range map[string]struct {
		config.Config
		folder string
	}{
		"files": {config.Config{Data: dir}, filepath.Join(dir, "photos")},
		"S3":    {config.Config{Store: server.Store()}, filepath.Join(server.Folder, s3test.Bucket)},
	} {
		s, err := store.New(c.Config, discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), key(), picture); err != nil {
			t.Fatal(err)
		}
		const days = 400 * 24 * time.Hour
		if err := ager(c.folder)(key().Queue, attemptA, days); err != nil {
			t.Fatal(err)
		}
		c.Store.Keys = append([]config.StoreKey{newKey}, c.Store.Keys...)
		again, err := store.New(c.Config, discard)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.Rewrap(t.Context(), func(int) {}); err != nil || got.Changed != 1 {
			t.Errorf("%s: rewrap: got %+v, %v", name, got, err)
		}
		visits := 0
		err = s.List(t.Context(), func(_, _ string, age time.Duration) error {
			if visits++; age < days {
				t.Errorf("%s: it is %v old, want %v", name, age, days)
			}
			return nil
		})
		if err != nil || visits != 1 {
			t.Errorf("%s: %d attempts, %v", name, visits, err)
		}
	}
}
