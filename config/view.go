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
	// tokens has where they stand, by line, in order.
	tokens   map[int][]place
	comments map[int]int
}

// spot is where a token begins. Lines and columns count from 1.
type spot struct{ line, column int }

func spotOf(t *token.Token) spot { return spot{t.Position.Line, t.Position.Column} }

func newView(tokens token.Tokens) view {
	v := view{masked: map[spot]bool{}, tokens: map[int][]place{}, comments: map[int]int{}}
	for i, t := range tokens {
		at := spotOf(t)
		if t.Type == token.CommentType {
			v.comments[at.line] = at.column
			continue
		}
		v.tokens[at.line] = append(v.tokens[at.line], placeOf(t))
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

// show returns the line as it may be shown: as far as every character in it
// belongs to a token that may be shown, because the parser does not always say
// where a text of several lines begins. The columns before a mask mean the same
// as in the file.
func (v view) show(line int, text string) string {
	runes := []rune(text)
	if column, ok := v.comments[line]; ok && column-1 < len(runes) {
		runes = runes[:column-1]
	}
	known := 0
	for _, t := range v.tokens[line] {
		at := t.column - 1
		if at < known || at > len(runes) || v.masked[spot{line, t.column}] || !isBlank(runes[known:at]) {
			break
		}
		known = min(at+t.width, len(runes))
	}
	tail := ""
	if !isBlank(runes[known:]) {
		for runes[known] == ' ' || runes[known] == '\t' {
			known++
		}
		tail = hidden
	}
	return strings.TrimRight(printable(runes[:known])+tail, " ")
}

func isBlank(runes []rune) bool { return strings.Trim(string(runes), " \t") == "" }

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
