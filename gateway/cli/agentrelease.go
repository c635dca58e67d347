package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/queue"
)

type agentReleaseCmd struct {
	changeFlags
	ID    string `name:"id" required:"" placeholder:"ID" help:"Whose conversations they are: the id in the agents file or, of an agent of the issuer's, the one in conversations and logs, which begins with oidc:."`
	Queue string `placeholder:"NAME" help:"Only those of this queue."`
}

// Help implements kong.HelpProvider.
func (agentReleaseCmd) Help() string {
	return `Puts all open conversations that an agent has back among those that wait, and says how many these were. Whoever was gone from the agents file for ten minutes needs no help: gateways do it by themselves. Of whom only the issuer knows nobody can tell that they have left, so this does it; it also does it at once, and for somebody who is ill.
The agent may still sign in and take conversations: who may is the agents file's to say, and the issuer's. Gateways may be at work, and to run it twice does no harm.
Exit 0 if it was done, also where the agent had none, 2 if it could not be done, or not for all of them.

Examples:
  lightlock agent release --id ben
  lightlock agent release --id ben --queue support --config /etc/lightlock/lightlock.yaml
  lightlock agent release --id oidc:5f2b8e0c91d74a36b0c2f1e4d3a59687 --json`
}

// Validate implements kong's check of a command line.
func (c agentReleaseCmd) Validate() error {
	if c.ID == "" || c.ID == queue.AnyAgent || len(c.ID) > queue.MaxAgentID || strings.TrimSpace(c.ID) != c.ID {
		return errors.New("--id is an agent's id")
	}
	return nil
}

// released is what was done in one queue, as --json prints it.
type released struct {
	Queue         string `json:"queue"`
	Agent         string `json:"agent"`
	Conversations int    `json:"conversations"`
}

// Run puts back what the agent has, queue by queue.
func (c agentReleaseCmd) Run(ctx context.Context, s *session) error {
	d, err := c.open(ctx, s, c.Queue)
	if err != nil {
		return err
	}
	defer d.close(ctx)
	all := 0
	for _, name := range d.queues {
		n, err := d.PutBack(ctx, name, c.ID)
		all += n
		if n > 0 || err == nil {
			err = errors.Join(c.print(s, released{name, c.ID, n}), err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w\nrun it again for what is left", name, err)
		}
	}
	if who := d.stranger(c.ID); all == 0 && who != "" {
		fmt.Fprintln(s.Stderr, "note:", visible(who))
	}
	return nil
}

// stranger says that the agents file does not have an agent, where that is so: who has
// left may still have conversations, and who never was there may be a typing error.
func (d *desk) stranger(id string) string {
	if identity.OfIssuer(id) {
		return ""
	}
	if d.config.Agents.File == "" {
		return fmt.Sprintf("no agents file is configured, so that no agent has the id %q; those of the issuer's begin with oidc:", id)
	}
	agents, err := config.LoadAgents(&d.config, nil)
	switch {
	case err != nil:
		return fmt.Sprintf("the agents file cannot be read, so that nobody can tell whether it has the id %q", id)
	case slices.ContainsFunc(agents, func(a config.LocalAgent) bool { return a.ID == id }):
		return ""
	}
	return fmt.Sprintf("the agents file has no id %q", id)
}

func (c agentReleaseCmd) print(s *session, r released) error {
	if c.JSON {
		return printJSON(s.out, r)
	}
	_, err := fmt.Fprintf(s.out, "%s  %s of %s put back\n", visible(r.Queue), count(r.Conversations, "conversation"), visible(r.Agent))
	return err
}
