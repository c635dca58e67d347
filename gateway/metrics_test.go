package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// metricsDoc is what the package comment of gateway/ops says.
func metricsDoc(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "ops/metrics.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	return file.Doc.Text()
}

// TestEachMetricIsDocumented compares what a gateway at work has registered with
// what the comment lists, and their labels.
func TestEachMetricIsDocumented(t *testing.T) {
	h := open(t)
	described := make(chan *prometheus.Desc)
	go func() {
		defer close(described)
		h.app.metrics.Gatherer().(prometheus.Collector).Describe(described)
	}()
	var registered, listed []string
	shape := regexp.MustCompile(`fqName: "(lightlock_[^"]*)".*variableLabels: \{([^}]*)\}`)
	for d := range described {
		if found := shape.FindStringSubmatch(d.String()); found != nil {
			registered = append(registered, found[1]+"{"+found[2]+"}")
		}
	}
	for _, found := range regexp.MustCompile(`(?m)^\t(lightlock_\w+)(?:\{([^}]*)\})?\s`).FindAllStringSubmatch(metricsDoc(t), -1) {
		listed = append(listed, found[1]+"{"+found[2]+"}")
	}
	for _, name := range registered {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is not listed in the package comment of gateway/ops", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(registered, name) {
			t.Errorf("the package comment of gateway/ops lists %s, which no gateway has", name)
		}
	}
	if len(registered) < 30 {
		t.Errorf("only %d metrics are registered", len(registered))
	}
}

// TestEachTroubleIsDocumented finds the words with which lightlock_trouble_total is
// counted, as far as they stand in the code as such.
func TestEachTroubleIsDocumented(t *testing.T) {
	doc, found := metricsDoc(t), 0
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				return true
			}
			if method, ok := call.Fun.(*ast.SelectorExpr); !ok || method.Sel.Name != "Trouble" {
				return true
			}
			found++
			step, kind := word(call.Args[0]), word(call.Args[1])
			if !documented(doc, step, kind) {
				t.Errorf("%s:%d counts trouble at step %q, kind %q, which the package comment of gateway/ops does not list",
					s.path, s.line(n.Pos()), step, kind)
			}
			return true
		})
	}
	if found < 10 {
		t.Errorf("only %d calls were found", found)
	}
}

// word is a text that stands in the code, or nothing.
func word(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(literal.Value)
	return text
}

// documented tells whether a step of trouble is listed with that kind.
func documented(doc, step, kind string) bool {
	_, doc, _ = strings.Cut(doc, "lightlock_trouble_total{")
	doc, _, _ = strings.Cut(doc, "\tlightlock_")
	_, kinds, listed := strings.Cut(doc, "\t"+step+": ")
	if !listed {
		_, kinds, listed = strings.Cut(doc, " "+step+": ")
	}
	if next := regexp.MustCompile(`\n\t? +\w+: `).FindStringIndex(kinds); next != nil {
		kinds = kinds[:next[0]]
	}
	return listed && regexp.MustCompile(`\b`+kind+`\b`).MatchString(kinds)
}
