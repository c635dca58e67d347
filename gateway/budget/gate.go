package budget

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
)

// MostPassed is how often others may be let in before one that came earlier and
// needs more than there is. It lets a crowd of small ones by while one giant
// waits, and has the giant in after that many of them.
const MostPassed = 64

// ErrNeverFits says that more was asked for than there is at all.
var ErrNeverFits = errors.New("budget: more than the whole")

// Gate lets in whoever works, as long as there is a place and memory for it. Its
// methods may be called at once.
//
// Whoever waits outside holds neither, so no two can wait for each other. Those
// outside are let in as they came, but one for whom there is not enough memory
// may be passed by later ones, MostPassed times; then nobody behind it is let in
// before it.
type Gate struct {
	size int64

	mu     sync.Mutex
	free   int64
	places int
	came   uint64
	line   []*Pass // those who wait, as they came
}

// Pass is one guest's: it holds a place and memory while the guest is inside.
type Pass struct {
	gate *Gate
	came uint64 // smaller is earlier
	// bytes is what it holds, or waits for.
	bytes  int64
	passed int           // how often a later one was let in
	inside chan struct{} // closed when it is let in
}

// NewGate makes a gate for so many bytes, and so many guests at once.
func NewGate(bytes int64, places int) *Gate { return &Gate{size: bytes, free: bytes, places: places} }

// Size is what all guests together may hold.
func (g *Gate) Size() int64 { return g.size }

// Held is what all guests hold at this moment.
func (g *Gate) Held() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.size - g.free
}

// Waiting is how many wait at this moment.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.line)
}

// Enter waits for a place and so many bytes. Its error is ErrNeverFits or ctx's.
// Whoever has entered must leave.
func (g *Gate) Enter(ctx context.Context, bytes int64) (*Pass, error) {
	g.mu.Lock()
	g.came++
	p := &Pass{gate: g, came: g.came}
	g.mu.Unlock()
	return p, p.enter(ctx, bytes)
}

// More takes so many bytes more if they can be had at once, and if nobody who
// came earlier has been passed too often.
func (p *Pass) More(bytes int64) bool {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	earlier := g.line[:g.place(p)]
	if bytes < 0 || bytes > g.free || slices.ContainsFunc(earlier, (*Pass).due) {
		return false
	}
	pass(earlier)
	g.free -= bytes
	p.bytes += bytes
	return true
}

// Again leaves and waits for so many bytes in the place in line that this guest
// had when it came. After an error it has left.
func (p *Pass) Again(ctx context.Context, bytes int64) error {
	p.Leave()
	return p.enter(ctx, bytes)
}

// Leave gives back the place and all memory. Whoever has left may do so again.
func (p *Pass) Leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.leave()
}

func (p *Pass) leave() {
	if p.inside == nil {
		return
	}
	p.inside = nil
	p.gate.free += p.bytes
	p.gate.places++
	p.bytes = 0
	p.gate.open()
}

func (p *Pass) enter(ctx context.Context, bytes int64) error {
	g := p.gate
	if bytes < 0 || bytes > g.size {
		return ErrNeverFits
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	inside := make(chan struct{})
	g.mu.Lock()
	p.bytes, p.inside = bytes, inside
	g.line = slices.Insert(g.line, g.place(p), p)
	g.open()
	g.mu.Unlock()
	select {
	case <-inside:
		return nil
	case <-ctx.Done():
		g.giveUp(p)
		return ctx.Err()
	}
}

// giveUp ends a wait, or leaves if it was over already.
func (g *Gate) giveUp(p *Pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.line, p)
	if i < 0 {
		p.leave()
		return
	}
	g.line = slices.Delete(g.line, i, i+1)
	p.inside = nil
	g.open() // who was held back for it need not be any more
}

// place is where p stands in line, or would.
func (g *Gate) place(p *Pass) int {
	i, _ := slices.BinarySearchFunc(g.line, p.came, func(p *Pass, came uint64) int { return cmp.Compare(p.came, came) })
	return i
}

// open lets in whom it can.
func (g *Gate) open() {
	for i := 0; i < len(g.line) && g.places > 0; {
		p := g.line[i]
		if p.bytes > g.free {
			if p.due() {
				return
			}
			i++
			continue
		}
		pass(g.line[:i])
		g.line = slices.Delete(g.line, i, i+1)
		g.free -= p.bytes
		g.places--
		close(p.inside)
		i = 0 // one of those who were passed may be due now
	}
}

func (p *Pass) due() bool { return p.passed >= MostPassed }

func pass(earlier []*Pass) {
	for _, p := range earlier {
		p.passed++
	}
}
