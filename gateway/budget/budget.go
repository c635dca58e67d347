// Package budget divides the memory that photos may take, and keeps everybody
// within what is theirs.
//
// It promises that gateway and darkroom together stay under photos.memory,
// however many photos arrive at once and whatever they claim to be. The whole is
// divided once, at the start (Reckon):
//
//	Program     the gateway itself, without a photo
//	Originals   what is being fetched, and what waits in the gateway to be
//	            developed and stored: Originals
//	Children    the processes that develop, those that stand ready too: Gate
//
// Whoever waits in one of the two holds nothing of the other that the one in
// front needs, so that nobody waits for ever: a Gate's guests hold an original
// and never ask for more of it, and what is fetched holds no place in a Gate.
//
// Not counted in are a private redis-server, the bodies of webhooks and the
// pictures that agents look at, which have bounds of their own, and the pages
// that the kernel caches of the pictures that were stored: it gives those up
// when others need the memory.
//
// golang.org/x/sync/semaphore has no way past a large request that waits, and no
// second quantity beside the first; its queue is all that it has.
package budget

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"runtime/debug"

	"github.com/lightlock/lightlock/config"
)

// What processes take, in resident bytes. Measured on linux/amd64, with
//
//	lightlock serve --config FILE & grep -E 'RssAnon|RssFile' /proc/PID/status
//
// for the gateway and for its children: 7 MB and 29 MB, 4.2 MB and 27 MB. The
// pages of files are the program's own and the same for all, so they are counted
// once.
const (
	// Program is the gateway itself: its own pages, and a heap for messages.
	Program = 56 << 20
	// programPages is the part of Program that is no heap.
	programPages = 32 << 20
	// Child is a child before it has a photo, with what the kernel holds for it.
	Child = 8 << 20
	// judging is what a child takes to judge a photo, beside the original.
	judging = 4 << 20
	// pictures is what the two pictures that are made of a photo take, which are
	// at most 3.03 MB, until they are stored.
	pictures = 4 << 20
)

// Judged is what a child takes that judges an original of so many bytes.
func Judged(original int64) int64 { return Child + judging + original }

// Developed is what a child takes, beyond Judged, that asks for so many bytes. A
// fourth more is for what waits to be collected.
func Developed(need int64) int64 { return need + need/4 }

// MostNeed is what a child may ask for that may take so many bytes beyond Judged.
func MostNeed(bytes int64) int64 { return bytes / 5 * 4 }

// Plan is who may hold what, in bytes.
type Plan struct {
	// Memory is the whole.
	Memory int64
	// Originals and Children are its shares; Program is the rest.
	Originals, Children int64
	// Largest is the size of the largest original.
	Largest int64
}

// Misfit says why photos.memory, or its default, does not do, and behind a colon
// what would.
type Misfit string

// Error implements error.
func (m Misfit) Error() string { return string(m) }

func misfit(format string, values ...any) error { return Misfit(fmt.Sprintf(format, values...)) }

// Reckon divides memory, which is photos.memory and zero where nothing is said,
// for originals of at most largest bytes, in a container of that limit, zero for
// none. Its error is a Misfit.
func Reckon(memory, largest config.Bytes, limit int64) (Plan, error) {
	least := config.LeastMemory(largest)
	said := memory != 0
	if !said {
		memory = config.DefaultMemory
		if limit > 0 {
			memory = min(memory, config.Bytes(limit/4*3))
		}
	}
	switch {
	case said && limit > 0 && int64(memory) >= limit:
		return Plan{}, misfit("photos.memory is %s, and the container's limit is %s: set it to three quarters of the limit or less, or raise the limit", memory, whole(limit))
	case memory < least && said:
		return Plan{}, misfit("photos.memory is %s, and photos of %s need at least %s: raise it, or set a smaller photos.max_bytes", memory, largest, least)
	case memory < least && limit > 0 && limit/4*3 < int64(least):
		return Plan{}, misfit("three quarters of the container's limit of %s are too little for photos of %s: raise the limit to %s",
			whole(limit), largest, whole((4*int64(least)+2)/3))
	case memory < least:
		return Plan{}, misfit("photos of %s need photos.memory of at least %s, and unless set it is %s: set it", largest, least, memory)
	}
	return divide(memory, largest), nil
}

// Default is the plan where nobody says anything, and nothing limits the memory.
func Default() Plan { return divide(config.DefaultMemory, 0) }

// Enough is the plan of a command that develops files of at most largest bytes,
// in a container of that limit, zero for none: the default, or what the limit
// allows, and never less than it takes.
func Enough(largest config.Bytes, limit int64) Plan {
	memory := config.DefaultMemory
	if limit > 0 {
		memory = min(memory, config.Bytes(limit/4*3))
	}
	return divide(max(memory, config.LeastMemory(largest)), largest)
}

// divide needs a memory that is enough.
func divide(memory, largest config.Bytes) Plan {
	p := Plan{Memory: int64(memory), Largest: int64(largest)}
	p.Originals = max(p.Memory/4, mostHeld(p.Largest))
	p.Children = p.Memory - Program - p.Originals
	return p
}

// mostHeld is the most that the gateway holds of one photo whose original has at
// most so many bytes: media.Read has it twice at its end.
func mostHeld(largest int64) int64 { return 2*largest + pictures }

// whole is a size in megabytes, rounded up.
func whole(n int64) config.Bytes { return (config.Bytes(n) + config.MB - 1) / config.MB * config.MB }

// Start says what the plan is, and limits the heap.
func (p Plan) Start(log *slog.Logger) {
	log.Info("memory for photos is divided", "memory_mb", p.Memory>>20, "originals_mb", p.Originals>>20, "children_mb", p.Children>>20)
	p.limitHeap()
}

// limitHeap has the gateway collect its garbage in time, so that what was an
// original does not stay beside those that are. A GOMEMLIMIT of the operator's
// has precedence.
func (p Plan) limitHeap() {
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(p.Memory - p.Children - programPages)
	}
}
