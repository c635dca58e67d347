package faults

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rows is how many rows the matrix has.
const rows = 24

var (
	rowLine = regexp.MustCompile(`(?m)^\s+(\d+) (\S.*(?:\n\t   \S.*)*)$`)
	// testName is a test, in a package that stands before it or in this one.
	testName = regexp.MustCompile(`(?:((?:gateway|connectors)/[a-z]+): )?(Test\w+)`)
)

// TestEveryRowHasItsTest compares the table of this package's doc with the tests
// that there are.
func TestEveryRowHasItsTest(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, line := range rowLine.FindAllStringSubmatch(file.Doc.Text(), -1) {
		listed[line[1]] = true
		tests := testName.FindAllStringSubmatch(line[2], -1)
		if len(tests) == 0 {
			t.Errorf("row %s names no test", line[1])
		}
		for _, test := range tests {
			folder := "."
			if test[1] != "" {
				folder = filepath.Join("..", "..", test[1])
			}
			if !testsIn(t, folder)[test[2]] {
				t.Errorf("row %s: there is no %s in %s", line[1], test[2], folder)
			}
		}
	}
	for row := range rows {
		number, own := fmt.Sprint(row+1), fmt.Sprintf("TestRow%02d", row+1)
		if !listed[number] {
			t.Errorf("doc.go has no row %s", number)
		}
		if !testsIn(t, ".")[own] {
			t.Errorf("there is no %s", own)
		}
	}
}

// testsIn are the names of a folder's tests.
func testsIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s has no tests: %v", folder, err)
	}
	names := map[string]bool{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

// TestANormalBuildHasNoPoints looks in a normal build for what reading the
// points' environment would leave in it.
func TestANormalBuildHasNoPoints(t *testing.T) {
	t.Parallel()
	normal := filepath.Join(t.TempDir(), "lightlock")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", normal, "github.com/lightlock/lightlock/gateway").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	tagged, err := program()
	if err != nil {
		t.Fatal(err)
	}
	const trace = "LIGHTLOCK_FAILPOINTS"
	for path, want := range map[string]bool{normal: false, tagged: true} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(text, []byte(trace)); got != want {
			t.Errorf("%s holds %q: %v, want %v", strings.TrimPrefix(path, scratch), trace, got, want)
		}
	}
}
