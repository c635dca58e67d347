package outbound_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/outbound"
)

func TestSplit(t *testing.T) {
	for _, row := range []struct {
		name, text string
		limit      int
		want       []string
	}{
		{"short", " hello ", 10, []string{"hello"}},
		{"nothing", " \n", 10, nil},
		{"exactly", "0123456789", 10, []string{"0123456789"}},
		{"at a line", "first line\nthe second one", 16, []string{"first line", "the second one"}},
		{"at a sentence", "It broke. I want a new one.", 20, []string{"It broke.", "I want a new one."}},
		{"at a word", "no stop anywhere here", 10, []string{"no stop", "anywhere", "here"}},
		{"a line too early to break at", "a\nbbbb bbbb bbbb bbbb", 12, []string{"a\nbbbb bbbb", "bbbb bbbb"}},
		{"no word ends", strings.Repeat("x", 25), 10, []string{"xxxxxxxxxx", "xxxxxxxxxx", "xxxxx"}},
		{"emoji have two units", "📷📷📷", 5, []string{"📷📷", "📷"}},
		{"a family stays together", "ab👨‍👩‍👧cd", 9, []string{"ab", "👨‍👩‍👧", "cd"}},
		{"an accent stays on its letter", "e\u0301e\u0301e\u0301", 3, []string{"e\u0301", "e\u0301", "e\u0301"}},
		{"Japanese has no spaces", "写真を送ってください", 6, []string{"写真を送って", "ください"}},
		{"one character longer than a part", "e" + strings.Repeat("\u0301", 9), 4, []string{"e\u0301\u0301\u0301", "\u0301\u0301\u0301\u0301", "\u0301\u0301"}},
	} {
		if got := outbound.Split(row.text, row.limit); !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

// Nothing that was written is lost, doubled or cut in two.
func TestSplitKeepsEveryWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(
			rapid.SampledFrom([]rune(" \n.,!?ab\u0301📷👨\u200d👩写🇩🇪\u202e\t")), rapid.Rune(),
		)).Draw(t, "text")
		limit := rapid.IntRange(2, 40).Draw(t, "limit")
		parts := outbound.Split(text, limit)
		for _, part := range parts {
			if n := connectors.Length(part); n == 0 || n > limit {
				t.Errorf("part %q has %d units, want 1 to %d", part, n, limit)
			}
			if utf8.ValidString(text) && !utf8.ValidString(part) {
				t.Errorf("part %q is cut inside a rune", part)
			}
		}
		if got, want := words(strings.Join(parts, "")), words(text); got != want {
			t.Errorf("got %q, want all of %q", got, want)
		}
		if longestCluster(text) <= limit && clusters(parts) > uniseg.GraphemeClusterCount(text) {
			t.Errorf("%q was cut inside a character: %q", text, parts)
		}
	})
}

// words is a text without its white space.
func words(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}

func clusters(parts []string) int {
	n := 0
	for _, part := range parts {
		n += uniseg.GraphemeClusterCount(part)
	}
	return n
}

func longestCluster(text string) int {
	longest := 0
	for g := uniseg.NewGraphemes(text); g.Next(); {
		longest = max(longest, connectors.Length(g.Str()))
	}
	return longest
}
