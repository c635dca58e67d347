package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/forget"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/spool"
	"github.com/lightlock/lightlock/gateway/store"
)

type forgetCmd struct {
	changeFlags
	Consumer string `arg:"" placeholder:"CONSUMER" help:"The platform's id of the consumer, as consumer.id has it in documents."`
	Account  string `placeholder:"NAME" help:"Only on this account, as in line/acme: an id is unique only within one. It need not be configured any more."`
	Yes      bool   `help:"Do not ask."`
	DryRun   bool   `name:"dry-run" help:"Say what there is, and destroy nothing."`
}

// Help implements kong.HelpProvider.
func (forgetCmd) Help() string {
	return `Destroys the consumer's messages wherever they wait, dead letters, what is still to be said, what this machine's spool has, entries in the agents' queue, conversations, open and closed, and photos; and says what there was and what it cannot reach. Gateways may be at work: what they have in hand, and what another machine's spool hands in later, has no effect any more. Where no gateway works on this machine's spool, all that waits there is handed in; none can start there while that goes on, at most some minutes. What the consumer writes afterwards is somebody new's.
It may be interrupted at any moment and run again; it destroys what was written in between as well.
Run it as the gateway's user: root is refused where a folder of the gateway's is another's.
Asks first; where nobody can be asked, it wants --yes. Exit 0 if it was done, 1 if the answer was no, if something is left, or if nothing was found on an --account that is not configured; 2 if it could not be done.

Examples:
  lightlock forget U4af4980629 --account line/acme --dry-run
  lightlock forget U4af4980629 --account line/acme
  lightlock forget 41791234567 --yes --json`
}

// Validate implements kong's check of a command line.
func (c forgetCmd) Validate() error {
	if strings.TrimSpace(c.Consumer) == "" || c.Consumer != strings.TrimSpace(c.Consumer) {
		return errors.New("CONSUMER is the platform's id, without spaces around it")
	}
	return nil
}

// forgottenLine is what there was in one place, as --json prints it.
type forgottenLine struct {
	Account string `json:"account"`
	Place   string `json:"place"`
	Number  int    `json:"number"`
	// Destroyed is false where nothing was to be.
	Destroyed bool `json:"destroyed"`
}

// forgottenEnd is the last line of --json.
type forgottenEnd struct {
	Unreached []string `json:"unreached"`
	Left      []string `json:"left"`
}

// Run forgets a consumer in every queue.
func (c forgetCmd) Run(ctx context.Context, s *session) error {
	d, err := c.open(ctx, s, "")
	if err != nil {
		return err
	}
	defer d.close(ctx)
	if err := d.asOwner(d.config.SpoolFolder()); err != nil {
		return err
	}
	who := d.consumer(c.Consumer, c.Account)
	if err := c.ask(ctx, s, who); err != nil {
		return err
	}
	pictures, err := store.New(d.config, slog.New(slog.DiscardHandler)) //nolint:contextcheck // to open it takes no time
	if err != nil {
		return err
	}
	defer func() { _ = pictures.Close() }()
	p := newProgress(s.err, unknownTotal)
	f := d.forgetter(pictures)
	f.Dry, f.Progress = c.DryRun, p.at
	all, left, err := c.forget(ctx, d, f, who)
	p.end()
	if err != nil {
		return errors.Join(c.print(s, all, append(left, "it was not brought to its end; run it again"), nil), err)
	}
	return c.finish(s, d, all, left)
}

// forget forgets in every queue, and in this machine's spool. What is left of that is
// said in sentences.
func (c forgetCmd) forget(ctx context.Context, d *desk, f *forget.Forgetter, who forget.Consumer) (all forget.Report, left []string, err error) {
	everywhere := func() {
		for _, name := range d.queues {
			if err == nil {
				var one forget.Report
				one, err = f.Forget(ctx, name, who)
				all.Add(one)
			}
		}
	}
	everywhere()
	if err != nil || c.DryRun {
		return all, nil, err
	}
	spooled, handed, unemptied := d.emptySpool(ctx, f, who)
	all.Add(spooled)
	switch {
	case unemptied != nil && ctx.Err() != nil:
		return all, nil, unemptied
	case unemptied != nil:
		left = []string{"The spool of this machine, which could not be emptied: " + unemptied.Error()}
	}
	if handed {
		everywhere()
	}
	return all, left, err
}

// spoolPatience is how long a gateway that runs has to hand in its spool.
const spoolPatience = 2 * time.Second

