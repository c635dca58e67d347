// Package outbound is the other line: what is said to consumers, notices about
// their photos and agents' replies.
//
//	journal -> claim (marked as being sent) -> platform -> sent, failed or unknown
//
// It promises that the messages of a conversation leave in order and one at a
// time, that none is sent outside the platform's window or into a conversation
// that has been closed, and that each ends as sent, failed or unknown. Unknown is
// a message whose answer was lost on a platform that does not recognise a
// repeat: the consumer may have it, so it is never sent again by itself.
package outbound

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
)

const (
	// lookEvery is how often the journal is asked for what is due.
	lookEvery = 250 * time.Millisecond
	// atOnce is how many messages a gateway sends at once; perChannel and
	// perAccount bound how many of these one platform and one account can hold
	// up. What is above them waits for waitTurn and holds up nobody.
	atOnce, perChannel, perAccount = 64, 32, 16
	waitTurn                       = 2 * time.Second
	// complainEvery is how often the log hears that Redis does not answer.
	complainEvery = 10 * time.Second
)

// Line is the way out. Its fields are set once and not changed after.
type Line struct {
	Journal  *queue.Journal
	Routes   *routes.Table
	Metrics  *ops.Metrics
	Accounts *ops.Accounts
	Log      *slog.Logger
	Work     config.Work
	Now      func() time.Time
}

// Run sends what is due in every queue until ctx ends. What is being sent then
// has grace to end. A line that is paused sends nothing.
func (l *Line) Run(ctx context.Context, grace time.Duration) {
	if l.Work.Paused {
		<-ctx.Done()
		return
	}
	hurry, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	r := &run{Line: l, slots: make(chan struct{}, atOnce), crowd: newCrowd(), hurry: hurry}
	r.complain = rate.Sometimes{First: 1, Interval: complainEvery}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, name := range l.Routes.Queues() {
			r.look(ctx, name)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	r.wg.Wait()
}

// run is the line at work.
type run struct {
	*Line
	slots    chan struct{}
	crowd    *crowd
	hurry    context.Context // ends when what is being sent must be let go
	wg       sync.WaitGroup
	complain rate.Sometimes
}

// look sends what is due in one queue, as far as there are slots.
func (r *run) look(ctx context.Context, name string) {
	talks, err := r.Journal.Talks(ctx, name, atOnce)
	if err != nil {
		r.silence(ctx, "look", err)
	}
	for _, talk := range talks {
		select {
		case r.slots <- struct{}{}:
		default:
			return
		}
		s, err := r.Journal.Claim(ctx, name, talk)
		if err != nil {
			r.silence(ctx, "claim", err)
		}
		if s == nil {
			<-r.slots
			continue
		}
		r.wg.Go(func() {
			defer func() { <-r.slots }()
			r.inTurn(r.hurry, *s)
		})
	}
}

// inTurn handles a message unless its platform or account has enough to do.
func (r *run) inTurn(ctx context.Context, s queue.Sending) {
	m, err := decode(s.Payload)
	leave, ok := r.crowd.enter(m)
	if !ok {
		r.giveBack(ctx, s, waitTurn)
		return
	}
	defer leave()
	r.handle(ctx, s, m, err)
}

// silence notes that Redis did not answer.
func (r *run) silence(ctx context.Context, step string, err error) {
	if ctx.Err() != nil {
		return
	}
	r.Metrics.Trouble("outgoing", step)
	r.complain.Do(func() { r.Log.Error("journal does not answer", "step", step, "err", err) })
}

// handle sees to one claimed message, as far as it can be read, until it has a
// result or is put off.
func (l *Line) handle(ctx context.Context, s queue.Sending, m Message, unreadable error) {
	switch {
	case errors.Is(unreadable, errNewer):
		l.Metrics.Trouble("send", "newer")
		l.Log.Warn("message left for a newer release", "key", s.Key)
		l.giveBack(ctx, s, l.Journal.Lease())
		return
	case unreadable != nil:
		l.end(ctx, s, m, queue.ResultFailed, unreadable.Error())
		return
	}
	route, account, err := l.Routes.Find(m.Channel, m.Account)
	switch {
	case err != nil && s.Interrupted:
		l.end(ctx, s, m, queue.ResultUnknown, senderDied)
		return
	case err != nil:
		l.failed(ctx, s, m, err)
		return
	}
	if result, why := l.judge(s, m, route.Channel.Texts); result != "" {
		l.end(ctx, s, m, result, why)
		return
	}
	token := l.token(s, m)
	failpoint.Hit(failpoint.BeforeSend)
	id, err := l.send(ctx, route, s, m, token)
	failpoint.Hit(failpoint.AfterSend)
	err = kinded(err)
	l.Accounts.Note(account.Name, err)
	switch {
	case err == nil:
		l.sent(ctx, s, m, id)
	case connectors.UnsureOf(err) && (token != "" || !route.Channel.Texts.Resend):
		l.end(ctx, s, m, queue.ResultUnknown, err.Error())
	default:
		l.failed(ctx, s, m, err)
	}
}

// senderDied is why nobody knows whether a message was sent.
const senderDied = "the gateway that was sending it died"

// judge says whether a message must not be sent, and what becomes of it then.
// What a sender that died may have sent has not failed, whatever keeps us from
// sending it again.
func (l *Line) judge(s queue.Sending, m Message, t connectors.Texts) (queue.Result, string) {
	var why string
	now := l.Now()
	switch {
	case s.Interrupted && !l.repeatable(s, m, t):
		why = senderDied
	case !s.Open:
		why = "the conversation was closed"
	case t.Window > 0 && now.Sub(m.Since) >= t.Window:
		why = "the platform's time for an answer was over"
	case !m.Until.IsZero() && now.After(m.Until):
		why = "it came too late"
	case s.Part >= len(m.Parts):
		return queue.ResultSent, ""
	default:
		return "", ""
	}
	if s.Interrupted {
		return queue.ResultUnknown, why
	}
	return queue.ResultFailed, why
}

// repeatable tells whether what a sender that died may have sent can be sent
// again: the platform must recognise the repeat, which it does not where the
// reply token was used, at the first try. A message that has been the death of
// as many senders as there are tries is left alone.
func (l *Line) repeatable(s queue.Sending, m Message, t connectors.Texts) bool {
	byToken := s.Part == 0 && s.Tries == 1 && m.ReplyToken != ""
	return t.Resend && !byToken && s.Tries < l.Work.Attempts
}

// token returns the reply token where it can still be used: for the first try
// of the first part, while it is fresh.
func (l *Line) token(s queue.Sending, m Message) string {
	if s.Part > 0 || s.Tries > 0 || s.Interrupted || !l.Now().Before(m.TokenUntil) {
		return ""
	}
	return m.ReplyToken
}

// send makes one try. Its deadline leaves time to say what became of it before
// the lease ends.
func (l *Line) send(ctx context.Context, route *routes.Route, s queue.Sending, m Message, token string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Journal.Lease()*2/3)
	defer cancel()
	return route.Connector.Send(ctx, connectors.Outgoing{
		Account: m.Account, Consumer: m.Consumer, Key: sendKey(s.Key, s.Part), Text: m.Parts[s.Part],
		ReplyTo: m.ReplyTo, ReplyToken: token, Automatic: m.Kind == Notice,
	})
}

