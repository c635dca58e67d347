package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

const (
	// rewrites and pages are how many a second there are at most, so that nothing else
	// notices.
	rewrites, pages = 50, 5
	// page is how many names are looked at in one step.
	page = 1000
	// leastKeep is the least that can be configured. With less, somebody has forgotten
	// to.
	leastKeep = 24 * time.Hour
)

// expireOld destroys messages that are older than they are kept.
func (a *Archive) expireOld(ctx context.Context) {
	if a.Keep < leastKeep {
		return
	}
	cutoff := a.Now().Add(-a.Keep)
	expired, err := a.Expire(ctx, cutoff)
	if expired > 0 {
		a.Log.Info("old messages destroyed in closed conversations", "conversations", expired, "kept_for", a.Keep)
	}
	// Redis may answer where the store does not.
	messages, openErr := a.ExpireOpen(ctx, cutoff)
	if messages > 0 {
		a.Log.Info("old messages destroyed in open conversations", "messages", messages, "kept_for", a.Keep)
	}
	if err = errors.Join(err, openErr); err != nil && ctx.Err() == nil {
		a.Metrics.Trouble("archive", "expire")
		a.Log.Warn("old messages are left for the next time", "err", err)
	}
}

// Expire destroys all messages of before cutoff, and what somebody who was stopped
// for a while has left behind. It returns how many conversations had such messages,
// and may be ended and repeated at any moment.
func (a *Archive) Expire(ctx context.Context, cutoff time.Time) (expired int, err error) {
	e := &expiry{a: a, cutoff: cutoff, slowly: rate.NewLimiter(rewrites, 1), shown: newShown(mostShown)}
	for _, step := range []func(context.Context) error{e.tidy, e.pointers, e.cards, e.unshown} {
		if err == nil {
			err = step(ctx)
		}
	}
	return e.expired, cmp.Or(err, e.failed)
}

// expiry is one look through the archive.
type expiry struct {
	a       *Archive
	cutoff  time.Time
	slowly  *rate.Limiter
	shown   *shown
	expired int

	failed   error // the last
	failures int   // one after another
}

// note returns an error that ends it all. One that is alone is of one conversation.
func (e *expiry) note(ctx context.Context, err error) error {
	switch {
	case err == nil:
		e.failures = 0
		return nil
	case ctx.Err() != nil:
		return err
	}
	e.failed = err
	if e.failures++; e.failures == enough {
		return err
	}
	return nil
}

// one expires the conversation that a leaf is of.
func (e *expiry) one(ctx context.Context, l leaf) error {
	old, err := e.a.expire(ctx, l, e.cutoff)
	if old {
		e.expired++
	}
	return e.note(ctx, errors.Join(err, e.slowly.Wait(ctx)))
}

// tidy removes all but the newest generation of each conversation.
func (e *expiry) tidy(ctx context.Context) error {
	return e.a.each(ctx, folderConversations, func(group []string) error {
		if len(group) == 1 {
			return nil
		}
		return e.note(ctx, errors.Join(e.slowly.Wait(ctx), e.a.tidy(ctx, group[0])))
	})
}

func (e *expiry) pointers(ctx context.Context) error {
	return e.a.each(ctx, folderParties, func(group []string) error { return e.doubtful(ctx, group) })
}

// cards remembers what has one, too.
func (e *expiry) cards(ctx context.Context) error {
	return e.a.each(ctx, folderClosed, func(group []string) error {
		for _, name := range group {
			if l, ok := parseLeaf(name); ok {
				e.shown.add(l.id)
			}
		}
		return e.doubtful(ctx, group)
	})
}

