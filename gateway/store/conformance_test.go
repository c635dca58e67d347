package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/store/s3test"
	"github.com/lightlock/lightlock/gateway/store/storetest"
)

func TestFilesConform(t *testing.T) {
	storetest.Run(t, storetest.Subject{Open: func() (storetest.Place, error) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			return storetest.Place{}, err
		}
		again := func() (store.Store, error) { return store.Open(dir) }
		s, err := again()
		return storetest.Place{Store: s, Again: again, Age: ager(dir)}, err
	}})
}

func TestS3Conforms(t *testing.T) {
	server := s3test.Start(t)
	storetest.Run(t, storetest.Subject{Open: func() (storetest.Place, error) {
		dir, err := os.MkdirTemp(filepath.Join(server.Folder, s3test.Bucket), "prefix-")
		if err != nil {
			return storetest.Place{}, err
		}
		c := server.Config()
		c.Prefix = filepath.Base(dir)
		again := func() (store.Store, error) { return store.OpenS3(c) }
		s, err := again()
		return storetest.Place{Store: s, Again: again, Age: ager(dir)}, err
	}})
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
