package ops_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/store"
)

// storeLine asks for the line about the store, as /readyz does.
func storeLine(t *testing.T, check ops.Check) ops.Line {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	lines := check(ctx)
	if len(lines) != 1 || lines[0].Name != "store" {
		t.Fatalf("got %+v, want one line", lines)
	}
	return lines[0]
}

func TestStoreIsTriedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		var fault error
		check := ops.StoreCheck(func(context.Context) error {
			tries.Add(1)
			time.Sleep(100 * time.Millisecond)
			return fault
		}, 10*time.Second)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if got := storeLine(t, check); got.State != ops.OK {
					t.Errorf("got %+v, want ok", got)
				}
			})
		}
		all.Wait()
		fault = errors.New("disk full")
		time.Sleep(5 * time.Second)
		if got := storeLine(t, check); got.State != ops.OK || tries.Load() != 1 {
			t.Errorf("got %+v after %d tries, want what the one try 5 s ago said", got, tries.Load())
		}
		time.Sleep(5 * time.Second)
		if got := storeLine(t, check); got.State != ops.Warn || got.Note != "photos are delayed: disk full" || tries.Load() != 2 {
			t.Errorf("got %+v after %d tries, want the fault after two", got, tries.Load())
		}
		fault = fmt.Errorf("%w: it keeps versions", store.ErrUnfit)
		time.Sleep(time.Minute)
		if got := storeLine(t, check); got.State != ops.Warn || strings.Contains(got.Note, "delayed") || !strings.Contains(got.Note, "it keeps versions") {
			t.Errorf("got %+v, want a warning that does not speak of delays", got)
		}
	})
}

// A store that hangs neither holds up /readyz nor gathers tries.
func TestStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		release := make(chan struct{})
		check := ops.StoreCheck(func(ctx context.Context) error {
			tries.Add(1)
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("a try has no deadline")
			}
			<-release
			return nil
		}, 10*time.Second)
		for range 20 {
			start := time.Now()
			if got := storeLine(t, check); got.State != ops.Warn || !strings.Contains(got.Note, "has not answered in") {
				t.Errorf("got %+v, want a warning", got)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("the line took %v", took)
			}
		}
		if tries.Load() != 1 {
			t.Errorf("%d tries are under way, want 1", tries.Load())
		}
		close(release)
		synctest.Wait()
		if got := storeLine(t, check); got.State != ops.OK {
			t.Errorf("got %+v, want ok", got)
		}
	})
}
