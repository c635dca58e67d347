package store_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/store/s3test"
	"github.com/lightlock/lightlock/gateway/store/storetest"
)

var discard = slog.New(slog.DiscardHandler)

func TestFilesConform(t *testing.T) {
	storetest.Run(t, storetest.Subject{Open: func() (storetest.Place, error) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			return storetest.Place{}, err
		}
		again := func() (store.Store, error) { return store.New(config.Config{Data: dir}, discard) }
		s, err := again()
		return storetest.Place{Store: s, Again: again, Age: ager(filepath.Join(dir, "photos"))}, err
	}})
}

func TestS3Conforms(t *testing.T) {
	server := s3test.Start(t)
	storetest.Run(t, storetest.Subject{Open: func() (storetest.Place, error) {
		dir, err := os.MkdirTemp(filepath.Join(server.Folder, s3test.Bucket), "prefix-")
		if err != nil {
			return storetest.Place{}, err
		}
		c := server.Store()
		c.S3.Prefix = filepath.Base(dir)
		again := func() (store.Store, error) { return store.New(config.Config{Store: c}, discard) }
		s, err := again()
		return storetest.Place{Store: s, Again: again, Age: ager(dir)}, err
	}})
}

func TestDocumentsConform(t *testing.T) {
	t.Run("files", func(t *testing.T) {
		storetest.RunDocuments(t, func() (store.Documents, error) {
			return papersIn(t, config.Config{Data: t.TempDir()})
		})
	})
	t.Run("S3", func(t *testing.T) {
		server := s3test.Start(t)
		var places atomic.Int64
		storetest.RunDocuments(t, func() (store.Documents, error) {
			c := server.Store()
			c.S3.Prefix = fmt.Sprintf("papers-%d", places.Add(1))
			return papersIn(t, config.Config{Store: c})
		})
	})
}

func papersIn(t *testing.T, c config.Config) (store.Documents, error) {
	s, err := store.New(c, discard)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.Documents(), nil
}

// ager sets back the dates of an attempt, which are those of its folder and
// files whichever way they got there.
func ager(dir string) func(queue, attempt string, by time.Duration) error {
	return func(queue, attempt string, by time.Duration) error {
		then := time.Now().Add(-by)
		return filepath.Walk(filepath.Join(dir, queue, attempt[:2], attempt), func(path string, _ os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			return os.Chtimes(path, then, then)
		})
	}
}
