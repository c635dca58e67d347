package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// A backlog fills the memory: nothing more is taken in, those who empty it have
// room to work, and then it opens by itself.
func TestABacklogClosesTheDoorUntilItIsWorkedOff(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t, "--maxmemory", "16mb")
	b := open(t, queue.OpenOptions{Redis: at(server.Address())})
	defer shut(t, b)
	if err := b.Prepare(t.Context(), []string{q}); err != nil {
		t.Fatal(err)
	}
	n := 0
	fill := func() error {
		i := item(fmt.Sprint(n))
		i.Payload = make([]byte, 100<<10)
		n++
		_, err := b.Accept(t.Context(), q, []queue.Item{i})
		return err
	}
	var err error
	for err == nil && n < 1000 {
		err = fill()
	}
	if !errors.Is(err, queue.ErrFull) {
		t.Fatalf("after %d of 100 kB: got %v, want ErrFull", n, err)
	}
	gatewaytest.Await(t, "it is closed", func() bool { return b.Condition().Closed })
	if _, err := bury(t, b.Journal, queue.Letter{Key: hash("broken")}); !errors.Is(err, queue.ErrFull) {
		t.Errorf("bury: got %v, want ErrFull", err)
	}
	c := b.Condition()
	if c.Filled < 0.85 || !strings.Contains(c.Fills, "the inbox of "+q+" 1") || !strings.Contains(c.Fills, "% of its memory of 16 MB is used") {
		t.Errorf("got %.2f, %q", c.Filled, c.Fills)
	}
	for left := n - 1; left > 0; left-- {
		entries, err := b.Take(t.Context(), q, queue.Words, 1, 0)
		if err != nil || len(entries) != 1 {
			t.Fatalf("with %d left: took %d, %v", left, len(entries), err)
		}
		begin(t, b.Journal, &entries[0])
		want(t, "complete", queue.Mine)(b.Complete(t.Context(), entries[0], queue.End{Document: []byte("document")}))
	}
	gatewaytest.Await(t, "it is open", func() bool { return fill() == nil })
	if c := b.Condition(); c.Closed || c.Fills != "" || c.Filled <= 0 {
		t.Errorf("got %+v", c)
	}
}

// It closes before Redis itself refuses, and does not open as soon as there is
// room for one.
func TestTheDoorClosesEarlyAndOpensLate(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t, "--maxmemory", "100mb")
	client := connect(t, server.Address())
	b := open(t, queue.OpenOptions{Redis: at(server.Address())})
	defer shut(t, b)
	if err := b.Prepare(t.Context(), []string{q}); err != nil {
		t.Fatal(err)
	}
	rest := int64(queuetest.Info(t, client, "memory", "used_memory:"))
	for i, row := range []struct {
		part float64
		want error
	}{{.87, nil}, {.93, queue.ErrFull}, {.87, queue.ErrFull}, {.80, nil}} {
		fillTo(t, client, int64(row.part*100*(1<<20))-rest)
		gatewaytest.Await(t, "it is measured", func() bool {
			filled := b.Condition().Filled
			return filled > row.part-.02 && filled < row.part+.02
		})
		if _, err := b.Accept(t.Context(), q, []queue.Item{item(fmt.Sprint(i))}); !errors.Is(err, row.want) {
			t.Errorf("step %d, %.2f full: got %v, want %v", i, b.Condition().Filled, err, row.want)
		}
		// Redis itself would take it.
		accept(t, journal(t, server.Address(), queue.Options{}), fmt.Sprint("other", i))
	}
}

// fillTo makes one key that takes up about so many bytes.
func fillTo(t *testing.T, client *redis.Client, bytes int64) {
	t.Helper()
	// Never below what is wanted, not even for a moment: the door looks on.
	whole := (bytes + 1<<20 - 1) >> 20
	if err := client.LTrim(t.Context(), "filler", 0, whole-1).Err(); err != nil {
		t.Fatal(err)
	}
	piece := strings.Repeat("x", 1<<20-4<<10) // with what belongs to it a megabyte
	for n := client.LLen(t.Context(), "filler").Val(); n < whole; n++ {
		if err := client.RPush(t.Context(), "filler", piece).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// A Redis that is asleep costs a caller the time that it has, and no more.
func TestAnAcceptNeverOutlastsItsDeadline(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	b := open(t, queue.OpenOptions{Redis: at(server.Address())})
	defer shut(t, b)
	if err := b.Prepare(t.Context(), []string{q}); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	answers := make(chan error)
	for i := range 20 { // more than there are scripts under way
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err := b.Accept(ctx, q, []queue.Item{item(fmt.Sprint(i))})
			answers <- err
		}()
	}
	for range 20 { // it is still asleep, so each of these is the deadline's doing
		if err := <-answers; !errors.Is(err, queue.ErrAway) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want ErrAway at the deadline", err)
		}
	}
	server.Continue()
	for i := range 20 {
		accept(t, b.Journal, fmt.Sprint(i))
	}
	wantCounts(t, b.Journal, counts{waiting: 20})
}

// What waits in lanes is found too, however many there are.
func TestWhatFillsTheMemoryIsAllOfIt(t *testing.T) {
	t.Parallel()
	address := quickRedis(t)
	j, client := journal(t, address, queue.Options{}), connect(t, address)
	for i := range 200 {
		var items []queue.Item
		for n := range 10 {
			items = append(items, photo(fmt.Sprint(i, " ", n), fmt.Sprint(n)))
		}
		acceptItems(t, j, items...)
	}
	parts := queue.TakenBy(t.Context(), client, q)
	records := client.MemoryUsage(t.Context(), keyOf("photos:data"), 0).Val()
	lines := 10 * client.MemoryUsage(t.Context(), laneKeys("0")[0], 0).Val()
	if got, least := parts["photos that wait of "+q], (records+lines)*9/10; got < least || lines < records/4 {
		t.Errorf("got %v, want at least %d for what waits", parts, least)
	}
}