// sent goes on to the next part, or ends the message.
func (l *Line) sent(ctx context.Context, s queue.Sending, m Message, id string) {
	s.Receipt = ReceiptKey(m.Channel, m.Account, id)
	if s.Part+1 == len(m.Parts) {
		l.end(ctx, s, m, queue.ResultSent, id)
		return
	}
	l.settle(ctx, s, func(ctx context.Context) (queue.Outcome, error) { return l.Journal.Next(ctx, s) })
}

// failed puts a message off for another try, or ends it.
func (l *Line) failed(ctx context.Context, s queue.Sending, m Message, err error) {
	next := connectors.KindOf(err).Next()
	if !next.Retry || s.Tries+1 >= l.Work.Attempts {
		result := queue.ResultFailed
		if connectors.UnsureOf(err) {
			result = queue.ResultUnknown
		}
		l.end(ctx, s, m, result, err.Error())
		return
	}
	l.putOff(ctx, s, m, l.pause(s.Tries, err), err.Error())
}

// end gives a message its result.
func (l *Line) end(ctx context.Context, s queue.Sending, m Message, r queue.Result, detail string) {
	if !l.settle(ctx, s, func(ctx context.Context) (queue.Outcome, error) { return l.Journal.Conclude(ctx, s, r, detail) }) {
		return
	}
	l.Metrics.Outgoing(l.accountName(m), string(m.Kind), string(r))
	if r == queue.ResultSent {
		l.Log.Info("message sent", "key", s.Key, "kind", m.Kind, "account", l.accountName(m))
		return
	}
	l.Log.Warn("message not sent", "key", s.Key, "kind", m.Kind, "account", l.accountName(m), "result", r, "cause", detail)
}

func (l *Line) putOff(ctx context.Context, s queue.Sending, m Message, pause time.Duration, cause string) {
	if l.settle(ctx, s, func(ctx context.Context) (queue.Outcome, error) { return l.Journal.PutOff(ctx, s, pause) }) {
		l.Metrics.Trouble("send", "retry")
		l.Log.Info("message delayed", "key", s.Key, "kind", m.Kind, "account", l.accountName(m), "try", s.Tries+1, "pause", pause, "cause", cause)
	}
}

// giveBack leaves a message that we have not tried to send for a later time.
func (l *Line) giveBack(ctx context.Context, s queue.Sending, pause time.Duration) {
	l.settle(ctx, s, func(ctx context.Context) (queue.Outcome, error) { return l.Journal.GiveBack(ctx, s, pause) })
}
