package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxGroup is how many bytes wait at most for one write, beside a single record
// of any size: a disk that hangs must not fill the memory.
const maxGroup = 16 << 20

// pending is a record that is to be written.
type pending struct {
	arrived time.Time
	body    []byte
}

// group are records that share a write and a sync. err is set before done is
// closed.
type group struct {
	records []pending
	bytes   int64
	done    chan struct{}
	err     error
}

// backlog is the spool of one queue: segments, of which the last may be appended
// to while the first is drained.
type backlog struct {
	spool        *Spool
	name, folder string
	wake         chan struct{} // something was appended

	// The drain's own.
	refused int       // how often the journal has refused what is in front
	failing time.Time // since when nothing could be read, not even of the next file
	due     []*aside  // what is still to be tried again in this round
	tell    rate.Sometimes

	mu       sync.Mutex
	segments []*segment    // the oldest first
	forming  *group        // what the next write takes
	flushing bool          // a write goes on, or is about to
	number   uint64        // of the next segment; only a flush changes it
	held     chan struct{} // closed when webhooks need not wait for the drain any more
	asides   []*aside      // files of which something is left
}

// empty tells whether nothing waits, after a moment if the last are just being
// handed in. What is being written does not count: nobody has been told of it, so
// it has no place before what comes now.
func (b *backlog) empty(ctx context.Context) bool {
	b.mu.Lock()
	held := b.held
	b.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-time.After(holdTime):
		case <-ctx.Done():
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting() == 0
}

func (b *backlog) waiting() int {
	n := 0
	for _, s := range b.segments {
		n += len(s.waiting)
	}
	return n
}

// append makes a record durable. After an error it may be there all the same, if
// ctx was over before the disk was.
func (b *backlog) append(ctx context.Context, body []byte) error {
	g, err := b.join(pending{b.spool.options.Now(), body})
	if err != nil {
		return err
	}
	select {
	case <-g.done:
		return g.err
	case <-ctx.Done():
		return fmt.Errorf("spool: not written in time: %w", ctx.Err())
	}
}

// join puts a record among those that are written next.
func (b *backlog) join(r pending) (*group, error) {
	n := int64(recordHead + len(r.body))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.forming == nil {
		b.forming = &group{done: make(chan struct{})}
	}
	g := b.forming
	if g.bytes > 0 && g.bytes+n > maxGroup {
		return nil, errSlow
	}
	if err := b.spool.room.take(n); err != nil {
		return nil, err
	}
	g.records = append(g.records, r)
	g.bytes += n
	if !b.flushing {
		b.flushing = true
		b.spool.flushes.Go(b.flush)
	}
	return g, nil
}

// flush writes group by group, as long as there are any: what arrives during one
// write shares the next.
func (b *backlog) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.forming != nil && len(b.forming.records) > 0 {
		g, s := b.forming, b.tail()
		b.forming = nil
		b.mu.Unlock()
		fresh := s == nil
		added, err := b.write(&s, g)
		b.mu.Lock()
		if err == nil {
			if fresh {
				b.segments = append(b.segments, s)
			}
			s.end += g.bytes
			s.charged += g.bytes
			s.waiting = append(s.waiting, added...)
		}
		g.err = err
		close(g.done)
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	b.flushing = false
}

// tail returns the segment that is appended to, or nil if there must be another.
func (b *backlog) tail() *segment {
	if len(b.segments) == 0 {
		return nil
	}
	s := b.segments[len(b.segments)-1]
	if s.file != nil && s.end >= b.spool.segmentBytes {
		_ = s.file.Close()
		s.file = nil
	}
	if s.file == nil {
		return nil
	}
	return s
}

// write brings a group to the disk, into a new segment where s is nil. Only one
// write of a queue goes on at a time, and while one does, nobody retires the
// last segment.
func (b *backlog) write(s **segment, g *group) ([]arrival, error) {
	fresh := *s == nil
	if fresh {
		if err := b.open(s); err != nil {
			b.spool.room.give(g.bytes)
			return nil, fmt.Errorf("spool: %w", err)
		}
	}
	added, left, err := (*s).write(g.records, b.spool.options.sync)
	if err == nil && fresh {
		err = syncFolder(b.folder)
	}
	if err == nil {
		return added, nil
	}
	b.abandon(*s, g, left, fresh)
	return nil, fmt.Errorf("spool: %w", err)
}

// open makes the next segment, and the queue's folder where it is missing.
func (b *backlog) open(s **segment) error {
	if err := b.spool.room.take(segmentHead); err != nil {
		return err
	}
	err := os.Mkdir(b.folder, folderMode)
	switch {
	case errors.Is(err, fs.ErrExist):
		err = nil
	case err == nil:
		err = syncFolder(filepath.Dir(b.folder))
	}
	if err == nil {
		*s, err = create(pathOf(b.folder, b.number))
	}
	b.number++
	if err != nil {
		b.spool.room.give(segmentHead)
	}
	return err
}

// abandon takes back what a failed write has left. The segment is read as far as
// it was written before, and takes nothing more.
func (b *backlog) abandon(s *segment, g *group, left int64, fresh bool) {
	_ = s.file.Close()
	removed := fresh && os.Remove(s.path) == nil
	b.mu.Lock()
	defer b.mu.Unlock()
	s.file = nil
	switch {
	case removed:
		b.spool.room.give(g.bytes + segmentHead)
	case fresh:
		// It is found at the next start, and charged until then.
	default:
		s.charged += left
		b.spool.room.give(g.bytes - left)
	}
}

// room counts the bytes of all segments. A spool that is full says so at once.
type room struct {
	mu          sync.Mutex
	used, limit int64
}

func (r *room) take(n int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used+n > r.limit {
		return ErrFull
	}
	r.used += n
	return nil
}

func (r *room) give(n int64) { r.add(-n) }

// add counts what is there, whether there is room for it or not.
func (r *room) add(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used += n
}

func (r *room) now() (used, limit int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used, r.limit
}
