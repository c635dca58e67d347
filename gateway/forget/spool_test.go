package forget_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/lightlock/lightlock/gateway/forget"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/spool"
)

// then does something once the journal has taken a batch.
type then struct {
	*queue.Journal
	do func()
}

func (j then) Accept(ctx context.Context, name string, items []queue.Item) ([]queue.Accepted, error) {
	accepted, err := j.Journal.Accept(ctx, name, items)
	j.do()
	return accepted, err
}

// Who is interrupted while the spool is handed in has lost nothing: what the journal has
// not taken waits in the files, in order, and is handed in by the next.
func TestASpoolWhoseHandInIsInterrupted(t *testing.T) {
	const most = 1000 // several batches
	w := newWorld(t, queuetest.Redis(t))
	o := spool.Options{Folder: t.TempDir(), Limit: 8 << 20, Queues: []string{q}, Ready: func() bool { return false }}
	s, err := spool.Open(o)
	w.must(err)
	for i := range most {
		p := canary
		if i%2 == 1 {
			p = other
		}
		_, err := s.Accept(t.Context(), q, []queue.Item{p.item(fmt.Sprint(i), false)})
		w.must(err)
	}
	w.must(s.Close())

	ctx, interrupt := context.WithCancel(t.Context())
	o.Ready, o.Journal = nil, then{w.journal, interrupt}
	first, err := w.forgetter().Spool(ctx, o, canary.who())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v, want the context's error", err)
	}
	stats, err := w.journal.Stats(t.Context(), q)
	w.must(err)
	left, err := spool.Look(o.Folder)
	if err != nil || len(left) != 1 || left[0].Records == 0 || len(left[0].Aside) > 0 || stats.Waiting == 0 || left[0].Records+int(stats.Waiting) != most {
		t.Fatalf("interrupted: %d in the journal, left %+v, %v; want one batch there, and all others here", stats.Waiting, left, err)
	}
	o.Journal = w.journal
	second, err := w.forgetter().Spool(t.Context(), o, canary.who())
	w.must(err)
	stats, err = w.journal.Stats(t.Context(), q)
	if err != nil || stats.Waiting != most || stats.Dead > 0 {
		t.Errorf("after all: %+v, %v, want %d waiting", stats, err, most)
	}
	first.Add(second)
	if found := first.Found(); len(found) != 1 || found[0] != (forget.Found{Account: canary.account, Place: forget.Spooled, Number: most / 2}) {
		t.Errorf("counted %v, want %d of the canary", found, most/2)
	}
}
