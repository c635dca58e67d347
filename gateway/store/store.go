// Package store keeps previews and thumbnails: in files, or in a bucket of an
// S3-compatible server.
//
// It promises that a picture is there whole or not at all, whatever happens
// while it is written, that it stays once Put has returned, that a key never
// leads to another picture than its own, and that every call ends within its
// time, whatever the disk or the server does. Package storetest checks each
// sentence of Store for both. Own code and minio-go instead of a library for
// many clouds, which brings the clients of all of them.
//
// A picture's name is the same in both, below the folder or the prefix:
// QUEUE/AA/ATTEMPT/N.preview.jpg, where AA is how ATTEMPT begins. So pictures
// can be moved from one to the other by a plain copy.
package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/lightlock/lightlock/config"
)

// The errors that callers act on; errors.Is finds them.
var (
	// ErrNotFound says that there is no such picture.
	ErrNotFound = errors.New("store: no such picture")
	// ErrExists says that another picture is there under the same key.
	ErrExists = errors.New("store: another picture is there")
	// ErrUnfit says that a store works, but is not what it must be: what is
	// wrong with it delays nothing and is for the operator to mend.
	ErrUnfit = errors.New("store: not as it must be")
	// ErrRefused says that a server has answered, and will answer the same until
	// somebody mends the configuration or its rules.
	ErrRefused = errors.New("store: the server refuses")
)

// MaxBytes is the largest picture that is taken, in bytes. Previews are up to
// 3,000,000.
const MaxBytes = 4 << 20

// callTime bounds what one call waits for a disk or a server.
const callTime = 30 * time.Second

// Store is what both kinds of store can do. Its methods may be called at once,
// and several gateways may use the same folder or bucket.
type Store interface {
	Pictures
	Upkeep
}

// Pictures is what happens to single pictures. Errors name no secret; those of a
// context are found by errors.Is.
type Pictures interface {
	// Put stores a picture of 1 to MaxBytes bytes. When it returns nil, the
	// picture stays. After an error there may be none under this key, or the one
	// that was there before, or this one, whole. The same bytes may be put again;
	// others are ErrExists, and change nothing. data is not changed afterwards.
	Put(ctx context.Context, k Key, data []byte) error
	// Get opens a picture, or returns ErrNotFound. The caller closes it; ctx must
	// live as long.
	Get(ctx context.Context, k Key) (io.ReadSeekCloser, error)
	// DeleteAttempt removes all pictures of an attempt, for good when it returns
	// nil. It may be repeated, and there need not be any.
	DeleteAttempt(ctx context.Context, queue, attempt string) error
}

// Upkeep is what keeps a store in order.
type Upkeep interface {
	// List calls visit for every attempt, with the time since something was last
	// put there, by the store's own dates. An error of visit ends it and is
	// returned. Visit may delete the attempt. What does not look like a picture's
	// is passed over.
	List(ctx context.Context, visit func(queue, attempt string, age time.Duration) error) error
	// Check does what Put does with a picture of its own, and deletes it again:
	// for a readiness check. ErrUnfit is for what does not hold up Put.
	Check(ctx context.Context) error
	// Close gives back what the store holds open.
	Close() error
}

// New opens the store that the configuration names. A folder must be there and
// be writable; a bucket need not answer yet, because a gateway without its store
// still takes messages in.
func New(c config.Config) (Store, error) {
	if c.Store.S3 == nil {
		return opened(Open(filepath.Join(c.Data, "photos")))
	}
	return opened(OpenS3(*c.Store.S3))
}

// opened makes nothing at all of a store that could not be opened.
func opened[S Store](s S, err error) (Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// checkPut judges what Put is called with.
func checkPut(ctx context.Context, k Key, data []byte) error {
	if err := errors.Join(ctx.Err(), k.check()); err != nil {
		return err
	}
	if len(data) == 0 || len(data) > MaxBytes {
		return fmt.Errorf("store: a picture of %d bytes", len(data))
	}
	return nil
}

// same compares the picture that is there with data, and returns nil or
// ErrExists.
func same(there io.Reader, data []byte) error {
	got, err := io.ReadAll(io.LimitReader(there, int64(len(data))+1))
	if err == nil && !bytes.Equal(got, data) {
		err = ErrExists
	}
	return err
}
