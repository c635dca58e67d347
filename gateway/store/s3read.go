package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/minio/minio-go/v7"
)

// readTime is how long a stream may stand still.
const readTime = 10 * time.Second

// object is a picture as it comes from a server. Reading goes on where Seek has
// put it, by another request if that is elsewhere.
type object struct {
	s     *S3
	from  *minio.Core
	ctx   context.Context
	name  string
	size  int64
	at    int64 // where the next Read begins
	body  io.ReadCloser
	place int64           // where body is
	live  context.Context // of the request under way
	stop  context.CancelCauseFunc
}

// open asks for an object, from its beginning.
func (s *S3) open(ctx context.Context, from *minio.Core, name string) (*object, error) {
	o := &object{s: s, from: from, ctx: ctx, name: s.prefix + name, size: -1}
	if err := o.request(); err != nil { //nolint:contextcheck // it has the caller's
		return nil, err
	}
	return o, nil
}

// request asks for what is to be read next.
func (o *object) request() error {
	o.drop()
	ctx, stop := context.WithCancelCause(o.ctx)
	defer time.AfterFunc(o.s.patience, func() { stop(slow(o.s.patience)) }).Stop()
	options := minio.GetObjectOptions{}
	if o.at > 0 {
		if err := options.SetRange(o.at, 0); err != nil {
			stop(nil)
			return fmt.Errorf("store: get: %w", err)
		}
	}
	body, info, _, err := o.from.GetObject(ctx, o.s.bucket, o.name, options)
	if err != nil {
		defer stop(nil)
		if missing(err) {
			return ErrNotFound
		}
		return explain(ctx, "get", err)
	}
	o.body, o.place, o.live, o.stop = body, o.at, ctx, stop
	if o.size < 0 && info.Size <= maxObject {
		o.size = info.Size
	}
	if o.size < 0 || info.Size != o.size-o.at {
		o.drop()
		return errors.New("store: get: the server sends another length than it can have")
	}
	return nil
}

// Read implements io.Reader.
func (o *object) Read(p []byte) (int, error) {
	if o.at >= o.size {
		return 0, io.EOF
	}
	if o.body == nil || o.place != o.at {
		if err := o.request(); err != nil {
			return 0, err
		}
	}
	n, err := o.read(p)
	o.at, o.place = o.at+int64(n), o.place+int64(n)
	if err == nil || o.at == o.size {
		return n, nil
	}
	cause := context.Cause(o.live)
	o.drop()
	if cause == nil {
		cause = errors.New("the server's answer breaks off")
	}
	return n, fmt.Errorf("store: get: %w", cause)
}

// read gives the server its time for a piece of the picture.
func (o *object) read(p []byte) (int, error) {
	stop := o.stop
	defer time.AfterFunc(o.s.pause, func() { stop(slow(o.s.pause)) }).Stop()
	return o.body.Read(p)
}

// Seek implements io.Seeker.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("store: get: a place before the picture")
	}
	o.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (o *object) Close() error {
	o.drop()
	return nil
}

// drop ends the request that is under way.
func (o *object) drop() {
	if o.body != nil {
		_ = o.body.Close()
		o.stop(nil)
		o.body = nil
	}
}
