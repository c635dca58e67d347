// Package store keeps previews and thumbnails, and documents such as closed
// conversations: in files, or in a bucket of an S3-compatible server, and in
// either so that nobody can read them there.
//
// It promises that a picture is there whole or not at all, whatever happens
// while it is written, that it stays once Put has returned, that a key never
// leads to another picture than its own, and that every call ends within its
// time, whatever the disk or the server does. Package storetest checks each
// sentence of Store for both. Own code and minio-go instead of a library for
// many clouds, which brings the clients of all of them.
//
// # At rest
//
// Both pictures of a photo are sealed by AES-256-GCM under a key of the photo's
// own. That key lies beside them, wrapped by a key of the operator's, which is
// never in the store: so a copy of the disk, the bucket or a backup shows nothing,
// and where the wrapped key is deleted, the photo is destroyed, in copies of the
// pictures too. The name of a picture, and the conversation it belongs to, are part
// of what is authenticated: bytes that were changed, or moved to another name, do
// not open. Rewrap wraps all keys anew, without touching a picture.
//
// The sealing is done by tink-go, which Google keeps and uses: it draws keys and
// nonces itself, so that there is nothing to misuse. The standard library's
// cipher.NewGCM does the same with a nonce of ours, and leaves wrapping, formats
// and key identifiers to us.
//
// # Names
//
// A picture's name is the same in both, below the folder or the prefix:
// QUEUE/AA/ATTEMPT/N.preview, where AA is how ATTEMPT begins, and beside it
// N.thumbnail and N.key. So pictures can be moved from one to the other by a plain
// copy.
package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
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
	// ErrLocked says that a picture is there, and that none of the operator's keys
	// opens it. The text names the key that would.
	ErrLocked = errors.New("store: none of the operator's keys opens it")
	// ErrDamaged says that what is there is not what was put: bytes were changed, or
	// moved from elsewhere.
	ErrDamaged = errors.New("store: it is not as it was put")
	// ErrRefused says that a server has answered, and will answer the same until
	// somebody mends the configuration or its rules.
	ErrRefused = errors.New("store: the server refuses")
)

// MaxBytes is the largest picture that is taken, in bytes. Previews are up to
// 3,000,000.
const MaxBytes = 4 << 20

// callTime bounds what one call waits for a disk or a server.
const callTime = 30 * time.Second

// Store is what a store of pictures can do. Its methods may be called at once,
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
	// others are ErrExists, and change nothing, and so is another conversation. data
	// is not changed afterwards. Once an attempt was deleted, nothing is put there.
	Put(ctx context.Context, k Key, data []byte) error
	// Open opens a picture, or returns ErrNotFound; k.Conversation is not looked at.
	// The caller closes it. It is in memory then; only so many are read at once, and
	// others wait.
	Open(ctx context.Context, k Key) (Picture, error)
	// Conversation returns the one of a photo that Put was told, or ErrNotFound. It
	// reads no picture, so that who must not see one does not hear from its time that
	// it is there. k.Kind and k.Conversation are not looked at.
	Conversation(ctx context.Context, k Key) (string, error)
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

// Picture is a picture that is open, in memory.
type Picture struct {
	io.ReadSeekCloser
	// Conversation is the one that Put was told, or empty.
	Conversation string
}

// checkPut judges what Put is called with.
func checkPut(ctx context.Context, k Key, data []byte) error {
	if err := errors.Join(ctx.Err(), k.check()); err != nil {
		return err
	}
	if k.Conversation != "" && !attemptName.MatchString(k.Conversation) {
		return errKey
	}
	if len(data) == 0 || len(data) > MaxBytes {
		return fmt.Errorf("store: a picture of %d bytes", len(data))
	}
	return nil
}

// same compares what is there with data, and returns nil or
// ErrExists.
func same(there io.Reader, data []byte) error {
	got, err := io.ReadAll(io.LimitReader(there, int64(len(data))+1))
	if err == nil && !bytes.Equal(got, data) {
		err = ErrExists
	}
	return err
}
