package cli

import (
	"fmt"
	"io"
	"time"
)

// progress says on standard error how far a long command is: a line that
// rewrites itself on a terminal, a line every ten seconds elsewhere, and nothing
// for work that is done in half a second.
type progress struct {
	w        io.Writer
	terminal bool
	total, n int
	next     time.Time
	shown    bool
}

const (
	progressFirst = 500 * time.Millisecond
	progressPiped = 10 * time.Second
)

func newProgress(w io.Writer, total int) *progress {
	p := &progress{w: w, terminal: terminal(w), total: total}
	p.next = time.Now().Add(p.pause())
	return p
}

func (p *progress) pause() time.Duration {
	if p.terminal {
		return progressFirst
	}
	return progressPiped
}

// step counts one more, and shows it if it is time.
func (p *progress) step(what string) {
	p.n++
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(p.pause() / 5)
		p.show(what)
	}
}

func (p *progress) show(what string) {
	p.shown = true
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%d of %d  %s", p.n, p.total, what)
		return
	}
	p.next = time.Now().Add(p.pause())
	fmt.Fprintf(p.w, "%d of %d\n", p.n, p.total)
}

// done takes the line away.
func (p *progress) done() {
	if p.shown && p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.shown = false
}
