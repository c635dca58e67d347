// Package spool keeps verified webhooks in local files while the journal cannot
// take them, and hands them in when it can.
//
// It promises that what Accept or Bury has returned nil for is in the journal or
// on this disk, synced; that the webhooks of one queue are handed in in the order
// in which they came, over failures and restarts, and new ones go behind those
// that wait; that the files take no more bytes than their limit; and that what it
// cannot read holds up the rest for two minutes at most, is never deleted, and is
// tried again at each start and every ten minutes: then it comes out of order.
// What is handed in is what the journal would have got at once, so an event that
// the journal has already is only a repeat.
//
// Each queue has a folder of segments. Whoever appends while a write goes on
// shares the next write and its sync. Files are 0600, folders 0700: they hold
// consumers' words.
//
// It is our own because of the logs looked at, tidwall/wal has no checksums and
// goes on behind half a record after a full disk, and hashicorp/raft-wal, which
// calls itself experimental, brings a database, has one writer, and stops at a
// record that is broken.
//
// To read: record.go is the format, walk.go reads it, segment.go is one file,
// backlog.go appends to a queue's files, front.go and drain.go empty them, and
// aside.go has what they had to leave.
package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/gateway/queue"
)

var (
	// ErrFull means that the spool has no room for another record.
	ErrFull = errors.New("the spool is full")
	// ErrOff means that nothing is ever spooled.
	ErrOff = errors.New("the spool is off")
	// ErrInUse means that another process has locked the folder.
	ErrInUse = errors.New("the folder is in use")

	errSlow = errors.New("spool: the disk does not keep up")
)

// firstTime is how long the journal has for an answer before the spool is used,
// where the caller has that much time.
const firstTime = 500 * time.Millisecond

// closeTime is how long Close waits for the disk: it must leave a stop the time
// for everything else.
const closeTime = 3 * time.Second

// Segments are small enough that a drained one gives back its room soon.
const (
	minSegment = 64 << 10
	maxSegment = 64 << 20
)

// Journal is where events are made durable; *queue.Journal is one.
type Journal interface {
	Accept(ctx context.Context, queue string, items []queue.Item) ([]queue.Accepted, error)
	Bury(ctx context.Context, queue string, letters []queue.Letter) ([]bool, error)
}

// Options say where the spool lies and whom it serves. Folder, Limit, Queues and
// Journal are needed.
type Options struct {
	// Folder is made where it is missing, and is one process' alone.
	Folder string
	// Limit is how many bytes all files may have together; zero turns the spool
	// off: the folder is left alone, and everything goes to the journal.
	Limit int64
	// Queues are those that there are. What an earlier process has left for
	// others is handed in as well.
	Queues  []string
	Journal Journal
	// Ready tells whether the journal is known to keep what it takes; until then
	// everything is spooled. Nil: always.
	Ready func() bool
	Log   *slog.Logger
	// OnSpooled is told of each webhook that was spooled, and OnBroken of each
	// record that cannot be handed in.
	OnSpooled, OnBroken func(queue string)
	Now                 func() time.Time

	// What tests replace.
	sync     func(*os.File) error
	open     func(path string) (source, error)
	patience time.Duration // with a file that cannot be read
	closing  time.Duration
}

func (o Options) withDefaults() Options {
	if o.Ready == nil {
		o.Ready = func() bool { return true }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnSpooled == nil {
		o.OnSpooled = func(string) {}
	}
	if o.OnBroken == nil {
		o.OnBroken = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.sync == nil {
		o.sync = (*os.File).Sync
	}
	if o.open == nil {
		o.open = openFile
	}
	if o.patience == 0 {
		o.patience = longest
	}
	if o.closing == 0 {
		o.closing = closeTime
	}
	return o
}

// Spool stands before the journal. Its methods may be called from many
// goroutines at once.
type Spool struct {
	options      Options
	lock         *os.File
	room         room
	segmentBytes int64
	backlogs     map[string]*backlog
	flushes      sync.WaitGroup
	tell         rate.Sometimes
	checking     chan struct{} // full while a check writes
}

// Accept makes the events of one webhook for one queue durable: in the journal,
// or here. Where they are here, nothing is known yet of what becomes of them,
// and the answer is empty. After an error they are in neither for sure.
func (s *Spool) Accept(ctx context.Context, name string, items []queue.Item) (accepted []queue.Accepted, err error) {
	err = s.keep(ctx, name, contents{items: items}, func(ctx context.Context) (err error) {
		accepted, err = s.options.Journal.Accept(ctx, name, items)
		return err
	})
	return accepted, err
}

// Bury is Accept for dead letters. The answer tells of each letter whether it is
// known to be new.
func (s *Spool) Bury(ctx context.Context, name string, letters []queue.Letter) ([]bool, error) {
	fresh := make([]bool, len(letters))
	err := s.keep(ctx, name, contents{letters: letters}, func(ctx context.Context) error {
		answer, err := s.options.Journal.Bury(ctx, name, letters)
		copy(fresh, answer)
		return err
	})
	return fresh, err
}

// keep asks the journal first, and where something waits already the spool. If
// the one fails, the other is asked with what time is left: to refuse a webhook
// is worse than to take it out of order.
func (s *Spool) keep(ctx context.Context, name string, c contents, journal func(context.Context) error) error {
	b := s.backlogs[name]
	if b == nil || len(c.items)+len(c.letters) == 0 {
		return journal(ctx)
	}
	ready := s.options.Ready()
	if ready && b.empty(ctx) {
		err := within(ctx, 3, firstTime, journal)
		if err == nil || errors.Is(err, queue.ErrInvalid) {
			return err
		}
		return joined(err, s.put(ctx, b, c, err))
	}
	err := within(ctx, 2, time.Minute, func(ctx context.Context) error { return s.put(ctx, b, c, nil) })
	if err == nil || !ready {
		return err
	}
	return joined(err, journal(ctx))
}

// joined is nil where the second choice worked.
func joined(first, second error) error {
	if second == nil {
		return nil
	}
	return fmt.Errorf("%w; and %w", first, second)
}

// within gives a step a share of the time that is left, and most at most.
func within(ctx context.Context, share int, most time.Duration, step func(context.Context) error) error {
	if deadline, ok := ctx.Deadline(); ok {
		most = min(most, time.Until(deadline)/time.Duration(share))
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return step(ctx)
}

// put spools a webhook; cause is why, if it is the first that has to wait.
func (s *Spool) put(ctx context.Context, b *backlog, c contents, cause error) error {
	body, err := c.pack()
	if err != nil {
		return err
	}
	if err := b.append(ctx, body); err != nil {
		return err
	}
	s.options.OnSpooled(b.name)
	if cause != nil {
		s.tell.Do(func() {
			s.options.Log.Warn("webhooks are spooled until the journal takes them", "queue", b.name, "err", cause)
		})
	}
	return nil
}
