package archive

import (
	"slices"
	"sync"
	"time"
)

const (
	// mostRecent is how many conversations are remembered, and longRecent from how many
	// messages on one is not: together they are some 10 MB.
	mostRecent, longRecent = 64, 200
	// recentFor is for how long. Numbers begin anew where a conversation was destroyed
	// for its age, and what was in it must not come back.
	recentFor = time.Minute
)

// recent remembers generations that were read: whoever looks at a conversation asks
// for it once for each of its photos. Which one is the newest is asked each time.
type recent struct {
	mu    sync.Mutex
	known map[string]remembered // by the name of the document
}

type remembered struct {
	generation
	at time.Time
}

func (r *recent) get(name string) (generation, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one, ok := r.known[name]
	if !ok || time.Since(one.at) > recentFor {
		return generation{}, false
	}
	g := one.generation
	g.snapshot.Items = slices.Clone(g.snapshot.Items)
	return g, true
}

func (r *recent) keep(name string, g generation) {
	if len(g.snapshot.Items) > longRecent {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]remembered{}
	}
	for other, one := range r.known {
		if time.Since(one.at) > recentFor || len(r.known) >= mostRecent {
			delete(r.known, other)
		}
	}
	g.snapshot.Items = slices.Clone(g.snapshot.Items)
	r.known[name] = remembered{g, time.Now()}
}
