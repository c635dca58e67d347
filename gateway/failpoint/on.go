//go:build failpoints && linux

package failpoint

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// active is what the environment asks for, read at the first use.
// house: variable because a point has no place to carry state to, and no normal build has this file
var active = sync.OnceValue(fromEnvironment)

// Hit counts a hit of p, and does what was asked for at it.
func Hit(p Point) { active().hit(p) }

// Now is the time by a clock that may be wrong.
func Now() time.Time { return time.Now().Add(active().ahead) }

// state is the hits so far, and what they lead to.
type state struct {
	plans []plan
	ahead time.Duration
	log   *os.File // nil if hits are not written down

	mu   sync.Mutex
	hits map[Point]int
}

// plan is one action at one hit.
type plan struct {
	point  Point
	number int
	action func()
}

func fromEnvironment() *state {
	s := &state{hits: map[Point]int{}}
	var err error
	if clock := os.Getenv("LIGHTLOCK_FAILPOINTS_CLOCK"); clock != "" {
		if s.ahead, err = time.ParseDuration(clock); err != nil {
			panic(err)
		}
	}
	if path := os.Getenv("LIGHTLOCK_FAILPOINTS_HITS"); path != "" {
		if s.log, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err != nil { //nolint:gosec // the test names the file
			panic(err)
		}
	}
	if text := os.Getenv("LIGHTLOCK_FAILPOINTS"); text != "" {
		for one := range strings.SplitSeq(text, ",") {
			s.plans = append(s.plans, parse(one))
		}
	}
	return s
}

func parse(text string) plan {
	name, rest, _ := strings.Cut(text, "=")
	what, count, _ := strings.Cut(rest, "@")
	number, err := strconv.Atoi(count)
	if err != nil || number < 1 || !slices.Contains(Points(), Point(name)) {
		panic(fmt.Sprintf("failpoint: %q is not POINT=ACTION@N", text))
	}
	return plan{Point(name), number, actionOf(what)}
}

func actionOf(what string) func() {
	if pause, ok := strings.CutPrefix(what, "sleep:"); ok {
		length, err := time.ParseDuration(pause)
		if err != nil {
			panic(err)
		}
		return func() { time.Sleep(length) }
	}
	switch what {
	case "kill":
		return func() {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // not one instruction more
		}
	case "stop":
		return stop
	}
	panic(fmt.Sprintf("failpoint: no action %q", what))
}

// stop stops the process in this very thread: of a signal to the whole process
// this thread may hear last, and go on meanwhile.
func stop() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
}

// hit writes the hit down before its action, which may be the last thing that
// this process does. A short line is written whole or not at all.
func (s *state) hit(p Point) {
	s.mu.Lock()
	s.hits[p]++
	number := s.hits[p]
	if s.log != nil {
		if _, err := s.log.WriteString(string(p) + "\n"); err != nil {
			panic(err)
		}
	}
	s.mu.Unlock()
	for _, one := range s.plans {
		if one.point == p && one.number == number {
			one.action()
		}
	}
}
