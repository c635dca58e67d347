// Package inbound is the straight line that a consumer's message takes through
// the gateway, from the platform's webhook to the agents' queue.
//
//	Receive: verify -> parse -> accept (durable), and the platform gets its 200
//	work:    fetch -> develop -> store -> forward, and a notice if a photo is rejected
//	tell:    the text, where its photos take long or a try has failed; they follow
//
// It promises that Receive returns nil only when every event of the webhook is
// durable or has been judged of no use to agents, that each accepted message
// enters its queue at most once, whatever dies when, that a photo's fate never
// discards the text beside it nor holds it back for more than ten seconds, and
// that a message which its sender takes back is destroyed wherever it is. The whole line is in this file, in
// order; the loops that drive it are in worker.go, and what becomes of edits,
// unsends and closes in changes.go.
package inbound

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/darkroom"
	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/hosts"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/media"
)

// Line is the way in. Its fields are set once and not changed after.
type Line struct {
	Journal *queue.Journal
	// Durable is where webhooks go: the spool before the journal, or where it is
	// nil the journal.
	Durable Durable
	// Originals is the memory in which originals are held.
	Originals *budget.Originals
	// Hosts knows which hosts photos may be fetched from at this moment.
	Hosts    *hosts.Hosts
	Darkroom Darkroom
	Store    Store
	Metrics  *ops.Metrics
	Accounts *ops.Accounts
	Log      *slog.Logger
	Work     config.Work
	Routes   *routes.Table
	Now      func() time.Time
	// StoreRest is how long a store that has failed is left alone before a photo
	// tries it again; where it is zero 10 s, or RetryMax if that is shorter.
	StoreRest time.Duration

	shelf   shelf
	postbox postbox
}

// Durable makes events durable, as a journal does. Where it is not known yet what
// becomes of them, Accept's answer is empty, and Bury's tells of no new ones.
type Durable interface {
	Accept(ctx context.Context, queue string, items []queue.Item) ([]queue.Accepted, error)
	Bury(ctx context.Context, queue string, letters []queue.Letter) ([]bool, error)
}

// Darkroom develops photos; errors are as gateway/darkroom says.
type Darkroom interface {
	Develop(ctx context.Context, original []byte, s media.Settings) (*media.Developed, error)
}

// Store keeps what was developed.
type Store interface {
	Put(ctx context.Context, k store.Key, data []byte) error
	DeleteAttempt(ctx context.Context, queue, attempt string) error
}

// Receive takes a webhook call. An error of kind Unauthentic means that it is
// not the platform's; any other error, that nothing of it is surely durable and
// the platform should repeat it.
func (l *Line) Receive(ctx context.Context, route *routes.Route, r *connectors.Request) error {
	if err := route.Connector.Verify(r); err != nil {
		return err
	}
	events, err := route.Connector.Parse(r)
	if err != nil {
		// The platform has signed it and has done its part: to refuse would
		// only make it send the same again.
		events = []connectors.Event{unreadable(r.Body)}
	}
	start := time.Now()
	err = l.accept(ctx, route, events, r.ReceivedAt)
	if err == nil {
		l.Metrics.Accepted(route.Name, time.Since(start))
	}
	return err
}

// accept makes the events of one call durable, in as few steps as there are
// queues, and passes over what agents have no use for.
func (l *Line) accept(ctx context.Context, route *routes.Route, events []connectors.Event, at time.Time) error {
	b := newBatch(route, at)
	for _, e := range events {
		e = b.sort(e)
		l.Metrics.Event(route.Name, string(e.Kind), e.Reason)
	}
	l.note(b.receipts) //nolint:contextcheck // it outlives the call
	for _, name := range slices.Sorted(maps.Keys(b.letters)) {
		failpoint.Hit(failpoint.BeforeBury)
		fresh, err := l.durable().Bury(ctx, name, b.letters[name])
		if err != nil {
			return err
		}
		failpoint.Hit(failpoint.AfterBury)
		l.buried(route, b.letters[name], fresh)
	}
	for _, name := range slices.Sorted(maps.Keys(b.items)) {
		failpoint.Hit(failpoint.BeforeAccept)
		accepted, err := l.durable().Accept(ctx, name, b.items[name])
		if err != nil {
			return err
		}
		failpoint.Hit(failpoint.AfterAccept)
		l.accepted(route, accepted)
	}
	return nil
}

func (l *Line) durable() Durable {
	if l.Durable == nil {
		return l.Journal
	}
	return l.Durable
}

