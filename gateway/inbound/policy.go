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
	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/hosts"
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
func (l *Line) expired(err error, e queue.Entry) error {
	if connectors.KindOf(err) != connectors.Gone {
		return err
	}
	if e.Age() < young {
		after := min(young/4, time.Duration(l.Work.RetryMax))
		return &connectors.Error{Kind: connectors.Unavailable, After: after, Op: "inbound: fetch", Err: errors.New("not there yet")}
	}
	return &media.Rejection{Reason: media.Expired, Detail: "the platform no longer had it"}
}

// platforms makes sure that an error of a fetch is known for the platform's,
// also from a connector that forgot to give it a kind. The text of such an error
// may hold anything and is left out.
func platforms(err error) error {
	_, judged := errors.AsType[*media.Rejection](err)
	_, waits := errors.AsType[*hosts.Wait](err)
	if err == nil || isPlatforms(err) || judged || waits {
		return err
	}
	return connectors.Errorf(connectors.Other, "inbound: fetch", "error without a kind, of type %T", err)
}

// heldUp makes sure that a platform is not blamed for a fetch that others held
// up, who had the memory: it may have closed the connection while it waited for
// us to read on. Such a fetch is tried again later, as after any trouble of our
// own, and uses up none of the photo's tries.
func heldUp(err error, room *budget.Original) error {
	if errors.Is(err, budget.ErrNoRoom) || errors.Is(err, errStopping) {
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

// unlessJudged is what a fetch says of its host: where it led to a verdict on the
// photo, the host has done its part.
func unlessJudged(err error) error {
	if _, judged := errors.AsType[*media.Rejection](err); judged {
		return nil
	}
	return err
}

// isBusy tells whether a photo only waits for a place at its host.
func isBusy(err error) bool {
	wait, ok := errors.AsType[*hosts.Wait](err)
	return ok && wait.Reason == hosts.Busy
}

// weight orders the troubles of a message's photos: the heaviest decides how it is
// put off. What a platform failed at uses up a try, whatever else there is.
func weight(err error) int {
	_, waits := errors.AsType[*hosts.Wait](err)
	switch {
	case err == nil:
		return 0
	case isBusy(err):
		return 1
	case waits:
		return 2
	case !isPlatforms(err):
		return 3
	}
	return 4
}

// blame names the trouble for the metric.
func blame(err error) string {
	if wait, ok := errors.AsType[*hosts.Wait](err); ok {
		return "host_" + string(wait.Reason)
	}
	if !isPlatforms(err) {
		return "ours"
	}
	return connectors.KindOf(err).String()
}

// levelOf is how loud a failed try is: an operator can mend a wrong token or a
// full disk, and can do nothing about a platform's bad minute. That a host is left
// alone, or that the store is away, has been said once for all photos.
func levelOf(err error) slog.Level {
	if _, waits := errors.AsType[*hosts.Wait](err); waits || errors.Is(err, errStoreAway) {
		return slog.LevelDebug
	}
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

// final is the verdict on a photo that no further try follows after this error, or
// nil.
func (l *Line) final(e queue.Entry, p connectors.Photo, err error) *media.Rejection {
	_, waits := errors.AsType[*hosts.Wait](err)
	tooLong := waits && !isBusy(err) && e.Tries+1 >= l.Work.Attempts && counted(e)
	switch {
	case l.last(e, err), tooLong:
		l.Log.Warn("photo given up", "key", e.Key, "tries", e.Tries+1, "err", err)
		return &media.Rejection{Reason: media.Unreachable, Detail: "all tries used up"}
	case (waits || isPlatforms(err)) && left(e, p) <= retry.Asked(err):
		l.Log.Warn("photo given up at the end of its life", "key", e.Key, "tries", e.Tries+1, "err", err)
		return &media.Rejection{Reason: media.Expired, Detail: "the platform drops it before the next try"}
	}
	return nil
}

const (
	// ownPause bounds the first pause after trouble of our own, and ownMost all.
	ownPause, ownMost = 30 * time.Second, 2 * time.Minute
	// busyMost is how often the wait for a place at a host doubles.
	busyMost = 3
	// longestHold is how long a message keeps its place among those of its account
	// while its host is left alone. Their photos are mostly from the same host, and
	// would be put off one by one in its place; but one host may not have the
	// places for long, if others work.
	longestHold = time.Minute
	// freeWaits is how long it costs no try that a host is left alone. A host that
	// fails for longer may be gone.
	freeWaits = 24 * time.Hour
	// forEver is how long a platform keeps a photo that does not say.
	forEver = 10_000 * time.Hour
)

// putOff says how a message is put off over a trouble, and notes it in the job.
func (l *Line) putOff(e queue.Entry, j *job, cause error) queue.Retry {
	put := queue.Retry{Cause: cause.Error(), NoTry: !isPlatforms(cause)}
	wait, waits := errors.AsType[*hosts.Wait](cause)
	most, left := time.Duration(l.Work.RetryMax), leftOfAll(e, *j)
	switch {
	case !waits && put.NoTry:
		j.Held = 0
		// All photos of its account have to wait for the store, in the same order.
		put.After, put.Hold = retry.Pause(ownPause, min(ownMost, most, left), j.Waits), isStores(cause)
		j.Waits++
	case !waits:
		j.Held, j.Waits = 0, 0
		put.After = l.pause(e.Tries, cause, min(most, left))
	case isBusy(cause):
		put.After, put.Hold = wait.For<<min(j.Waits, busyMost), true
		j.Waits++
	default:
		j.Waits = 0
		put.Hold = j.Held == 0 && wait.For <= longestHold
		put.NoTry = !counted(e)
		put.After = min(max(wait.For, retry.Pause(wait.For, most, j.Held)), left)
		j.Held++
	}
	return put
}

// counted tells whether a message is so old that it counts as a try to find its
// host left alone.
func counted(e queue.Entry) bool { return e.Age() > freeWaits }

// left is how long a platform still keeps a photo, as far as it says.
func left(e queue.Entry, p connectors.Photo) time.Duration {
	if p.Until.IsZero() {
		return forEver
	}
	return p.Until.Sub(e.Now())
}

// leftOfAll is how long it keeps all of a message's photos that are not settled. What
// is over by now is not counted: nobody knows it better than the platform.
func leftOfAll(e queue.Entry, j job) time.Duration {
	least := forEver
	for i, p := range j.Event.Photos {
		if left := left(e, p); !j.settled(i) && left > 0 {
			least = min(least, left)
		}
	}
	return least
}

// pause is how long to wait before the next try: at most so long, and never less
// than the platform asks for.
func (l *Line) pause(tries int, cause error, most time.Duration) time.Duration {
	return max(retry.Pause(time.Duration(l.Work.RetryMin), most, tries), retry.Asked(cause))
}

// announced tells whether the original has the digest that the platform
// announced, if it did.
func announced(original []byte, p connectors.Photo) bool {
	sum := sha256.Sum256(original)
	return p.ClaimedSHA256 == "" || hex.EncodeToString(sum[:]) == p.ClaimedSHA256
}

// count keeps the figures of a message that has ended. One that was told before has
// been counted as forwarded then.
func (l *Line) count(e queue.Entry, j job, end queue.End) {
	for _, p := range j.photos() {
		l.Metrics.Photo(j.Account, string(p.Status), p.Reason)
		if p.Damaged {
			l.Metrics.Damaged(j.Account)
		}
	}
	if end.Told == "" {
		l.Metrics.Forwarded(e.Queue, l.Now().Sub(j.ReceivedAt))
	}
}

// discardOwn is discard for an attempt that has the entry in hand: only where it has
// written something is the store asked, which may be far away and be paid for it.
func (l *Line) discardOwn(ctx context.Context, e queue.Entry, j job) {
	if j.wrote {
		l.discard(ctx, e, e.Attempt)
	}
}

// discard takes away the pictures of attempts that agents have not been told of,
// or must not see any more.
func (l *Line) discard(ctx context.Context, e queue.Entry, attempts ...string) {
	ctx, cancel := settling(ctx)
	defer cancel()
	for _, attempt := range attempts {
		if err := l.Store.DeleteAttempt(ctx, e.Queue, attempt); err != nil {
			l.Log.Warn("pictures of a lost try remain", "key", e.Key, "attempt", attempt, "err", err)
		}
	}
}

// notice returns what the consumer should be told of the first photo that was
// rejected, or nil.
func (l *Line) notice(e queue.Entry, j job) *queue.Notice {
	photos := j.photos()
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
	message, ok := told.Notice(e.Now())
	if !ok {
		return nil
	}
	payload, err := message.Encode()
	if err != nil {
		l.Log.Error("notice cannot be written down", "key", e.Key, "err", err)
		return nil
	}
	return &queue.Notice{Key: NoticeKey(e.Key), Payload: payload}
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

// points are those before and after an end of this kind.
func points(end queue.End) (before, after failpoint.Point) {
	switch {
	case end.Cause != "":
		return failpoint.BeforeDead, failpoint.AfterDead
	case end.Told != "":
		return failpoint.BeforeSettle, failpoint.AfterSettle
	}
	return failpoint.BeforeEnd, failpoint.AfterEnd
}

// settle runs the script that ends an attempt. It waits for a Redis that is
// away, because the work is done and only its end is missing: the script
// recognises its own repeat, and its fence refuses us if somebody else has taken
// over meanwhile.
func (l *Line) settle(ctx context.Context, script func(context.Context) (queue.Outcome, error)) (queue.Outcome, error) {
	var outcome queue.Outcome
	err := retry.While(ctx, queue.MayPass, rest, func() (err error) {
		limited, cancel := settling(ctx)
		defer cancel()
		outcome, err = script(limited)
		return err
	})
	return outcome, err
}

// toldAs asks under which id somebody else has told a message meanwhile.
func (l *Line) toldAs(ctx context.Context, e queue.Entry) (id string, err error) {
	_, err = l.settle(ctx, func(ctx context.Context) (queue.Outcome, error) {
		id, err = l.Journal.ToldAs(ctx, e)
		return queue.Told, err
	})
	if err == nil && id == "" {
		err = queue.ErrFenced // it has been finished since
	}
	return id, err
}

// stopKey is where work's context keeps the one that ends when the gateway stops.
type stopKey struct{}

// withStop returns a context for work that may go on for a while when stopping has
// ended.
func withStop(ctx, stopping context.Context) context.Context {
	return context.WithValue(ctx, stopKey{}, stopping)
}

// untilStop returns a context for waits in the midst of work: whoever waits for
// others when the gateway stops is let go at once, with errStopping.
func untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	stopping, ok := ctx.Value(stopKey{}).(context.Context)
	if !ok {
		return context.WithCancel(ctx)
	}
	waiting, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(stopping, func() { cancel(errStopping) })
	return waiting, func() { stop(); cancel(nil) }
}

// LastWord is how long a step that ends an attempt may take, and so all of them
// together at a stop when its grace is over.
const LastWord = 5 * time.Second

// endKey is where work's context keeps the one that ends when nobody waits for a
// stop any more.
type endKey struct{}

// withEnd returns ctx, and a context that ends so long after it. What outlives them
// ends with the gateway's last word.
func withEnd(ctx context.Context, grace time.Duration) (stopping, hurry context.Context, stop func()) {
	end, cancelEnd := after(ctx, grace+LastWord)
	stopping = context.WithValue(ctx, endKey{}, end)
	hurry, cancelHurry := after(stopping, grace)
	return stopping, hurry, func() { cancelHurry(); cancelEnd() }
}

// after returns a context that ends so long after another one.
func after(ctx context.Context, span time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(span, cancel) })
	return late, func() { stop(); cancel() }
}

// settling returns a context for a step that ends an attempt: it outlives the
// attempt's own, because half a decision is worse than a late one, but not the stop.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	step, cancel := context.WithTimeout(context.WithoutCancel(ctx), LastWord)
	end, ok := ctx.Value(endKey{}).(context.Context)
	if !ok {
		return step, cancel
	}
	stop := context.AfterFunc(end, cancel)
	return step, func() { stop(); cancel() }
}
