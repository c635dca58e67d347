package config

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Problem is something wrong at one place of one file.
type Problem struct {
	// File is the path as the operator would write it.
	File string `json:"file"`
	// Line and Column count from 1, Column in characters. Line is 0 where the
	// whole file is meant.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Source is that line, safe to show: secrets and whatever may be one are
	// masked, and so is what a terminal would obey. Length is how many of its
	// characters from Column on are meant.
	Source string `json:"source,omitempty"`
	Length int    `json:"length,omitempty"`
	// What is wrong, Why it matters and the Fix, each half a sentence.
	What string `json:"what"`
	Why  string `json:"why"`
	Fix  string `json:"fix"`
}

// Problems is everything that is wrong with a configuration. It is an error
// whose text is the whole report.
type Problems struct {
	// List is sorted by file, line and column.
	List []Problem
	// Files is how many files were looked at, good ones included.
	Files int
}

// Error returns the whole report, as Write writes it.
func (p *Problems) Error() string {
	var b strings.Builder
	_ = p.Write(&b)
	return strings.TrimSuffix(b.String(), "\n")
}

// Write writes one paragraph for each problem, and their number in the last
// line.
func (p *Problems) Write(w io.Writer) error {
	var b strings.Builder
	for _, one := range p.List {
		one.write(&b)
	}
	fmt.Fprintf(&b, "%s in %d of %s\n",
		plural(len(p.List), "problem"), p.badFiles(), plural(p.Files, "file"))
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Problems) badFiles() int {
	bad := map[string]bool{}
	for _, one := range p.List {
		bad[one.File] = true
	}
	return len(bad)
}

// inOrder compares two problems by file, line and column.
func inOrder(a, b Problem) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

func (p Problem) write(b *strings.Builder) {
	if p.Line == 0 {
		fmt.Fprintf(b, "%s: %s\n", p.File, p.What)
	} else {
		fmt.Fprintf(b, "%s:%d:%d: %s\n", p.File, p.Line, p.Column, p.What)
	}
	if p.Source != "" {
		number := strconv.Itoa(p.Line)
		fmt.Fprintf(b, "  %s | %s\n", number, p.Source)
		if p.Length > 0 {
			fmt.Fprintf(b, "  %s | %s%s\n", strings.Repeat(" ", len(number)),
				strings.Repeat(" ", p.Column-1), strings.Repeat("^", p.Length))
		}
	}
	for _, part := range [][2]string{{"why", p.Why}, {"fix", p.Fix}} {
		if part[1] != "" {
			fmt.Fprintf(b, "  %s  %s\n", part[0], part[1])
		}
	}
}

// plural writes "1 file" and "2 files".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
