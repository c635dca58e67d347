package archive

import (
	"context"
	"errors"
	"path"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// unlessForgotten destroys what there is of a generation's conversation if that was
// forgotten, and is store.ErrExists then.
func (a *Archive) unlessForgotten(ctx context.Context, g generation) error {
	c := g.snapshot.Conversation
	forgotten, err := a.Journal.Forgotten(ctx, c.Queue, c.ID)
	if err != nil || !forgotten {
		return err
	}
	return errors.Join(a.leavings(ctx, g.leaf()), store.ErrExists)
}

// OfParty names the stored conversations of a party, the newest first.
func (a *Archive) OfParty(ctx context.Context, in, party string) (ids []string, err error) {
	known := map[string]bool{}
	err = a.leavesOf(ctx, in, party, func(l leaf) error {
		if !known[l.id] {
			known[l.id] = true
			ids = append(ids, l.id)
		}
		return nil
	})
	return ids, err
}

// Stored returns what the archive has of a conversation, or ErrNotFound.
func (a *Archive) Stored(ctx context.Context, in, id string) (queue.Snapshot, error) {
	if !named(in, id) {
		return queue.Snapshot{}, ErrNotFound
	}
	g, err := a.newest(ctx, in, id)
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNotFound
	}
	return g.snapshot, err
}

// Destroy removes a conversation of a party from the archive; there need not be one. It
// may be repeated after an interruption at any moment. Who calls it has noted in the
// journal that the conversation was forgotten: else another gateway may put it back.
func (a *Archive) Destroy(ctx context.Context, in, party, id string) error {
	if !named(in, id) || !partyName.MatchString(party) {
		return ErrInvalid
	}
	// A generation that nobody has shown yet has no pointer, and perhaps a card.
	if g, err := a.newest(ctx, in, id); err == nil {
		if err := a.hide(ctx, g.leaf()); err != nil {
			return err
		}
	}
	for names := []string{""}; len(names) > 0; {
		var err error
		if names, err = a.names(ctx, in, id); err != nil {
			return err
		}
		for _, name := range names {
			if err := a.Documents.Delete(ctx, name); err != nil {
				return err
			}
		}
	}
	return a.leavesOf(ctx, in, party, func(l leaf) error {
		if l.id != id {
			return nil
		}
		return a.hide(ctx, l)
	})
}

// leavesOf calls visit for each pointer of a party.
func (a *Archive) leavesOf(ctx context.Context, in, party string, visit func(leaf) error) error {
	if !queueName.MatchString(in) || !partyName.MatchString(party) {
		return ErrInvalid
	}
	for after, n := "", page; n == page; {
		names, err := a.Documents.List(ctx, path.Join(folderParties, in, party), after, page)
		if err != nil {
			return err
		}
		for _, name := range names {
			if l, ok := parseLeaf(name); ok {
				if err := visit(l); err != nil {
					return err
				}
			}
			after = name
		}
		n = len(names)
	}
	return nil
}