func (e *expiry) doubtful(ctx context.Context, group []string) error {
	for _, l := range doubtful(group, e.cutoff) {
		if err := e.one(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// unshown looks at conversations that have no card, and so no pointer: nothing else
// would find what is old in them. What is not gets its card.
func (e *expiry) unshown(ctx context.Context) error {
	return e.a.each(ctx, folderConversations, func(group []string) error {
		in, id, ok := conversationOf(group[0])
		if !ok || !e.shown.lacks(id) || highest(group) == 0 {
			return nil
		}
		g, err := e.a.newest(ctx, in, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return e.note(ctx, errors.Join(fmt.Errorf("conversation %s: %w", id, err), e.slowly.Wait(ctx)))
		}
		return e.one(ctx, g.leaf())
	})
}

// doubtful are those of some pointers or cards that are of a conversation with old
// messages, or of one of which there is another.
func doubtful(group []string, cutoff time.Time) (list []leaf) {
	times := map[string]int{}
	for _, name := range group {
		if l, ok := parseLeaf(name); ok {
			times[l.id]++
		}
	}
	for _, name := range group {
		if l, ok := parseLeaf(name); ok && (l.oldest <= dayOf(cutoff) || times[l.id] > 1) {
			list = append(list, l)
		}
	}
	return list
}

// each calls visit for the names below a folder, those of one folder together as far
// as they come together.
func (a *Archive) each(ctx context.Context, folder string, visit func(group []string) error) error {
	look := rate.NewLimiter(pages, 1)
	var group []string
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		done := group
		group = nil
		return visit(done)
	}
	for after := ""; ; {
		if err := look.Wait(ctx); err != nil {
			return err
		}
		names, err := a.Documents.List(ctx, folder, after, page)
		if err != nil {
			return err
		}
		for _, name := range names {
			if len(group) == mostNames || len(group) > 0 && path.Dir(group[0]) != path.Dir(name) {
				if err := flush(); err != nil {
					return err
				}
			}
			group = append(group, name)
		}
		if len(names) < page {
			return flush()
		}
		after = names[len(names)-1]
	}
}

// tidy removes what is not the newest generation of a conversation.
func (a *Archive) tidy(ctx context.Context, name string) error {
	in, id, ok := conversationOf(name)
	if !ok {
		return nil
	}
	g, err := a.newest(ctx, in, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil // somebody writes the first
	}
	if err != nil {
		return fmt.Errorf("conversation %s: %w", id, err)
	}
	if err := a.settle(ctx, g); !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil // whoever has made a newer one tidies as well
}

// expire destroys the old messages of a conversation that a pointer is about, and
// tells whether there were any.
func (a *Archive) expire(ctx context.Context, l leaf, cutoff time.Time) (old bool, err error) {
	if !named(l.queue, l.id) {
		return false, nil
	}
	g, err := a.newest(ctx, l.queue, l.id)
	if errors.Is(err, store.ErrNotFound) {
		return false, a.leavings(ctx, l)
	}
	if err != nil {
		return false, fmt.Errorf("conversation %s: %w", l.id, err)
	}
	kept := slices.DeleteFunc(slices.Clone(g.snapshot.Items), func(item queue.ConversationItem) bool { return timeOf(item, g.snapshot.Conversation).Before(cutoff) })
	switch {
	case len(kept) == 0:
		return true, a.destroy(ctx, g)
	case len(kept) < len(g.snapshot.Items):
		old = true
		g = generation{number: g.number + 1, snapshot: queue.Snapshot{Conversation: g.snapshot.Conversation, Items: kept}}
		g.snapshot.Conversation.Last = lastOf(kept, queue.Gist{})
		if err := a.add(ctx, &g); errors.Is(err, store.ErrExists) {
			return false, nil // it is being moved; the next time will do
		} else if err != nil {
			return false, err
		}
	}
	if err := a.settle(ctx, g); err != nil && !errors.Is(err, store.ErrExists) {
		return old, err
	}
	if l.party = g.leaf().party; g.leaf() != l { // nothing names it any more
		err = a.hide(ctx, l)
	}
	return old, err
}

// destroy removes a conversation. The pointer goes last: by it the others are found
// again, should this end before.
func (a *Archive) destroy(ctx context.Context, g generation) error {
	c := g.snapshot.Conversation
	if err := a.clean(ctx, g); err != nil {
		return err
	}
	if err := a.Documents.Delete(ctx, documentOf(c.Queue, c.ID, g.number)); err != nil {
		return err
	}
	return a.leavings(ctx, g.leaf())
}

// leavings removes what is left of a conversation that is destroyed.
func (a *Archive) leavings(ctx context.Context, l leaf) error {
	names, err := a.names(ctx, l.queue, l.id)
	for _, name := range names {
		if err == nil {
			err = a.Documents.Delete(ctx, name)
		}
	}
	if err != nil {
		return err
	}
	return a.hide(ctx, l)
}
