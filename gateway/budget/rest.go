package budget

import (
	"runtime/debug"
	"time"
)

// restAfter is how long the gateway holds no photo before it gives the memory of
// those that it held back to the system.
const restAfter = 10 * time.Second

// rest gives memory back once a burst is over.
//
// Go alone is too late. It collects garbage when the heap has grown to twice of
// what was last alive, and that was full of originals; where little is allocated
// any more, after two minutes. And the pages that it returns are those beyond what
// was in use at the end of the last collection, garbage that was not swept yet
// included (gcPaceScavenger in Go's runtime): those of a burst go with the second
// collection after it. Until then a gateway may keep as much as its limit allows
// (limitHeap).
type rest struct {
	timer  *time.Timer // nil before the first photo
	giveUp func()      // debug.FreeOSMemory; tests have their own
}

func newRest() rest { return rest{giveUp: debug.FreeOSMemory} }

// begin has a photo that comes put an end to the rest.
func (r *rest) begin() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

// over says that the last photo has gone. A photo may yet begin while memory is
// given up: it then waits for some milliseconds of a collection.
func (r *rest) over() {
	if r.timer == nil {
		r.timer = time.AfterFunc(restAfter, r.giveUp)
		return
	}
	r.timer.Reset(restAfter)
}
