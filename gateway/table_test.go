package main

import (
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

var updateReadme = flag.Bool("update-readme", false, "write the README's table of channels")

// The README's table of what can be said to consumers stands between these.
const (
	tableBegins = "<!-- made by: go test ./gateway -run TestReadmeTable -update-readme -->\n"
	tableEnds   = "<!-- end -->\n"
)

// TestReadmeTable compares the README's table with what the channels say of
// themselves, what their platforms cannot do included.
func TestReadmeTable(t *testing.T) {
	text := readme(t)
	before, rest, found := strings.Cut(text, tableBegins)
	got, after, ends := strings.Cut(rest, tableEnds)
	if !found || !ends {
		t.Fatal("the README has no place for the table")
	}
	want := channelTable(t)
	if got == want {
		return
	}
	if !*updateReadme {
		t.Fatalf("the README's table is not what the channels say; run: go test ./gateway -run TestReadmeTable -update-readme\ngot\n%s\nwant\n%s", got, want)
	}
	if err := os.WriteFile("../README.md", []byte(before+tableBegins+want+tableEnds+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func channelTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| channel | texts up to | may be answered for | an answer that was lost | consumers can unsend or edit | `connect` asks the platform | the platform has no means for |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, c := range channels() {
		platform, err := c.Simulate()
		if err != nil {
			t.Fatal(err)
		}
		connector, err := c.New(platform.Settings("acme", "support"), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		_ = platform.Close()
		_, registers := connector.(connectors.Registrar)
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s | %s | %s | %s |\n", c.Name, c.Texts.Limit, window(c.Texts.Window),
			either(c.Texts.Resend, "is asked for again", "leaves it unknown"), either(c.Withdraws, "yes", "no"),
			either(registers, "yes", "no, by hand"), lacks(c.Cannot))
	}
	return b.String()
}

func window(d time.Duration) string {
	if d == 0 {
		return "ever"
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// lacks lists what a platform cannot do, each reason once with its checks.
func lacks(cannot map[string]string) string {
	checks := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(cannot)) {
		checks[cannot[name]] = append(checks[cannot[name]], "`"+name+"`")
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(checks)) {
		parts = append(parts, strings.Join(checks[reason], ", ")+": "+reason)
	}
	return strings.Join(parts, "; ")
}

// TestEveryChannelIsListed finds a channel that was written and forgotten.
func TestEveryChannelIsListed(t *testing.T) {
	listed := map[string]bool{}
	for _, c := range channels() {
		listed[c.Name] = true
	}
	folders, err := filepath.Glob("../connectors/*/*sim")
	if err != nil || len(folders) < len(listed) {
		t.Fatalf("found %d simulated platforms, %v", len(folders), err)
	}
	for _, folder := range folders {
		if name := filepath.Base(filepath.Dir(folder)); !listed[name] {
			t.Errorf("connectors/%s has a simulated platform, and gateway/channels.go does not list it", name)
		}
	}
}
