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
  fix  remove it; known here: enabled, max_bytes, formats, preview_side, thumbnail_side
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
