package cli

import (
	"fmt"
	"sync"
	"time"
)

// progress says on standard error how far a long command is: a line that
// rewrites itself on a terminal, a line every ten seconds elsewhere, and nothing
// for work that is done in half a second.
type progress struct {
	stream
	total int

	mu    sync.Mutex
	n     int
	what  string
	shown string // the line that stands on the terminal

	stop chan struct{}
	done chan struct{}
}

// unknownTotal stands for a total that nobody knows before the end.
const unknownTotal = -1

const (
	progressFirst = 500 * time.Millisecond
	progressNext  = 100 * time.Millisecond
	progressPiped = 10 * time.Second
	progressWidth = 72 // columns: a line that wraps could not be taken away
)

// newProgress begins to show it; end has to be called.
func newProgress(s stream, total int) *progress {
	p := &progress{stream: s, total: total, stop: make(chan struct{}), done: make(chan struct{})}
	first, next := progressPiped, progressPiped
	if s.moves {
		first, next = progressFirst, progressNext
	}
	go func() {
		defer close(p.done)
		for timer := time.NewTimer(first); ; timer.Reset(next) {
			select {
			case <-timer.C:
				p.show()
			case <-p.stop:
				timer.Stop()
				return
			}
		}
	}()
	return p
}

// at says what is in work, and how many were finished before it.
func (p *progress) at(n int, what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n, p.what = n, what
}

// phase is at for work whose parts are counted apart.
func (p *progress) phase(n, total int, what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n, p.total, p.what = n, total, what
}

func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n >= p.total && p.total != unknownTotal {
		return
	}
	text := fmt.Sprintf("%d of %d  %s", p.n+1, p.total, visible(p.what))
	if p.total == unknownTotal {
		text = fmt.Sprintf("%d  %s", p.n, visible(p.what))
	}
	if !p.moves {
		fmt.Fprintln(p, text)
		return
	}
	if text = shorten(text, progressWidth); text != p.shown {
		fmt.Fprint(p, "\r\x1b[K"+text)
		p.shown = text
	}
}

// clear takes the line away, so that a result can be printed; it comes back.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown != "" {
		fmt.Fprint(p, "\r\x1b[K")
	}
	p.shown = ""
}

// end takes the line away for good.
func (p *progress) end() {
	close(p.stop)
	<-p.done
	p.clear()
}

// shorten cuts a text to so many columns.
func shorten(text string, most int) string {
	if columns(text) <= most {
		return text
	}
	runes := []rune(text)
	for columns(string(runes)) > most-1 {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
