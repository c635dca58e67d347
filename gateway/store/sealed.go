package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"

	"golang.org/x/sync/semaphore"

	"github.com/lightlock/lightlock/config"
)

// openBytes is how many bytes of pictures are decrypted at once: each as a
// whole, because what is not authenticated to its end must not be shown.
const openBytes = 32 << 20

// Sealed is a store of either kind, with what makes its bytes unreadable.
type Sealed struct {
	kind
	keys *keyring
	half halves
	room *semaphore.Weighted
}

// New opens the store that the configuration names. A folder must be there and
// be writable; a bucket need not answer yet, because a gateway without its store
// still takes messages in. Where the configuration has no key, files get one of
// their own, and log says so.
func New(c config.Config, log *slog.Logger) (*Sealed, error) {
	list := c.Store.Keys
	if c.Store.S3 == nil {
		var err error
		if list, err = withKeyFile(c, log); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
	}
	keys, err := newKeyring(list)
	if err != nil {
		return nil, err
	}
	under, err := openKind(c)
	if err != nil {
		return nil, err
	}
	return seal(under, keys), nil
}

func openKind(c config.Config) (kind, error) {
	if c.Store.S3 != nil {
		s, err := OpenS3(*c.Store.S3)
		return s, err
	}
	f, err := Open(filepath.Join(c.Data, "photos"))
	return f, err
}

func seal(under kind, keys *keyring) *Sealed {
	return &Sealed{kind: under, keys: keys, half: halves{keys: map[string]*dataKey{}}, room: semaphore.NewWeighted(openBytes)}
}

// photo is what the key of a photo is for.
func (k Key) photo() []string { return []string{"photo", k.Queue, k.Attempt, strconv.Itoa(k.Photo)} }

// picture is what a picture is bound to.
func (k Key) picture() []string { return append(k.photo(), string(k.Kind)) }

// Put stores a picture, as Pictures says. The photo's key is there before it.
func (s *Sealed) Put(ctx context.Context, k Key, data []byte) error {
	if err := checkPut(ctx, k, data); err != nil {
		return err
	}
	key, err := s.keyOf(ctx, k)
	if err != nil {
		return err
	}
	sealed, err := key.seal(data, k.picture()...)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	err = s.put(ctx, k.name(), sealed)
	if errors.Is(err, ErrExists) {
		err = s.same(ctx, k, data) // which never has the same bytes sealed
	}
	return err
}

// keyOf returns the key of a photo, and makes it if there is none.
func (s *Sealed) keyOf(ctx context.Context, k Key) (*dataKey, error) {
	if key := s.half.take(k.lock()); key != nil && key.Conversation == k.Conversation {
		return key, nil
	}
	key, err := s.keys.newKey(k.Conversation, k.photo()...)
	if err != nil {
		return nil, err
	}
	stored, err := key.marshal()
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	err = s.put(ctx, k.lock(), stored)
	switch {
	case err == nil:
		s.half.keep(k.lock(), key)
		return key, nil
	case !errors.Is(err, ErrExists):
		return nil, err
	}
	key, err = s.keyThere(ctx, k)
	if err == nil && key.Conversation != k.Conversation {
		err = ErrExists
	}
	return key, err
}

// keyThere reads the key of a photo, or returns ErrNotFound.
func (s *Sealed) keyThere(ctx context.Context, k Key) (*dataKey, error) {
	stored, err := whole(ctx, s, k.lock())
	if err != nil {
		return nil, err
	}
	w, err := parseWrapped(stored)
	if err != nil {
		return nil, err
	}
	return s.keys.unwrap(w, k.photo()...)
}

// same tells whether the picture that is there is this one.
func (s *Sealed) same(ctx context.Context, k Key, data []byte) error {
	there, _, err := s.read(ctx, k, func(int64) error { return nil })
	if err == nil && !bytes.Equal(there, data) {
		err = ErrExists
	}
	return err
}

// read returns a picture, and the conversation that it belongs to, once there is
// room for its sealed bytes.
func (s *Sealed) read(ctx context.Context, k Key, room func(sealed int64) error) (data []byte, conversation string, err error) {
	key, err := s.keyThere(ctx, k)
	if err != nil {
		return nil, "", err
	}
	sealed, err := wholeIf(ctx, s, k.name(), room)
	if err != nil {
		return nil, "", err
	}
	data, err = key.open(sealed, k.picture()...)
	return data, key.Conversation, err
}

// Open opens a picture, as Pictures says.
func (s *Sealed) Open(ctx context.Context, k Key) (Picture, error) {
	if err := errors.Join(ctx.Err(), k.check()); err != nil {
		return Picture{}, err
	}
	// While it is decrypted there are two of it. What has been is not counted, because
	// nobody must wait for whoever reads an answer slowly.
	var taken int64
	data, conversation, err := s.read(ctx, k, func(sealed int64) error {
		if err := s.room.Acquire(ctx, 2*sealed); err != nil {
			return fmt.Errorf("store: get: others are being read: %w", err)
		}
		taken = 2 * sealed
		return nil
	})
	s.room.Release(taken)
	if err != nil {
		return Picture{}, err
	}
	return Picture{memory{bytes.NewReader(data)}, conversation}, nil
}

// memory is a picture that is open.
type memory struct{ io.ReadSeeker }

// Close implements io.Closer.
func (memory) Close() error { return nil }

// Conversation tells whose a photo is, as Pictures says.
func (s *Sealed) Conversation(ctx context.Context, k Key) (string, error) {
	k.Kind = Preview // which is not looked at
	if err := errors.Join(ctx.Err(), k.check()); err != nil {
		return "", err
	}
	key, err := s.keyThere(ctx, k)
	if err != nil {
		return "", err
	}
	return key.Conversation, nil
}

// DeleteAttempt removes all pictures of an attempt, as Pictures says.
func (s *Sealed) DeleteAttempt(ctx context.Context, queue, attempt string) error {
	if checkAttempt(queue, attempt) == nil {
		s.half.forget(folder(queue, attempt))
	}
	return s.kind.DeleteAttempt(ctx, queue, attempt)
}
