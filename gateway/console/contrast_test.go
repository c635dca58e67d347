package console_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// tokens reads the colours from the stylesheet: of each name the one in light and
// the one in dark.
func tokens(t *testing.T) map[string][2]string {
	t.Helper()
	css, err := os.ReadFile("assets/console.css")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][2]string{}
	for _, found := range regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9A-F]{6}), (#[0-9A-F]{6})\);`).FindAllSubmatch(css, -1) {
		all[string(found[1])] = [2]string{string(found[2]), string(found[3])}
	}
	return all
}

// luminance is WCAG's relative luminance.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift int) float64 {
		v := float64(n>>shift&255) / 255
		if v <= .04045 {
			return v / 12.92
		}
		return math.Pow((v+.055)/1.055, 2.4)
	}
	return .2126*part(16) + .7152*part(8) + .0722*part(0)
}

func ratio(t *testing.T, a, b string) float64 {
	t.Helper()
	high, low := luminance(t, a), luminance(t, b)
	if low > high {
		high, low = low, high
	}
	return (high + .05) / (low + .05)
}

// TestContrast computes what axe leaves undecided: every colour of text against
// each of the five backgrounds, in light and in dark.
func TestContrast(t *testing.T) {
	t.Parallel()
	all := tokens(t)
	backgrounds := []string{"bg", "surface", "raised", "tint", "danger-tint"}
	for scheme, name := range []string{"light", "dark"} {
		for _, row := range []struct {
			token string
			on    []string
			least float64
		}{
			{"text", backgrounds, 7},
			{"muted", backgrounds, 4.5},
			{"accent", backgrounds, 4.5},
			{"danger", backgrounds, 4.5},
			{"ok", backgrounds, 4.5},
			{"on-accent", []string{"accent"}, 4.5},
			{"edge", backgrounds, 3},
			{"focus", backgrounds, 3},
		} {
			worst := math.Inf(1)
			for _, on := range row.on {
				if all[row.token][scheme] == "" || all[on][scheme] == "" {
					t.Fatalf("no token %s or %s in the stylesheet", row.token, on)
				}
				worst = min(worst, ratio(t, all[row.token][scheme], all[on][scheme]))
			}
			said := fmt.Sprintf("%s, %s %s: %.1f", name, row.token, all[row.token][scheme], worst)
			t.Log(said)
			if worst < row.least {
				t.Errorf("%s; at least %.1f is needed", said, row.least)
			}
		}
	}
}

// TestColoursAreTokens finds colours that the contrast test does not see.
func TestColoursAreTokens(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/console.css")
	if err != nil {
		t.Fatal(err)
	}
	rest := regexp.MustCompile(`--[a-z-]+: light-dark\([^)]*\);`).ReplaceAll(css, nil)
	// White on a photo that is darkened by 60 % is read on any photo.
	rest = regexp.MustCompile(`rgb\(0 0 0 / \.6\); color: #FFFFFF`).ReplaceAll(rest, nil)
	for _, found := range regexp.MustCompile(`#[0-9A-Fa-f]{3,8}\b[^{]*;`).FindAll(rest, -1) {
		t.Errorf("a colour that is no token: %s", found)
	}
}
