package archive

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

const (
	// near is how many conversations are looked at on either side of one, by when they
	// were closed. The next one is the first of those behind, unless a late message has
	// closed one of them again.
	near = 8
	// nearHere is how many of a party's are looked at that are in Redis.
	nearHere = 100
)

// Neighbours returns the conversations of a party that were opened before one and
// after it, from Redis and the archive together; either is empty where there is none.
// Only those that were closed close to it are looked at. The head may say itself which
// is before it.
func (a *Archive) Neighbours(ctx context.Context, of queue.Conversation) (previous, next string, err error) {
	if !named(of.Queue, of.ID) || !partyName.MatchString(of.Party) {
		return of.Previous, "", nil
	}
	around, err := a.around(ctx, of)
	if err != nil {
		return "", "", err
	}
	var before, after queue.Conversation
	for _, c := range around {
		switch {
		case c.Previous == of.ID && after.Previous != of.ID:
			after = c
		case c.OpenedAt.Before(of.OpenedAt) && c.OpenedAt.After(before.OpenedAt):
			before = c
		case c.OpenedAt.After(of.OpenedAt) && after.Previous != of.ID && (after.ID == "" || c.OpenedAt.Before(after.OpenedAt)):
			after = c
		}
	}
	if of.Previous != "" {
		return of.Previous, after.ID, nil
	}
	return before.ID, after.ID, nil
}

// around are the heads of conversations of a party that may be next to one.
func (a *Archive) around(ctx context.Context, of queue.Conversation) ([]queue.Conversation, error) {
	// Redis is read first: what leaves it is in the archive already.
	here, err := a.Heads.HeadsOf(ctx, of.Queue, of.Party, nearHere)
	if err != nil {
		return nil, err
	}
	// Of what it has a part of, the archive knows when it was opened.
	here = slices.DeleteFunc(here, func(c queue.Conversation) bool { return c.Partial || c.ID == of.ID })
	at := leaf{queue: of.Queue, party: of.Party, id: of.ID, closed: closedAt(of)}
	leaves, err := a.behind(ctx, at, near)
	if err != nil {
		return nil, err
	}
	newer, err := a.ahead(ctx, at)
	if err != nil {
		return nil, err
	}
	loaded, err := a.load(ctx, slices.Concat(leaves, newer))
	if err != nil {
		return nil, err
	}
	for _, one := range loaded {
		if one.conversation.ID != "" && one.conversation.ID != of.ID {
			here = append(here, one.conversation)
		}
	}
	return here, nil
}

// behind are pointers of a party of conversations that were closed before one.
func (a *Archive) behind(ctx context.Context, at leaf, most int) ([]leaf, error) {
	return a.pointers(ctx, at, at.place()+".z", most)
}

// ahead are the last pointers before that of a conversation, of those that were closed
// after it. Names begin with the newest, so that a place has to be found from which one
// list leads there: of very many conversations by halving the time that is between.
func (a *Archive) ahead(ctx context.Context, at leaf) ([]leaf, error) {
	empty, full := int64(0), lastMilli-at.closed.UnixMilli()
	for within, after := full, ""; ; {
		found, err := a.pointers(ctx, at, after, page)
		if err != nil {
			return nil, err
		}
		there := slices.IndexFunc(found, func(l leaf) bool { return l.place() >= at.place() })
		if there < 0 && len(found) < page {
			there = len(found)
		}
		switch {
		case there > 0 || there == 0 && within == full:
			return found[max(0, there-near):there], nil
		case there == 0:
			empty = within
		default:
			full = within
		}
		if within = (empty + full) / 2; within == empty {
			return nil, nil // a thousand of the same moment
		}
		newest := leaf{id: "z", closed: at.closed.Add(time.Duration(within) * time.Millisecond)}
		after = newest.place()
	}
}

// pointers lists those of a party behind a place, which may be empty.
func (a *Archive) pointers(ctx context.Context, of leaf, after string, most int) (leaves []leaf, err error) {
	folder := path.Join(folderParties, of.queue, of.party)
	if after != "" {
		after = path.Join(folder, after)
	}
	names, err := a.Documents.List(ctx, folder, after, most)
	for _, name := range names {
		if l, ok := parseLeaf(name); ok {
			leaves = append(leaves, l)
		}
	}
	return leaves, err
}
