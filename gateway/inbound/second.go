package inbound

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/media"
)

// subject is a photo with what is needed to fetch and to judge it.
type subject struct {
	route   *routes.Route
	account routes.Account
	photo   connectors.Photo
	index   int // among the photos of its message
	room    *budget.Original
}

// copied is one copy of an original, and what became of it: pictures, a
// verdict, or an error that is neither. Of its bytes only the digest is kept, so
// that two copies are never in memory at once.
type copied struct {
	digest    [sha256.Size]byte
	bytes     int64 // zero where it was not read
	developed *media.Developed
	err       error
}

func newCopied(original []byte, developed *media.Developed, err error) copied {
	return copied{sha256.Sum256(original), int64(len(original)), developed, err}
}

// cutOff tells whether a file ends before its picture does.
func cutOff(developed *media.Developed, err error) bool {
	if err == nil {
		return developed.CutOff
	}
	verdict, ok := errors.AsType[*media.Rejection](err)
	return ok && verdict.CutOff
}

// second fetches a photo once more whose first copy ends too early: the platform
// may not have had all of it yet, or have lost its thread while we read. It is
// done once for each photo in an attempt, and not for a copy that has the digest
// that the platform announced, nor for one that was fetched twice over that.
//
//   - The same bytes again: that is all there is. What became of the first copy
//     stands, and nothing is developed twice.
//   - Another copy: it is taken if nothing of its picture is missing, or if it is
//     longer, because the longer one is nearer to what was sent. So it decides
//     also where it is not shown: it may be too large, or turn out to be animated.
//   - No copy: what became of the first stands, if that is a picture to be shown.
//     If it is a verdict, it stands where the platform will not give the photo
//     any more (Gone too: what was there is not what is not there yet), or where
//     all tries are used up. Else the error is returned, and the photo is tried
//     again later, as after any fetch that failed.
func (l *Line) second(ctx context.Context, e queue.Entry, s subject, first copied) (*media.Developed, error) {
	l.Metrics.Trouble("fetch", "cut_off")
	then := l.anotherCopy(ctx, e, s, first)
	if cutOff(then.developed, then.err) {
		l.Metrics.Trouble("fetch", "cut_off_again")
	}
	_, rejected := errors.AsType[*media.Rejection](then.err)
	judged := then.err == nil || rejected
	whole := then.err == nil && then.developed.Damage == ""
	switch {
	case whole, judged && then.bytes > first.bytes:
		return then.developed, then.err
	case judged:
	case ctx.Err() != nil, first.err != nil && !l.last(e, then.err):
		return nil, then.err
	}
	return first.developed, first.err
}

// anotherCopy fetches the photo, and develops it if it differs from the first.
func (l *Line) anotherCopy(ctx context.Context, e queue.Entry, s subject, first copied) copied {
	original, err := l.fetch(ctx, s)
	l.Accounts.Note(s.account.Name, err)
	if verdict, ok := errors.AsType[*media.Rejection](err); ok {
		return copied{bytes: verdict.Source.Bytes, err: err}
	}
	if err != nil {
		return copied{err: err}
	}
	if sha256.Sum256(original) == first.digest {
		return first
	}
	developed, err := l.develop(ctx, e, s.index, original, s.account.Photos)
	return newCopied(original, developed, err)
}