// work takes one message from the journal to its queue. Whatever it leaves
// undone is taken up again, here or by another gateway.
func (l *Line) work(ctx context.Context, e *queue.Entry) error {
	j, unreadable := decodeJob(e.Payload)
	if errors.Is(unreadable, errNewerJob) {
		return l.leave(*e)
	}
	e.Party = j.party()
	if err := l.begin(ctx, e, j); err != nil {
		return err
	}
	j, unreadable = decodeJob(e.Payload) // as the last try has left it
	failpoint.Hit(failpoint.AfterBegin)
	switch {
	case unreadable != nil:
		return l.bury(ctx, *e, j, unreadable.Error())
	case j.Event.Kind != connectors.Message:
		// However often gateways died: it was not over this, which holds nothing
		// to decode, and an unsend that is given up leaves what it is about.
		return l.change(ctx, *e, j)
	case e.Starts > queue.MaxStarts:
		return l.bury(ctx, *e, j, "gateways died while working on it")
	}
	if err := l.photos(ctx, *e, &j); err != nil {
		return l.again(ctx, *e, j, err)
	}
	return l.forward(ctx, *e, j)
}

// begin registers the attempt. It waits for a Redis that is away: a beginning whose
// answer was lost counts as a start, and only its repeat does not count as another.
// The pictures of one that died before it are nobody's any more, and neither are
// those of a message that was taken back.
func (l *Line) begin(ctx context.Context, e *queue.Entry, j job) error {
	guard := j.message()
	if j.Event.Kind == connectors.Unsend {
		guard = "" // it is the very thing that takes the message back
	}
	waiting, enough := untilStop(ctx)
	defer enough()
	_, err := l.settle(waiting, func(ctx context.Context) (queue.Outcome, error) {
		return queue.Mine, l.Journal.Begin(ctx, e, guard)
	})
	if e.Lost != "" {
		l.discard(ctx, *e, e.Lost)
	}
	if errors.Is(err, queue.ErrWithdrawn) {
		l.discard(ctx, *e, e.Kept...)
	}
	return err
}

// photos settles each photo of a message that is not settled yet, in order, and
// notes in the job what became of it. An error means that at least one is worth
// another try later, which the others need not wait for; but where the store takes
// no pictures, they would be developed in vain.
func (l *Line) photos(ctx context.Context, e queue.Entry, j *job) (trouble error) {
	for i, p := range j.Event.Photos {
		if j.settled(i) {
			continue
		}
		key := store.Key{Queue: e.Queue, Attempt: e.Attempt, Photo: i, Conversation: e.Conversation}
		developed, err := l.photo(ctx, e, *j, key)
		if errors.Is(err, errNotStored) {
			j.spoil()
		}
		verdict, judged := errors.AsType[*media.Rejection](err)
		switch {
		case err == nil:
			j.settle(i, readyPhoto(key, developed))
			continue
		case judged:
		case ctx.Err() != nil, errors.Is(err, errStopping):
			return err
		default:
			verdict = l.final(e, p, err)
			if verdict != nil && verdict.Reason == media.Unreachable && connectors.KindOf(err).Next().Retry {
				j.giveUp(i, err.Error())
			}
		}
		if verdict != nil {
			j.settle(i, rejectedPhoto(key, p, verdict))
		} else if weight(err) > weight(trouble) {
			trouble = err
		}
		if isStores(err) {
			break
		}
	}
	return trouble
}

// photo takes one photo through fetch, develop and store. A *media.Rejection is
// its verdict; any other error says that there is none yet.
func (l *Line) photo(ctx context.Context, e queue.Entry, j job, key store.Key) (developed *media.Developed, err error) {
	p := j.Event.Photos[key.Photo]
	route, account, err := l.Routes.Find(j.Channel, p.Account)
	if err != nil {
		return nil, err
	}
	if !account.Enabled {
		return nil, &media.Rejection{Reason: media.Disabled, Detail: "photo sharing is off for this account"}
	}
	leave, err := l.shelf.enter(l.shelfRest())
	if err != nil {
		return nil, err
	}
	defer func() { leave(ctx, err) }()
	patience, enough := untilStop(ctx)
	room, err := l.Originals.Begin(patience)
	enough()
	if err != nil {
		return nil, err
	}
	defer room.End()
	s := subject{route, account, p, key.Photo, room}
	original, final, err := l.original(ctx, s)
	l.Accounts.Note(account.Name, err)
	if err != nil {
		return nil, l.expired(err, e)
	}
	developed, err = l.develop(ctx, e, key.Photo, original, account.Photos)
	if cutOff(developed, err) && !final {
		developed, err = l.second(ctx, e, s, newCopied(original, developed, err))
	}
	if err != nil {
		return nil, err
	}
	l.Metrics.Profile(string(developed.Profile))
	return developed, l.store(ctx, key, developed)
}

