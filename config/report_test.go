package config

import (
	"strings"
	"testing"
)

func TestTwoFilesWithThreeWrongKeysAndTwoWrongTypes(t *testing.T) {
	inFolder(t, map[string]string{
		"lightlock.yaml": `public_url: https://photos.example.com
lisen: 127.0.0.1:9000
work:
  slots: many
photos:
  colour: true
`,
		"connectors/line.yaml": `# LINE
channel: line
name: acme

# from the console

chanel_secret: abc123
accounts:
  - id: U1
    queue: 12   # the old one was hunter2
    channel_access_token: ${TEST_ACCESS}
`,
	})
	const want = `connectors/line.yaml:7:1: unknown key "chanel_secret"
  7 | chanel_secret: [secret]
    | ^^^^^^^^^^^^^
  why  no webhook can be verified without channel_secret
  fix  rename it to channel_secret
connectors/line.yaml:10:12: accounts[0].queue: wanted a text, got the number 12
  10 |     queue: 12
     |            ^^
  why  what was meant is never guessed
  fix  put it in quotes: "12"
lightlock.yaml:2:1: unknown key "lisen"
  2 | lisen: [secret]
    | ^^^^^
  why  it has no effect
  fix  rename it to listen
lightlock.yaml:4:10: work.slots: wanted a whole number, got the text "many"
  4 |   slots: many
    |          ^^^^
  why  what was meant is never guessed
  fix  write digits only, without quotes
lightlock.yaml:6:3: unknown key "colour"
  6 |   colour: [secret]
    |   ^^^^^^
  why  it has no effect, and something may be missing because of it
  fix  remove it; known here: enabled, max_bytes, formats, damaged, preview_side, thumbnail_side, memory, keep
5 problems in 2 of 2 files`
	if got := mustFail(t).Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReportCounts(t *testing.T) {
	one := &Problems{List: []Problem{{File: "a", What: "w", Why: "y", Fix: "f"}}, Files: 8}
	if got, want := one.Error(), "a: w\n  why  y\n  fix  f\n1 problem in 1 of 8 files"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOneSlipDoesNotHideTheRest(t *testing.T) {
	inFolder(t, map[string]string{
		"lightlock.yaml": `public_url: https://photos.example.com
redis:
  address: "127.0.0.1:6379
work:
  slots: 0
trusted_proxies: [10.0.0.0/8
photos:
  formats: [bmp]
`,
		"connectors/line.yaml": strings.Replace(goodLine, "queue: support", "queue: Support", 1),
	})
	want := []string{
		`connectors/line.yaml:6:12: accounts[0].queue: "Support" is not a name of 1 to 64 characters a-z, 0-9 and -`,
		`lightlock.yaml:3:12: not YAML: could not find end character of double-quoted text`,
		`lightlock.yaml:5:10: work.slots: too small, wanted at least 1 and at most 1024`,
		`lightlock.yaml:6:18: not YAML: this bracket is not closed`,
		`lightlock.yaml:8:13: photos.formats[0]: "bmp" is not one of jpeg, png, gif, webp`,
	}
	if got := heads(mustFail(t)); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestWhatCouldNotBeReadIsNotMissing has required keys stand in, or be hidden
// by, what is no YAML.
func TestWhatCouldNotBeReadIsNotMissing(t *testing.T) {
	for _, c := range []refusal{
		{"name: [acme\nchannel: line\nchannel_secret: ${TEST_SECRET}\n", "1:7: not YAML: this bracket is not closed"},
		{"name: \x00\n", "1:1: the file has control characters in it"},
	} {
		inFolder(t, map[string]string{"lightlock.yaml": goodGateway, "connectors/line.yaml": c.text})
		wantOne(t, c, "connectors/line.yaml:")
	}
	inFolder(t, map[string]string{"lightlock.yaml": goodGateway,
		"connectors/line.yaml": strings.Replace(goodLine, "    queue: support\n", "", 1) + "ratio: [1\n"})
	want := []string{`connectors/line.yaml:5:5: missing key "queue"`, "connectors/line.yaml:7:8: not YAML: "}
	if got := heads(mustFail(t)); len(got) != 2 || got[0] != want[0] || !strings.HasPrefix(got[1], want[1]) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFixes(t *testing.T) {
	for text, want := range map[string]string{
		"photos: {max_bytes: 10 MiB}":            "write 10 MB",
		"photos: {max_bytes: 1.5 g}":             "write 1.5 GB",
		"photos: {max_bytes: 10 parsecs}":        `write a number and one of B, KB, MB, GB, such as "10 MB"`,
		"photos: {max_bytes: MB}":                `write a number and one of B, KB, MB, GB, such as "10 MB"`,
		"photos: {max_bytes: 10}":                "write 10 B, or a number of KB, MB or GB",
		"work: {lease: 30}":                      "write 30s for seconds, 30m for minutes, 30h for hours",
		"work: {lease: 1 day}":                   `write a number and one of ms, s, m, h, d, such as "30s", "1h30m" or "30d"`,
		"work: {slots: 0}":                       "choose at least 1 and at most 1024",
		"work: {slots: '4'}":                     "write digits only, without quotes",
		"lisen: a":                               "rename it to listen",
		"photos: {formats: [jpg]}":               "write jpeg",
		"photos: {formats: [bmp]}":               "write one of jpeg, png, gif, webp",
		"tls: {cert_file: lightlock.yaml}":       "add key_file: KEY_FILE",
		"redis: {address: 'a:1', password: abc}": "put it into the environment or a file, and write password: ${PASSWORD}, or password_file: PATH",
		"data: true":                             `put it in quotes: "true"`,
		"photos: {damaged: true}":                "write one of reject, show",
	} {
		inFolder(t, map[string]string{"lightlock.yaml": withURL(text)})
		if list := mustFail(t).List; len(list) != 1 || list[0].Fix != want {
			t.Errorf("%s\ngot fix %q, want %q", text, list[0].Fix, want)
		}
	}
}
