package config

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

var (
	errNotRegular = errors.New("not a regular file")
	errParser     = errors.New("the parser gave up")
)

// maxSyntaxErrors is how many are looked for in one file. The parser stops at
// the first, so each costs another run.
const maxSyntaxErrors = 16

// parse returns the file's keys, or nil where there are none. After a syntax
// error the block that it lies in is blanked out and the rest is read again, so
// that one slip does not hide the other problems.
func (d *document) parse() *ast.MappingNode {
	rest := append([]string{}, d.lines...)
	for range maxSyntaxErrors {
		tokens, file, err := d.attempt(strings.Join(rest, "\n"))
		if tokens == nil {
			return nil
		}
		if err == nil {
			return d.root(file)
		}
		d.partial = true
		line := d.syntaxError(tokens, err)
		if !blank(rest, line) {
			return nil
		}
	}
	return nil
}

// attempt tokenizes and parses. No tokens means that the text is not even fit
// for the parser. A panic of the library is an error like others.
func (d *document) attempt(text string) (tokens token.Tokens, file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			tokens, file, err = nil, nil, errParser
			d.view, d.partial = view{}, true
			d.report(place{}, "the file cannot be parsed", "it is YAML of a kind that nobody writes", "write it as keys and values, one a line")
		}
	}()
	tokens = lexer.Tokenize(text)
	d.view = newView(tokens)
	if at, what := excess(tokens); what != "" {
		d.partial = true
		d.report(at, what, "no configuration needs that, and a parser's time grows with it", "write it shorter, or split it into several files")
		return nil, nil, errParser
	}
	if tokens == nil {
		tokens = token.Tokens{}
	}
	file, err = parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	return tokens, file, err
}

// excess finds what would keep the parser busy for minutes, or end the process
// by its stack: very many tokens, or very deep nesting.
func excess(tokens token.Tokens) (place, string) {
	flow, columns := 0, []int{}
	for i, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType:
			columns = deeper(columns, t.Position.Column)
		default:
			if flow == 0 && isKey(tokens, i) {
				columns = deeper(columns, t.Position.Column)
			}
		}
		if flow+len(columns) > maxDepth {
			return placeOf(t), "this is nested too deeply"
		}
	}
	if len(tokens) > maxTokens {
		return place{}, "the file has too many keys and values"
	}
	return place{}, ""
}

// deeper drops the levels that end where something begins at column, and adds
// that one.
func deeper(columns []int, column int) []int {
	for len(columns) > 0 && columns[len(columns)-1] >= column {
		columns = columns[:len(columns)-1]
	}
	return append(columns, column)
}

// syntaxError reports err and returns its line, 0 if it is not known.
func (d *document) syntaxError(tokens token.Tokens, err error) int {
	at, message := place{}, "the file cannot be parsed"
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
		at, message = placeOf(syntax.Token), syntax.Message
	}
	if open := unclosed(tokens, at); open != nil {
		at, message = placeOf(open), "this bracket is not closed"
	}
	d.view.maskValues(tokens, at.line)
	d.report(at, "not YAML: "+printable([]rune(strings.ReplaceAll(message, "\t", "TAB"))), "the rest of this block cannot be read",
		"check indentation, colons and quotes, here and just below")
	return at.line
}

// unclosed returns the outermost bracket that is still open where a new block
// of keys begins, at the left edge. The parser blames the innocent key.
func unclosed(tokens token.Tokens, at place) *token.Token {
	var open []*token.Token
	for _, t := range tokens {
		if t.Position.Line > at.line || t.Position.Line == at.line && t.Position.Column >= at.column {
			break
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			open = append(open, t)
		case token.MappingEndType, token.SequenceEndType:
			open = open[:max(0, len(open)-1)]
		}
	}
	if len(open) == 0 || at.column != 1 {
		return nil
	}
	return open[0]
}

// blank empties the top level block around line. It reports whether there was
// something to empty.
func blank(lines []string, line int) bool {
	if line < 1 || line > len(lines) {
		return false
	}
	first, last := line-1, line
	for first > 0 && !beginsBlock(lines[first]) {
		first--
	}
	for last < len(lines) && !beginsBlock(lines[last]) {
		last++
	}
	some := false
	for i := first; i < last; i++ {
		some = some || strings.TrimSpace(lines[i]) != ""
		lines[i] = ""
	}
	return some
}

func beginsBlock(line string) bool {
	return line != "" && !strings.ContainsAny(line[:1], " \t#-]}'\"") && strings.Contains(line, ":")
}

// root returns the keys of the only document in file.
func (d *document) root(file *ast.File) *ast.MappingNode {
	var found ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case found != nil:
			d.report(d.start(doc.Body), "a second document in one file", "only the first would be read", "put it into a file of its own")
		default:
			found = doc.Body
		}
	}
	if found == nil {
		return nil
	}
	m := asMapping(found)
	if m == nil {
		d.partial = true
		d.report(d.start(found), "the file is not made of keys and values", "every setting has a key", "write KEY: VALUE, one a line")
	}
	return m
}

// asMapping returns n as a mapping, or nil.
func asMapping(n ast.Node) *ast.MappingNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n
	case *ast.MappingValueNode:
		return ast.Mapping(n.GetToken(), false, n)
	}
	return nil
}

// start is where n begins. A block of keys begins with its first key.
func (d *document) start(n ast.Node) place {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return d.start(n.Values[0])
		}
	case *ast.MappingValueNode:
		return placeOf(n.Key.GetToken())
	}
	return placeOf(n.GetToken())
}

// placeOf is where t stands, as far as it stands on its first line.
func placeOf(t *token.Token) place {
	text, _, _ := strings.Cut(strings.TrimSpace(t.Origin), "\n")
	return place{t.Position.Line, t.Position.Column, len([]rune(strings.TrimSpace(text)))}
}
