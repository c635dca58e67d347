package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

type deadCmd struct {
	List  deadListCmd  `cmd:"" default:"1" help:"List dead letters, the oldest first."`
	Show  deadShowCmd  `cmd:"" help:"Show dead letters with their raw events."`
	Retry deadRetryCmd `cmd:"" help:"Give dead letters another try."`
	Drop  deadDropCmd  `cmd:"" help:"Remove dead letters for good."`
}

// Help implements kong.HelpProvider.
func (deadCmd) Help() string {
	return `A dead letter is a message or a webhook that no repeat helped: it is kept with its raw event until somebody looks after it, or until work.keep_letters. Of the configuration's secrets, none of a connector or a service need be there.

Examples:
  lightlock dead list --newer 24h
  lightlock dead show 3fa92b10
  lightlock dead retry --account line/acme`
}

// letterFilter says which dead letters are meant.
type letterFilter struct {
	Queue   string `placeholder:"NAME" help:"Only of this queue."`
	Account string `placeholder:"NAME" help:"Only of this account, as in line/acme."`
	Cause   string `placeholder:"TEXT" help:"Only those whose cause has this text in it, in any case."`
	Older   span   `placeholder:"TIME" help:"Only those that died at least so long ago, such as 90m, 12h or 7d."`
	Newer   span   `placeholder:"TIME" help:"Only those that died since then."`
}

// span is a length of time; days are days of 24 hours.
type span time.Duration

// UnmarshalText reads it as the configuration's times are read.
func (s *span) UnmarshalText(text []byte) error {
	d, err := config.ParseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("%.40q is no time such as 90m, 12h or 7d", text)
	}
	*s = span(d)
	return nil
}

// deadLetter is a dead letter and what can be read of it.
type deadLetter struct {
	queue.Letter
	read  inbound.ReadLetter
	queue string
}

// shortID is how much of a key is shown: enough to tell a queue's letters apart.
const shortID = 12

func (f deadLetter) id() string { return f.Key[:min(len(f.Key), shortID)] }

// letters goes through what the filter leaves, queue by queue. An account that is
// not configured, and of which there is no letter either, is an error: it may be a
// typing error, and nothing found would read as all clear.
func (f letterFilter) letters(ctx context.Context, d *desk) iter.Seq2[deadLetter, error] {
	return func(yield func(deadLetter, error) bool) {
		known := f.Account == "" || d.knows(f.Account)
		for _, name := range d.queues {
			for l, err := range d.AllLetters(ctx, name, queue.Span{Older: time.Duration(f.Older), Newer: time.Duration(f.Newer)}) {
				one := deadLetter{l, inbound.Read(l), name}
				known = known || err != nil || f.isOf(one)
				if (err != nil || f.matches(one)) && !yield(one, err) {
					return
				}
			}
		}
		if !known {
			yield(deadLetter{}, strange("account", f.Account, d.routes.AccountNames()))
		}
	}
}

func (f letterFilter) isOf(l deadLetter) bool {
	return l.read.Account == f.Account || l.Connector == f.Account
}

func (f letterFilter) matches(l deadLetter) bool {
	return (f.Account == "" || f.isOf(l)) &&
		strings.Contains(strings.ToLower(l.Cause), strings.ToLower(f.Cause))
}

// set tells whether the filter leaves anything out.
func (f letterFilter) set() bool { return f != letterFilter{} }

// named finds the letters whose keys begin with what was typed, one for each.
func (d *desk) named(ctx context.Context, prefixes []string) ([]deadLetter, error) {
	var list []deadLetter
	for _, prefix := range prefixes {
		var some []deadLetter
		for _, name := range d.queues {
			letters, err := d.FindLetters(ctx, name, strings.ToLower(prefix), 3)
			if errors.Is(err, queue.ErrInvalid) {
				return nil, fmt.Errorf("%q is no id of a dead letter; dead list shows them", prefix)
			}
			if err != nil {
				return nil, err
			}
			for _, l := range letters {
				some = append(some, deadLetter{l, inbound.Read(l), name})
			}
		}
		switch {
		case len(some) == 0:
			return nil, fmt.Errorf("no dead letter's id begins with %s in %s; it may have been retried, dropped or removed for its age",
				prefix, strings.Join(d.queues, ", "))
		case len(some) > 1:
			return nil, fmt.Errorf("more than one dead letter's id begins with %s, such as %s and %s; type more of it", prefix, some[0].Key, some[1].Key)
		}
		list = append(list, some[0])
	}
	return list, nil
}

// chosen are the letters that retry and drop are about: those named, or those
// that a filter leaves, or all of them where that was said.
type chosen struct {
	Keys []string `arg:"" optional:"" name:"id" help:"Dead letters, by their ids or the beginnings of these."`
	letterFilter
	Limit *int `placeholder:"N" help:"At most so many, the oldest first."`
	All   bool `help:"All dead letters, where neither ids nor filters are given."`
}

// Validate implements kong's check of a command line.
func (c chosen) Validate() error {
	switch {
	case len(c.Keys) > 0 && (c.All || c.Limit != nil || c.letterFilter != letterFilter{Queue: c.Queue}):
		return errors.New("give ids or filters, not both")
	case len(c.Keys) == 0 && !c.All && !c.set():
		return errors.New("name dead letters by their ids, or by filters, or say --all")
	case c.Limit != nil:
		return checkLimit(*c.Limit)
	}
	return nil
}

// checkLimit refuses what would be none, or all.
func checkLimit(n int) error {
	if n < 1 {
		return fmt.Errorf("--limit is %d; at least 1, and --all is for all", n)
	}
	return nil
}

// letters goes through those that are meant.
func (c chosen) letters(ctx context.Context, d *desk) iter.Seq2[deadLetter, error] {
	return func(yield func(deadLetter, error) bool) {
		if len(c.Keys) > 0 {
			list, err := d.named(ctx, c.Keys)
			if err != nil {
				yield(deadLetter{}, err)
				return
			}
			for _, l := range list {
				if !yield(l, nil) {
					return
				}
			}
			return
		}
		n := 0
		for l, err := range c.letterFilter.letters(ctx, d) {
			if n++; c.Limit != nil && n > *c.Limit || !yield(l, err) {
				return
			}
		}
	}
}
