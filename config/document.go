package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Caps on what is read. The first three are far beyond any real file; they are
// there because a parser's time and stack grow with what it is given.
const (
	maxFileBytes   = 1 << 20
	maxTokens      = 50_000
	maxDepth       = 32
	maxFiles       = 1000
	maxSecretBytes = 64 << 10
	maxSecrets     = 4
	shownColumns   = 160
)

// document is one file under examination: its lines, what of them may be shown,
// and the problems found so far.
type document struct {
	name     string // as the operator would write it
	dir      string // what its paths are relative to
	lines    []string
	view     view
	problems []Problem
	// partial tells that a part could not be parsed, so that what seems to be
	// missing may stand there.
	partial bool
}

// place is where a key or a value stands, and how long it is, in characters.
// The zero place is the whole file.
type place struct{ line, column, width int }

// openDocument reads the file at path. An error is the system's; what is wrong
// with the content is among the document's problems.
func openDocument(path string) (*document, error) {
	d := &document{name: path, dir: filepath.Dir(path)}
	data, err := readRegular(path, maxFileBytes)
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileBytes {
		d.report(place{}, "the file is larger than 1 MB", "a configuration of that size is a mistake",
			"check that this is the right file, or split it into several connectors")
		return d, nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
	d.lines = strings.Split(text, "\n")
	d.refuseBinary()
	return d, nil
}

// readRegular reads at most limit+1 bytes of a regular file. Anything else,
// such as a pipe, could keep us waiting for ever.
func readRegular(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errNotRegular}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// refuseBinary reports the first byte that no text has, and gives up the lines:
// what they would look like in a report, nobody knows.
func (d *document) refuseBinary() {
	for i, line := range d.lines {
		var what string
		switch {
		case !utf8.ValidString(line):
			what = "the file is not UTF-8 text"
		case strings.ContainsFunc(line, forbidden):
			what = "the file has control characters in it"
		default:
			continue
		}
		d.lines = nil
		d.partial = true
		d.report(place{i + 1, 1, 0}, what, "YAML is text", "save it as UTF-8 text")
		return
	}
}

// forbidden tells control characters but the tab, which YAML allows nowhere.
func forbidden(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// report adds a problem at p.
func (d *document) report(p place, what, why, fix string) {
	one := Problem{File: d.name, Line: p.line, Column: p.column, What: what, Why: why, Fix: fix}
	one.Source, one.Length = d.picture(p)
	d.problems = append(d.problems, one)
}

// picture returns the line of p as it may be shown, and how much of it to mark.
func (d *document) picture(p place) (source string, length int) {
	if p.line < 1 || p.line > len(d.lines) {
		return "", 0
	}
	source = d.view.show(p.line, d.lines[p.line-1])
	width := p.width
	if d.view.masked[spot{p.line, p.column}] {
		width = len(hidden)
	}
	runes := []rune(source)
	if len(runes) > shownColumns {
		source = string(runes[:shownColumns]) + "…"
		runes = runes[:shownColumns]
	}
	return source, max(0, min(width, len(runes)-p.column+1))
}

// quote writes a text of the file for a message. What is long or goes over
// several lines may hold more than was meant, so it is not repeated.
func quote(text, source string) string {
	switch {
	case sensitive(text):
		return "a text that may hold a secret"
	case len(text) > 64 || strings.Contains(strings.TrimSpace(source), "\n"):
		return "a long text"
	}
	return fmt.Sprintf("%q", text)
}
