package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/lightlock/lightlock/config"
)

// S3 is a store in a bucket of an S3-compatible server. It needs no more than
// PutObject with If-None-Match, GetObject, DeleteObject and ListObjectsV2, and
// that the server shows at once what it has acknowledged; Rewrap needs If-Match too. It
// keeps bytes as they are given; Sealed gives it what nobody can read.
//
// The server is believed as little as anybody: its answers are capped and end in
// time, its redirects are not followed, and of its errors only the code is
// repeated.
type S3 struct {
	// writes and reads have connections of their own, so that slow readers hold
	// up no worker.
	writes, reads  *minio.Core
	bucket, prefix string
	patience       time.Duration // for a call
	pause          time.Duration // for a piece of a stream
	close          func()

	match    sync.Mutex
	matching bool // the server is known to heed If-Match
	// between is for tests: what happens between a look at an object and its change.
	between func()
}

// OpenS3 makes the store that c describes; nothing is asked of the server yet.
func OpenS3(c config.S3) (*S3, error) {
	s := &S3{bucket: c.Bucket, prefix: c.Prefix, patience: callTime, pause: readTime}
	if s.prefix != "" && s.prefix[len(s.prefix)-1] != '/' {
		s.prefix += "/"
	}
	writes, err := newClient(c)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	reads, err := newClient(c)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s.writes, s.reads = writes.core, reads.core
	s.close = func() { writes.close(); reads.close() }
	return s, nil
}

// Close gives back the connections that nobody uses.
func (s *S3) Close() error {
	s.close()
	return nil
}

// folder is what the names of an attempt's objects begin with.
func (s *S3) folder(queue, attempt string) string { return s.prefix + folder(queue, attempt) + "/" }

// call bounds the time of one call.
func (s *S3) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.patience, slow(s.patience))
}

// put keeps bytes, as blobs says.
func (s *S3) put(ctx context.Context, name string, data []byte) error {
	if err := errors.Join(ctx.Err(), checkSize(data)); err != nil {
		return err
	}
	ctx, cancel := s.call(ctx)
	defer cancel()
	for pause := firstPause; ; pause *= 2 {
		_, err := s.putNew(ctx, s.prefix+name, data)
		if !taken(err) && !unanswered(err) {
			return explain(ctx, "put", err)
		}
		// Whoever was there before us may be ourselves, if an answer was lost. Or
		// there is none yet: somebody is about to put it, and may fail. No answer
		// may mean the same: a server that has such an object already need not read
		// the bytes, and if it closes the connection with some of them unread, its
		// refusal is lost, each time anew.
		there := s.same(ctx, name, data)
		switch {
		case there == nil || errors.Is(there, ErrExists):
			return there
		case unanswered(err):
			return explain(ctx, "put", err)
		case !errors.Is(there, ErrNotFound):
			return there
		case pause > lastPause || !rest(ctx, pause):
			return explain(ctx, "put", err)
		}
	}
}

// putNew writes an object if there is none of that name, and does so once more if
// that fails of the connection or the server.
func (s *S3) putNew(ctx context.Context, name string, data []byte) (info minio.UploadInfo, err error) {
	for range repeats {
		info, err = s.putOnce(ctx, name, data, func(o *minio.PutObjectOptions) { o.SetMatchETagExcept("*") })
		if !passing(err) || !rest(ctx, rand.N(lastPause)) { //nolint:gosec // no secret
			break
		}
	}
	return info, err
}

// putOnce sends an object. The digest in its signature makes the server refuse
// bytes that were changed on their way. The reader hides that it could be read
// again: minio would do so while the connection before still reads from it.
func (s *S3) putOnce(ctx context.Context, name string, data []byte, condition func(*minio.PutObjectOptions)) (minio.UploadInfo, error) {
	digest := sha256.Sum256(data)
	options := minio.PutObjectOptions{ContentType: "application/octet-stream", CacheControl: "no-store", DisableContentSha256: true}
	condition(&options)
	body := struct{ io.Reader }{bytes.NewReader(data)}
	return s.writes.PutObject(ctx, s.bucket, name, body, int64(len(data)), "", hex.EncodeToString(digest[:]), options)
}

// rest pauses, and tells whether there is time left.
func rest(ctx context.Context, pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-ctx.Done():
		return false
	}
}

// taken tells whether there was an object of that name, or somebody was about to
// make one.
func taken(err error) bool {
	var answer minio.ErrorResponse
	return errors.As(err, &answer) && (answer.StatusCode == http.StatusPreconditionFailed || answer.StatusCode == http.StatusConflict)
}

// unanswered tells whether a request failed without an answer of the server's: of
// the connection, or of the time.
func unanswered(err error) bool {
	var answer minio.ErrorResponse
	return err != nil && !errors.As(err, &answer)
}

// same tells whether the object that is there has these bytes.
func (s *S3) same(ctx context.Context, name string, data []byte) error {
	there, err := s.open(ctx, s.writes, name)
	if err != nil {
		return err
	}
	defer func() { _ = there.Close() }()
	return same(there, data)
}

// get opens an object, as blobs says. It is read as a stream.
func (s *S3) get(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.open(ctx, s.reads, name)
}

// DeleteAttempt removes all pictures of an attempt, as Pictures says, and the keys
// first.
func (s *S3) DeleteAttempt(ctx context.Context, queue, attempt string) error {
	if err := errors.Join(ctx.Err(), checkAttempt(queue, attempt)); err != nil {
		return err
	}
	ctx, cancel := s.call(ctx)
	defer cancel()
	var pictures []string
	err := s.objects(ctx, s.folder(queue, attempt), func(o listed) error {
		if isKey(o.name) {
			return s.delete(ctx, o.name)
		}
		pictures = append(pictures, o.name)
		return nil
	})
	for _, name := range pictures {
		if err == nil {
			err = s.delete(ctx, name)
		}
	}
	return err
}

// remove removes an object, as blobs says.
func (s *S3) remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := s.call(ctx)
	defer cancel()
	return s.delete(ctx, s.prefix+name)
}

func (s *S3) delete(ctx context.Context, name string) error {
	err := s.writes.RemoveObject(ctx, s.bucket, name, minio.RemoveObjectOptions{})
	if missing(err) {
		return nil
	}
	return explain(ctx, "delete", err)
}

// Check puts a small object twice, the second time with other bytes, which must
// be refused, and deletes it.
func (s *S3) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := s.call(ctx)
	defer cancel()
	name := s.prefix + checks + randomName()
	info, err := s.putNew(ctx, name, make([]byte, 4096))
	if err != nil {
		return explain(ctx, "put", err)
	}
	_, err = s.putNew(ctx, name, []byte("another"))
	removed := s.delete(ctx, name)
	switch {
	case err == nil:
		err = fmt.Errorf("%w: the server ignores If-None-Match, so that one picture could replace another", ErrUnfit)
	case !taken(err):
		err = explain(ctx, "put", err)
	case info.VersionID != "" && info.VersionID != "null":
		err = fmt.Errorf("%w: the bucket keeps versions, and so the photos that were deleted", ErrUnfit)
	default:
		err = nil
	}
	return errors.Join(removed, err)
}
