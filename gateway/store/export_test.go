package store

import (
	"context"
	"errors"
	"io"
	"time"
)

// Hurry gives a store less patience with its server: for a call, and for a piece
// of a stream.
func (s *S3) Hurry(call, piece time.Duration) { s.patience, s.pause = call, piece }

// MaxObject is the most bytes that a server may answer.
const MaxObject = maxObject

// Connections is how many a store has at most for reading.
const Connections = connections

// Plain is a kind of store with nothing that seals, for tests of the kind.
type Plain interface {
	Put(ctx context.Context, k Key, data []byte) error
	Get(ctx context.Context, k Key) (io.ReadSeekCloser, error)
	DeleteAttempt(ctx context.Context, queue, attempt string) error
	Upkeep
}

// Put puts a picture as it is.
func (f *Files) Put(ctx context.Context, k Key, data []byte) error { return putPlain(ctx, f, k, data) }

// Get gets a picture as it is.
func (f *Files) Get(ctx context.Context, k Key) (io.ReadSeekCloser, error) {
	return getPlain(ctx, f, k)
}

// Put puts a picture as it is.
func (s *S3) Put(ctx context.Context, k Key, data []byte) error { return putPlain(ctx, s, k, data) }

// Get gets a picture as it is.
func (s *S3) Get(ctx context.Context, k Key) (io.ReadSeekCloser, error) { return getPlain(ctx, s, k) }

func putPlain(ctx context.Context, b blobs, k Key, data []byte) error {
	if err := checkPut(ctx, k, data); err != nil {
		return err
	}
	return b.put(ctx, k.name(), data)
}

func getPlain(ctx context.Context, b blobs, k Key) (io.ReadSeekCloser, error) {
	if err := errors.Join(ctx.Err(), k.check()); err != nil {
		return nil, err
	}
	return b.get(ctx, k.name())
}
