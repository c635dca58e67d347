package budget

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// enter has somebody enter beside the test, and returns when it stands in line or
// is inside.
func enter(t *testing.T, g *Gate, ctx context.Context, bytes int64) *guest {
	t.Helper()
	v := &guest{done: make(chan struct{})}
	before := g.came
	go func() {
		defer close(v.done)
		v.pass, v.err = g.Enter(ctx, bytes)
	}()
	gatewaytest.Await(t, "one who stands in line or is inside", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.came > before && (v.isDone() || len(g.line) > 0 && g.line[len(g.line)-1].came == g.came)
	})
	return v
}

type guest struct {
	done chan struct{}
	pass *Pass
	err  error
}

// isDone tells whether the wait is over.
func (v *guest) isDone() bool {
	select {
	case <-v.done:
		return true
	default:
		return false
	}
}

func (v *guest) mustBeInside(t *testing.T) *Pass {
	t.Helper()
	if <-v.done; v.err != nil {
		t.Fatal(v.err)
	}
	return v.pass
}

func mustEnter(t *testing.T, g *Gate, bytes int64) *Pass {
	t.Helper()
	p, err := g.Enter(t.Context(), bytes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantGate(t *testing.T, g *Gate, held int64, waiting int) {
	t.Helper()
	if g.Held() != held || g.Waiting() != waiting {
		t.Fatalf("%d bytes are held and %d wait, want %d and %d", g.Held(), g.Waiting(), held, waiting)
	}
}

// Whoever needs less than there is goes by the giant that waits, until it has
// been passed often enough; from then on nobody does, and it is let in next.
func TestAGiantIsPassedSoOftenAndNoMore(t *testing.T) {
	g := NewGate(100, 10)
	first := mustEnter(t, g, 20)
	giant := enter(t, g, t.Context(), 90)
	for i := range MostPassed {
		p, err := g.Enter(t.Context(), 1)
		if err != nil {
			t.Fatalf("small one %d: %v", i, err)
		}
		p.Leave()
	}
	late := enter(t, g, t.Context(), 1)
	if late.isDone() || first.More(1) == false {
		t.Fatal("one too many goes by, or one that was there before the giant may not go on")
	}
	wantGate(t, g, 21, 2)
	first.Leave()
	giant.mustBeInside(t)
	late.mustBeInside(t) // there are 10 left
	wantGate(t, g, 91, 0)
}

// More, which a guest gets who came later, is a way by the giant too.
func TestMoreGoesByTheGiantToo(t *testing.T) {
	g := NewGate(100, 10)
	mustEnter(t, g, 10)
	giant := enter(t, g, t.Context(), 95)
	small := mustEnter(t, g, 1)
	passed := 1
	for ; small.More(1); passed++ {
		if passed > MostPassed {
			break
		}
	}
	if passed != MostPassed {
		t.Errorf("the giant was passed %d times, want %d", passed, MostPassed)
	}
	if giant.isDone() {
		t.Error("the giant is in beside the others")
	}
}

// A giant that gives up holds nobody back any longer.
func TestWhoIsHeldBackForOneThatGivesUp(t *testing.T) {
	g := NewGate(100, 10)
	mustEnter(t, g, 20)
	ctx, cancel := context.WithCancel(t.Context())
	giant := enter(t, g, ctx, 90)
	for range MostPassed {
		mustEnter(t, g, 1).Leave()
	}
	late := enter(t, g, t.Context(), 1)
	cancel()
	late.mustBeInside(t)
	if <-giant.done; !errors.Is(giant.err, context.Canceled) {
		t.Errorf("got %v, want %v", giant.err, context.Canceled)
	}
	wantGate(t, g, 21, 0)
}

func TestWhoComesAgainHasItsPlaceInLine(t *testing.T) {
	g := NewGate(100, 10)
	first, second := mustEnter(t, g, 10), mustEnter(t, g, 80)
	later := enter(t, g, t.Context(), 50)
	again := make(chan error, 1)
	go func() { again <- first.Again(t.Context(), 60) }()
	gatewaytest.Await(t, "two in line", func() bool { return g.Waiting() == 2 })
	second.Leave()
	if err := <-again; err != nil {
		t.Fatal(err)
	}
	if later.isDone() {
		t.Error("one that came later was let in before it")
	}
	wantGate(t, g, 60, 1)
	first.Leave()
	later.mustBeInside(t).Leave()
	wantGate(t, g, 0, 0)
}

func TestPlacesAreCountedToo(t *testing.T) {
	g := NewGate(100, 2)
	first := mustEnter(t, g, 1)
	mustEnter(t, g, 1)
	third := enter(t, g, t.Context(), 1)
	wantGate(t, g, 2, 1)
	first.Leave()
	first.Leave() // twice is once
	third.mustBeInside(t)
	fourth := enter(t, g, t.Context(), 1)
	if wantGate(t, g, 2, 1); fourth.isDone() {
		t.Error("there are three in two places")
	}
}

func TestWhatNeverFits(t *testing.T) {
	g := NewGate(100, 1)
	for _, bytes := range []int64{101, -1} {
		if p, err := g.Enter(t.Context(), bytes); !errors.Is(err, ErrNeverFits) {
			t.Errorf("%d bytes: got %v", bytes, err)
		} else {
			p.Leave()
		}
	}
	p := mustEnter(t, g, 100)
	if p.More(1) || p.More(-1) {
		t.Error("got more than there is, or less than nothing")
	}
	if err := p.Again(t.Context(), 101); !errors.Is(err, ErrNeverFits) {
		t.Errorf("again: got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Enter(ended, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: got %v", err)
	}
	wantGate(t, g, 0, 0)
}

// A crowd that does everything at random never holds more than there is, and all
// is there again when it is gone.
func TestNoMoreThanThereIs(t *testing.T) {
	const size, places = 1000, 7
	g := NewGate(size, places)
	var mu sync.Mutex
	var held int64
	inside := 0
	change := func(bytes int64, people int) {
		mu.Lock()
		defer mu.Unlock()
		held, inside = held+bytes, inside+people
		if held > size || inside > places {
			t.Errorf("%d bytes are held by %d guests, of %d and %d", held, inside, size, places)
		}
	}
	var crowd sync.WaitGroup
	for seed := range uint64(200) {
		crowd.Go(func() {
			random := rand.New(rand.NewPCG(seed, 8))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if seed%5 == 0 {
				go cancel()
			}
			bytes := 1 + random.Int64N(400)
			p, err := g.Enter(ctx, bytes)
			if err != nil {
				return
			}
			defer p.Leave()
			change(bytes, 1)
			more := random.Int64N(600)
			if p.More(more) {
				change(more, 0)
				bytes += more
			} else {
				change(-bytes, -1)
				if bytes += more; p.Again(ctx, bytes) != nil {
					return
				}
				change(bytes, 1)
			}
			change(-bytes, -1)
		})
	}
	crowd.Wait()
	wantGate(t, g, 0, 0)
	if g.places != places || slices.ContainsFunc(g.line, (*Pass).due) {
		t.Errorf("%d places are free, want %d", g.places, places)
	}
}
