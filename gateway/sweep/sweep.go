// Package sweep keeps the store of pictures in order. It deletes what was
// developed and not delivered, because a gateway died or another was faster, and
// what is older than pictures are kept.
//
// It promises that no picture is deleted as an orphan but what the journal names
// as one, that an attempt stays registered until its pictures are surely gone, also
// those that a gateway wrote which was stopped for a while and had lost it by then,
// that nothing is deleted for its age before its time, and that it works so
// slowly that nothing else notices. Several gateways may do it at once.
package sweep

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/retry"
)

const (
	// sweepEvery is how often orphans are looked for at least; with a short lease
	// it is every ten leases, because an orphan is no older than one.
	sweepEvery  = 10 * time.Minute
	sweepLeases = 10
	// lateLeases is how many leases old an orphan must be to leave the register.
	// Until then each sweep deletes its pictures again: whoever began it may have
	// been stopped, and write when it goes on, and what was on its way to a bucket
	// may come in after its delete.
	lateLeases = 10
	// expireEvery is how often the store is looked through for old pictures.
	expireEvery = 24 * time.Hour
	// leastKeep is the least that can be configured. With less, somebody has
	// forgotten to.
	leastKeep = 24 * time.Hour

	// atOnce is how many attempts are looked at in one step of the journal.
	atOnce = 100
	// deletes and visits are how many a second there are at most.
	deletes, visits = 50, 2000
	// enough failures one after another say that the store is away.
	enough = 3
)

// Journal knows which attempts are nobody's; *queue.Journal is one.
type Journal interface {
	Orphans(ctx context.Context, queue string, cursor uint64, limit int) (orphans []queue.Orphan, next uint64, err error)
	Swept(ctx context.Context, queue string, attempts []string) error
}

// Store is what is kept in order.
type Store interface {
	Check(ctx context.Context) error
	DeleteAttempt(ctx context.Context, queue, attempt string) error
	List(ctx context.Context, visit func(queue, attempt string, age time.Duration) error) error
}

// Sweeper does the work. Its fields are set once and not changed after.
type Sweeper struct {
	Journal Journal
	Store   Store
	Queues  []string
	// Lease is the journal's.
	Lease time.Duration
	// Keep is how long pictures are kept; less than a day keeps all.
	Keep    time.Duration
	Metrics *ops.Metrics
	Log     *slog.Logger
}

// Run works until ctx ends: soon after the start and then from time to time, not
// at the same moment as other gateways. What is under way at the end is left to
// the next start, so grace is not used.
func (s *Sweeper) Run(ctx context.Context, _ time.Duration) {
	if err := s.Store.Check(ctx); err != nil && ctx.Err() == nil {
		s.Log.Warn("the store of pictures is not as it should be", "err", err)
	}
	pause := min(sweepEvery, sweepLeases*s.Lease)
	var loops sync.WaitGroup
	loops.Go(func() { retry.Every(ctx, pause/10, pause, s.sweepAll) })
	loops.Go(func() { retry.Every(ctx, sweepEvery, expireEvery, s.expireOld) })
	loops.Wait()
}

// sweepAll deletes the orphans of every queue.
func (s *Sweeper) sweepAll(ctx context.Context) {
	slowly := rate.NewLimiter(deletes, 1)
	for _, name := range s.Queues {
		if err := s.sweep(ctx, name, slowly); err != nil && ctx.Err() == nil {
			s.Metrics.Trouble("sweep", "orphans")
			s.Log.Warn("orphans are left for the next time", "queue", name, "err", err)
		}
	}
}

// sweep goes through one queue's register.
func (s *Sweeper) sweep(ctx context.Context, queue string, slowly *rate.Limiter) error {
	var trouble error
	for cursor := uint64(0); ; {
		orphans, next, err := s.Journal.Orphans(ctx, queue, cursor, atOnce)
		if err != nil {
			return err
		}
		gone, failed, err := s.clear(ctx, queue, orphans, slowly)
		// What is gone leaves the register even if the rest must wait.
		if len(gone) > 0 {
			if err := s.Journal.Swept(ctx, queue, gone); err != nil {
				return err
			}
			failpoint.Hit(failpoint.AfterSweep)
			s.Metrics.OrphansSwept(queue, len(gone))
			s.Log.Info("orphans swept", "queue", queue, "attempts", len(gone))
		}
		if err != nil {
			return err
		}
		trouble = cmp.Or(failed, trouble)
		if next == 0 {
			return trouble
		}
		cursor = next
	}
}

// clear deletes the pictures of some attempts and returns those of which there
// will never be any again, and one error of the others. err ends the sweep.
func (s *Sweeper) clear(ctx context.Context, name string, orphans []queue.Orphan, slowly *rate.Limiter) (gone []string, failed, err error) {
	failures := 0
	for _, orphan := range orphans {
		if err := slowly.Wait(ctx); err != nil {
			return gone, nil, err
		}
		failpoint.Hit(failpoint.BeforeSweep)
		err := s.Store.DeleteAttempt(ctx, name, orphan.Attempt)
		if err == nil {
			failpoint.Hit(failpoint.MidSweep)
			failures = 0
			if orphan.Age >= lateLeases*s.Lease {
				gone = append(gone, orphan.Attempt)
			}
			continue
		}
		failed = err
		if failures++; failures == enough || ctx.Err() != nil {
			return gone, nil, err
		}
	}
	return gone, failed, nil
}

// expireOld deletes what is older than pictures are kept, by the store's dates.
func (s *Sweeper) expireOld(ctx context.Context) {
	if s.Keep < leastKeep {
		return
	}
	expired, err := s.Expire(ctx)
	if expired > 0 {
		s.Log.Info("pictures deleted for their age", "attempts", expired, "kept_for", s.Keep)
	}
	if err != nil && ctx.Err() == nil {
		s.Metrics.Trouble("sweep", "expire")
		s.Log.Warn("old pictures are left for the next time", "err", err)
	}
}

// Expire deletes the pictures that are older than they are kept, and returns of how
// many attempts. It may be ended and repeated at any moment.
func (s *Sweeper) Expire(ctx context.Context) (expired int, err error) {
	slowly, look := rate.NewLimiter(deletes, 1), rate.NewLimiter(visits, visits/10)
	var failed error
	failures := 0
	err = s.Store.List(ctx, func(queue, attempt string, age time.Duration) error {
		if err := look.Wait(ctx); err != nil || age <= s.Keep {
			return err
		}
		if err := slowly.Wait(ctx); err != nil {
			return err
		}
		err := s.Store.DeleteAttempt(ctx, queue, attempt)
		switch {
		case err == nil:
			expired++
			failures = 0
			s.Metrics.PicturesExpired()
			return nil
		case ctx.Err() != nil:
			return err
		}
		failed = err
		if failures++; failures == enough {
			return err
		}
		return nil
	})
	if err == nil {
		err = failed
	}
	return expired, err
}
