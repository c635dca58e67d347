package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	// pageSize is how many objects are asked for at once, the most that S3 gives.
	pageSize = 1000
	// checks is where Check writes below the prefix. No queue can be called so.
	checks = ".check/"
)

// randomName is one that no other check has.
func randomName() string { return rand.Text() }

// listed is an object as a list shows it.
type listed struct {
	name string
	at   time.Time // by the server's clock
}

// List visits all attempts, as Upkeep says, and removes what checks that were
// killed have left.
func (s *S3) List(ctx context.Context, visit func(queue, attempt string, age time.Duration) error) error {
	var last attemptOf
	var newest dates
	flush := func() error {
		if last == (attemptOf{}) {
			return nil
		}
		return visit(last.queue, last.attempt, max(0, time.Since(newest.date())))
	}
	err := s.objects(ctx, s.prefix, func(o listed) error {
		name := strings.TrimPrefix(o.name, s.prefix)
		this, ok := parseName(name)
		switch {
		case strings.HasPrefix(name, checks) && time.Since(o.at) > abandoned:
			return s.delete(ctx, o.name)
		case !ok:
			return nil
		case this == last:
			newest.add(o)
			return nil
		}
		err := flush()
		last, newest = this, dates{}
		newest.add(o)
		return err
	})
	if err != nil {
		return err
	}
	return flush()
}

// dates are of an attempt's objects. A key is of today when it is wrapped anew, so
// that it tells only where there is no picture.
type dates struct{ picture, key time.Time }

func (d *dates) add(o listed) {
	newest := &d.picture
	if isKey(o.name) {
		newest = &d.key
	}
	if o.at.After(*newest) {
		*newest = o.at
	}
}

func (d *dates) date() time.Time {
	if d.picture.IsZero() {
		return d.key
	}
	return d.picture
}

// attemptOf says whose an object is.
type attemptOf struct{ queue, attempt string }

// parseName reads QUEUE/AA/ATTEMPT/FILE.
func parseName(name string) (attemptOf, bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 4 || checkAttempt(parts[0], parts[2]) != nil || parts[1] != parts[2][:2] {
		return attemptOf{}, false
	}
	return attemptOf{parts[0], parts[2]}, true
}

// objects calls visit for all objects below a prefix, a page at a time, because
// there may be millions. Visit may delete the object.
func (s *S3) objects(ctx context.Context, prefix string, visit func(listed) error) error {
	for after := ""; ; {
		page, err := s.page(ctx, prefix, after, pageSize)
		if err != nil {
			return err
		}
		for _, o := range page {
			if err := visit(o); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
		after = page[len(page)-1].name
		if within := s.prefix + documents; prefix == s.prefix && strings.HasPrefix(after, within) {
			after = within + "\U0010ffff" // past all of them, which may be millions
		}
	}
}

// names lists objects, as kind says.
func (s *S3) names(ctx context.Context, folder, after string, limit int) (names []string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	prefix := s.prefix
	if folder != "." {
		prefix += folder + "/"
	}
	if after != "" {
		after = s.prefix + after
	}
	// What is before all that begins with the prefix is as good as nothing, and what is
	// behind would be an answer that looks wrong.
	if after < prefix {
		after = ""
	}
	for len(names) < limit {
		most := min(limit-len(names), pageSize)
		page, err := s.page(ctx, prefix, after, most)
		if err != nil {
			return nil, err
		}
		for _, o := range page {
			names = append(names, strings.TrimPrefix(o.name, s.prefix))
			after = o.name
		}
		if len(page) < most {
			break
		}
	}
	return names, nil
}

// page lists the objects behind one, at most limit, which is at most pageSize.
func (s *S3) page(ctx context.Context, prefix, after string, limit int) ([]listed, error) {
	ctx, cancel := s.call(ctx)
	defer cancel()
	owner := false
	options := minio.ListObjectsOptions{Prefix: prefix, Recursive: true, StartAfter: after, MaxKeys: limit, FetchOwner: &owner}
	var page []listed
	for o := range s.writes.ListObjectsIter(ctx, s.bucket, options) {
		if o.Err != nil {
			return nil, explain(ctx, "list", o.Err)
		}
		// A list that is not what was asked for would have others' objects
		// deleted, or never end.
		if !strings.HasPrefix(o.Key, prefix) || o.Key <= after {
			return nil, errors.New("store: list: the server lists what it was not asked for")
		}
		page = append(page, listed{o.Key, o.LastModified})
		if len(page) == limit {
			return page, nil
		}
	}
	if ctx.Err() != nil { // the list ends without a word
		return nil, fmt.Errorf("store: list: %w", context.Cause(ctx))
	}
	return page, nil
}
