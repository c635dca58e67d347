package darkroom

import (
	"io"
	"os"
	"strings"
	"time"
	"unicode"
)

const (
	maxTrace     = 4 << 10 // bytes that are kept of a child's standard error
	maxTraceLine = 160     // bytes of one line of it
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

// traceText keeps of a child's words what Go's own traces consist of: few,
// short lines of plain text. A photo's bytes do not get into a log that way
// even if a decoder puts some into a panic.
func traceText(head []byte) string {
	var kept []string
	for line := range strings.Lines(string(head)) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && !strings.ContainsFunc(line, unprintable) {
			kept = append(kept, cut(line, maxTraceLine))
		}
	}
	return strings.ReplaceAll(strings.Join(kept, " | "), "\t", "")
}

// unprintable tells whether r does not belong into a trace.
func unprintable(r rune) bool { return r != '\t' && (r < ' ' || r > '~') }

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
