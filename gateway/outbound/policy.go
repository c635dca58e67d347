package outbound

import (
	"context"
	"errors"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/retry"
)

// longestAfter caps what a platform may ask for: beyond it a mistake in a header
// would park a message until nobody waits for it.
const longestAfter = time.Hour

// lastWord is how long a stop waits for a Redis that is away.
const lastWord = 5 * time.Second

// pause is how long to wait before the next try, and never less than the platform
// asks for.
func (l *Line) pause(tries int, cause error) time.Duration {
	jitter := retry.Pause(time.Duration(l.Work.RetryMin), time.Duration(l.Work.RetryMax), tries)
	return max(jitter, min(connectors.AfterOf(cause), longestAfter))
}

// kinded makes sure that an error of a send has a kind, also from a connector that
// forgot to give it one. Then nothing is known, neither whether the message was
// sent nor what its text may hold, which is left out.
func kinded(err error) error {
	var known *connectors.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	e := connectors.Errorf(connectors.Other, "outbound: send", "error without a kind, of type %T", err)
	e.Unsure = true
	return e
}

// accountName labels metrics and logs with a name that the operator knows.
func (l *Line) accountName(m Message) string {
	_, account, err := l.Routes.Find(m.Channel, m.Account)
	if err != nil {
		return "none"
	}
	return account.Name
}

// settle writes down what became of a try, and tells whether that was ours to
// say. It waits for a Redis that is away as long as nobody else can have taken
// over, because a result that is lost is a message sent twice, or unknown; a stop
// has less time.
func (l *Line) settle(ctx context.Context, s queue.Sending, script func(context.Context) (queue.Outcome, error)) bool {
	hurry := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.Journal.Lease()/3)
	defer cancel()
	defer context.AfterFunc(hurry, func() { time.AfterFunc(lastWord, cancel) })()
	var outcome queue.Outcome
	err := retry.While(ctx, queue.MayPass, lookEvery, func() (err error) {
		outcome, err = script(ctx)
		return err
	})
	switch {
	case err != nil:
		l.Metrics.Trouble("outgoing", "unfinished")
		l.Log.Error("message left unfinished; it is taken over after the lease", "key", s.Key, "err", err)
	case outcome != queue.Mine:
		l.Log.Warn("message is in other hands", "key", s.Key)
	}
	return err == nil && outcome == queue.Mine
}
