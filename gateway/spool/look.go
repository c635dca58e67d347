package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Stats are a queue's figures.
type Stats struct {
	Queue string
	// Records is how many webhooks wait to be handed in.
	Records int
	// Oldest is the age of the first of them; zero if there is none.
	Oldest time.Duration
	// Aside is how many files stay where they are, because they hold something
	// that could not be handed in.
	Aside int
}

// Stats returns the figures of all queues by name.
func (s *Spool) Stats() []Stats {
	all := make([]Stats, 0, len(s.backlogs))
	for _, b := range s.backlogs {
		all = append(all, b.stats())
	}
	slices.SortFunc(all, func(a, b Stats) int { return strings.Compare(a.Queue, b.Queue) })
	return all
}

func (b *backlog) stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Stats{Queue: b.name, Records: b.waiting(), Aside: len(b.asides)}
	for _, g := range b.segments {
		if len(g.waiting) > 0 {
			s.Oldest = max(0, b.spool.options.Now().Sub(time.UnixMilli(g.waiting[0].ms)))
			break
		}
	}
	return s
}

// Bytes returns how many bytes the files have, and how many they may have.
func (s *Spool) Bytes() (used, limit int64) { return s.room.now() }

// Check tells whether another webhook could be spooled: it writes a file and
// removes it again. It unwraps to ErrOff or ErrFull where that is why not.
func (s *Spool) Check(ctx context.Context) error {
	if s.lock == nil {
		return ErrOff
	}
	if used, limit := s.room.now(); used+queue.MaxPayload > limit {
		return fmt.Errorf("%w: %d of %d bytes are used", ErrFull, used, limit)
	}
	select {
	case s.checking <- struct{}{}:
	case <-ctx.Done():
		return errSlow // the one before hangs
	}
	done := make(chan error, 1)
	go func() {
		err := s.probe()
		<-s.checking
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errSlow
	}
}

func (s *Spool) probe() error {
	path := filepath.Join(s.options.Folder, "probe")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	_, err = file.Write(make([]byte, 4096)) // a block, so that a full disk shows
	if err == nil {
		err = s.options.sync(file)
	}
	if err = errors.Join(err, file.Close(), os.Remove(path)); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// Contents is what waits of a queue, read from the files.
type Contents struct {
	Queue string
	// Records is how many webhooks wait, and Oldest when the first came.
	Records int
	Oldest  time.Time
	// Bytes is the size of all files of the queue.
	Bytes int64
	// Keys name the events that wait, in order, and those that were put aside and
	// can be read.
	Keys []string
	// Aside are the files of which something is left that could not be handed in.
	Aside []string
}

// Look reads what waits in a folder, which may be a running gateway's: nothing
// is locked or changed. A folder that is not there holds nothing.
func Look(folder string) ([]Contents, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var all []Contents
	for _, e := range entries {
		if !e.IsDir() || !queueName.MatchString(e.Name()) {
			continue
		}
		found, listed := listSegments(filepath.Join(folder, e.Name()))
		if listed != nil {
			return all, fmt.Errorf("spool: %w", listed)
		}
		c := Contents{Queue: e.Name()}
		for _, f := range found {
			c.add(f)
		}
		all = append(all, c)
	}
	return all, err
}

// add counts a segment. One that its gateway has just taken away has nothing.
func (c *Contents) add(f file) {
	s, err := look(f.path, openFile)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, errNothing) {
		return
	}
	c.Bytes += f.bytes
	if err != nil || f.kept {
		c.Aside = append(c.Aside, f.path)
	}
	if err != nil {
		return
	}
	if len(s.waiting) > 0 && c.Records == 0 {
		c.Oldest = time.UnixMilli(s.waiting[0].ms)
	}
	c.Records += len(s.waiting)
	c.Keys = append(c.Keys, s.keys()...)
}

// keys reads the keys of the events that wait in a segment, or are left in it.
func (s *segment) keys() []string {
	file, err := openFile(s.path)
	if err != nil {
		return nil
	}
	defer file.Close()
	var keys []string
	stretches := s.left
	if stretches == nil {
		stretches = []stretch{{s.read, s.end}}
	}
	for _, part := range stretches {
		w := walker{file: file, marker: s.marker, at: part[0], end: part[1], over: true}
		for p, err := w.next(); err == nil; p, err = w.next() {
			if c, err := unpack(p.body); p.kind == whole && err == nil {
				keys = append(keys, c.keys()...)
			}
		}
	}
	return keys
}

// Pending returns the keys of the events that wait. One of them may be in the
// journal as well: it is known to be only once it is handed in.
func (s *Spool) Pending() []string {
	all, _ := Look(s.options.Folder)
	var keys []string
	for _, c := range all {
		keys = append(keys, c.Keys...)
	}
	return keys
}
