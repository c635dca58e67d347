package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// The sizes that the house lives within. They keep a function on a screen and a
// file in a head.
const (
	medianFunction, p90Function, longestFunction = 12, 45, 60
	p90File, longestFile                         = 350, 500
	mostMethods, mostParameters                  = 4, 5
)

func TestSizes(t *testing.T) {
	var functions, files []int
	for _, s := range sources(t) {
		lines := strings.Count(s.text, "\n")
		if lines > longestFile {
			t.Errorf("%s has %d lines; the limit is %d", s.path, lines, longestFile)
		}
		if s.test {
			continue
		}
		files = append(files, lines)
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			length := s.line(f.End()) - s.line(f.Pos()) + 1
			functions = append(functions, length)
			if length > longestFunction && !s.excused("length", f) {
				t.Errorf("%s: %s has %d lines; the limit is %d", s.path, f.Name.Name, length, longestFunction)
			}
			if n := f.Type.Params.NumFields(); n > mostParameters && !s.excused("parameters", f) {
				t.Errorf("%s: %s has %d parameters; the limit is %d", s.path, f.Name.Name, n, mostParameters)
			}
		}
	}
	t.Logf("%d functions: median %d, p90 %d; %d files: p90 %d lines",
		len(functions), rank(functions, 50), rank(functions, 90), len(files), rank(files, 90))
	if got := rank(functions, 50); got > medianFunction {
		t.Errorf("the median function has %d lines; the limit is %d", got, medianFunction)
	}
	if got := rank(functions, 90); got > p90Function {
		t.Errorf("one function in ten has more than %d lines; the limit is %d", got, p90Function)
	}
	if got := rank(files, 90); got > p90File {
		t.Errorf("one file in ten has more than %d lines; the limit is %d", got, p90File)
	}
}

// rank returns the value below which percent of all are.
func rank(values []int, percent int) int {
	slices.Sort(values)
	return values[(len(values)-1)*percent/100]
}

func TestInterfaces(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if i, ok := spec.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > mostMethods && !s.excused("methods", spec) {
				t.Errorf("%s: %s has %d methods; the limit is %d", s.path, spec.Name.Name, i.Methods.NumFields(), mostMethods)
			}
			return true
		})
	}
}

// TestAssemblyBudget keeps package main to putting things together.
func TestAssemblyBudget(t *testing.T) {
	budget := map[string]int{"gateway/main.go": 60, "gateway/app.go": 250, "gateway/channels.go": 50}
	for _, s := range sources(t) {
		most, ok := budget[s.path]
		if s.folder() == "gateway" && !s.test && !ok {
			t.Errorf("%s: package main has only main.go, app.go and channels.go", s.path)
		}
		if lines := strings.Count(s.text, "\n"); ok && lines > most {
			t.Errorf("%s has %d lines; its budget is %d", s.path, lines, most)
		}
	}
}

// TestNoHiddenState finds init functions, and package variables that somebody
// could change.
func TestNoHiddenState(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init() hides the order of things; call it from New", s.path)
			}
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				if !constant(g, v) && !s.excused("variable", v) {
					t.Errorf("%s: package variable %s can be changed; make it a constant or a function", s.path, v.Names[0].Name)
				}
			}
		}
	}
}

// constant tells whether a package variable is one only because Go has no
// constants of its type: sentinel errors, compiled patterns, embedded files,
// and assertions that a type implements an interface.
func constant(g *ast.GenDecl, v *ast.ValueSpec) bool {
	if v.Names[0].Name == "_" {
		return true
	}
	for _, doc := range []*ast.CommentGroup{g.Doc, v.Doc} {
		if doc != nil && strings.HasPrefix(doc.List[len(doc.List)-1].Text, "//go:embed ") {
			return true
		}
	}
	for _, value := range v.Values {
		call, ok := value.(*ast.CallExpr)
		if !ok {
			return false
		}
		if !slices.Contains([]string{"errors.New", "regexp.MustCompile", "netip.MustParsePrefix", "reflect.TypeFor"}, called(call.Fun)) {
			return false
		}
	}
	return len(v.Values) > 0
}

// called returns a function's name with its package's.
func called(f ast.Expr) string {
	if generic, ok := f.(*ast.IndexExpr); ok {
		f = generic.X
	}
	selector, ok := f.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	pkg, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return pkg.Name + "." + selector.Sel.Name
}
