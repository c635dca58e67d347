package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
)

// setVariables sets every ${NAME} of the text to something long enough.
func setVariables(t *testing.T, text string) {
	t.Helper()
	for _, match := range regexp.MustCompile(`\$\{([A-Z0-9_]+)\}`).FindAllStringSubmatch(text, -1) {
		t.Setenv(match[1], strings.Repeat("x", 32))
	}
}

// The connectors' examples are read where the channels are known, in the gateway.

// TestExampleShowsEveryKey takes the comment signs off the gateway's example,
// and wants what then stands there to be read, and no key of Config to be left
// out.
func TestExampleShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile("lightlock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	bare := regexp.MustCompile(`(?m)^# ( *(?:- [0-9]|- [a-z_]+: |[a-z0-9_]+:( [^ ].*)?$))`).ReplaceAllString(string(text), "$1")
	inFolder(t, map[string]string{"lightlock.yaml": bare, "connectors/x": ""})
	setVariables(t, bare)
	t.Setenv("STORE_KEY", keyOf('k'))
	doc, err := openDocument("lightlock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := doc.parse()
	if m == nil || len(doc.problems) > 0 {
		t.Fatalf("not read: %+v\n%s", doc.problems, bare)
	}
	compare(t, m, reflect.TypeFor[Config](), "")
	l, err := Load("lightlock.yaml", nil)
	if err != nil && !strings.Contains(err.Error(), "6 problems") || err == nil {
		t.Fatalf("want four certificate files and the agents file missing, and both ways to name queues, and nothing else, got %v, %+v", err, l)
	}
}

// compare wants every key of t to be in m.
func compare(t *testing.T, m *ast.MappingNode, typ reflect.Type, path string) {
	t.Helper()
	known, err := forms{}.of(typ)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]ast.Node{}
	for _, entry := range m.Values {
		there[keyText(entry.Key)] = entry.Value
	}
	for _, f := range known.fields {
		value, ok := there[f.key]
		if !ok {
			t.Errorf("the example does not show %s", under(path, f.key))
			continue
		}
		elem := f.typ
		if elem.Kind() == reflect.Pointer {
			elem = elem.Elem()
		}
		if inner := asMapping(value); inner != nil && elem.Kind() == reflect.Struct {
			compare(t, inner, elem, under(path, f.key))
		}
	}
}

// TestExamplesNameTheirSchemas: the first line of each leads to a file, also in a copy
// of it and of the folder schemas.
func TestExamplesNameTheirSchemas(t *testing.T) {
	connectors, err := filepath.Glob("connectors/*.yaml")
	if err != nil || len(connectors) == 0 {
		t.Fatalf("%d examples, %v", len(connectors), err)
	}
	for _, file := range append(connectors, "lightlock.yaml", "agents.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		schema, named := strings.CutPrefix(first, "# yaml-language-server: $schema=")
		path := filepath.Join(filepath.Dir(file), schema)
		if info, err := os.Stat(path); !named || err != nil || !info.Mode().IsRegular() || filepath.Dir(path) != "schemas" {
			t.Errorf("%s begins with %q, want a file of schemas (%v)", file, first, err)
		}
	}
}
