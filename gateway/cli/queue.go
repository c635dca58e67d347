package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

type queueCmd struct {
	deskFlags
	Name  string `arg:"" optional:"" placeholder:"NAME" help:"A queue, to be shown in full; all of them in a line each unless set."`
	Over  span   `default:"1s" placeholder:"TIME" help:"For how long to look, for the rates; 1s unless set."`
	Watch bool   `help:"Look again and again until Ctrl-C."`
}

// Help implements kong.HelpProvider.
func (queueCmd) Help() string {
	return `Looks twice and shows what is there, and at which rate messages came and went in between, over all gateways; of one queue also the messages with photos of each account. Texts are not kept apart by account: how many came of each is in the metric lightlock_events_total. What waits in the local spool is this machine's, and is shown also while Redis is away; that is exit 2. Of the configuration's secrets, none of a connector or a service need be there.

Examples:
  lightlock queue
  lightlock queue support --over 10s
  lightlock queue --watch --json | jq -c '[.queue, .waiting, .accepted_per_second]'`
}

// queueLine is a queue at a moment, as --json prints it. Ages are in seconds.
type queueLine struct {
	Queue     string `json:"queue"`
	Waiting   int64  `json:"waiting"`
	InWork    int64  `json:"in_work"`
	Delayed   int64  `json:"delayed"`
	Dead      int64  `json:"dead"`
	DeadBytes int64  `json:"dead_bytes"`
	Delivered int64  `json:"delivered"`
	Told      int64  `json:"told"`

	OldestWaiting   float64 `json:"oldest_waiting_seconds"`
	OldestDead      float64 `json:"oldest_dead_seconds"`
	OldestDelivered float64 `json:"oldest_delivered_seconds"`
	Overdue         float64 `json:"overdue_seconds"`

	Readers      int64    `json:"readers"`
	ReaderSilent *float64 `json:"reader_silent_seconds,omitempty"`
	Accepted     float64  `json:"accepted_per_second"`
	Finished     float64  `json:"finished_per_second"`

	Accounts []accountLine `json:"accounts"`
	spooled
}

// accountLine is an account's messages with photos.
type accountLine struct {
	// Account is empty for one that is not configured any more.
	Account string  `json:"account"`
	Lane    string  `json:"lane"`
	Next    int64   `json:"next"`
	Waiting int64   `json:"waiting"`
	Oldest  float64 `json:"oldest_seconds"`

	Accepted float64 `json:"accepted_per_second"`
	Finished float64 `json:"finished_per_second"`
}

// Run shows queues until they have been shown, or until Ctrl-C.
func (c queueCmd) Run(ctx context.Context, s *session) error {
	d, err := c.read(s)
	if err != nil {
		return err
	}
	if err := d.attach(ctx); err != nil {
		return c.without(ctx, s, d, err)
	}
	defer d.close(ctx)
	if err := d.only(ctx, c.Name); err != nil {
		return err
	}
	return c.show(ctx, s, d)
}

// show prints what has changed between two looks.
func (c queueCmd) show(ctx context.Context, s *session, d *desk) error {
	before, err := d.look(ctx)
	if err != nil {
		return c.without(ctx, s, d, err)
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(c.Over)):
		}
		now, err := d.look(ctx)
		if err != nil {
			return c.without(ctx, s, d, err)
		}
		now.since(before)
		if err := c.print(s, now); err != nil {
			return err
		}
		switch {
		case c.Watch:
			before = now
		case now.unread != nil:
			return failure{code: exitFailed} // which has been printed
		default:
			return nil
		}
	}
}

// looked are all queues at a moment.
type looked struct {
	at    time.Time
	lines []queueLine
	stats []queue.Stats
	lanes map[string]queue.LaneStats // by queue and lane
	// spool is what waits there, and unread why not all of it could be read.
	spool  []spoolLine
	unread error
}

// look counts every queue.
func (d *desk) look(ctx context.Context) (looked, error) {
	l := looked{at: time.Now(), lanes: map[string]queue.LaneStats{}}
	l.spool, l.unread = d.spool("")
	for _, name := range d.queues {
		stats, err := d.Stats(ctx, name)
		if err != nil {
			return l, err
		}
		lanes, err := d.Lanes(ctx, name)
		if err != nil {
			return l, err
		}
		line := lineOf(name, stats)
		line.Accounts = d.accounts(lanes)
		for _, lane := range lanes {
			l.lanes[name+" "+lane.Lane] = lane
		}
		for _, s := range l.spool {
			if s.Queue == name {
				line.spooled = s.spooled
			}
		}
		if l.unread != nil {
			line.SpoolError = l.unread.Error()
		}
		l.lines, l.stats = append(l.lines, line), append(l.stats, stats)
	}
	return l, nil
}

func lineOf(name string, s queue.Stats) queueLine {
	line := queueLine{
		Queue: name, Waiting: s.Waiting, InWork: s.InWork, Delayed: s.Delayed, Told: s.Told,
		Dead: s.Dead, DeadBytes: s.DeadBytes, Delivered: s.Delivered,
		OldestWaiting: s.OldestWaiting.Seconds(), OldestDead: s.OldestDead.Seconds(),
		OldestDelivered: s.OldestDelivered.Seconds(), Overdue: s.Overdue.Seconds(),
		Readers: s.Readers,
	}
	if s.Readers > 0 {
		silent := s.ReaderSilent.Seconds()
		line.ReaderSilent = &silent
	}
	return line
}

