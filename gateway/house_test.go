package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The house rules are checked on the files themselves and not on what `go list`
// says, whose answer the test cache keeps. Where a rule must be broken, a
// comment beside the place says `house: RULE because REASON`.

const module = "github.com/lightlock/lightlock"

// source is one parsed Go file.
type source struct {
	path string // from the project's root, with slashes
	test bool
	set  *token.FileSet
	file *ast.File
	text string
}

func (s source) folder() string { return filepath.ToSlash(filepath.Dir(s.path)) }

func (s source) line(p token.Pos) int { return s.set.Position(p).Line }

// excused tells whether the node, or the line above it, names the rule and a
// reason.
func (s source) excused(rule string, n ast.Node) bool {
	first := max(s.line(n.Pos())-6, 1)
	for i, line := range strings.Split(s.text, "\n") {
		if i+1 >= first && i+1 <= s.line(n.Pos()) && strings.Contains(line, "house: "+rule+" because ") {
			return true
		}
	}
	return false
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel("..", path)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(relative), strings.HasSuffix(path, "_test.go"), set, file, string(text)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("found %d Go files; is this the project's root?", len(all))
	}
	return all
}

// imports returns what a file imports: ours without the module's name.
func (s source) imports() []string {
	var paths []string
	for _, i := range s.file.Imports {
		paths = append(paths, strings.TrimPrefix(strings.Trim(i.Path.Value, `"`), module+"/"))
	}
	return paths
}

func under(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func ours(path string) bool {
	return under(path, "config") || under(path, "connectors") || under(path, "gateway") || under(path, "media")
}

// channelOf returns the channel that a folder belongs to, or "".
func channelOf(folder string) string {
	parts := strings.Split(folder, "/")
	if len(parts) < 2 || parts[0] != "connectors" {
		return ""
	}
	switch parts[1] {
	case "wire", "meta", "sim", "connectortest":
		return ""
	}
	return parts[1]
}

// importRules say which import breaks the house, and why the rule is there.
func importRules() map[string]func(s source, path string) bool {
	return map[string]func(s source, path string) bool{
		"media imports nothing of ours: it runs where nothing else may": func(s source, path string) bool {
			return under(s.folder(), "media") && ours(path) && !under(path, "media")
		},
		"only media imports what lies below it: a photo goes through all of its steps": func(s source, path string) bool {
			open := path == "media" || s.test && path == "media/mediatest"
			return under(path, "media") && !open && !under(s.folder(), "media")
		},
		"config imports nothing of ours: everything else depends on it": func(s source, path string) bool {
			return under(s.folder(), "config") && ours(path) && !under(path, "config")
		},
		"connectors never import gateway or media: they translate and decide nothing": func(s source, path string) bool {
			return under(s.folder(), "connectors") && (under(path, "gateway") || under(path, "media"))
		},
		"connectors never import echo or go-redis: they see bytes, not servers": func(s source, path string) bool {
			return under(s.folder(), "connectors") && (under(path, "github.com/labstack/echo/v4") || under(path, "github.com/redis/go-redis/v9"))
		},
		"one channel never imports another: what two share lies in connectors/meta": func(s source, path string) bool {
			a, b := channelOf(s.folder()), channelOf(path)
			return a != "" && b != "" && a != b
		},
		"a channel's code never imports its simulated platform: the two are written apart": func(s source, path string) bool {
			return !s.test && channelOf(s.folder()) != "" && !strings.HasSuffix(s.folder(), "sim") && strings.HasSuffix(path, "sim") && ours(path)
		},
		"twilio-go only in connectors/twilio: nobody else needs to know it": func(s source, path string) bool {
			return under(path, "github.com/twilio/twilio-go") && !under(s.folder(), "connectors/twilio")
		},
		"go-redis only in gateway/queue: every operation there is one script on one slot": func(s source, path string) bool {
			return under(path, "github.com/redis/go-redis/v9") && !under(s.folder(), "gateway/queue")
		},
		"minio-go only in gateway/store: nobody else needs to know where pictures live": func(s source, path string) bool {
			return under(path, "github.com/minio/minio-go/v7") && !under(s.folder(), "gateway/store")
		},
		"echo only in gateway: it stays at the edge": func(s source, path string) bool {
			return under(path, "github.com/labstack/echo/v4") && !under(s.folder(), "gateway")
		},
		"no unsafe and no C in media: strangers' bytes meet bounds everywhere": func(s source, path string) bool {
			return under(s.folder(), "media") && (path == "unsafe" || path == "C")
		},
		"only webp and draw of x/image, and fonts for the demo: other decoders have a history": func(s source, path string) bool {
			rest, ok := strings.CutPrefix(path, "golang.org/x/image/")
			return ok && rest != "webp" && rest != "draw" && !strings.HasPrefix(rest, "font") && rest != "math/fixed"
		},
	}
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		for _, path := range s.imports() {
			for rule, broken := range importRules() {
				if broken(s, path) {
					t.Errorf("%s imports %s; %s", s.path, path, rule)
				}
			}
		}
	}
}

