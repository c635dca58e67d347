package spool

import (
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
	segment *segment
	records []record
	spoilt  []place // what is among them and no record of ours
	to      int64
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
	w := walker{marker: s.marker, at: s.read, end: s.end}
	b.mu.Unlock()
	out := batch{segment: s, to: w.at}
	file, err := os.Open(s.path)
	if err != nil {
		return out, err
	}
	defer file.Close()
	w.file = file
	err = out.fill(&w)
	if out.to > s.read {
		err = nil // what is in the way comes next
	}
	return out, err
}

// fill reads as much as one step takes.
func (f *batch) fill(w *walker) error {
	for items := 0; items < batchItems && f.to-f.segment.read < batchBytes; {
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
	to := f.to
	switch {
	case n == 0 && len(f.records) > 0:
		return
	case n < len(f.records):
		to = f.records[n-1].to
	}
	var keep uint32
	for _, p := range f.spoilt {
		if p.to <= to {
			keep = keepFile
			b.spoilt(f.segment, p)
		}
	}
	b.advance(f.segment, to, keep)
}

// spoilt tells of a place that cannot be handed in.
func (b *backlog) spoilt(s *segment, p place) {
	what := "cannot be read"
	if p.kind == newer {
		what = "was written by a newer release"
	}
	b.spool.options.OnBroken(b.name)
	b.spool.options.Log.Error("a record of the spool is left where it is: it "+what, "file", s.path, "at", p.from, "bytes", p.to-p.from)
}

// advance moves the front of a segment.
func (b *backlog) advance(s *segment, to int64, flags uint32) {
	b.failures = 0
	b.mu.Lock()
	s.read, s.flags = to, s.flags|flags
	first, _ := slices.BinarySearchFunc(s.waiting, to, func(a arrival, to int64) int { return int(a.at - to) })
	s.waiting = s.waiting[first:]
	b.mu.Unlock()
	if err := s.note(); err != nil {
		b.spool.options.Log.Warn("the spool cannot note how far it is drained", "file", s.path, "err", err)
	}
	b.retire()
}

// giveUp puts a whole segment aside that the disk does not give back.
func (b *backlog) giveUp(s *segment, cause error) {
	b.spool.options.OnBroken(b.name)
	b.spool.options.Log.Error("a file of the spool is left where it is: it cannot be read", "file", s.path, "err", cause)
	b.mu.Lock()
	end := s.end
	b.mu.Unlock()
	b.advance(s, end, keepFile)
}

// retire takes away the segments in front that are drained.
func (b *backlog) retire() {
	for {
		s := b.drained()
		if s == nil {
			return
		}
		kept, err := s.retire()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			b.spool.options.Log.Warn("a drained file of the spool cannot be taken away", "file", s.path, "err", err)
			continue // it stays charged
		}
		if !kept {
			b.spool.room.give(s.charged)
			continue
		}
		b.mu.Lock()
		b.aside++
		b.mu.Unlock()
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
