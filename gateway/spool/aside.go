package spool

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"

	"github.com/lightlock/lightlock/gateway/queue"
)

// stretch is a part of a segment, from and to.
type stretch [2]int64

// aside is a file of which something is left that could not be handed in.
type aside struct {
	path    string
	segment *segment // nil while not even its head can be read
	charged int64
	refused int // how often the journal has refused what is in front
}

func (b *backlog) putAside(a *aside) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asides = append(b.asides, a)
}

// errYield ends a turn early.
var errYield = errors.New("what waits in order comes first")

// round begins to try once more what was passed over: a disk may have healed, an
// operator may have given back a file's rights, and a newer release knows more.
func (b *backlog) round() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.due = slices.Clone(b.asides)
}

// again goes on with a round until it is over or something waits in order; then it
// has handed in one batch at least, or been through one file. What cannot be handed
// in now either stays as it is, without another word, and a file whose front the
// journal refuses until the next round. The error is the journal's.
func (b *backlog) again(ctx context.Context) error {
	if len(b.due) > 0 && !b.spool.options.Ready() {
		return errNotReady
	}
	for len(b.due) > 0 {
		a := b.due[0]
		over, err := b.revisit(ctx, a)
		switch {
		case over:
			b.forget(a)
		case errors.Is(err, errYield):
			return nil
		case err != nil && (queue.MayPass(err) || ctx.Err() != nil):
			return err
		case err != nil:
			b.spool.options.Log.Warn("the journal refuses what the spool had put aside", "file", a.path, "err", err)
		}
		if b.due = b.due[1:]; b.newer() {
			return nil
		}
	}
	return nil
}

// newer tells whether something waits in order.
func (b *backlog) newer() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting() > 0
}

// forget gives back the room of a file that is gone.
func (b *backlog) forget(a *aside) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asides = slices.DeleteFunc(b.asides, func(other *aside) bool { return other == a })
	b.spool.room.give(a.charged)
}

// revisit hands in what can be read by now of a file. It tells whether nothing of
// it is left, and the file is gone.
func (b *backlog) revisit(ctx context.Context, a *aside) (over bool, err error) {
	switch read, err := b.begin(a); {
	case errors.Is(err, os.ErrNotExist):
		_, err := os.Stat(b.folder)
		return err == nil, nil // an operator has removed it, or the volume is not there
	case err != nil:
		return false, nil //nolint:nilerr // it stays where it is
	default:
		a.segment = read
	}
	s := a.segment
	var left []stretch
	handed := 0
	for _, p := range s.left {
		rest := []stretch{p}
		if err == nil {
			var n int
			n, rest, err = b.revisitStretch(ctx, a, p)
			handed += n
		}
		left = append(left, rest...)
	}
	slices.SortFunc(left, compareStretches)
	changed := !slices.Equal(left, s.left)
	if s.left = left; changed {
		b.spool.options.Log.Info("what the spool had put aside is handed in", "file", s.path, "records", handed, "left", len(left))
	}
	if len(left) == 0 {
		return s.discard() == nil, err
	}
	if !changed {
		return false, err
	}
	if noted := writeLeft(s); noted != nil {
		b.spool.options.Log.Warn("the spool cannot note what is left of a file", "file", s.path, "err", noted)
	}
	return false, err
}

// begin returns the segment of a file that is aside.
func (b *backlog) begin(a *aside) (*segment, error) {
	if _, err := os.Lstat(a.path); err != nil || a.segment != nil {
		return a.segment, err
	}
	s, err := load(a.path, b.spool.options.open)
	if err == nil && s.left == nil {
		s.left = []stretch{{s.read, s.end}}
	}
	return s, err
}

// revisitStretch hands in what can be read of a stretch, and returns how many
// records that were, and what is left. The error is the journal's, or errYield.
func (b *backlog) revisitStretch(ctx context.Context, a *aside, p stretch) (n int, left []stretch, err error) {
	s := a.segment
	for w := (walker{marker: s.marker, at: p[0], end: p[1], over: true}); w.at < w.end; {
		f, err := b.read(s, &w)
		if err != nil {
			return n, append(left, stretch{f.to, p[1]}), nil //nolint:nilerr // no means to read any file: next time
		}
		f.refused = &a.refused
		done, err := b.handIn(ctx, &f)
		n += done
		to := f.reached(done)
		for _, spoilt := range f.spoilt {
			if spoilt.to <= to {
				left = append(left, stretch{spoilt.from, spoilt.to})
			}
		}
		if err == nil && done > 0 && to < p[1] && b.newer() {
			err = errYield
		}
		if err != nil {
			return n, append(left, stretch{to, p[1]}), err
		}
	}
	return n, left, nil
}

// discard takes a segment away of which nothing is left any more, and its list.
func (s *segment) discard() error {
	err := os.Remove(s.path)
	if err == nil {
		_ = os.Remove(s.base() + leftEnding)
	}
	return err
}

// writeLeft lists what is left of a segment, beside it. Without the list all is
// handed in again that stands behind the first that was left, and what is older
// than the journal's memory would become dead letters.
func writeLeft(s *segment) error {
	list, err := json.Marshal(s.left)
	if err != nil {
		return err
	}
	path := s.base() + leftEnding
	if err := os.WriteFile(path+".new", list, fileMode); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// readLeft reads what is left of a segment that was put aside.
func readLeft(s *segment) (left []stretch) {
	list, err := os.ReadFile(s.base() + leftEnding)
	if err == nil && json.Unmarshal(list, &left) == nil && fits(left, s.end) {
		return left
	}
	if s.read >= s.end {
		return []stretch{{segmentHead, s.end}}
	}
	return []stretch{{s.read, s.end}}
}

// fits tells whether stretches lie in a segment, in order.
func fits(left []stretch, end int64) bool {
	at := int64(segmentHead)
	for _, p := range left {
		if p[0] < at || p[1] <= p[0] || p[1] > end {
			return false
		}
		at = p[1]
	}
	return len(left) > 0
}
