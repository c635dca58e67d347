package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/spool"
)

// spooled is what waits in this machine's spool, as --json prints it. The age is
// in seconds.
type spooled struct {
	Spooled     int     `json:"spooled"`
	SpoolBytes  int64   `json:"spool_bytes"`
	SpoolOldest float64 `json:"spool_oldest_seconds,omitempty"`
	// SpoolError is why the spool could not be read, or not all of it.
	SpoolError string `json:"spool_error,omitempty"`
}

// spoolLine is a queue of which nothing else is known, because Redis is away.
type spoolLine struct {
	Queue string `json:"queue"`
	spooled
}

// spool reads what waits of a queue in this machine's spool, or of all queues. The
// error is for the operator, and what could be read is told beside it.
func (d *desk) spool(name string) ([]spoolLine, error) {
	contents, err := spool.Look(d.config.SpoolFolder())
	var lines []spoolLine
	for _, c := range contents {
		if c.Records > 0 && cmp.Or(name, c.Queue) == c.Queue {
			lines = append(lines, spoolLine{c.Queue, spooled{Spooled: c.Records, SpoolBytes: c.Bytes, SpoolOldest: time.Since(c.Oldest).Seconds()}})
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w; run this as the gateway's user", err)
	}
	if err != nil {
		err = fmt.Errorf("the spool cannot be read: %w", err)
	}
	return lines, err
}

// text says it in words, for a person.
func (s spooled) text() string {
	return fmt.Sprintf("%s here, oldest %s, %s", digits(int64(s.Spooled)), secondsText(s.SpoolOldest), bytesText(s.SpoolBytes))
}

// without shows what needs no Redis, where that fails of err: just then somebody
// wants to know what the spool has taken.
func (c queueCmd) without(ctx context.Context, s *session, d *desk, err error) error {
	if ctx.Err() != nil {
		return err
	}
	lines, unread := d.spool(c.Name)
	for _, line := range lines {
		if c.JSON {
			if err := printJSON(s.out, line); err != nil {
				return err
			}
		}
	}
	if !c.JSON && (unread == nil || len(lines) > 0) {
		if _, err := fmt.Fprint(s.out, spoolText(lines)); err != nil {
			return err
		}
	}
	return errors.Join(err, unread)
}

// spoolText is a line for each queue.
func spoolText(lines []spoolLine) string {
	if len(lines) == 0 {
		return "spooled here: nothing\n"
	}
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "spooled of %s: %s\n", visible(l.Queue), l.text())
	}
	return b.String()
}
