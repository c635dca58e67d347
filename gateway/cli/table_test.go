package cli

import (
	"strings"
	"testing"
)

func ptr(s string) *string { return &s }

// someRows are a row of each kind.
func someRows() []row {
	return []row{
		{
			Channel: ptr("line"), Status: statusReady, MS: 212, Source: source{"image/jpeg", 4 << 20, 4032, 3024},
			Preview: &pictureFile{Bytes: 412 << 10, Path: "out/x"}, Thumbnail: &pictureFile{Bytes: 14 << 10},
		},
		{Channel: ptr("twilio"), Status: statusRejected, Reason: "animated", Detail: "it moves", Source: source{Bytes: 900, Width: 8, Height: 8}},
		{Channel: ptr("whatsapp"), Status: statusRejected, Reason: "too_large", Detail: "WhatsApp allows 25 MB", Source: source{Bytes: 25<<20 + 1}},
		{Channel: ptr("viber"), Status: statusFailed, Detail: "nothing at the queue after \x1b[1m30s"},
	}
}

func tableOf(rows []row, s stream) string {
	var b strings.Builder
	t := table{head: []string{" ", "CHANNEL", "VERDICT", "SOURCE", "PREVIEW", "THUMB", "MS"}}
	for _, r := range rows {
		t.rows = append(t.rows, r.cells(*r.Channel))
	}
	s.Writer = &b
	_ = t.print(s)
	return b.String()
}

func TestTable(t *testing.T) {
	want := `
  CHANNEL   VERDICT     SOURCE            PREVIEW  THUMB   MS
✓ line      ready       4.0 MB 4032×3024  412 kB   14 kB  212
✗ twilio    animated    900 B 8×8         it moves
✗ whatsapp  too_large   over 25 MB        WhatsApp allows 25 MB
✗ viber     not judged  nothing at the queue after \x1b[1m30s
`
	if got := "\n" + tableOf(someRows(), stream{}); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestTableInColour(t *testing.T) {
	got := tableOf(someRows()[:2], stream{colour: true})
	hasAll(t, got, "\n\x1b[32m✓\x1b[0m line ", "\n\x1b[31m✗\x1b[0m twilio ")
	if strings.Contains(strings.SplitN(got, "\n", 2)[0], "\x1b") {
		t.Errorf("the head is coloured: %q", got)
	}
}

// TestTableWithNames: wide characters take two columns, and one very long name
// moves its own row only.
func TestTableWithNames(t *testing.T) {
	rows := someRows()[:1]
	for _, name := range []string{"日本.jpg", strings.Repeat("long", 20)} {
		r := rows[0]
		r.Channel = ptr(name)
		rows = append(rows, r)
	}
	want := `
  CHANNEL   VERDICT  SOURCE            PREVIEW  THUMB   MS
✓ line      ready    4.0 MB 4032×3024  412 kB   14 kB  212
✓ 日本.jpg  ready    4.0 MB 4032×3024  412 kB   14 kB  212
✓ ` + strings.Repeat("long", 20) + `  ready    4.0 MB 4032×3024  412 kB   14 kB  212
`
	if got := "\n" + tableOf(rows, stream{}); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestBytesText(t *testing.T) {
	const mega = 1 << 20
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1 kB", mega - 1: "1023 kB", mega: "1.0 MB",
		10 * mega: "10.0 MB", 10*mega + 1: "10.1 MB", 10*mega - 1: "9.9 MB",
		15*mega + 600_000: "15.6 MB", 26 * mega: "26.0 MB", 100 << 30: "102400.0 MB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{10 * mega: "10 MB", 1000: "1000 B"} {
		if got := limitText(n); got != want {
			t.Errorf("limitText(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	rows := someRows()
	if got, want := summary(rows, 6), "1 of 6 ready, 2 rejected, 1 not judged, 2 not looked at"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := summary(rows[:1], 1)+kept(rows, "out/"), "1 of 1 ready. Pictures: out/"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := kept(rows[1:], "out"); got != "" {
		t.Errorf("nothing was kept, and it says %q", got)
	}
}

func TestSentence(t *testing.T) {
	for reason, want := range map[string]string{
		"too_large": "LINE allows 10 MB", "unsupported_type": "text/plain; accepted are jpeg, png, gif",
		"animated": "it moves; only still photos are shown", "too_many_pixels": "9 × 8 pixels is too many",
		"corrupt": "the file is broken", "expired": "LINE no longer had it", "unreachable": "LINE did not deliver it",
		"disabled": "photos are off for this account", "too_complex": "developing it would take too much work or memory", "new": "",
	} {
		if got := sentence(reason, source{"text/plain", 7, 9, 8}, "LINE", 10<<20); got != want {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
}
