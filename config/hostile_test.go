package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHostileFiles(t *testing.T) {
	many := strings.Builder{}
	for i := range 30_000 {
		fmt.Fprintf(&many, "k%d: v\n", i)
	}
	for _, c := range []struct{ name, text, want string }{
		{"flow depth", "data: " + strings.Repeat("[", 50_000), "1:38: this is nested too deeply"},
		{"flow map depth", strings.Repeat("{a: ", 30_000), "1:129: this is nested too deeply"},
		{"list depth", strings.Repeat("- ", 30_000), "1:65: this is nested too deeply"},
		{"key depth", nested(1000), "33:33: this is nested too deeply"},
		{"question marks", strings.Repeat("? ", 30_000), "1:65: this is nested too deeply"},
		{"many keys", many.String(), "the file has too many keys and values"},
		{"huge", strings.Repeat("# comment\n", 120_000), "the file is larger than 1 MB"},
		{"huge blank", strings.Repeat("\n", maxFileBytes), ""},
		{"long line", "colour: " + strings.Repeat("x", 500_000), `1:1: unknown key "colour"`},
		{"long key", strings.Repeat("x", 500_000) + ": 1", `1:1: unknown key a long text`},
		{"NUL", "data: a\x00b\n", "1:1: the file has control characters in it"},
		{"escape", "public_url: x\ncolour\x1b[31m: y\n", "2:1: the file has control characters in it"},
		{"not UTF-8", "data: x\ndata: \xff\xfe\n", "2:1: the file is not UTF-8 text"},
		{"UTF-16", "\xff\xfed\x00a\x00t\x00a\x00", "1:1: the file is not UTF-8 text"},
		{"BOM", "\ufeffcolour: x\n", "1:1: unknown key \"colour\"\n  1 | colour: [secret]\n    | ^^^^^^\n"},
		{"CRLF", "data: x\r\n\r\ncolour: x\r\n", "3:1: unknown key \"colour\"\n  3 | colour: [secret]\n    | ^^^^^^\n"},
		{"CR", "data: x\rcolour: x\r", "2:1: unknown key \"colour\""},
		{"direction marks", "data: x\n\u202ecolour: x\n", "2:1: unknown key"},
		{"tab", "work:\n\tslots: 3\n", "not YAML"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inFolder(t, map[string]string{"lightlock.yaml": c.text})
			_, err := Load("lightlock.yaml", testChannels)
			if c.want == "" {
				if err != nil {
					t.Errorf("got %v, want none", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %.300v, want %q", err, c.want)
			}
			var problems *Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got a %T, want *Problems", err)
			}
			wellFormed(t, problems)
			if strings.ContainsRune(err.Error(), '\u202e') {
				t.Error("the report has a direction mark in it")
			}
		})
	}
}

func TestAliases(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	inFolder(t, map[string]string{"lightlock.yaml": bomb})
	if got := mustFail(t).Error(); len(got) > 20_000 || !strings.Contains(got, `unknown key "b"`) {
		t.Errorf("alias bomb: got %d bytes: %.300s", len(got), got)
	}
	inFolder(t, map[string]string{"lightlock.yaml": "photos:\n  formats: &a [jpeg, jpeg]\ntrusted_proxies: [*a, *a]\n"})
	if got := heads(mustFail(t)); len(got) != 3 || !strings.Contains(got[1], "an alias (*) is not read here") {
		t.Errorf("aliases: got %q", got)
	}
}

func nested(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "k:\n")
	}
	return b.String()
}

