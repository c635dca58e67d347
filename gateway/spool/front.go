package spool

import (
	"cmp"
	"errors"
	"io"
	"os"
	"slices"
	"time"
)

// How much is handed in with one step at most, beside a single record.
const (
	batchItems = 200
	batchBytes = 1 << 20
)

// record is one that waits, read.
type record struct {
	contents
	at, to  int64
	arrived time.Time
}

// batch is what comes next of one segment.
type batch struct {
	segment  *segment
	records  []record
	spoilt   []place // what is among them and cannot be handed in
	refused  *int    // how often the journal has refused the first
	from, to int64
}

// front reads what comes next; io.EOF if there is nothing.
func (b *backlog) front() (batch, error) {
	b.retire()
	b.mu.Lock()
	if len(b.segments) == 0 {
		b.mu.Unlock()
		return batch{}, io.EOF
	}
	s := b.segments[0]
	w := walker{marker: s.marker, at: s.read, end: s.end, over: s.over}
	b.mu.Unlock()
	f, err := b.read(s, &w)
	f.refused = &b.refused
	return f, err
}

// read reads a batch from where the walker is.
func (b *backlog) read(s *segment, w *walker) (batch, error) {
	out := batch{segment: s, from: w.at, to: w.at}
	file, err := b.spool.options.open(s.path)
	if err != nil && w.over && ofFile(err) {
		out.spoilt, out.to = []place{{kind: lost, from: w.at, to: w.end}}, w.end
		return out, nil
	}
	if err != nil {
		return out, err
	}
	defer file.Close()
	w.file = file
	err = out.fill(w)
	if out.to > out.from {
		err = nil // what is in the way comes next
	}
	return out, err
}

// fill reads as much as one step takes.
func (f *batch) fill(w *walker) error {
	for items := 0; items < batchItems && f.to-f.from < batchBytes; {
		p, err := w.next()
		if err != nil {
			return err
		}
		f.to = p.to
		if p.kind != whole {
			f.spoilt = append(f.spoilt, p)
			continue
		}
		c, err := unpack(p.body)
		if err != nil {
			p.kind = broken
			f.spoilt = append(f.spoilt, p)
			continue
		}
		f.records = append(f.records, record{c, p.from, p.to, p.arrived})
		items += len(c.items) + len(c.letters)
	}
	return nil
}

// consume goes on behind the first n records of a batch, and behind what stands
// among them that is none: that stays in its file.
func (b *backlog) consume(f batch, n int) {
	to := f.reached(n)
	if to == f.from {
		return
	}
	for _, p := range f.spoilt {
		if p.to <= to {
			b.passOver(f.segment, p)
		}
	}
	b.advance(f.segment, to)
}

// reached is how far the first n records of a batch reach, and what stands behind
// them and is none; from if there are none.
func (f batch) reached(n int) int64 {
	switch {
	case n == len(f.records):
		return f.to
	case n == 0:
		return f.from
	}
	return f.records[n-1].to
}

// compareStretches puts them in the order of the file.
func compareStretches(a, b stretch) int { return cmp.Compare(a[0], b[0]) }

// passOver leaves a place that cannot be handed in, and tells of it.
func (b *backlog) passOver(s *segment, p place) {
	what := map[kind]string{
		newer: "was written by a newer release", lost: "is not given back by the disk", refused: "can never be taken by the journal",
	}[p.kind]
	s.left = append(s.left, stretch{p.from, p.to})
	slices.SortFunc(s.left, compareStretches)
	b.spool.options.OnBroken(b.name)
	b.spool.options.Log.Error("a part of the spool is left where it is: it "+cmp.Or(what, "cannot be read"),
		"file", s.path, "at", p.from, "bytes", p.to-p.from)
}

// advance moves the front of a segment.
func (b *backlog) advance(s *segment, to int64) {
	b.refused = 0
	b.mu.Lock()
	s.read = to
	first, _ := slices.BinarySearchFunc(s.waiting, to, func(a arrival, to int64) int { return int(a.at - to) })
	s.waiting = s.waiting[first:]
	b.mu.Unlock()
	if err := s.note(); err != nil {
		b.spool.options.Log.Warn("the spool cannot note how far it is drained", "file", s.path, "err", err)
	}
	b.retire()
}

// impatient ends the wait for what the disk does not give back when it has lasted
// long enough.
func (b *backlog) impatient(s *segment, err error) {
	if !ofFile(err) {
		return
	}
	if b.failing.IsZero() {
		b.failing = time.Now()
	}
	s.over = time.Since(b.failing) >= b.spool.options.patience
}

// retire takes away the segments in front that are drained.
func (b *backlog) retire() {
	for s := b.drained(); s != nil; s = b.drained() {
		err := s.retire()
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		if err != nil {
			b.spool.options.Log.Warn("a drained file of the spool cannot be taken away", "file", s.path, "err", err)
		}
		switch {
		case len(s.left) > 0, err != nil: // it takes up room until it is gone
			b.putAside(&aside{path: s.path, segment: s, charged: s.charged})
		default:
			b.spool.room.give(s.charged)
		}
	}
}

// drained takes a drained segment off the list, but not one that is being
// written to.
func (b *backlog) drained() *segment {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.segments) == 0 {
		return nil
	}
	s := b.segments[0]
	if s.read < s.end || s.file != nil && b.flushing {
		return nil
	}
	b.segments = b.segments[1:]
	return s
}
