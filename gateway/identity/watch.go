package identity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/ops"
)

// fileEvery is how often the agents file is looked at: whoever leaves it is out within
// that time and the next call. It is polled, because that also works on file systems
// of containers and networks, which tell of no changes.
const fileEvery = 5 * time.Second

// watched is the agents file as it was last seen.
type watched struct {
	mu   sync.Mutex
	info os.FileInfo // nil if it could not be looked at
	// wrong says why the newest version is not in force, since when; nil if it is.
	wrong error
	since time.Time
}

// watch looks at the agents file until ctx ends.
func (r *Registry) watch(ctx context.Context) {
	tick := time.NewTicker(r.poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.look(ctx)
		}
	}
}

// look puts a new version of the agents file in force. A broken one is tried again
// each time, because what was wrong may be mended without the file itself: a right to
// read it, or a folder that was not mounted.
func (r *Registry) look(ctx context.Context) {
	r.file.mu.Lock()
	defer r.file.mu.Unlock()
	info, err := os.Stat(r.config.Agents.File)
	before := r.file.info
	if err == nil && before != nil && r.file.wrong == nil &&
		os.SameFile(before, info) && before.ModTime().Equal(info.ModTime()) && before.Size() == info.Size() {
		return
	}
	r.file.info = info
	agents, err := config.LoadAgents(&r.config, r.queues)
	if err != nil {
		r.keepOld(brief(err))
		return
	}
	r.file.wrong = nil
	r.replace(ctx, newDirectory(r.config.Services, agents))
}

// keepOld notes that the newest version is not in force. It is called with the lock.
func (r *Registry) keepOld(err error) {
	if r.file.wrong == nil {
		r.file.since = r.now()
	}
	if r.file.wrong == nil || r.file.wrong.Error() != err.Error() {
		r.log.Warn("the agents file is wrong; the version before stays in force; lightlock check says more", "err", err)
	}
	r.file.wrong = err
}

// brief is the first of many problems, and their number.
func brief(err error) error {
	var problems *config.Problems
	if !errors.As(err, &problems) || len(problems.List) == 0 {
		return err
	}
	first := problems.List[0]
	text := fmt.Sprintf("%s:%d: %s", filepath.Base(first.File), first.Line, first.What)
	if more := len(problems.List) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return errors.New(text)
}

// replace puts a directory in force. The sessions of those who are not in it any
// more, or have another token, count for nothing from now on; they are ended besides,
// so that they do not come back with an old version of the file.
func (r *Registry) replace(ctx context.Context, now *directory) {
	before := r.local.Swap(now)
	r.log.Info("agents file read", "agents", len(now.agents))
	for id, one := range before.agents {
		if still, ok := now.agents[id]; ok && still.proof() == one.proof() || r.sessions == nil {
			continue
		}
		if _, err := r.sessions.CloseSessions(ctx, id); err != nil {
			r.log.Warn("sessions of an agent who has left are refused, but could not be ended", "agent", id, "err", err)
		}
	}
}

// Check is /readyz's lines about the agents file and the issuer, where they are
// configured. Who is known stays known while either fails, so it is a warning.
func (r *Registry) Check(context.Context) []ops.Line {
	var lines []ops.Line
	if r.config.Agents.File != "" {
		lines = append(lines, r.fileLine())
	}
	if r.issuer != nil {
		lines = append(lines, r.issuer.line())
	}
	return lines
}

func (r *Registry) fileLine() ops.Line {
	r.file.mu.Lock()
	defer r.file.mu.Unlock()
	if r.file.wrong == nil {
		return ops.Line{Name: "agents", State: ops.OK}
	}
	return ops.Line{Name: "agents", State: ops.Warn,
		Note: "the file is wrong since " + clock(r.file.since) + ", and the version before is in force: " + r.file.wrong.Error()}
}

func clock(t time.Time) string { return t.UTC().Format("15:04") + " UTC" }
