package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// examples are the command lines in a help text, without "lightlock" and
// without what the shell takes.
func examples(text string) [][]string {
	var lines [][]string
	for line := range strings.Lines(text) {
		line, found := strings.CutPrefix(line, "  lightlock ")
		if !found {
			continue
		}
		line = regexp.MustCompile(`( \| | 2> | && ).*`).ReplaceAllString(line, "")
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

// TestExamples reads every example as the program would.
func TestExamples(t *testing.T) {
	texts := map[string]string{
		"": description, "serve": serveCmd{}.Help(), "demo": demoCmd{}.Help(), "photo": photoCmd{}.Help(), "check": checkCmd{}.Help(),
		"agent": agentCmd{}.Help(), "agent token": agentTokenCmd{}.Help(), "agent release": agentReleaseCmd{}.Help(), "connect": connectCmd{}.Help(), "queue": queueCmd{}.Help(), "dead": deadCmd{}.Help(),
		"dead list": deadListCmd{}.Help(), "dead show": deadShowCmd{}.Help(), "dead retry": deadRetryCmd{}.Help(), "dead drop": deadDropCmd{}.Help(), "load": loadCmd{}.Help(), "forget": forgetCmd{}.Help(),
	}
	for name, text := range texts {
		list := examples(text)
		if len(list) != 3 {
			t.Errorf("%q: %d examples, want 3", name, len(list))
		}
		for _, args := range list {
			var grammar commands
			parser, err := kong.New(&grammar, grammarVars())
			if err != nil {
				t.Fatal(err)
			}
			command, err := parser.Parse(args)
			if err != nil {
				t.Errorf("%q: %v", args, err)
				continue
			}
			if got := command.Command(); !strings.HasPrefix(got+" ", name+" ") && name != "" {
				t.Errorf("%q is an example of %s", args, got)
			}
		}
	}
}

func TestHelp(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--help"}, []string{"Lightlock takes", "serve", "demo", "photo", "check", "--color"}},
		{[]string{"help"}, []string{"Lightlock takes"}},
		{[]string{"serve", "--help"}, []string{"Run the gateway.", "--config", "exits 0"}},
		{[]string{"demo", "-h"}, []string{"Send a photo", "--photo", "--keep", "--json"}},
		{[]string{"help", "photo"}, []string{"Develop local pictures", "10485760", "--out", "jpeg,png,gif unless set", "--damaged"}},
		{[]string{"check", "--help"}, []string{"every problem", "lightlock.yaml unless set"}},
	} {
		r := lightlock(t, c.args...)
		if r.code != exitDone || r.err != "" {
			t.Errorf("%q: exit %d, stderr %q", c.args, r.code, r.err)
		}
		hasAll(t, r.out, append(c.want, "Examples:", homepage)...)
		for line := range strings.Lines(r.out) {
			if len(line) > 101 {
				t.Errorf("%q: %d columns: %s", c.args, len(line), line)
			}
		}
	}
}

func TestWrongUse(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"dmeo"}, []string{`unexpected argument dmeo, did you mean "demo"?`, "--help"}},
		{[]string{"chek"}, []string{`did you mean "check"?`}},
		{[]string{"photo"}, []string{`expected "<path> ..."`, "photo --help"}},
		{[]string{"photo", "--jsn", "x"}, []string{`did you mean "--json"?`, "photo --help"}},
		{[]string{"photo", "--max-bytes=0", "x"}, []string{"--max-bytes is 0; from 1 to 268435456"}},
		{[]string{"photo", "--max-bytes=-5", "x"}, []string{"--max-bytes is -5"}},
		{[]string{"photo", "--max-bytes=99999999999999999999", "x"}, []string{"--max-bytes"}},
		{[]string{"photo", "--max-bytes=3k", "x"}, []string{`"3k"`}},
		{[]string{"photo", "--formats=jpeg,bmp", "x"}, []string{`--formats has "bmp"; it may have jpeg, png, gif, webp`, "photo --help"}},
		{[]string{"photo", "--formats=", "x"}, []string{"--formats"}},
		{[]string{"photo", "--formats=\x1b[2J", "x"}, []string{`--formats has "\x1b[2J"`}},
		{[]string{"photo", "--damaged=maybe", "x"}, []string{`"reject","show"`}},
		{[]string{"--cofnig", "x"}, []string{`did you mean "--config"?`}},
		{[]string{"serve", "extra"}, []string{"unexpected argument extra", "serve --help"}},
		{[]string{"--color=pink", "check"}, []string{`"auto","always","never"`}},
		{[]string{"serve", "--log-format=xml"}, []string{`"text","json"`}},
		{[]string{"\x1b[31mred"}, []string{`unexpected argument \x1b[31mred`}},
	} {
		r := lightlock(t, c.args...)
		if r.code != exitFailed || r.out != "" {
			t.Errorf("%q: exit %d, want %d; stdout %q", c.args, r.code, exitFailed, r.out)
		}
		hasAll(t, r.err, c.want...)
		if strings.Contains(r.err, "\x1b") {
			t.Errorf("%q: the terminal is told to do something: %q", c.args, r.err)
		}
	}
}

// TestDefaultCommand: without a command, serve's flags are understood.
func TestDefaultCommand(t *testing.T) {
	for _, args := range [][]string{{"--config", "/nowhere.yaml"}, {"--color=never", "--config=/nowhere.yaml"}, {"serve", "--config", "/nowhere.yaml"}} {
		if r := lightlock(t, args...); r.code != exitFailed || !strings.Contains(r.err, "/nowhere.yaml does not exist") {
			t.Errorf("%q: exit %d, %s", args, r.code, r.err)
		}
	}
}

func TestArgumentsAreNotChanged(t *testing.T) {
	args := []string{"help", "photo", "x"}
	lightlock(t, args[:2]...)
	if want := []string{"help", "photo", "x"}; !slices.Equal(args, want) {
		t.Errorf("got %q, want %q", args, want)
	}
}
