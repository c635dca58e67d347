package sweep_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/sweep"
)

// register is a journal's register of attempts that checks how it is asked. It
// gives few at a time, and sometimes none although there are more.
type register struct {
	t *testing.T

	mu      sync.Mutex
	orphans map[string][]string // by queue, those that are registered
	young   map[string]bool     // of these, those that have begun just now
	looks   int                 // how often somebody began from the start
	away    error
	swept   func(queue, attempt string)
}

func (r *register) Orphans(_ context.Context, name string, cursor uint64, limit int) ([]queue.Orphan, uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cursor == 0 {
		r.looks++
	}
	if r.away != nil {
		return nil, 0, r.away
	}
	if limit < 1 || limit > 1000 {
		r.t.Errorf("asked for %d at once", limit)
	}
	all, known := r.orphans[name]
	switch {
	case !known:
		r.t.Errorf("asked for the queue %q", name)
		return nil, 0, nil
	case cursor == 0 && len(all) > 0:
		return nil, 1 << 40, nil // a part in which there are none
	case cursor == 0:
		return nil, 0, nil
	case cursor&(1<<40) == 0:
		r.t.Errorf("asked with cursor %d, which was never given", cursor)
	}
	page := make([]queue.Orphan, min(len(all), 7))
	for i := range page {
		page[i] = queue.Orphan{Attempt: all[i], Age: time.Hour}
		if r.young[all[i]] {
			page[i].Age = 2 * time.Minute
		}
	}
	if len(all) <= 7 || cursor > 1<<40+100 {
		return page, 0, nil
	}
	return page, cursor + 1, nil
}

func (r *register) Swept(_ context.Context, queue string, attempts []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(attempts) == 0 {
		r.t.Error("nothing was said to be swept")
	}
	for _, a := range attempts {
		if r.swept != nil {
			r.swept(queue, a)
		}
	}
	if r.away != nil {
		return r.away
	}
	r.orphans[queue] = slices.DeleteFunc(r.orphans[queue], func(a string) bool { return slices.Contains(attempts, a) })
	return nil
}

// left is how many are registered.
func (r *register) left() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, all := range r.orphans {
		n += len(all)
	}
	return n
}

// shelf is a store of attempts with ages, and of which some cannot be deleted.
type shelf struct {
	mu      sync.Mutex
	ages    map[string]time.Duration // by "queue attempt"
	stuck   func(name string) error
	checked int
	deletes []time.Time
}

func (s *shelf) Check(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked++
	return errors.New("the disk is full")
}

func (s *shelf) DeleteAttempt(ctx context.Context, queue, attempt string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deletes = append(s.deletes, time.Now())
	name := queue + " " + attempt
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.stuck != nil {
		if err := s.stuck(name); err != nil {
			return err
		}
	}
	delete(s.ages, name)
	return nil
}

func (s *shelf) List(ctx context.Context, visit func(queue, attempt string, age time.Duration) error) error {
	s.mu.Lock()
	ages := map[string]time.Duration{}
	for name, age := range s.ages {
		ages[name] = age
	}
	s.mu.Unlock()
	for name, age := range ages {
		queue, attempt, _ := strings.Cut(name, " ")
		if err := visit(queue, attempt, age); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *shelf) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.ages[name]
	return ok
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ages)
}

// change changes what the sweeper may be looking at.
func (s *shelf) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func attempt(i int) string { return fmt.Sprintf("%032x", i) }

// kit is a sweeper of two queues with n orphans each, whose pictures lie beside
// as many of living attempts.
type kit struct {
	*sweep.Sweeper
	journal *register
	shelf   *shelf
	log     *bytes.Buffer
}

func newKit(t *testing.T, n int) *kit {
	k := &kit{
		journal: &register{t: t, orphans: map[string][]string{"sales": nil, "support": nil}},
		shelf:   &shelf{ages: map[string]time.Duration{}}, log: &bytes.Buffer{},
	}
	for queue := range k.journal.orphans {
		for i := range n {
			k.journal.orphans[queue] = append(k.journal.orphans[queue], attempt(i))
			k.shelf.ages[queue+" "+attempt(i)] = time.Hour
			k.shelf.ages[queue+" "+attempt(1000+i)] = time.Hour
		}
	}
	k.journal.swept = func(queue, attempt string) {
		if k.shelf.has(queue + " " + attempt) {
			t.Errorf("%s of %s was said to be swept, and its pictures are there", attempt, queue)
		}
	}
	k.Sweeper = &sweep.Sweeper{
		Journal: k.journal, Store: k.shelf, Queues: []string{"sales", "support"}, Lease: time.Minute, Keep: 396 * 24 * time.Hour,
		Metrics: ops.NewMetrics(), Log: slog.New(slog.NewTextHandler(k.log, nil)),
	}
	return k
}

// start runs the sweeper until stop is called, which waits for its end.
func (k *kit) start(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { k.Run(ctx, time.Second) })
	return func() { cancel(); running.Wait() }
}

// metric returns the sum of a counter.
func metric(t *testing.T, m *ops.Metrics, name string) string {
	t.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, one := range f.GetMetric() {
			if f.GetName() == name {
				sum += one.GetCounter().GetValue()
			}
		}
	}
	return strconv.FormatFloat(sum, 'f', -1, 64)
}
