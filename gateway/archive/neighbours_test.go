package archive

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// mine is the n-th conversation of one party, which is open.
func mine(n int) queue.Conversation {
	c := head("support", 3*n, "Ana", "hello")
	c.ID, c.State, c.ClosedAt = idOf(n), queue.ConversationWaiting, time.Time{}
	return c
}

// closed closes it so many minutes after it was opened.
func closed(c queue.Conversation, minutes int) queue.Conversation {
	c.State, c.ClosedAt = queue.ConversationOver, c.OpenedAt.Add(time.Duration(minutes)*time.Minute)
	return c
}

func after(c queue.Conversation, previous int) queue.Conversation {
	c.Previous = idOf(previous)
	return c
}

func TestNeighbours(t *testing.T) {
	partial := mine(6)
	partial.Partial = true
	for name, test := range map[string]struct {
		stored, here   []queue.Conversation
		of             queue.Conversation
		previous, next int
	}{
		"the only one":                   {of: mine(1)},
		"the first":                      {stored: []queue.Conversation{closed(mine(1), 1), closed(mine(2), 1), closed(mine(3), 1)}, of: closed(mine(1), 1), next: 2},
		"between two":                    {stored: []queue.Conversation{closed(mine(1), 1), closed(mine(2), 1), closed(mine(3), 1)}, of: closed(mine(2), 1), previous: 1, next: 3},
		"the last":                       {stored: []queue.Conversation{closed(mine(1), 1), closed(mine(2), 1), closed(mine(3), 1)}, of: closed(mine(3), 1), previous: 2},
		"both in Redis":                  {here: []queue.Conversation{closed(mine(1), 1), after(mine(2), 1)}, of: closed(mine(1), 1), next: 2},
		"both in Redis, the second":      {here: []queue.Conversation{closed(mine(1), 1), after(mine(2), 1)}, of: after(mine(2), 1), previous: 1},
		"the next in Redis":              {stored: []queue.Conversation{closed(mine(1), 1)}, here: []queue.Conversation{mine(2)}, of: closed(mine(1), 1), next: 2},
		"the one before stored":          {stored: []queue.Conversation{closed(mine(1), 1)}, here: []queue.Conversation{mine(2)}, of: mine(2), previous: 1},
		"the one before in Redis":        {stored: []queue.Conversation{closed(mine(1), 1)}, here: []queue.Conversation{closed(mine(2), 1), mine(3)}, of: mine(3), previous: 2},
		"another than the archive knows": {stored: []queue.Conversation{closed(mine(1), 1)}, of: after(mine(3), 2), previous: 2},
		"closed once more since":         {stored: []queue.Conversation{closed(mine(1), 30), closed(mine(2), 1), closed(mine(3), 1)}, of: closed(mine(1), 30), next: 2},
		"before that, closed once more":  {stored: []queue.Conversation{closed(mine(1), 30), closed(mine(2), 1), closed(mine(3), 1)}, of: closed(mine(2), 1), previous: 1, next: 3},
		"a part of one is in Redis":      {stored: []queue.Conversation{closed(mine(1), 1), closed(mine(2), 1)}, here: []queue.Conversation{partial}, of: closed(mine(1), 1), next: 2},
	} {
		l := newLibrary(t)
		for _, c := range test.stored {
			l.keep(c, 1)
		}
		l.redis.others = test.here
		wantNeighbours(t, l.Archive, name, test.of, [2]int{test.previous, test.next})
	}
}

func wantNeighbours(t *testing.T, a *Archive, name string, of queue.Conversation, want [2]int) {
	t.Helper()
	var ids [2]string
	for i, n := range want {
		if n > 0 {
			ids[i] = idOf(n)
		}
	}
	if previous, next, err := a.Neighbours(t.Context(), of); err != nil || [2]string{previous, next} != ids {
		t.Errorf("%s: got %q, %q, %v, want %q", name, previous, next, err, ids)
	}
}

// counting counts calls of a shelf.
type counting struct {
	*shelf
	lists, gets atomic.Int64
}

func (c *counting) List(ctx context.Context, folder, after string, limit int) ([]string, error) {
	c.lists.Add(1)
	return c.shelf.List(ctx, folder, after, limit)
}

func (c *counting) Get(ctx context.Context, name string) ([]byte, error) {
	c.gets.Add(1)
	return c.shelf.Get(ctx, name)
}

// Of somebody who has come back two thousand times, few are looked at.
func TestNeighboursAmongMany(t *testing.T) {
	l := newLibrary(t)
	for n := 1; n <= 2100; n++ {
		if err := l.show(t.Context(), generation{number: 1, snapshot: queue.Snapshot{Conversation: closed(mine(n), 1)}}); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range map[int][2]int{1: {0, 2}, 2: {1, 3}, 1000: {999, 1001}, 1099: {1098, 1100}, 1101: {1100, 1102}, 2099: {2098, 2100}, 2100: {2099, 0}} {
		l.cards.known = nil
		c := &counting{shelf: l.shelf}
		l.Documents = c
		wantNeighbours(t, l.Archive, idOf(n), closed(mine(n), 1), want)
		if gets, lists := c.gets.Load(), c.lists.Load(); gets > 2*near || lists > 45 {
			t.Errorf("of %d: %d cards were read, and %d lists", n, gets, lists)
		}
	}
}

// What asks for a head unpacks no message, and waits for its turn only as long as its
// caller does.
func TestHead(t *testing.T) {
	l := newLibrary(t)
	l.keep(head("support", 1, "Ana", "short"), 1)
	long := head("support", 2, "Ana", "long")
	l.keep(long, make([]int, 300)...)
	for _, c := range []queue.Conversation{head("support", 1, "Ana", "short"), long} {
		l.recent.known = nil
		if got, err := l.Head(t.Context(), c.Queue, c.ID); err != nil || got != c {
			t.Errorf("got %+v, %v, want %+v", got, err, c)
		}
	}
	packed, err := l.shelf.Get(t.Context(), documentOf("support", long.ID, 1))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := readHead(packed[:len(packed)-len(packed)/4]); err != nil || c != long {
		t.Errorf("without its last messages: got %+v, %v, want the head", c, err)
	}
	if len(l.recent.known) != 0 {
		t.Error("all of it was read")
	}
	for range mostUnpacked {
		if _, err := l.turns.take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	for call, do := range map[string]func() error{
		"head": func() error { _, err := l.Head(ctx, "support", long.ID); return err },
		"get":  func() error { _, err := l.Get(ctx, "support", long.ID); return err },
	} {
		if err := do(); err == nil || ctx.Err() == nil {
			t.Errorf("%s: got no error while others are being unpacked", call)
		}
	}
}