// original fetches a photo, and once more if it is not what the platform
// announced. What differs again is let through and counted: that platforms
// digest exactly the bytes that they serve is not documented well enough to
// lose a photo over it. final tells that another fetch would bring nothing new:
// this is what was announced, or the second already.
func (l *Line) original(ctx context.Context, s subject) (data []byte, final bool, err error) {
	data, err = l.fetch(ctx, s)
	if err != nil || announced(data, s.photo) {
		return data, s.photo.ClaimedSHA256 != "", err
	}
	l.Metrics.Trouble("fetch", "digest")
	data, err = l.fetch(ctx, s)
	if err == nil && !announced(data, s.photo) {
		l.Metrics.Trouble("fetch", "digest_again")
		l.Log.Warn("photo differs from the digest that the platform announced", "connector", s.route.Name)
	}
	return data, true, err
}

// fetch reads the original into memory, which is the only place where it ever
// is, as far as there is room for it and its host may be called.
func (l *Line) fetch(ctx context.Context, s subject) (original []byte, err error) {
	claimed, limit := s.photo.ClaimedBytes, s.account.Photos.MaxBytes
	if claimed > limit {
		return media.Read(nil, claimed, limit, nil)
	}
	visit := l.Hosts.Visit(s.account.Name)
	defer func() { visit.Leave(unlessJudged(err)) }()
	body, err := s.route.Connector.Fetch(connectors.WithHosts(ctx, visit.Enter), s.photo)
	if err != nil {
		return nil, platforms(err)
	}
	defer body.Close()
	failpoint.Hit(failpoint.MidFetch)
	patience, enough := untilStop(ctx)
	defer enough()
	original, err = media.Read(body, claimed, limit, s.room.Room(patience))
	return original, heldUp(err, s.room)
}

// develop hands the original to a process of its own. Two processes lost over
// one photo are enough: the third would be lost as well.
func (l *Line) develop(ctx context.Context, e queue.Entry, photo int, original []byte, s media.Settings) (*media.Developed, error) {
	for {
		developed, err := l.Darkroom.Develop(ctx, original, s)
		if !errors.Is(err, darkroom.ErrChildDied) {
			return developed, err
		}
		deaths, countErr := l.Journal.ChildDied(ctx, e, photo)
		if countErr != nil {
			return nil, countErr
		}
		l.Metrics.Trouble("develop", "child_died")
		l.Log.Warn("darkroom process lost", "key", e.Key, "photo", photo, "deaths", deaths, "err", err)
		if deaths >= 2 {
			return nil, &media.Rejection{
				Reason: media.TooComplex, Detail: "two darkroom processes were lost on it",
				Source: media.Source{Bytes: int64(len(original))},
			}
		}
	}
}

// store writes both pictures before anybody can be told of them.
func (l *Line) store(ctx context.Context, key store.Key, d *media.Developed) error {
	key.Kind = store.Preview
	err := l.Store.Put(ctx, key, d.Preview.Data)
	if err == nil {
		failpoint.Hit(failpoint.MidBlobs)
		key.Kind = store.Thumbnail
		err = l.Store.Put(ctx, key, d.Thumbnail.Data)
		failpoint.Hit(failpoint.AfterBlobs)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotStored, err)
	}
	return nil
}

// forward puts the finished message into the agents' queue, once, or only what
// became of its photos if its text is there already.
func (l *Line) forward(ctx context.Context, e queue.Entry, j job) error {
	end := queue.End{Message: j.message(), Party: j.party(), Told: e.Told, Notice: l.notice(e, j)}
	if len(j.GivenUp) > 0 && e.Lane != "" {
		end.Cause = j.trouble()
		e.Payload, end.Named = j.reopened(e)
		e.Tries++ // this one, which the letter counts too
	}
	end, err := l.end(ctx, e, end, func(end *queue.End) error { return finish(e, j, end) })
	if err != nil {
		return err
	}
	l.count(e, j, end)
	if end.Cause != "" {
		l.Metrics.Trouble("work", "dead")
		l.Log.Error("message kept as a dead letter, for another try of its photos", "key", e.Key, "account", j.Account, "cause", end.Cause)
	}
	l.Log.Info("message forwarded", "key", e.Key, "account", j.Account, "queue", e.Queue,
		"photos", len(j.Event.Photos), "told_before", end.Told != "")
	return nil
}

