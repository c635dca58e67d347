package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ran is a script that a combiner has run.
type ran struct {
	keys    []string
	at      time.Time
	allowed time.Duration // until its deadline; 0 without one
}

// slowRedis is a Redis that takes a second for each script.
type slowRedis struct {
	mu      sync.Mutex
	scripts []ran
	fail    func(keys []string) error
}

func (r *slowRedis) run(ctx context.Context, _ string, items []Item) ([]Accepted, error) {
	one := ran{at: time.Now()}
	accepted := make([]Accepted, len(items))
	for i, item := range items {
		one.keys = append(one.keys, item.Key)
		accepted[i].Conversation = item.Key
	}
	if deadline, bounded := ctx.Deadline(); bounded {
		one.allowed = time.Until(deadline)
	}
	r.mu.Lock()
	r.scripts = append(r.scripts, one)
	r.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, wrap("accept", ctx.Err())
	}
	if r.fail != nil {
		if err := r.fail(one.keys); err != nil {
			return nil, err
		}
	}
	return accepted, nil
}

// calling calls accept for one item in the background and returns where its answer
// will be. It returns when the call waits or has gone.
func calling(ctx context.Context, c *combiner, key string, bytes int) <-chan error {
	answer := make(chan error, 1)
	go func() {
		party, _, _ := strings.Cut(key, "'s ")
		got, err := c.accept(ctx, "shop", []Item{{Key: key, Party: party, Payload: make([]byte, bytes)}})
		if err == nil && (len(got) != 1 || got[0].Conversation != key) {
			err = fmt.Errorf("got %v, which is not the answer for %s", got, key)
		}
		answer <- err
	}()
	synctest.Wait()
	return answer
}

func TestCallsThatArriveTogetherShareAScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(slowRedis)
		c := newCombiner(r.run)
		var answers []<-chan error
		for i := range flying + togetherItems + 2 {
			answers = append(answers, calling(t.Context(), c, fmt.Sprint(i), 0))
		}
		for i, bytes := range []int{togetherBytes - 1, 1, 1, togetherBytes + 1} {
			answers = append(answers, calling(t.Context(), c, fmt.Sprint("large", i), bytes))
		}
		for i, answer := range answers {
			if err := <-answer; err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
		var sizes []int
		for _, script := range r.scripts {
			sizes = append(sizes, len(script.keys))
		}
		// The first two went at once; then as many as fit; then what was left,
		// until its bytes are too many.
		slices.Sort(sizes) // two start at the same time
		if want := []int{1, 1, 1, 1, 4, togetherItems}; !slices.Equal(sizes, want) {
			t.Errorf("got scripts of %v events, want %v", sizes, want)
		}
		if err := c.settle(t.Context()); err != nil || len(c.lines) != 0 {
			t.Errorf("%d queues are left, %v", len(c.lines), err)
		}
	})
}

// A message and the close behind it may come by two calls, and go by two connections.
func TestCallsOfOnePartyDoNotSwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(slowRedis)
		c := newCombiner(r.run)
		start := time.Now()
		var answers []<-chan error
		for _, key := range []string{"ana's 1", "ana's 2", "bob's 1", "ana's 3", "bob's 2", "eve's 1"} {
			answers = append(answers, calling(t.Context(), c, key, 0))
		}
		for i, answer := range answers {
			if err := <-answer; err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
		got := map[string]time.Duration{}
		for _, script := range r.scripts {
			got[strings.Join(script.keys, ", ")] = script.at.Sub(start)
		}
		// What was not in the way went at once; whose script ended first took all
		// that was not behind the other's, which took the rest, unless that was too
		// little to go beside it.
		for _, want := range []map[string]time.Duration{
			{"ana's 1": 0, "bob's 1": 0, "ana's 2, ana's 3, eve's 1": time.Second, "bob's 2": 2 * time.Second},
			{"ana's 1": 0, "bob's 1": 0, "bob's 2, eve's 1": time.Second, "ana's 2, ana's 3": time.Second},
		} {
			if maps.Equal(got, want) {
				return
			}
		}
		t.Errorf("got %v", got)
	})
}

func TestACallAloneGoesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCombiner(new(slowRedis).run)
		start := time.Now()
		for range 3 {
			if err := <-calling(t.Context(), c, "a", 0); err != nil {
				t.Error(err)
			}
		}
		if got := time.Since(start); got != 3*time.Second {
			t.Errorf("three scripts of a second took %v", got)
		}
	})
}

