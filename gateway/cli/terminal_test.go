package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode"
)

func TestVisible(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"cat.jpg", "cat.jpg"},
		{"with space.jpg", "with space.jpg"},
		{"日本語 📷 ñ", "日本語 📷 ñ"},
		{"new\nline\ttab", `new\nline\ttab`},
		{"\x1b[31mred\x1b]0;title\a", `\x1b[31mred\x1b]0;title\a`},
		{"\u009b31m", `\u009b31m`},
		{"\u202egpj.exe", `\u202egpj.exe`},
		{"a\u200bb\u00a0c\u007f", `a\u200bb\u00a0c\x7f`},
		{"\xff\xfe", `\xff\xfe`},
		{"\ufffd", "\ufffd"},
		{"", ""},
	} {
		if got := visible(c.text); got != c.want {
			t.Errorf("visible(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	if got, want := visibleLines("a\x1b\nb\r"), `a\x1b`+"\n"+`b\r`; got != want {
		t.Errorf("visibleLines = %q, want %q", got, want)
	}
}

func FuzzVisible(f *testing.F) {
	for _, text := range []string{"cat.jpg", "\x1b[2J", "\xff\u009b", "\u202e日本\U000e0001"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := visible(text)
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("visible(%q) = %q has %U", text, got, r)
			}
		}
		if again := visible(got); again != got {
			t.Errorf("what is visible was changed: %q, %q", got, again)
		}
		if most := shorten(got, 10); columns(most) > 10 {
			t.Errorf("shortened to %d columns: %q", columns(most), most)
		}
	})
}

func TestColumns(t *testing.T) {
	for text, want := range map[string]int{"abc": 3, "4032×3024": 9, "日本": 4, "📷": 2, "e\u0301": 1, "✓": 1, "": 0} {
		if got := columns(text); got != want {
			t.Errorf("columns(%q) = %d, want %d", text, got, want)
		}
	}
	for _, c := range []struct {
		most int
		want string
	}{{10, "日本語"}, {6, "日本語"}, {5, "日本…"}, {4, "日…"}, {1, "…"}} {
		if got := shorten("日本語", c.most); got != c.want {
			t.Errorf("shorten to %d = %q, want %q", c.most, got, c.want)
		}
	}
}

func TestPrintJSONKeepsTheTextAndHarmsNoTerminal(t *testing.T) {
	text := "<b>&\x1b[31m\u009b\u007f\u202e\U000e0001日本"
	var b strings.Builder
	if err := printJSON(&b, map[string]string{"path": text}); err != nil {
		t.Fatal(err)
	}
	if line := b.String(); visible(strings.TrimSuffix(line, "\n")) != strings.TrimSuffix(line, "\n") {
		t.Errorf("not printable: %q", line)
	}
	hasAll(t, b.String(), "<b>&", "日本")
	var back map[string]string
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back["path"] != text {
		t.Errorf("came back as %q, %v; want %q", back["path"], err, text)
	}
}

// TestStreams uses the master of a new pseudo terminal, which is a terminal to
// whoever asks.
func TestStreams(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	defer terminal.Close()
	file, err := os.Create(put(t, t.TempDir(), "file", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		to                  *os.File
		when, noColor, term string
		colour, moves       bool
	}{
		{terminal, "auto", "", "xterm", true, true},
		{terminal, "auto", "1", "xterm", false, true},
		{terminal, "auto", "", "dumb", false, false},
		{terminal, "never", "", "xterm", false, true},
		{terminal, "always", "1", "dumb", true, false},
		{file, "auto", "", "xterm", false, false},
		{file, "always", "", "xterm", true, false},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		s := newStream(c.to, c.when)
		if s.colour != c.colour || s.moves != c.moves {
			t.Errorf("%s, --color=%s NO_COLOR=%s TERM=%s: colour %v, moves %v; want %v, %v",
				c.to.Name(), c.when, c.noColor, c.term, s.colour, s.moves, c.colour, c.moves)
		}
	}
}

func TestInvoked(t *testing.T) {
	t.Chdir(t.TempDir())
	const digest = "286498d8278ca68b29206124621191611404b3d9449f4b3541770523fb1dd3ec"
	for arg0, want := range map[string]string{
		"lightlock":           "lightlock",
		"./lightlock":         "./lightlock",
		"/usr/bin/\x1blight":  `/usr/bin/\x1blight`,
		"/root/28/go/gateway": "/root/28/go/gateway",
		"/tmp/go-build3179067819/b001/exe/gateway":      "lightlock",
		"/root/.cache/go-build/28/" + digest + "-d/x":   "lightlock",
		"/elsewhere/of/cache/28/" + digest + "-d/cache": "lightlock",
	} {
		if got := invoked(arg0); got != want {
			t.Errorf("invoked(%q) = %q, want %q", arg0, got, want)
		}
	}
	put(t, ".", "gateway/main.go", nil)
	if got, want := invoked("/tmp/go-build3179067819/b001/exe/gateway"), "go run ./gateway"; got != want {
		t.Errorf("in the project's folder: %q, want %q", got, want)
	}
}
