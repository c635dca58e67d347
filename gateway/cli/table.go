package cli

import (
	"fmt"
	"strconv"
	"strings"
)

// widestName is the widest name that a column makes room for. A longer one is
// not cut; its row moves to the right alone.
const widestName = 72

// The colours of the mark at a row's head.
const (
	green = "\x1b[32m"
	red   = "\x1b[31m"
	plain = "\x1b[0m"
)

// table prints rows in columns. The first column is a mark, the last one holds
// figures. A row may end early; its last cell then is a sentence and takes the
// room that is left.
type table struct {
	head []string
	rows [][]string
	// figures tells that every column behind the second holds figures.
	figures bool
}

// print writes the table in one piece.
func (t table) print(s stream) error {
	var b strings.Builder
	widths := t.widths()
	t.line(&b, widths, t.head)
	for _, cells := range t.rows {
		var line strings.Builder
		t.line(&line, widths, cells)
		b.WriteString(paint(line.String(), cells[0], s.colour))
	}
	_, err := fmt.Fprint(s, b.String())
	return err
}

func (t table) widths() []int {
	widths := make([]int, len(t.head))
	for _, cells := range append([][]string{t.head}, t.rows...) {
		for i, c := range cells {
			if i == len(cells)-1 && len(cells) < len(t.head) {
				continue // a sentence
			}
			if n := columns(c); n <= widestName {
				widths[i] = max(widths[i], n)
			}
		}
	}
	return widths
}

// line writes one row.
func (t table) line(b *strings.Builder, widths []int, cells []string) {
	for i, c := range cells {
		pad := strings.Repeat(" ", max(0, widths[i]-columns(c)))
		switch {
		case i == len(t.head)-1:
			b.WriteString(pad + c)
		case t.figures && i > 1:
			b.WriteString(pad + c + "  ")
		case i == len(cells)-1:
			b.WriteString(c)
		case i == 0:
			b.WriteString(c + pad + " ")
		default:
			b.WriteString(c + pad + "  ")
		}
	}
	b.WriteByte('\n')
}

// paint colours the mark at a line's head.
func paint(line, mark string, colour bool) string {
	if !colour {
		return line
	}
	tint := red
	if mark == markReady {
		tint = green
	}
	return tint + mark + plain + strings.TrimPrefix(line, mark)
}

// bytesText is a size as people read it; 1 MB = 1,048,576 bytes. It is never
// rounded onto a whole number of megabytes, which may be a limit that it keeps
// or breaks.
func bytesText(n int64) string {
	const mega = 1 << 20
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < mega:
		return fmt.Sprintf("%d kB", n>>10)
	}
	tenths := (n*10 + mega/2) / mega
	if whole := tenths / 10 * mega; tenths%10 == 0 && n > whole {
		tenths++
	} else if tenths%10 == 0 && n < whole {
		tenths--
	}
	return fmt.Sprintf("%d.%d MB", tenths/10, tenths%10)
}

// limitText is a limit, which is a round number, without the tenths.
func limitText(n int64) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%d MB", n>>20)
	}
	return bytesText(n)
}

// count is a number with its noun: "1 file", "2 files".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
