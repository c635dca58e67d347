package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/registration"
	"github.com/lightlock/lightlock/gateway/routes"
)

type connectCmd struct {
	Connector string `arg:"" optional:"" placeholder:"CONNECTOR" help:"Channel and name, as in line/acme; all of them unless set."`
	Config    string `default:"${config}" placeholder:"FILE" help:"The gateway's file, ${config} unless set."`
	Check     bool   `help:"Only ask; change nothing."`
	JSON      bool   `name:"json" help:"One JSON object per account and line."`
}

// Help implements kong.HelpProvider.
func (connectCmd) Help() string {
	return `Asks each platform where it sends its webhooks, and makes it send them to this gateway. Many platforms call the gateway before they agree, so it has to be running. For a platform that cannot be asked, the address to enter by hand is printed.
Exit 0 if every webhook is registered or has to be entered by hand, 1 if one is not, 2 if a platform could not be asked.

Examples:
  lightlock connect line/acme
  lightlock connect --check
  lightlock connect --config /etc/lightlock/lightlock.yaml --json`
}

// The states of a webhook.
const (
	connectRegistered = "registered"
	connectMissing    = "missing" // and --check, or the platform did not take it
	connectByHand     = "by_hand"
	connectFailed     = "failed"
)

// connection is what became of one account's webhook, as --json prints it.
type connection struct {
	Account string `json:"account"`
	State   string `json:"state"`
	URL     string `json:"url"`
	// OnRecord is where the platform sends its webhooks instead.
	OnRecord string `json:"on_record,omitempty"`
	Detail   string `json:"detail,omitempty"`
	// Console says where the address is entered by hand.
	Console string `json:"console,omitempty"`
}

// Run registers webhooks and prints a line for each account.
func (c connectCmd) Run(ctx context.Context, s *session) error {
	list, err := c.routes(s)
	if err != nil {
		return err
	}
	worst := exitDone
	for _, route := range list {
		for _, account := range route.Accounts {
			found := c.connect(ctx, route, account)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := c.print(s, found); err != nil {
				return err
			}
			switch found.State {
			case connectFailed:
				worst = exitFailed
			case connectMissing:
				worst = max(worst, exitFindings)
			}
		}
	}
	if worst != exitDone {
		return failure{code: worst}
	}
	return nil
}

// routes are the connectors that were asked for.
func (c connectCmd) routes(s *session) ([]*routes.Route, error) {
	loaded, err := config.Load(c.Config, s.prototypes())
	var problems *config.Problems
	if errors.As(err, &problems) {
		if err := problems.Write(s.Stderr); err != nil {
			return nil, err
		}
		return nil, failure{exitFailed, errors.New("the configuration is wrong; nothing was asked")}
	}
	if err != nil {
		return nil, err
	}
	table, err := routes.New(loaded, Known(s.Channels), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return nil, err
	}
	switch {
	case len(table.All()) == 0:
		return nil, errors.New("no connectors are configured")
	case c.Connector == "":
		return table.All(), nil
	}
	var names []string
	for _, route := range table.All() {
		if route.Name == c.Connector {
			return []*routes.Route{route}, nil
		}
		names = append(names, route.Name)
	}
	return nil, fmt.Errorf("no connector is named %s; there are: %s", c.Connector, strings.Join(names, ", "))
}

// connect sees to one account.
func (c connectCmd) connect(ctx context.Context, route *routes.Route, account routes.Account) connection {
	out := connection{Account: account.Name, URL: route.URL}
	registrar, ok := route.Connector.(connectors.Registrar)
	if !ok {
		out.State, out.Console = connectByHand, route.Channel.Console
		return out
	}
	found, err := registration.Ask(ctx, registrar, account.ID, route.URL)
	registering := err == nil && !found.OK && !c.Check
	if registering {
		found, err = registration.Ensure(ctx, registrar, account.ID, route.URL)
	}
	out.OnRecord, out.Detail = found.URL, found.Detail
	switch {
	case err != nil:
		out.State, out.Detail, out.Console = connectFailed, explain(err, registering), route.Channel.Console
	case found.OK:
		out.State, out.OnRecord = connectRegistered, ""
	default:
		out.State, out.Console = connectMissing, route.Channel.Console
	}
	return out
}

// explain says what an operator can do about a platform that did not do as it
// was asked. One that was told the address may have tried it.
func explain(err error, registering bool) string {
	advice := map[connectors.ErrorKind]string{
		connectors.Misconfigured: "the platform refuses the credentials, or they lack a permission",
		connectors.Throttled:     "the platform asks for patience; try again later",
		connectors.Unavailable:   "the platform does not answer",
		connectors.Refused:       "the platform refuses",
	}[connectors.KindOf(err)]
	if advice == "" {
		return err.Error()
	}
	if registering {
		advice += ", or did not reach the gateway at its address: is it running?"
	}
	return advice + " (" + err.Error() + ")"
}

// print writes one account's line, and below it what is to be done.
func (c connectCmd) print(s *session, found connection) error {
	if c.JSON {
		return printJSON(s.out, found)
	}
	mark := markReady
	if found.State == connectMissing || found.State == connectFailed {
		mark = markNot
	}
	if found.State == connectByHand {
		mark = "·"
	}
	lines := []string{fmt.Sprintf("%s %s  %s", mark, found.Account, connectSentence(found))}
	if found.Console != "" {
		lines = append(lines, "  address  "+found.URL, "  enter    "+found.Console)
	}
	for _, line := range lines {
		if _, err := io.WriteString(s.out, visible(line)+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func connectSentence(found connection) string {
	switch found.State {
	case connectRegistered:
		return "registered: " + found.URL
	case connectByHand:
		return "the platform cannot be asked; enter the address by hand"
	case connectFailed:
		return found.Detail
	}
	text := "not registered"
	if found.OnRecord != "" {
		text += "; the platform calls " + found.OnRecord
	}
	if found.Detail != "" {
		text += "; " + found.Detail
	}
	return text
}
