package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/lightlock/lightlock/gateway/inbound"
)

type deadRetryCmd struct {
	changeFlags
	chosen
	Doubtful bool `help:"Also those that may have reached the agents before."`
}

// Help implements kong.HelpProvider.
func (deadRetryCmd) Help() string {
	return `Puts messages back into the journal, where a running gateway takes them up with all their tries before them. One whose text has reached the agents does not come a second time: its photos follow as lightlock.photo.settled. An event of an account that was not configured is accepted once it is; a webhook that did not parse is read again.
To retry twice has one effect. Exit 0 if all were retried, 1 if some cannot be, 2 if it could not be done.

Examples:
  lightlock dead retry 3fa92b10
  lightlock dead retry --account line/acme --newer 24h
  lightlock dead retry --queue support --cause account --json`
}

// The states of a letter that something was done to.
const (
	letterRetried = "retried"
	letterRefused = "refused"
	letterDropped = "dropped"
)

// letterDone is what became of a dead letter, as --json prints it.
type letterDone struct {
	ID      string `json:"id"`
	Queue   string `json:"queue"`
	Account string `json:"account"`
	State   string `json:"state"`
	Detail  string `json:"detail,omitempty"`
}

// Run retries each letter and says what became of it.
func (c deadRetryCmd) Run(ctx context.Context, s *session) error {
	d, err := c.open(ctx, s, c.Queue)
	if err != nil {
		return err
	}
	defer d.close(ctx)
	reviver := inbound.Reviver{Journal: d.Journal, Routes: d.routes, Doubtful: c.Doubtful}
	retried, total := 0, 0
	for l, err := range c.letters(ctx, d) {
		if err != nil {
			return err
		}
		done := letterDone{ID: l.Key, Queue: l.queue, Account: l.read.Account, State: letterRetried}
		var refusal inbound.Refusal
		err = reviver.Retry(ctx, l.queue, l.Letter)
		switch {
		case errors.As(err, &refusal):
			done.State, done.Detail = letterRefused, refusal.Reason
		case err != nil:
			return fmt.Errorf("%s: %w", l.id(), err)
		default:
			retried++
		}
		total++
		if err := done.print(s, c.JSON); err != nil {
			return err
		}
	}
	if !c.JSON {
		if _, err := fmt.Fprintf(s.out, "%d of %s retried\n", retried, count(total, "dead letter")); err != nil {
			return err
		}
	}
	if retried < total {
		return failure{code: exitFindings}
	}
	return nil
}

func (done letterDone) print(s *session, asJSON bool) error {
	if asJSON {
		return printJSON(s.out, done)
	}
	mark, detail := markReady, done.State
	if done.State == letterRefused {
		mark, detail = markNot, done.Detail
	}
	line := fmt.Sprintf("%s %s  %s  %s\n", mark, visible(done.ID[:min(len(done.ID), shortID)]), visible(done.Account), visible(detail))
	_, err := io.WriteString(s.out, paint(line, mark, s.out.colour))
	return err
}

type deadDropCmd struct {
	changeFlags
	chosen
	Yes bool `help:"Do not ask."`
}

// Help implements kong.HelpProvider.
func (deadDropCmd) Help() string {
	return `What is dropped is gone, and a platform's repeat of it is still recognised as one.
Asks first; where nobody can be asked, it wants --yes. Exit 0 if it was done, 1 if the answer was no, 2 if it could not be done.

Examples:
  lightlock dead drop 3fa92b10
  lightlock dead drop --older 7d --cause parse --yes
  lightlock dead drop --queue support --all --yes --json`
}

// Run drops what was there when it asked, and nothing that came since.
func (c deadDropCmd) Run(ctx context.Context, s *session) error {
	d, err := c.open(ctx, s, c.Queue)
	if err != nil {
		return err
	}
	defer d.close(ctx)
	list, err := c.list(ctx, d)
	if err != nil {
		return err
	}
	if len(list) > 0 && !c.Yes {
		if err := s.confirm(ctx, fmt.Sprintf("Drop %s for good?", count(len(list), "dead letter"))); err != nil {
			return err
		}
	}
	dropped := 0
	for _, done := range list {
		n, err := d.DropLetters(ctx, done.Queue, done.ID)
		if err != nil {
			return err
		}
		dropped += n
		if n == 0 || !c.JSON {
			continue // somebody else has, meanwhile
		}
		if err := printJSON(s.out, done); err != nil {
			return err
		}
	}
	if c.JSON {
		return nil
	}
	_, err = fmt.Fprintln(s.out, count(dropped, "dead letter")+" dropped")
	return err
}

// list names the letters that are meant, without what is in them.
func (c deadDropCmd) list(ctx context.Context, d *desk) ([]letterDone, error) {
	var list []letterDone
	for l, err := range c.letters(ctx, d) {
		if err != nil {
			return nil, err
		}
		list = append(list, letterDone{ID: l.Key, Queue: l.queue, Account: l.read.Account, State: letterDropped})
	}
	return list, nil
}

// confirm asks a person, and fails unless the answer is yes.
func (s *session) confirm(ctx context.Context, question string) error {
	f, isFile := s.Stdin.(*os.File)
	if !isFile || !isatty.IsTerminal(f.Fd()) {
		return errors.New(question + " Nobody can be asked here; say --yes")
	}
	fmt.Fprint(s.Stderr, question, " [y/N] ")
	answered := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(f).ReadString('\n')
		answered <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case answer := <-answered:
		if answer == "y" || answer == "yes" {
			return nil
		}
		return failure{exitFindings, errors.New("nothing was done")}
	}
}
