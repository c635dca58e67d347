package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mattn/go-isatty"
	"golang.org/x/text/width"
)

// stream is standard output or standard error, and what it can do.
type stream struct {
	io.Writer
	colour bool // colours are wanted
	moves  bool // the cursor may be moved: a terminal that is not dumb
}

// newStream looks at what w is; when is "auto", "always" or "never".
func newStream(w io.Writer, when string) stream {
	f, isFile := w.(*os.File)
	able := isFile && isatty.IsTerminal(f.Fd()) && os.Getenv("TERM") != "dumb"
	auto := able && os.Getenv("NO_COLOR") == ""
	return stream{Writer: w, moves: able, colour: when == "always" || when == "auto" && auto}
}

// visible makes text safe to print and easy to tell from other text: what a
// terminal would obey, what nobody would see and what is not UTF-8 is written
// as an escape. File names are strangers' text.
func visible(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// visibleLines is visible for a text that has lines of its own.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	return strings.Join(lines, "\n")
}

// columns is how many columns of a terminal a visible text takes.
func columns(text string) (n int) {
	for _, r := range text {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			continue // drawn over the character before it
		}
		n++
		if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}

// printJSON writes v as one line. In its texts, what is not printable is
// escaped too where JSON would allow it raw, because the line may be looked at
// on a terminal.
func printJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	var line strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if unicode.IsPrint(r) {
			line.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&line, `\u%04x`, unit)
		}
	}
	_, err := io.WriteString(w, line.String()+"\n")
	return err
}

// runFolder is where `go run` keeps the programs that it builds: in a folder of
// the moment, or, named by a digest, in its cache.
var runFolder = regexp.MustCompile(`/go-build[0-9]+/b[0-9]+/exe/|/[0-9a-f]{2}/[0-9a-f]{64}-d/`)

// invoked is the program as a person would type it again.
func invoked(arg0 string) string {
	if !runFolder.MatchString(filepath.ToSlash(arg0)) {
		return visible(arg0)
	}
	if _, err := os.Stat("gateway/main.go"); err == nil {
		return "go run ./gateway"
	}
	return "lightlock"
}