func TestTooManyFiles(t *testing.T) {
	inFolder(t, map[string]string{"lightlock.yaml": "connectors: c\n"})
	if err := os.Mkdir("c", 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range maxFiles + 1 {
		if err := os.WriteFile(fmt.Sprintf("c/%d.yaml", i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantOne(t, refusal{"", "1:13: connectors: more than 1000 files in the folder"}, "lightlock.yaml:")
}

// TestSecretsInOddPlaces writes secrets where people and editors put them, and
// wants a report without them.
func TestSecretsInOddPlaces(t *testing.T) {
	for _, text := range []string{
		"chanel_secret: CANARY",
		"chanel_secret:\n  - CANARY\n  - b: CANARY",
		"chanel_secret: |\n  CANARY",
		"chanel_secret: >-\n  CANARY\n  CANARY",
		"chanel_secret: \"CANARY\n  CANARY\"",
		"channel_secret: *CANARY",
		"channel_secret: !CANARY x",
		"channel_secret: &CANARY x",
		"channel_secret: {CANARY: CANARY}",
		"channel_secret: [CANARY, [CANARY]]",
		"channel_secret: {CANARY: ",
		"colour: {CANARY: {CANARY: x}}",
		"colour: x\ncolour: {CANARY: {CANARY: x}}",
		"name: {CANARY: CANARY}",
		"ratio: [a, {CANARY: CANARY",
		"channel_secret: ${CANARY-}",
		"channel_secret: \"${CANARY\"",
		"channel_secret_file: CANARY",
		"channel_secret: # CANARY",
		"channel_secret: CANARY\n  x",
		"channel_secret: CANARY\n  x\nratio: y",
		"ratio: x # CANARY",
		"channel_secret: CANARY: x",
		"channel_secret: \"CANARY",
		"channel_secret: [CANARY",
		"channel_secret: @CANARY",
		"channel_secret: x\n  y: CANARY",
		"channel_secret: x\n CANARY\n\tCANARY: :",
		"{channel_secret: CANARY, colour: CANARY}",
		"{colour: \"x\n CANARY\", ratio: x}",
		"accounts: [{id: 1, channel_access_token: CANARY}]",
		"accounts:\n- id: 1\n  channel_access_token: CANARY\n  x: CANARY",
		"ratio: [CANARY]",
		"accounts: CANARY2 CANARY: ",
		"%CANARY CANARY",
		"channel_secret: x\n---\nCANARY",
	} {
		inFolder(t, map[string]string{"lightlock.yaml": goodGateway, "connectors/line.yaml": strings.ReplaceAll(text, "CANARY", canary)})
		p := mustFail(t)
		if leaks(p.Error()) {
			t.Errorf("%s\nshows it:\n%s", text, p)
		}
		wellFormed(t, p)
	}
}

// TestSecretsUnderHarmlessKeys writes secrets as parts of values that are shown
// otherwise.
func TestSecretsUnderHarmlessKeys(t *testing.T) {
	for _, text := range []string{
		"redis: {address: 'redis://:CANARY@redis.internal:6379'}",
		"redis:\n  address: ':CANARY@redis.internal'",
		"redis: redis://:CANARY@redis.internal",
		"work: {slots: 'a@CANARY'}",
		"work: {lease: '1 a?CANARY'}",
		"photos: {formats: ['jpeg@CANARY']}",
		"services: [{name: 'a@CANARY', token: '${TEST_TOKEN}', queues: [a]}]",
		"public_url: https://user:CANARY@example.com",
		"public_url: https://example.com/?token=CANARY",
		"public_url: https://example.com/#CANARY",
		"listen: user:CANARY@127.0.0.1:80",
		"connectors: |\n  CANARY",
		"tls:\n  cert_file: lightlock.yaml\n  key_file: |\n    -----BEGIN PRIVATE KEY-----\n    CANARY",
		"tls: {cert_file: lightlock.yaml, key_file: \"-----BEGIN PRIVATE KEY-----\\nCANARY\"}",
		"'https://user:CANARY@example.com': x",
	} {
		inFolder(t, map[string]string{"lightlock.yaml": withURL(strings.ReplaceAll(text, "CANARY", canary))})
		p := mustFail(t)
		if leaks(p.Error()) {
			t.Errorf("%s\nshows it:\n%s", text, p)
		}
		wellFormed(t, p)
	}
}

// plainKey is an unknown key that is written without quotes.
var plainKey = regexp.MustCompile(`^unknown key "([a-z_]+)"$`)

// wellFormed checks that every problem can be drawn, and that a key is where
// its problem says, unless it is written so that it is hidden or cut.
func wellFormed(t testing.TB, p *Problems) {
	t.Helper()
	for _, one := range p.List {
		if key := plainKey.FindStringSubmatch(one.What); key != nil && one.Length > 0 && !strings.HasSuffix(one.Source, "…") {
			if marked := string([]rune(one.Source)[one.Column-1:]); marked != hidden && !strings.HasPrefix(strings.TrimLeft(marked, `"'`), key[1]) {
				t.Errorf("the mark is beside %s: %+v", key[1], one)
			}
		}
		switch width := utf8.RuneCountInString(one.Source); {
		case one.What == "" || one.Why == "" || one.Fix == "":
			t.Errorf("no what, why or fix: %+v", one)
		case strings.ContainsAny(one.What+one.Why+one.Fix+one.Source, "\n\r\t\x1b\x00"):
			t.Errorf("control characters: %+v", one)
		case one.Line < 0 || one.Line > 0 && one.Column < 1 || one.Length < 0:
			t.Errorf("no such place: %+v", one)
		case one.Length > 0 && one.Column-1+one.Length > width:
			t.Errorf("marks what is not there: %+v", one)
		}
	}
}
