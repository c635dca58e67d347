package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-isatty"

	"github.com/lightlock/lightlock/media"
)

// The verdicts of a row. failed is none: the photo could not be judged.
const (
	statusReady    = "ready"
	statusRejected = "rejected"
	statusFailed   = "failed"
)

// row is what became of one photo, as --json prints it.
type row struct {
	Path      *string      `json:"path,omitempty"`
	Channel   *string      `json:"channel,omitempty"`
	Account   *string      `json:"account,omitempty"`
	Status    string       `json:"status"`
	Reason    string       `json:"reason"`
	Detail    string       `json:"detail"`
	Source    source       `json:"source"`
	Preview   *pictureFile `json:"preview"`
	Thumbnail *pictureFile `json:"thumbnail"`
	MS        int64        `json:"ms"`
}

// source is the original: zero values where nothing is known.
type source struct {
	Type   string `json:"type"`
	Bytes  int64  `json:"bytes"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// pictureFile is a developed picture; Path is empty where it was not kept.
type pictureFile struct {
	Path   string `json:"path"`
	Type   string `json:"type"`
	Bytes  int64  `json:"bytes"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

func sourceOf(s media.Source) source {
	return source{Type: s.Type, Bytes: s.Bytes, Width: s.Width, Height: s.Height}
}

// printJSON writes the row as one line.
func (r row) printJSON(w io.Writer) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// cells are the row as a table shows it, without its name.
func (r row) cells() []string {
	size := ""
	if r.Source.Bytes > 0 {
		size = bytesText(r.Source.Bytes)
	}
	if r.Source.Width > 0 {
		size += fmt.Sprintf(" %d×%d", r.Source.Width, r.Source.Height)
	}
	switch r.Status {
	case statusReady:
		return []string{"✓", r.Status, size, bytesText(r.Preview.Bytes), bytesText(r.Thumbnail.Bytes), strconv.FormatInt(r.MS, 10)}
	case statusRejected:
		return []string{"✗", r.Reason, size, r.Detail}
	default:
		return []string{"✗", "not judged", size, r.Detail}
	}
}

// table prints rows in columns. A row may end early; its last cell is a
// sentence and takes the room that is left.
func table(w io.Writer, head []string, rows [][]string, colour bool) {
	width := make([]int, len(head))
	for _, cells := range append([][]string{head}, rows...) {
		for i, c := range cells {
			if i < len(cells)-1 || len(cells) == len(head) {
				width[i] = max(width[i], utf8.RuneCountInString(c))
			}
		}
	}
	for n, cells := range append([][]string{head}, rows...) {
		var line strings.Builder
		for i, c := range cells {
			pad := strings.Repeat(" ", max(0, width[i]-utf8.RuneCountInString(c)))
			if i >= 4 {
				line.WriteString(pad + c + "  ") // figures stand right
			} else {
				line.WriteString(c + pad + "  ")
			}
		}
		text := strings.TrimRight(line.String(), " ")
		if colour && n > 0 {
			text = paint(text)
		}
		fmt.Fprintln(w, text)
	}
}

// paint colours the mark at a line's head.
func paint(line string) string {
	line = strings.Replace(line, "✓", "\x1b[32m✓\x1b[0m", 1)
	return strings.Replace(line, "✗", "\x1b[31m✗\x1b[0m", 1)
}

// colourful tells whether w is a terminal that wants colour.
func colourful(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// bytesText is a size as people read it; 1 MB = 1,048,576 bytes, rounded up
// so that nothing too large seems to be within its limit.
func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%d kB", (n+1023)>>10)
	default:
		tenths := (n*10 + (1<<20 - 1)) >> 20 // up: "10.1 MB" is over 10 MB
		return fmt.Sprintf("%d.%d MB", tenths/10, tenths%10)
	}
}

// count is a number with its noun: "1 file", "2 files".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