// A second script sets off with as many calls as are on their way, and fewer wait for
// these, but for no more.
func TestFewCallsWaitForThoseOnTheirWay(t *testing.T) {
	for _, row := range []struct {
		late int
		want time.Duration
	}{{1, 2 * time.Second}, {2, 2 * time.Second}, {3, 1500 * time.Millisecond}} {
		synctest.Test(t, func(t *testing.T) {
			r := new(slowRedis)
			c := newCombiner(r.run)
			start := time.Now()
			var answers []<-chan error
			for i := range flying + 3 {
				answers = append(answers, calling(t.Context(), c, fmt.Sprint(i), 0))
			}
			time.Sleep(1500 * time.Millisecond) // two are done, and three are on their way
			for i := range row.late {
				answers = append(answers, calling(t.Context(), c, fmt.Sprint("late", i), 0))
			}
			for i, answer := range answers {
				if err := <-answer; err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			}
			last := r.scripts[len(r.scripts)-1]
			if got := last.at.Sub(start); len(last.keys) != row.late || got != row.want {
				t.Errorf("%d late calls: the last script has %v, and set off after %v, want all of them after %v", row.late, last.keys, got, row.want)
			}
		})
	}
}

func TestACallerThatLeavesTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(slowRedis)
		c := newCombiner(r.run)
		var before []<-chan error
		for i := range flying {
			before = append(before, calling(t.Context(), c, fmt.Sprint("before", i), 0))
		}
		soon, cancelSoon := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancelSoon()
		later, cancelLater := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancelLater()
		gone, leave := context.WithCancel(t.Context())
		neverRun, first, second := calling(gone, c, "gone", 0), calling(soon, c, "first", 0), calling(later, c, "second", 0)
		leave()
		if err := <-neverRun; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller who left: got %v", err)
		}
		if err := <-first; !errors.Is(err, ErrAway) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller who waited half as long as its script took: got %v", err)
		}
		for _, answer := range append(before, second) {
			if err := <-answer; err != nil {
				t.Errorf("a neighbour: %v", err)
			}
		}
		last := r.scripts[len(r.scripts)-1]
		if !slices.Equal(last.keys, []string{"first", "second"}) || last.allowed != 4*time.Second {
			t.Errorf("got a script for %v within %v, want both that were left, within the longer time", last.keys, last.allowed)
		}
	})
}

func TestAWrongCallFailsAlone(t *testing.T) {
	wrong := errors.New("WRONGTYPE")
	for _, row := range []struct {
		name    string
		err     error
		scripts int
		others  error
	}{
		{"its own fault", wrong, flying + 1 + 3, nil},
		{"a full redis", ErrFull, flying + 1, ErrFull},
		{"no redis", ErrAway, flying + 1, ErrAway},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &slowRedis{fail: func(keys []string) error {
					if slices.Contains(keys, "wrong") {
						return row.err
					}
					return nil
				}}
				c := newCombiner(r.run)
				for i := range flying {
					calling(t.Context(), c, fmt.Sprint(i), 0)
				}
				one, bad, two := calling(t.Context(), c, "one", 0), calling(t.Context(), c, "wrong", 0), calling(t.Context(), c, "two", 0)
				if err := <-bad; !errors.Is(err, row.err) {
					t.Errorf("the wrong one: got %v", err)
				}
				for _, answer := range []<-chan error{one, two} {
					if err := <-answer; !errors.Is(err, row.others) {
						t.Errorf("a neighbour: got %v, want %v", err, row.others)
					}
				}
				if len(r.scripts) != row.scripts {
					t.Errorf("got %d scripts, want %d", len(r.scripts), row.scripts)
				}
			})
		})
	}
}

func TestCloseWaitsForWhatWasLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCombiner(new(slowRedis).run)
		ctx, cancel := context.WithCancel(t.Context())
		answer := calling(ctx, c, "a", 0)
		cancel()
		<-answer
		hurried, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if err := c.settle(hurried); !errors.Is(err, ErrAway) {
			t.Errorf("got %v, want ErrAway after the time that it was given", err)
		}
		start := time.Now()
		if err := c.settle(t.Context()); err != nil || time.Since(start) == 0 {
			t.Errorf("got %v after %v, want it to wait", err, time.Since(start))
		}
	})
}
