package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
)

// errNoMatch says that a server cannot replace what is there, and nothing else.
var errNoMatch = errors.New("the server does not heed If-Match, so that what is deleted while its key is wrapped anew would come back: rewrap needs a server that does")

// swap puts another object in the place of one, as blobs says: with If-Match, so
// that what somebody deletes meanwhile stays deleted. A server that does not heed it
// is refused, whatever it would do.
func (s *S3) swap(ctx context.Context, name string, was, data []byte) error {
	if err := errors.Join(ctx.Err(), checkSize(data)); err != nil {
		return err
	}
	ctx, cancel := s.call(ctx)
	defer cancel()
	if err := s.matches(ctx); err != nil {
		return err
	}
	etag, err := s.tag(ctx, s.prefix+name, was)
	if err != nil {
		return err
	}
	if s.between != nil {
		s.between()
	}
	_, err = s.putOnce(ctx, s.prefix+name, data, func(o *minio.PutObjectOptions) { o.SetMatchETag(etag) })
	switch {
	case taken(err), unanswered(err), missing(err):
		if there := s.same(ctx, name, data); there == nil || errors.Is(there, ErrExists) || errors.Is(there, ErrNotFound) {
			return there
		}
	}
	return explain(ctx, "swap", err)
}

// matches finds out, once, whether the server heeds If-Match: where there is another
// object, and where there is none any more, of which some do not think.
func (s *S3) matches(ctx context.Context) error {
	s.match.Lock()
	defer s.match.Unlock()
	if s.matching {
		return nil
	}
	name := s.prefix + checks + randomName()
	info, err := s.putNew(ctx, name, []byte("one"))
	if err != nil {
		return explain(ctx, "swap", err)
	}
	other := s.refuses(ctx, name, strings.Repeat("0", len(info.ETag)))
	removed := s.delete(ctx, name)
	if err := errors.Join(other, removed); err != nil {
		return err
	}
	if err := s.refuses(ctx, name, info.ETag); err != nil {
		return errors.Join(err, s.delete(ctx, name))
	}
	s.matching = true
	return nil
}

// refuses wants the server to refuse an object, because none of that tag is there.
func (s *S3) refuses(ctx context.Context, name, etag string) error {
	_, err := s.putOnce(ctx, name, []byte("two"), func(o *minio.PutObjectOptions) { o.SetMatchETag(etag) })
	switch {
	case err == nil, unsupported(err):
		return fmt.Errorf("%w: %w", ErrUnfit, errNoMatch)
	case taken(err), missing(err):
		return nil
	}
	return explain(ctx, "swap", err)
}

// tag returns the ETag of the object that is there, if it has these bytes.
func (s *S3) tag(ctx context.Context, name string, was []byte) (string, error) {
	body, info, _, err := s.writes.GetObject(ctx, s.bucket, name, minio.GetObjectOptions{})
	if missing(err) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", explain(ctx, "swap", err)
	}
	defer func() { _, _ = io.Copy(io.Discard, body); _ = body.Close() }()
	if err := same(body, was); err != nil && !errors.Is(err, ErrExists) {
		return "", explain(ctx, "swap", err)
	} else if err != nil {
		return "", err
	}
	return info.ETag, nil
}

// unsupported tells whether a server does not know what it is asked for.
func unsupported(err error) bool {
	var answer minio.ErrorResponse
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotImplemented
}
