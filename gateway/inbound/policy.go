package inbound

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/retry"
	"github.com/lightlock/lightlock/gateway/routes"
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
		after := min(young/4, time.Duration(l.Work.RetryMax))
		return &connectors.Error{Kind: connectors.Unavailable, After: after, Op: "inbound: fetch", Err: errors.New("not there yet")}
	}
	return &media.Rejection{Reason: media.Expired, Detail: "the platform no longer had it"}
}

// platforms makes sure that an error of a fetch is known for the platform's,
// also from a connector that forgot to give it a kind. The text of such an error
// may hold anything and is left out.
func platforms(err error) error {
	var verdict *media.Rejection
	if err == nil || isPlatforms(err) || errors.As(err, &verdict) {
		return err
	}
	return connectors.Errorf(connectors.Other, "inbound: fetch", "error without a kind, of type %T", err)
}

// heldUp makes sure that a platform is not blamed for a fetch that others held
// up, who had the memory: it may have closed the connection while it waited for
// us to read on. Such a fetch is tried again later, as after any trouble of our
// own, and uses up none of the photo's tries.
func heldUp(err error, room *budget.Original) error {
	if errors.Is(err, budget.ErrNoRoom) {
		return err
	}
	var platform *connectors.Error
	err = platforms(err)
	if room.Waited() && errors.As(err, &platform) {
		return fmt.Errorf("%w: the platform waited for us, until: %s", budget.ErrNoRoom, platform.Kind)
	}
	return err
}

// isPlatforms tells the platform's trouble from our own, such as a full disk.
func isPlatforms(err error) bool {
	var platform *connectors.Error
	return errors.As(err, &platform)
}

// blame names the trouble for the metric.
func blame(err error) string {
	if !isPlatforms(err) {
		return "ours"
	}
	return connectors.KindOf(err).String()
}

// levelOf is how loud a failed try is: an operator can mend a wrong token or a
// full disk, and can do nothing about a platform's bad minute.
func levelOf(err error) slog.Level {
	if !isPlatforms(err) || connectors.KindOf(err).Next().Alarm {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// last tells whether no further try follows after this error. Only a platform
// can use up a photo's tries; trouble of our own delays the message for as long
// as it lasts.
func (l *Line) last(e queue.Entry, err error) bool {
	return isPlatforms(err) && (!connectors.KindOf(err).Next().Retry || e.Tries+1 >= l.Work.Attempts)
}

const (
	// longestAfter caps what a platform may ask for: beyond it a mistake in a
	// header would park a photo until the platform has deleted it.
	longestAfter = 15 * time.Minute
	// ownPause bounds the pause after trouble of our own, which takes no count
	// of tries and so has no curve.
	ownPause = 30 * time.Second
)

// pause is how long to wait before the next try, and never less than the platform
// asks for.
func (l *Line) pause(tries int, cause error) time.Duration {
	bound, most := time.Duration(l.Work.RetryMin), time.Duration(l.Work.RetryMax)
	if !isPlatforms(cause) {
		bound, tries = min(ownPause, most), 0
	}
	return max(retry.Pause(bound, most, tries), min(connectors.AfterOf(cause), longestAfter))
}

// announced tells whether the original has the digest that the platform
// announced, if it did.
func announced(original []byte, p connectors.Photo) bool {
	sum := sha256.Sum256(original)
	return p.ClaimedSHA256 == "" || hex.EncodeToString(sum[:]) == p.ClaimedSHA256
}

// count keeps the figures of a message that was forwarded.
func (l *Line) count(e queue.Entry, j job, photos []queue.Photo) {
	for _, p := range photos {
		l.Metrics.Photo(j.Account, string(p.Status), p.Reason)
		if p.Damaged {
			l.Metrics.Damaged(j.Account)
		}
	}
	l.Metrics.Forwarded(e.Queue, l.Now().Sub(j.ReceivedAt))
}

// discard takes away the pictures of an attempt of which nobody has been told.
func (l *Line) discard(ctx context.Context, e queue.Entry, attempt string) {
	ctx, cancel := settling(ctx)
	defer cancel()
	if err := l.Store.DeleteAttempt(ctx, e.Queue, attempt); err != nil {
		l.Log.Warn("pictures of a lost try remain", "key", e.Key, "attempt", attempt, "err", err)
	}
}

// notice returns what the consumer should be told of the first photo that was
// rejected, or nil.
func (l *Line) notice(e queue.Entry, j job, photos []queue.Photo) *queue.Notice {
	rejected := slices.IndexFunc(photos, func(p queue.Photo) bool { return p.Status == queue.Rejected })
	if rejected < 0 {
		return nil
	}
	route, account, err := l.Routes.Find(j.Channel, j.Event.Account)
	if err != nil {
		return nil
	}
	told := outbound.Rejected{
		Route: route, Account: account, Event: j.Event, ReceivedAt: j.ReceivedAt, Reason: media.Reason(photos[rejected].Reason),
	}
	if source := photos[rejected].Source; source != nil {
		told.Type = source.Type
	}
	message, ok := told.Notice(l.Now())
	if !ok {
		return nil
	}
	payload, err := message.Encode()
	if err != nil {
		l.Log.Error("notice cannot be written down", "key", e.Key, "err", err)
		return nil
	}
	return &queue.Notice{Key: digest("notice", e.Key), Payload: payload}
}

// buried and accepted keep the figures of one call.
func (l *Line) buried(route *routes.Route, letters []queue.Letter, fresh []bool) {
	for i, letter := range letters {
		if fresh[i] {
			l.Log.Warn("event kept as a dead letter", "connector", route.Name, "key", letter.Key, "cause", letter.Cause)
		}
	}
}

func (l *Line) accepted(route *routes.Route, accepted []queue.Accepted) {
	for _, a := range accepted {
		if !a.New {
			l.Metrics.Duplicate(route.Name)
			if a.Mismatch { // the first wins
				l.Metrics.Trouble("accept", "mismatch")
			}
		} else if a.Fate != queue.FateAccepted {
			l.Metrics.Settled(route.Name, string(a.Fate))
		}
	}
}

// settle runs the script that ends an attempt. It waits for a Redis that is
// away, because the work is done and only its end is missing: the script
// recognises its own repeat, and its fence refuses us if somebody else has taken
// over meanwhile.
func (l *Line) settle(ctx context.Context, script func(context.Context) (queue.Outcome, error)) (queue.Outcome, error) {
	for {
		limited, cancel := settling(ctx)
		outcome, err := script(limited)
		cancel()
		mayPass := errors.Is(err, queue.ErrAway) || errors.Is(err, queue.ErrFull)
		if !mayPass || ctx.Err() != nil {
			return outcome, err
		}
		select {
		case <-ctx.Done(): // and once more, with what time there is
		case <-time.After(rest):
		}
	}
}

// settling returns a context for a step that ends an attempt: it outlives the
// attempt's own, because half a decision is worse than a late one.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}
