package config

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// view says what of a file's lines may be shown. Everything but keys and
// punctuation is masked until it is known to be no secret: a value under a
// misspelt key is as secret as it would be under the right one.
type view struct {
	masked map[spot]bool
	// starts has the columns where tokens begin, by line, in order.
	starts   map[int][]int
	comments map[int]int
}

// spot is where a token begins. Lines and columns count from 1.
type spot struct{ line, column int }

func spotOf(t *token.Token) spot { return spot{t.Position.Line, t.Position.Column} }

func newView(tokens token.Tokens) view {
	v := view{masked: map[spot]bool{}, starts: map[int][]int{}, comments: map[int]int{}}
	for i, t := range tokens {
		at := spotOf(t)
		if t.Type == token.CommentType {
			v.comments[at.line] = at.column
			continue
		}
		v.starts[at.line] = append(v.starts[at.line], at.column)
		if !punctuation(t) && (!isKey(tokens, i) || sensitive(t.Value)) {
			v.masked[at] = true
		}
	}
	return v
}

func punctuation(t *token.Token) bool {
	switch t.Type {
	case token.MappingValueType, token.SequenceEntryType, token.CollectEntryType, token.MappingKeyType,
		token.MappingStartType, token.MappingEndType, token.SequenceStartType, token.SequenceEndType,
		token.DocumentHeaderType, token.DocumentEndType:
		return true
	}
	return false
}

// isKey tells whether the token stands where a key can stand on its line, and a
// colon follows.
func isKey(tokens token.Tokens, i int) bool {
	if i+1 >= len(tokens) || tokens[i].Type == token.InvalidType {
		return false
	}
	line, next := tokens[i].Position.Line, tokens[i+1]
	if next.Type != token.MappingValueType || next.Position.Line != line {
		return false
	}
	if i == 0 || tokens[i-1].Position.Line != line {
		return true
	}
	before := tokens[i-1]
	return punctuation(before) && before.Type != token.MappingValueType
}

// reveal allows to show the value that begins with n.
func (v view) reveal(n ast.Node) {
	if !sensitive(n.GetToken().Value) {
		delete(v.masked, spotOf(n.GetToken()))
	}
}

// sensitive tells whether a text may hold a secret although its key does not
// say so: an address with a password or a token in it, or a private key where
// the path of its file belongs.
func sensitive(text string) bool {
	return strings.ContainsAny(text, "@?#\n") || strings.Contains(text, "-----")
}

// mask hides everything from p on, keys included.
func (v view) mask(p place) { v.masked[spot{p.line, p.column}] = true }

// maskValues hides everything behind the first key of a line that is no YAML:
// what seems to be a key there may be the middle of a secret.
func (v view) maskValues(tokens token.Tokens, line int) {
	behind := false
	for _, t := range tokens {
		if t.Position.Line != line {
			continue
		}
		if behind {
			v.masked[spotOf(t)] = true
		}
		behind = behind || t.Type == token.MappingValueType
	}
}

// show returns the line as it may be shown. It is complete if columns still
// mean the same.
func (v view) show(line int, text string) (shown string, complete bool) {
	runes := []rune(text)
	starts := v.starts[line]
	if len(starts) == 0 || starts[0] > len(runes)+1 {
		return hidden, false
	}
	if strings.TrimSpace(string(runes[:starts[0]-1])) != "" {
		return hidden, false // the end of a text that began on another line
	}
	end, tail := len(runes), ""
	if column, ok := v.comments[line]; ok && column-1 < end {
		end = column - 1
	}
	for _, column := range starts {
		if v.masked[spot{line, column}] && column-1 <= end {
			end, tail = column-1, hidden
			break
		}
	}
	return strings.TrimRight(printable(runes[:end])+tail, " "), true
}

// printable replaces what a terminal would obey and what would move the marker.
func printable(runes []rune) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return utf8.RuneError
		}
		return r
	}, string(runes))
}
