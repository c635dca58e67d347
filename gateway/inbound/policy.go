package inbound

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/media"
)

// young is how long a platform may answer "no such photo" about one that it has
// just announced: LINE and Twilio do so while they still store it.
const young = time.Minute

// expired turns a platform's "no longer here" into a verdict, unless the photo
// is so young that it may not be there yet.
func (l *Line) expired(err error, j job) error {
	if connectors.KindOf(err) != connectors.Gone {
		return err
	}
	if l.Now().Sub(j.ReceivedAt) < young {
		return &connectors.Error{Kind: connectors.Unavailable, After: young / 4, Op: "inbound: fetch", Err: errors.New("not there yet")}
	}
	return &media.Rejection{Reason: media.Expired, Detail: "the platform no longer had it"}
}

// note keeps /readyz's line about the account: whether the platform takes its
// credentials.
func (l *Line) note(a Account, err error) {
	switch {
	case err == nil:
		l.Accounts.Served(a.Name)
	case connectors.KindOf(err) == connectors.Misconfigured:
		l.Accounts.Refused(a.Name)
	}
}

// last tells whether no further try follows after this error. Only a platform
// can use up a photo's tries; trouble of our own, such as a full disk, delays
// the message for as long as it lasts.
func (l *Line) last(e queue.Entry, err error) bool {
	var platform *connectors.Error
	if !errors.As(err, &platform) {
		return false
	}
	return !platform.Kind.Next().Retry || e.Tries+1 >= l.Work.Attempts
}

// pause is how long to wait before the next try: full jitter over a bound that
// grows fourfold, and never less than the platform asks for. It is our own
// because a library's curve keeps its state in memory, and the tries of one
// message may be made by different gateways.
func (l *Line) pause(tries int, cause error) time.Duration {
	least, most := time.Duration(l.Work.RetryMin), time.Duration(l.Work.RetryMax)
	bound := least
	for range tries {
		if bound *= 4; bound >= most {
			bound = most
			break
		}
	}
	pause := rand.N(bound) + 1 //nolint:gosec // jitter needs no secrecy
	return min(max(pause, connectors.AfterOf(cause)), most)
}

// compare holds the original against the digest that the platform announced. A
// second mismatch is let through and counted: that platforms digest exactly the
// bytes that they serve is not documented well enough to lose a photo over it.
func (l *Line) compare(original []byte, p connectors.Photo, e queue.Entry) error {
	if p.ClaimedSHA256 == "" {
		return nil
	}
	sum := sha256.Sum256(original)
	if hex.EncodeToString(sum[:]) == p.ClaimedSHA256 {
		return nil
	}
	l.Metrics.Trouble("fetch", "digest")
	if e.Tries > 0 {
		l.Log.Warn("photo differs from the digest that the platform announced", "key", e.Key)
		return nil
	}
	return connectors.Errorf(connectors.Unavailable, "inbound: compare digest", "bytes differ from what was announced")
}

// levelOf is how loud a failed try is: an operator can mend a wrong token, and
// can do nothing about a platform's bad minute.
func levelOf(kind connectors.ErrorKind) slog.Level {
	if kind.Next().Alarm {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// settling returns a context for the script that ends an attempt: it outlives
// the attempt's own, because half a decision is worse than a late one.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
}
