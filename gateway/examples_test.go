package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/cli"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/routes"
)

var variable = regexp.MustCompile(`\$\{([A-Z_]+)\}`)

// setExamples gives every variable of the examples a value.
func setExamples(t *testing.T, value string) {
	t.Helper()
	files, err := filepath.Glob("../config/connectors/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../config/lightlock.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range variable.FindAllSubmatch(text, -1) {
			t.Setenv(string(found[1]), value)
		}
	}
}

func prototypes() config.Prototypes {
	all := config.Prototypes{}
	for _, c := range channels() {
		all[c.Name] = c.Settings
	}
	return all
}

// TestExamplesWithoutSecrets loads the examples to look, as an operator's shell
// does: of every channel the accounts are known without a secret.
func TestExamplesWithoutSecrets(t *testing.T) {
	setExamples(t, "")
	loaded, err := config.LoadToLook("../config/lightlock.yaml", prototypes())
	if err != nil {
		t.Fatal(err)
	}
	table, err := routes.New(loaded, cli.Known(channels()), connectors.Env{Log: discard(), Now: time.Now})
	if err != nil || len(table.AccountNames()) < len(channels()) {
		t.Errorf("got %v, and %v", err, table)
	}
}

// TestExamples loads the commented examples as an operator does who has set
// what they ask for, and builds a gateway from them.
func TestExamples(t *testing.T) {
	setExamples(t, strings.Repeat("x", 40))
	loaded, err := config.Load("../config/lightlock.yaml", prototypes())
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, s := range loaded.Connectors {
		shown[s.Common().Channel] = true
	}
	for _, c := range channels() {
		if !shown[c.Name] {
			t.Errorf("config/connectors has no example of %s", c.Name)
		}
	}
	if _, err := NewApp(loaded, discard()); err != nil {
		t.Error(err)
	}
}

var update = flag.Bool("update", false, "write config/schemas anew")

// TestConfigSchemas compares the JSON Schemas that editors use with the structs
// that they are made from.
func TestConfigSchemas(t *testing.T) {
	of := map[string]any{"lightlock": config.Config{}, "agents": config.AgentsFile{}}
	for _, c := range channels() {
		of[c.Name] = c.Settings()
	}
	for name, settings := range of {
		want, err := config.Schema(settings)
		if err != nil {
			t.Fatal(err)
		}
		file := "../config/schemas/" + name + ".json"
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the structs say (%v); run go test ./gateway -run TestConfigSchemas -update", file, err)
		}
	}
}

// TestExamplesShowEveryKey: what only some channels have stands in their own
// examples, and what all have in one of them. What the gateway's own example
// explains, such as notices, is not repeated, and a key that ends in _file is
// another way to write the one before it.
func TestExamplesShowEveryKey(t *testing.T) {
	keys, texts, all := map[string][]string{}, map[string]string{}, ""
	known, gateways := map[string]int{}, propertyNames(t, config.Config{})
	for _, c := range channels() {
		keys[c.Name] = propertyNames(t, c.Settings())
		for _, k := range keys[c.Name] {
			known[k]++
		}
	}
	files, _ := filepath.Glob("../config/connectors/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimSuffix(filepath.Base(file), ".yaml")] = string(text)
		all += string(text)
	}
	for channel, names := range keys {
		for _, k := range names {
			text := texts[channel]
			if known[k] == len(keys) {
				text = all
			}
			explained := slices.Contains(gateways, k) || strings.HasSuffix(k, "_file")
			if !explained && !regexp.MustCompile(`\b`+k+`:`).MatchString(text) {
				t.Errorf("config/connectors/%s.yaml does not show %s; a comment is enough", channel, k)
			}
		}
	}
}

// propertyNames lists the keys of settings, at any depth.
func propertyNames(t *testing.T, settings any) (names []string) {
	t.Helper()
	schema, err := config.Schema(settings)
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(schema, &document); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			properties, _ := v["properties"].(map[string]any)
			names = slices.AppendSeq(names, maps.Keys(properties))
			for _, one := range v {
				walk(one)
			}
		}
	}
	walk(document)
	slices.Sort(names)
	return slices.Compact(names)
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadme holds the README against the program: each file that it names is
// there, and its table has each channel with the program's own limit.
func TestReadme(t *testing.T) {
	text := readme(t)
	links := regexp.MustCompile(`\]\(([a-zA-Z][^):]*)\)`).FindAllStringSubmatch(text, -1)
	if len(links) < 6 {
		t.Errorf("the README links to %d files", len(links))
	}
	for _, link := range links {
		if _, err := os.Stat(filepath.Join("..", link[1])); err != nil {
			t.Errorf("the README names %s: %v", link[1], err)
		}
	}
	for _, c := range channels() {
		row := regexp.MustCompile("(?m)^\\| `" + c.Name + "` .*$").FindString(text)
		if !strings.Contains(row, "| "+c.PhotoLimit.String()+" |") {
			t.Errorf("the README's table has no row of %s with its limit of %s: %q", c.Name, c.PhotoLimit, row)
		}
	}
}

// TestReadmeReader runs the README's reader against the queue of a gateway.
func TestReadmeReader(t *testing.T) {
	_, code, found := strings.Cut(readme(t), "```go\n")
	code, _, closed := strings.Cut(code, "```")
	if !found || !closed {
		t.Fatal("the README has no reader in Go")
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	h := open(t)
	for _, call := range h.calls("line", sim.Said{ID: "read", Consumer: "ana", At: time.Now(), Text: "hello"}) {
		h.post(call)
	}
	h.documents(1)
	binary := filepath.Join(t.TempDir(), "reader")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out gatewaytest.Log
	reader := exec.CommandContext(t.Context(), binary)
	reader.Env = append(os.Environ(), "REDIS="+h.app.config.Redis.Address)
	reader.Stdout, reader.Stderr = &out, os.Stderr
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Process.Kill(); _ = reader.Wait() }()
	deadline := time.Now().Add(time.Minute)
	for h.delivered() > 0 || !strings.Contains(out.String(), `"text":"hello"`) {
		if time.Now().After(deadline) {
			t.Fatalf("the reader left %d entries and printed %q", h.delivered(), out.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}