// accounts names the lanes by the configured accounts. One of another account is of
// interest for as long as there is something in it.
func (d *desk) accounts(lanes []queue.LaneStats) []accountLine {
	names, lines := inbound.LaneNames(d.routes), []accountLine{}
	for _, l := range lanes {
		if names[l.Lane] == "" && l.InWindow+l.Waiting == 0 {
			continue
		}
		lines = append(lines, accountLine{
			Account: names[l.Lane], Lane: l.Lane, Next: l.InWindow, Waiting: l.Waiting, Oldest: l.Oldest.Seconds(),
		})
	}
	return lines
}

// since adds the rates since an earlier look.
func (l looked) since(before looked) []queueLine {
	span := l.at.Sub(before.at).Seconds()
	for i, line := range l.lines {
		l.lines[i].Accepted = float64(l.stats[i].Accepted-before.stats[i].Accepted) / span
		l.lines[i].Finished = float64(l.stats[i].Finished-before.stats[i].Finished) / span
		for k, account := range line.Accounts {
			then, now := before.lanes[line.Queue+" "+account.Lane], l.lanes[line.Queue+" "+account.Lane]
			line.Accounts[k].Accepted = float64(now.Accepted-then.Accepted) / span
			line.Accounts[k].Finished = float64(now.Finished-then.Finished) / span
		}
	}
	return l.lines
}

// print writes a line for each queue, or all that is known of the one.
func (c queueCmd) print(s *session, l looked) error {
	if c.JSON {
		for _, line := range l.lines {
			if err := printJSON(s.out, line); err != nil {
				return err
			}
		}
		return nil
	}
	var b strings.Builder
	if c.Watch && s.out.moves {
		b.WriteString("\x1b[H\x1b[J") // from the first line anew
	}
	if c.Name != "" {
		b.WriteString(l.lines[0].text())
	} else {
		b.WriteString(queueTable(l.lines))
		if len(l.spool) > 0 {
			b.WriteString(spoolText(l.spool))
		}
	}
	if l.unread != nil {
		fmt.Fprintln(&b, visible(l.unread.Error()))
	}
	_, err := fmt.Fprint(s.out, b.String())
	return err
}

func queueTable(lines []queueLine) string {
	var b strings.Builder
	width := len("QUEUE")
	for _, l := range lines {
		width = max(width, len(l.Queue))
	}
	const row = "  %-*s  %8s  %8s  %8s  %8s  %8s  %9s  %8s  %8s  %7s\n"
	fmt.Fprintf(&b, row, width, "QUEUE", "WAITING", "OLDEST", "IN WORK", "DELAYED", "DEAD", "DELIVERED", "IN/S", "OUT/S", "READERS")
	for _, l := range lines {
		oldest := "-"
		if l.Waiting > 0 {
			oldest = secondsText(l.OldestWaiting)
		}
		fmt.Fprintf(&b, row, width, visible(l.Queue), digits(l.Waiting), oldest, digits(l.InWork), digits(l.Delayed), digits(l.Dead), digits(l.Delivered),
			rateText(l.Accepted), rateText(l.Finished), digits(l.Readers))
	}
	return b.String()
}

// text is all that is known of a queue.
func (l queueLine) text() string {
	var b strings.Builder
	row := func(name, value string, notes ...string) {
		fmt.Fprintf(&b, "  %-10s  %s\n", name, strings.Join(append([]string{value}, notes...), ", "))
	}
	aged := func(name string, n int64, oldest float64, notes ...string) {
		if n == 0 {
			notes = nil
		} else {
			notes = append([]string{"oldest " + secondsText(oldest)}, notes...)
		}
		row(name, digits(n), notes...)
	}
	fmt.Fprintln(&b, "queue "+visible(l.Queue))
	aged("waiting", l.Waiting, l.OldestWaiting)
	row("in work", digits(l.InWork))
	if l.Overdue > 1 {
		row("delayed", digits(l.Delayed), "the first overdue by "+secondsText(l.Overdue))
	} else {
		row("delayed", digits(l.Delayed))
	}
	row("told", digits(l.Told)+" of these, whose photos are pending")
	aged("delivered", l.Delivered, l.OldestDelivered)
	aged("dead", l.Dead, l.OldestDead, bytesText(l.DeadBytes))
	row("rates", ratesText(l.Accepted, l.Finished))
	row("readers", l.readers())
	if l.Spooled > 0 {
		row("spooled", l.spooled.text())
	}
	if len(l.Accounts) > 0 {
		fmt.Fprintln(&b, "messages with photos by account")
	}
	for _, a := range l.Accounts {
		fmt.Fprintf(&b, "  %s\n", a.text())
	}
	return b.String()
}

func (l queueLine) readers() string {
	if l.ReaderSilent == nil {
		return "0: nobody reads it"
	}
	return digits(l.Readers) + ", the last asked " + agoText(seconds(*l.ReaderSilent))
}

func (a accountLine) text() string {
	name := visible(a.Account)
	if name == "" {
		name = "not configured (" + visible(a.Lane) + ")"
	}
	text := fmt.Sprintf("%s  %s next or in work", name, digits(a.Next))
	if a.Waiting > 0 {
		text += fmt.Sprintf(", %s behind them, the first for %s", digits(a.Waiting), secondsText(a.Oldest))
	}
	return text + "; " + ratesText(a.Accepted, a.Finished)
}

func ratesText(accepted, finished float64) string {
	return rateText(accepted) + " accepted, " + rateText(finished) + " finished per second"
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// secondsText is an age that is no point in time: "4 min".
func secondsText(s float64) string {
	if s < 1 {
		return "under 1 s"
	}
	return ageText(seconds(s))
}

// rateText has a digit behind the point where it says something.
func rateText(perSecond float64) string {
	if perSecond >= 100 {
		return digits(int64(perSecond + .5))
	}
	return fmt.Sprintf("%.1f", perSecond)
}

// digits is a number with its thousands apart.
func digits(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