// emptySpool hands in what this machine's spool holds, so that nothing of the
// consumer's waits there. handed tells that something may have been. Where a gateway
// has the spool, that gets a moment to hand it in, and what it has not is no error.
func (d *desk) emptySpool(ctx context.Context, f *forget.Forgetter, who forget.Consumer) (found forget.Report, handed bool, err error) {
	waits := func() (bool, error) {
		lines, err := d.spool("")
		return len(lines) > 0, err
	}
	if some, err := waits(); err != nil || !some {
		return found, false, err
	}
	if err := d.Prepare(ctx, d.queues); err != nil {
		return found, false, err
	}
	found, err = f.Spool(ctx, spool.Options{
		Folder: d.config.SpoolFolder(), Limit: max(1<<20, d.config.Spool.Limit()), Queues: d.queues, Journal: d.Backend, Ready: d.Ready,
	}, who)
	if !errors.Is(err, spool.ErrInUse) {
		return found, true, err
	}
	ctx, cancel := context.WithTimeout(ctx, spoolPatience)
	defer cancel()
	for some := true; some && ctx.Err() == nil; some, _ = waits() {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return found, true, nil
}

// finish prints what was done.
func (c forgetCmd) finish(s *session, d *desk, all forget.Report, left []string) error {
	left = append(left, all.Left()...)
	if err := c.print(s, all, left, unreached(d, all, c)); err != nil {
		return err
	}
	var stranger error
	if c.Account != "" && !slices.Contains(d.routes.AccountNames(), c.Account) {
		stranger = fmt.Errorf("no account %q is configured; there are: %s", c.Account, listing(d.routes.AccountNames()))
	}
	switch {
	case stranger != nil && len(all.Found()) == 0:
		return failure{exitFindings, stranger} // a typing error would read as done
	case stranger != nil:
		fmt.Fprintln(s.Stderr, "note:", visible(stranger.Error()))
	}
	if len(left) > 0 {
		return failure{code: exitFindings}
	}
	return nil
}

// consumer is who is meant, on the accounts that are configured.
func (d *desk) consumer(id, account string) forget.Consumer {
	who := forget.Consumer{ID: id, Only: account}
	for _, route := range d.routes.All() {
		for _, a := range route.Accounts {
			who.Accounts = append(who.Accounts, forget.Account{Name: a.Name, Channel: route.Channel.Name, ID: a.ID})
		}
	}
	return who
}

func (d *desk) forgetter(pictures *store.Sealed) *forget.Forgetter {
	return &forget.Forgetter{
		Journal: d.Journal, Store: pictures,
		Archive: &archive.Archive{
			Journal: d.Journal, Heads: d.Journal, Documents: pictures.Documents(), Queues: d.queues,
			Metrics: ops.NewMetrics(), Log: slog.New(slog.DiscardHandler), Now: time.Now,
		},
	}
}

// ask asks a person, who has typed the id already: it is not repeated.
func (c forgetCmd) ask(ctx context.Context, s *session, who forget.Consumer) error {
	if c.Yes || c.DryRun {
		return nil
	}
	where := "on every account"
	if c.Account != "" {
		where = "on " + c.Account
		if !slices.ContainsFunc(who.Accounts, func(a forget.Account) bool { return a.Name == c.Account }) {
			where += ", which is not configured,"
		}
	}
	return s.confirm(ctx, fmt.Sprintf("Destroy all of this consumer %s for good?", visible(where)))
}

// print says what there was, what is left and what cannot be reached.
func (c forgetCmd) print(s *session, all forget.Report, left, unreached []string) error {
	if c.JSON {
		for _, f := range all.Found() {
			if err := printJSON(s.out, forgottenLine{f.Account, string(f.Place), f.Number, !c.DryRun}); err != nil {
				return err
			}
		}
		return printJSON(s.out, forgottenEnd{append([]string{}, unreached...), append([]string{}, left...)})
	}
	var b strings.Builder
	found := all.Found()
	width := columns("ACCOUNT")
	for _, f := range found {
		width = max(width, columns(visible(f.Account)))
	}
	head := "DESTROYED"
	if c.DryRun {
		head = "THERE"
	}
	if len(found) > 0 {
		fmt.Fprintf(&b, "  %-*s  %9s  %s\n", width, "ACCOUNT", head, "WHAT")
	} else {
		fmt.Fprintln(&b, "Nothing was found. Is it the id that documents have as consumer.id?")
	}
	for _, f := range found {
		name := visible(f.Account)
		fmt.Fprintf(&b, "  %s%s  %9s  %s\n", name, strings.Repeat(" ", width-columns(name)), digits(int64(f.Number)), f.Place.Words(f.Number))
	}
	listed(&b, "Left:", left)
	listed(&b, "Out of reach:", unreached)
	_, err := fmt.Fprint(s.out, b.String())
	return err
}

func listed(b *strings.Builder, head string, list []string) {
	if len(list) > 0 {
		fmt.Fprintln(b, head)
	}
	for _, one := range list {
		fmt.Fprintln(b, "  "+visible(one))
	}
}

// unreached says in sentences what no command of ours can destroy.
func unreached(d *desk, all forget.Report, c forgetCmd) []string {
	list := []string{"Backups of Redis, of the store and of the spool, and versions that a bucket keeps."}
	read := "What agents' software has taken from the queue."
	if all.Read > 0 {
		read = fmt.Sprintf("What agents' software has taken from the queue; it had been given %s of those destroyed here.", count(all.Read, "document"))
	}
	list = append(list, read, "What the platform has, and the consumer's own phone.")
	if all.Sending > 0 {
		list = append(list, count(all.Sending, "message")+" to the consumer on its way at this moment.")
	}
	waiting := 0
	lines, err := d.spool("")
	for _, l := range lines {
		waiting += l.Spooled
	}
	switch {
	case err != nil:
		list = append(list, "What waits in spools. It is dropped when it is handed in. That of this machine could not be looked at.")
	case waiting > 0:
		list = append(list, fmt.Sprintf("%s in the spool of this machine, and what is in others': whatever of it is theirs is dropped when it is handed in.", count(waiting, "webhook")))
	default:
		list = append(list, "What waits in the spools of other machines. It is dropped when it is handed in; that of this one is empty.")
	}
	if c.Account == "" && len(d.routes.AccountNames()) > 0 {
		list = append(list, "Closed conversations of accounts that are not configured any more: name each by --account.")
	}
	return append(list, "Photos of messages that agents' software has taken while conversations were switched off: they go after photos.keep.")
}
