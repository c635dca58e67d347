package config

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// FuzzLoad reads one connector's file that has a secret in it, on a line of its
// own, between two stretches of anything.
func FuzzLoad(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""},
		{"channel: line\nname: acme\n", "accounts:\n  - id: U1\n    queue: support\n"},
		{"name: \"", "\"\n"},
		{"queue: [a, {b: ", "}]\n"},
		{"accounts:\n- id: |\n   x\n  queue: >-\n", "? [a]\n: b\n"},
		{"name: 'x", "': y"},
		{"&a {*b : !!c d, \"", "\": }"},
		{"---\n%YAML 1.2\n", "...\n---\n- x"},
		{"<<: *x\n\tratio: 1e400\n", "ratio: .inf\nratio: 10 MB"},
		{"# x\n\r\n\ufeff", "\x00"},
		{"channel: \"line", "\"\nname: a"},
		{"api_base: \"http://[", "]/?#\"\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	inFolder(f, map[string]string{"lightlock.yaml": goodGateway, "connectors/line.yaml": ""})
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + "\nchannel_secret: " + canary + "\n" + after
		if strings.Contains(before+after, "c4n4ry") {
			t.Skip()
		}
		if err := os.WriteFile("connectors/line.yaml", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load("lightlock.yaml", testChannels)
		if err == nil {
			return // the line was part of a comment or a text
		}
		var problems *Problems
		if !errors.As(err, &problems) {
			t.Fatal(err)
		}
		if leaks(problems.Error()) {
			t.Errorf("the secret is in the report:\n%s", problems)
		}
		wellFormed(t, problems)
	})
}