// TestImportRulesBite feeds each rule one import that breaks it.
func TestImportRulesBite(t *testing.T) {
	wrong := [][2]string{
		{"media/a.go", "config"}, {"config/a.go", "media"}, {"connectors/line/a.go", "gateway/queue"},
		{"connectors/wire/a.go", "github.com/labstack/echo/v4"}, {"connectors/line/a.go", "connectors/twilio"},
		{"connectors/line/a.go", "connectors/line/linesim"}, {"gateway/cli/a.go", "github.com/twilio/twilio-go/client"},
		{"gateway/inbound/a.go", "github.com/redis/go-redis/v9"}, {"media/a.go", "github.com/labstack/echo/v4/middleware"},
		{"media/a.go", "golang.org/x/image/tiff"}, {"gateway/darkroom/a.go", "media/jpeg"},
		{"gateway/sweep/a.go", "github.com/minio/minio-go/v7/pkg/credentials"}, {"media/jpeg/a.go", "unsafe"},
	}
	rules := importRules()
	for _, w := range wrong {
		maps.DeleteFunc(rules, func(_ string, broken func(source, string) bool) bool {
			return broken(source{path: w[0]}, w[1])
		})
	}
	for rule := range rules {
		t.Errorf("no import breaks the rule %q", rule)
	}
}

func TestTopLevel(t *testing.T) {
	allowed := []string{
		"connectors", "gateway", "media", "config", "go.mod", "go.sum", "Taskfile.yml", "README.md", "LICENSE",
	}
	// What git does not know, such as a binary or a copy of the examples, is the
	// user's own.
	files, err := exec.CommandContext(t.Context(), "git", "-C", "..", "ls-files").Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	for file := range strings.Lines(string(files)) {
		top, _, _ := strings.Cut(strings.TrimSpace(file), "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(allowed, top) {
			t.Errorf("%s lies at the top level; put it into one of %v", top, allowed[:4])
		}
	}
}

func TestDocs(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		key := s.folder()
		documented[key] = documented[key] || s.file.Doc != nil && len(s.file.Doc.Text()) > 40
		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s is exported and has no doc comment", s.path, name)
			}
		}
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("package %s has no doc comment that says what it is for and what it promises", folder)
		}
	}
}

// undocumented returns the exported names of a declaration without a comment.
func undocumented(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && spec.Doc == nil && d.Doc == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				if spec.Names[0].IsExported() && spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
					names = append(names, spec.Names[0].Name)
				}
			}
		}
		return names
	}
	return nil
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	expr := d.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if index, ok := expr.(*ast.IndexExpr); ok {
		expr = index.X
	}
	name, ok := expr.(*ast.Ident)
	return ok && name.IsExported()
}
