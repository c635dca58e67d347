package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

const (
	// rewrapPasses is how often the whole store is looked through at most: once more
	// after each pass that has changed something, as a gateway that was started with the
	// old keys may still put some.
	rewrapPasses = 4
	// rewrapAtOnce is how many keys are wrapped at once.
	rewrapAtOnce = 8
	// rewrapPage is how many names are asked for at once.
	rewrapPage = 1000
)

// Rewrapped is what Rewrap has done, and found.
type Rewrapped struct {
	// Changed is how many keys were wrapped anew.
	Changed int
	// Under is how many keys there are under each of the operator's, by their ids, at
	// the last look.
	Under map[string]int
	// Unreadable is how many there are that are damaged, or wrapped by a key that is
	// not there: what they are of cannot be opened.
	Unreadable int
	// Why is about one of these.
	Why error
}

// First is the operator's key under which everything new is wrapped.
func (s *Sealed) First() string { return s.keys.first }

// Needed are the ids of the operator's keys beside the first without which
// something could not be opened.
func (r Rewrapped) Needed(first string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(r.Under)), func(id string) bool { return id == first })
}

// Rewrap wraps every key in the store by the first of the operator's keys. It may
// be ended at any instruction and repeated, several may do it at once, and gateways
// may serve meanwhile: each key is there at any moment, wrapped by one or the other.
// Pictures are not touched. now hears how many keys were looked at so far.
func (s *Sealed) Rewrap(ctx context.Context, now func(seen int)) (Rewrapped, error) {
	var all Rewrapped
	for pass := range rewrapPasses {
		p := &rewrapping{s: s, now: now, found: Rewrapped{Under: map[string]int{}}}
		err := p.pass(ctx)
		changed := all.Changed + p.found.Changed
		done := p.found.Changed == 0
		all = p.found
		all.Changed = changed
		if err != nil || done || pass == rewrapPasses-1 {
			return all, err
		}
	}
	return all, nil
}

// rewrapping is one look through the whole store.
type rewrapping struct {
	s   *Sealed
	now func(seen int)

	mu    sync.Mutex
	seen  int
	found Rewrapped
}

func (p *rewrapping) pass(ctx context.Context) error {
	for after := ""; ; {
		names, err := p.s.names(ctx, ".", after, rewrapPage)
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(rewrapAtOnce)
		for _, name := range names {
			group.Go(func() error { return p.one(ctx, name) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if len(names) < rewrapPage {
			return nil
		}
		after = names[len(names)-1]
	}
}

// one wraps what is under a name, if it is a key's or a document's.
func (p *rewrapping) one(ctx context.Context, name string) error {
	what, ok := keyed(name)
	if !ok {
		return nil
	}
	var by string
	var changed bool
	err := ErrExists // and somebody else was faster
	for tries := 0; errors.Is(err, ErrExists) && tries < 3; tries++ {
		by, changed, err = p.s.rewrap(ctx, name, what)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen++
	p.now(p.seen)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil // it was deleted meanwhile
	case errors.Is(err, ErrLocked), errors.Is(err, ErrDamaged):
		p.found.Unreadable++
		p.found.Why = err
		err = nil
	}
	if err == nil && by != "" {
		p.found.Under[by]++
	}
	if changed {
		p.found.Changed++
	}
	return err
}

// keyed returns what the key is for that lies under a name, if one does.
func keyed(name string) (what []string, ok bool) {
	if document, is := strings.CutPrefix(name, documents); is {
		return []string{"document", document}, checkName(document) == nil
	}
	a, ok := parseName(name)
	photo, is := strings.CutSuffix(name[strings.LastIndexByte(name, '/')+1:], keySuffix)
	n, err := strconv.Atoi(photo)
	k := Key{Queue: a.queue, Attempt: a.attempt, Photo: n, Kind: Preview}
	return k.photo(), ok && is && err == nil && k.lock() == name
}

// rewrap wraps the key under a name by the first of the operator's, unless it is.
func (s *Sealed) rewrap(ctx context.Context, name string, what []string) (by string, changed bool, err error) {
	stored, err := whole(ctx, s, name)
	if err != nil {
		return "", false, err
	}
	document := strings.HasPrefix(name, documents)
	var rest []byte
	var w wrapped
	if document {
		w, rest, err = parted(stored)
	} else {
		w, err = parseWrapped(stored)
	}
	if err != nil {
		return "", false, err
	}
	key, err := s.keys.unwrap(w, what...)
	if err != nil || w.By == s.keys.first {
		return w.By, false, err
	}
	again, err := s.keys.wrap(key.handle, w.Conversation, what)
	if err != nil {
		return w.By, false, err
	}
	if _, err := s.keys.unwrap(again.wrapped, what...); err != nil {
		return w.By, false, fmt.Errorf("store: what was wrapped does not open: %w", err)
	}
	anew, err := again.marshal()
	if err == nil && document {
		anew, err = joined(again.wrapped, rest)
	}
	if err == nil {
		err = s.swap(ctx, name, stored, anew)
	}
	if err != nil {
		return w.By, false, err
	}
	return again.By, true, nil
}
