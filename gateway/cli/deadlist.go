package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

type deadListCmd struct {
	deskFlags
	letterFilter
	Limit int  `default:"50" placeholder:"N" help:"At most so many; 50 unless set."`
	All   bool `help:"All of them."`
}

// Help implements kong.HelpProvider.
func (deadListCmd) Help() string {
	return `Exit 0, whether there are any or not.

Examples:
  lightlock dead list
  lightlock dead list --queue support --cause account --newer 24h
  lightlock dead list --all --json | jq -r .account | sort | uniq -c`
}

// Validate implements kong's check of a command line.
func (c deadListCmd) Validate() error { return checkLimit(c.Limit) }

// letterLine is a dead letter as --json prints it.
type letterLine struct {
	ID           string     `json:"id"`
	Queue        string     `json:"queue"`
	Account      string     `json:"account"`
	Kind         string     `json:"kind,omitempty"`
	Why          string     `json:"why"`
	Tries        int        `json:"tries"`
	DiedAt       time.Time  `json:"died_at"`
	AcceptedAt   *time.Time `json:"accepted_at,omitempty"`
	Conversation string     `json:"conversation,omitempty"`
	Seq          int64      `json:"seq,omitempty"`
	Content      string     `json:"content,omitempty"`
	RawBytes     int        `json:"raw_bytes"`
	// Raw is JSON as the platform sent it, or a text where it is no JSON; show
	// alone prints it.
	Raw json.RawMessage `json:"raw,omitempty"`
}

func (f deadLetter) line() letterLine {
	l := letterLine{
		ID: f.Key, Queue: f.queue, Account: f.read.Account, Kind: f.read.Kind, Why: f.Cause, Tries: f.Tries,
		DiedAt: f.DiedAt.UTC(), Conversation: f.Conversation, Seq: f.Seq, Content: string(f.Content), RawBytes: f.RawBytes,
	}
	if !f.AcceptedAt.IsZero() {
		at := f.AcceptedAt.UTC()
		l.AcceptedAt = &at
	}
	return l
}

// Run lists dead letters while it reads them.
func (c deadListCmd) Run(ctx context.Context, s *session) error {
	d, err := c.open(ctx, s, c.Queue)
	if err != nil {
		return err
	}
	defer d.close(ctx)
	most := c.Limit
	if c.All {
		most = 0
	}
	n, more, last := 0, false, deadLetter{}
	width := d.widest("ACCOUNT")
	for l, err := range c.letters(ctx, d) {
		if err != nil {
			return err
		}
		if more = most > 0 && n == most; more {
			break
		}
		if err := c.print(s, l, n, width); err != nil {
			return err
		}
		n, last = n+1, l
	}
	if c.JSON {
		return nil
	}
	return c.end(s, n, more, last)
}

// print writes one letter's line, and the head above the first.
func (c deadListCmd) print(s *session, l deadLetter, n, width int) error {
	if c.JSON {
		return printJSON(s.out, l.line())
	}
	var b strings.Builder
	if n == 0 {
		fmt.Fprintf(&b, "  %-*s  %-*s  %6s  %5s  %s\n", shortID, "ID", width, "ACCOUNT", "AGE", "TRIES", "WHY")
	}
	name := visible(l.read.Account)
	name += strings.Repeat(" ", max(0, width-columns(name)))
	fmt.Fprintf(&b, "  %-*s  %s  %6s  %5d  %s\n", shortID, visible(l.id()), name, ageText(time.Since(l.DiedAt)), l.Tries, visible(l.Cause))
	_, err := fmt.Fprint(s.out, b.String())
	return err
}

// end says how many there are, and what can be done about them.
func (c deadListCmd) end(s *session, n int, more bool, last deadLetter) error {
	text := "no dead letters"
	switch {
	case more:
		text = fmt.Sprintf("the oldest %d; --all shows all", n)
	case n > 0:
		text = count(n, "dead letter")
	}
	if n > 0 {
		next := "retry"
		if last.Content == queue.ContentEvent {
			next = "drop" // no retry helps it
		}
		text += fmt.Sprintf(". Next: %s dead show %s, %[1]s dead %[3]s %[2]s", s.name, last.id(), next)
	}
	_, err := fmt.Fprintln(s.out, text)
	return err
}

type deadShowCmd struct {
	deskFlags
	Keys  []string `arg:"" name:"id" help:"Dead letters, by their ids or the beginnings of these."`
	Queue string   `placeholder:"NAME" help:"Only of this queue."`
}

// Help implements kong.HelpProvider.
func (deadShowCmd) Help() string {
	return `The raw event is what the platform sent: a customer's words, for your eyes only.

Examples:
  lightlock dead show 3fa92b10
  lightlock dead show --config /etc/lightlock/lightlock.yaml 3fa92b10 77e0
  lightlock dead show --json 3fa92b10 | jq .raw`
}

// Run shows dead letters one after the other.
func (c deadShowCmd) Run(ctx context.Context, s *session) error {
	d, err := c.open(ctx, s, c.Queue)
	if err != nil {
		return err
	}
	defer d.close(ctx)
	list, err := d.named(ctx, c.Keys)
	if err != nil {
		return err
	}
	for i, l := range list {
		if c.JSON {
			line := l.line()
			line.Raw = rawJSON(l.read.Raw)
			err = printJSON(s.out, line)
		} else {
			if i > 0 {
				fmt.Fprintln(s.out)
			}
			_, err = fmt.Fprint(s.out, l.text())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// text is a letter with its raw event, safe to print.
func (f deadLetter) text() string {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s  %s\n", name, visible(fmt.Sprintf(format, args...)))
	}
	row("id", "%s", f.Key)
	row("queue", "%s", f.queue)
	row("account", "%s", f.read.Account)
	if f.read.Kind != "" {
		row("event", "%s", f.read.Kind)
	}
	if f.Journaled() {
		row("conversation", "%s, message %d", f.Conversation, f.Seq)
		row("accepted", "%s", f.AcceptedAt.UTC().Format(time.DateTime+" MST"))
	}
	row("died", "%s, %s", f.DiedAt.UTC().Format(time.DateTime+" MST"), agoText(time.Since(f.DiedAt)))
	row("tries", "%d", f.Tries)
	row("why", "%s", f.Cause)
	kept := bytesText(int64(len(f.read.Raw)))
	if len(f.Raw) < f.RawBytes {
		kept = fmt.Sprintf("the first %s of %s", bytesText(int64(len(f.Raw))), bytesText(int64(f.RawBytes)))
	}
	row("raw", "%s, %s", kept, map[queue.Content]string{
		queue.ContentPayload: "an event that was read", queue.ContentWebhook: "the body of a whole webhook",
	}[f.Content])
	b.WriteString(visibleLines(string(indented(f.read.Raw))) + "\n")
	return b.String()
}

func agoText(d time.Duration) string {
	if text := ageText(d); text != "now" {
		return text + " ago"
	}
	return "now"
}

// indented is JSON with a line for each value, or the text as it is.
func indented(raw []byte) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return raw
	}
	return b.Bytes()
}

// rawJSON is raw where it is JSON, else a text of JSON's.
func rawJSON(raw []byte) json.RawMessage {
	if json.Valid(raw) {
		return raw
	}
	quoted, err := json.Marshal(string(raw))
	if err != nil {
		return nil
	}
	return quoted
}
