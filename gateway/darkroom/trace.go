package darkroom

import (
	"io"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode"
)

const (
	maxTrace     = 4 << 10 // bytes that are looked at of a child's standard error
	maxTraceLine = 160     // bytes that are kept of its own last words
)

// trace keeps the beginning of what a child writes to standard error. What
// comes after is read and dropped, so that the child does not wait for us.
type trace struct {
	file *os.File
	done chan struct{}
	head []byte // to be read after done
}

func newTrace(f *os.File) *trace {
	t := &trace{file: f, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.head, _ = io.ReadAll(io.LimitReader(f, maxTrace))
		_, _ = io.Copy(io.Discard, f)
	}()
	return t
}

// stop returns what was said, fit for a log. The process has to be gone.
func (t *trace) stop() string {
	// What the dead process wrote is in the pipe already. A descendant may still
	// hold the other end, so its close is not waited for.
	_ = t.file.SetReadDeadline(time.Now().Add(time.Second))
	<-t.done
	_ = t.file.Close()
	return traceText(t.head)
}

// What is kept of a child's words. Whatever else stands in a trace may be bytes
// of the photo: the value of a panic, the arguments of a function.
var (
	ownWords = regexp.MustCompile(`^darkroom child: .*`)
	kindOf   = regexp.MustCompile(`^(?:panic: runtime error: [a-z ]+|panic|fatal error: [a-z :]+|SIG[A-Z]+)`)
	function = regexp.MustCompile(`^((?:github\.com/lightlock/lightlock|golang\.org/x/image|image|compress)/[\w./()*\[\]-]+)\(`)
	position = regexp.MustCompile(`^\t.*/([\w.-]+\.go:[0-9]+)`)
)

// traceText returns what a child said of its end: its own last words, or the
// kind of the panic and the functions that it came from, as far as they are ours
// or a decoder's.
func traceText(head []byte) string {
	var kept []string
	inside := false // the line before named a function that is kept
	for line := range strings.Lines(string(head)) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case len(kept) == 0 && ownWords.MatchString(line):
			return plain(line, maxTraceLine)
		case len(kept) == 0 && kindOf.MatchString(line):
			kept = append(kept, strings.TrimSpace(kindOf.FindString(line)))
		case inside && position.MatchString(line):
			kept[len(kept)-1] += " " + position.FindStringSubmatch(line)[1]
		case function.MatchString(line):
			kept = append(kept, function.FindStringSubmatch(line)[1])
			inside = true
			continue
		}
		inside = false
	}
	return cut(strings.Join(kept, " | "), maxTrace)
}

// plain makes a child's text harmless: printable, one line, at most n bytes.
func plain(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, cut(text, n))
	return cut(text, n)
}

// cut returns the longest beginning of text that has at most n bytes and does
// not end within a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}