// tell puts a message into the agents' queue whose photos are not all settled: its
// text does not wait for them. It is done once, by whoever comes first.
func (l *Line) tell(ctx context.Context, e queue.Entry, j job) error {
	e.Party = j.party()
	t := queue.Telling{ID: newTelling(j), Message: j.message(), Party: j.party()}
	for {
		var err error
		photos := j.toldPhotos(e.Queue, t.ID)
		if t.Document, err = document(e, j, photos, t.Late); err != nil {
			return err
		}
		t.Chat = shown(e, j, photos)
		failpoint.Hit(failpoint.BeforeTell)
		outcome, err := l.Journal.Tell(ctx, e, t)
		failpoint.Hit(failpoint.AfterTell)
		if err == nil && outcome == queue.Late {
			t.Late = true
			continue
		}
		if err == nil && outcome == queue.Mine {
			l.Metrics.Told(e.Queue)
			l.Metrics.Forwarded(e.Queue, l.Now().Sub(j.ReceivedAt))
			l.Log.Info("message forwarded before its photos", "key", e.Key, "account", j.Account, "queue", e.Queue)
		}
		return err
	}
}

// end takes an entry out of the journal with its document, and returns how it
// ended. Whoever finds that the entry is in other hands, or its message taken
// back, takes its own pictures away; whoever gets no answer leaves them, because
// agents may know of them by now.
func (l *Line) end(ctx context.Context, e queue.Entry, end queue.End, compose func(*queue.End) error) (_ queue.End, err error) {
	for {
		if err = compose(&end); err != nil {
			return end, err
		}
		before, after := points(end)
		failpoint.Hit(before)
		outcome, err := l.settle(ctx, func(ctx context.Context) (queue.Outcome, error) {
			return l.Journal.Complete(ctx, e, end)
		})
		switch {
		case err != nil:
			return end, err
		case outcome == queue.Mine:
			failpoint.Hit(after)
			return end, nil
		case outcome == queue.Late:
			end.Late = true
		case outcome == queue.Told:
			if end.Told, err = l.toldAs(ctx, e); err != nil {
				return end, err
			}
		default:
			return end, l.lost(ctx, e, outcome)
		}
	}
}

// lost sees to the pictures of an attempt that had no effect.
func (l *Line) lost(ctx context.Context, e queue.Entry, outcome queue.Outcome) error {
	l.discard(ctx, e, e.Attempt)
	if outcome == queue.Withdrawn {
		l.discard(ctx, e, e.Kept...)
		return queue.ErrWithdrawn
	}
	return queue.ErrFenced
}

// again puts the message aside for a while. The photos that are settled stay so,
// with their pictures, and its text is told unless it has been. Trouble of our own
// uses up none of the tries that the platform has.
func (l *Line) again(ctx context.Context, e queue.Entry, j job, cause error) error {
	switch {
	case errors.Is(context.Cause(ctx), queue.ErrFenced):
		l.discardOwn(ctx, e, j)
		return cause
	case (ctx.Err() != nil || errors.Is(cause, errStopping)) && !j.wrote:
		return errors.Join(cause, errUnwritten)
	case ctx.Err() != nil, errors.Is(cause, errStopping):
		return cause // it is given back
	}
	put := l.putOff(e, &j, cause)
	e.Payload, put.Keep = j.carried(e)
	if put.Empty = !j.wrote; !put.Keep {
		l.discardOwn(ctx, e, j)
	}
	l.Metrics.Trouble("photo", blame(cause))
	l.Log.Log(ctx, levelOf(cause), "message delayed", "key", e.Key, "account", j.Account, "try", e.Tries+1, "pause", put.After, "err", cause)
	failpoint.Hit(failpoint.BeforeRetry)
	outcome, err := l.settle(ctx, func(ctx context.Context) (queue.Outcome, error) {
		return l.Journal.Retry(ctx, e, put)
	})
	failpoint.Hit(failpoint.AfterRetry)
	switch {
	case err != nil:
		return err
	case outcome != queue.Mine:
		return l.lost(ctx, e, outcome)
	case e.Lane == "" || e.Told != "" || isBusy(cause):
		return nil
	}
	j, err = decodeJob(e.Payload) // what is not in it is developed anew
	if err == nil {
		err = l.tell(ctx, e, j)
	}
	if err != nil {
		l.Log.Warn("message not forwarded before its photos; that is tried again", "key", e.Key, "err", err)
	}
	return nil
}

// leave does nothing about a message that only a newer gateway understands. One
// will take it over when the lease of this one ends.
func (l *Line) leave(e queue.Entry) error {
	l.Metrics.Trouble("work", "newer")
	l.Log.Warn("message left for a newer gateway", "key", e.Key)
	return nil
}
