// Package forget destroys all that a gateway has of one consumer, in Redis and in the
// store, while gateways work.
//
// It promises that from its first step on nothing that was received of the consumer
// before has any effect, wherever it waits, that when it returns nil none of the
// consumer's words, ids and pictures are in any place that it counts, that nobody
// else's are touched, and that it may be interrupted at any instruction and begun
// again. What the consumer writes afterwards is somebody new's. A second call forgets
// as of then, what was written in between too.
//
// What it leaves are hashes of ids, by which repeats of what was forgotten are
// recognised, and the same of the consumer, by which a spool's records of earlier are:
// these for 90 days.
//
// # Order
//
//	mark -> dead letters -> journal -> conversations, here and archived -> agents' queue
//
// What waits in a gateway's spool has no effect after the mark; Spool empties one whose
// gateway does not run.
//
// An event only moves along that line, so that none is missed that moves meanwhile.
// Pictures go before what names them, and are noted as nobody's first: gateways sweep
// those away, also where one is being written just now.
package forget

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// looks is how many entries a second are looked at, at most: a gateway at work must
// not notice.
const looks = 5000

// Pictures deletes pictures; store.Store does.
type Pictures interface {
	DeleteAttempt(ctx context.Context, queue, attempt string) error
}

// Account is an account of which a consumer is to be forgotten.
type Account struct {
	// Name is as documents have it; Channel and ID are the platform's.
	Name, Channel, ID string
}

// Consumer is who is forgotten.
type Consumer struct {
	// ID is the platform's.
	ID string
	// Accounts are those that are configured. A consumer's id is unique only within one.
	Accounts []Account
	// Only is the name of the one account that is meant, configured or not; empty for
	// all, also those that are not configured any more.
	Only string
}

// Forgetter forgets. Its fields are set once and not changed after.
type Forgetter struct {
	Journal *queue.Journal
	Store   Pictures
	Archive *archive.Archive
	// Dry looks, and destroys nothing.
	Dry bool
	// Progress hears how many entries were looked at, and of what.
	Progress func(n int, what string)
}

// Forget forgets a consumer in one queue. The report tells what was destroyed also
// where it failed.
func (f *Forgetter) Forget(ctx context.Context, in string, who Consumer) (Report, error) {
	r := &run{Forgetter: f, who: who, in: in, pace: rate.NewLimiter(looks, looks/10), parties: map[string]*party{}, gone: map[string]bool{}}
	for _, step := range []func(context.Context) error{r.mark, r.letters, r.journal, r.strangers, r.conversations, r.documents} {
		if err := step(ctx); err != nil {
			return r.report, fmt.Errorf("forget in queue %s: %w", in, err)
		}
	}
	return r.report, nil
}

// run is one call of Forget.
type run struct {
	*Forgetter
	who     Consumer
	in      string
	pace    *rate.Limiter
	parties map[string]*party // by their names
	gone    map[string]bool   // conversations
	start   string            // the last place in the agents' queue before all
	report  Report
	looked  int
}

// party is the consumer on one account.
type party struct {
	account string // its name
	queue.Forgetting
}

// mark forgets the consumer on each account.
func (r *run) mark(ctx context.Context) (err error) {
	if r.start, err = r.Journal.LastDocument(ctx, r.in); err != nil {
		return err
	}
	for _, a := range r.who.Accounts {
		if r.who.Only != "" && a.Name != r.who.Only {
			continue
		}
		if _, err := r.party(ctx, a.Name, inbound.Party(a.Channel, a.ID, r.who.ID)); err != nil {
			return err
		}
	}
	return nil
}

// party returns the party of that name, and forgets it where that was not done yet.
func (r *run) party(ctx context.Context, account, name string) (*party, error) {
	if p := r.parties[name]; p != nil {
		return p, nil
	}
	p := &party{account: account, Forgetting: queue.Forgetting{Queue: r.in, Party: name}}
	var err error
	if r.Dry {
		p.Last = r.start
	} else {
		p.Forgetting, err = r.Journal.Forget(ctx, r.in, name)
	}
	if err != nil {
		return nil, err
	}
	r.parties[name] = p
	return p, nil
}

// meant returns the party that something is from, or nil if it is another's.
func (r *run) meant(ctx context.Context, o inbound.Origin) (*party, error) {
	if o.Consumer != r.who.ID {
		return nil, nil
	}
	if p := r.parties[o.Party()]; p != nil {
		return p, nil
	}
	if r.who.Only != "" && o.Account != r.who.Only {
		return nil, nil
	}
	return r.party(ctx, o.Account, o.Party())
}

// look notes that something is looked at, and waits where that goes too fast.
func (r *run) look(ctx context.Context, what string) error {
	r.looked++
	if r.Progress != nil {
		r.Progress(r.looked, what+" of "+r.in)
	}
	return r.pace.Wait(ctx)
}

// attempts are those in which photos were developed, by the photos' ids.
func (r *run) attempts(photos []string) []string {
	found := map[string]bool{}
	for _, id := range photos {
		if key, err := store.ParsePhotoID(id); err == nil && key.Queue == r.in {
			found[key.Attempt] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// erase deletes the pictures of attempts at an event. They are noted as nobody's
// before, so that they go whatever happens here.
func (r *run) erase(ctx context.Context, event string, attempts []string) error {
	if r.Dry || len(attempts) == 0 {
		return nil
	}
	events := make(map[string]string, len(attempts))
	for _, attempt := range attempts {
		events[attempt] = event
	}
	if err := r.Journal.Disown(ctx, r.in, events); err != nil {
		return err
	}
	return r.deletePictures(ctx, attempts)
}

func (r *run) deletePictures(ctx context.Context, attempts []string) error {
	for _, attempt := range attempts {
		if err := r.Store.DeleteAttempt(ctx, r.in, attempt); err != nil {
			return fmt.Errorf("pictures: %w", err)
		}
	}
	return nil
}
