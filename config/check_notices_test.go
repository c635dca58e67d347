package config

import (
	"strings"
	"testing"
)

func TestNoticesThatWouldNotReadAsMeant(t *testing.T) {
	inFolder(t, map[string]string{
		"lightlock.yaml": `public_url: https://photos.example.com
notices:
  language: deutsch
  texts:
    - language: en
      too_large: "Larger than {limit} is too large for {limt}."
      unsupported_type: "Send it as {formats}."
    - language: en
      corrupt: Broken.
    - language: pt_BR
      corrupt: "{}"
`,
		"connectors/line.yaml": goodLine + "    notices:\n      language: klingonish\n",
	})
	var report strings.Builder
	if err := mustFail(t).Write(&report); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"lightlock.yaml:3:13:", "lightlock.yaml:6:18:", "lightlock.yaml:8:17:", "lightlock.yaml:11:16:",
		"connectors/line.yaml:9:17:", "a placeholder that stands for nothing", "the same language as texts[0]", "not a language", "5 problems",
	} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("no %q in\n%s", want, report.String())
		}
	}
}
