package cli

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/lightlock/lightlock/config"
)

type agentCmd struct {
	Token   agentTokenCmd   `cmd:"" help:"Make a token, and the lines of the agents file that go with it."`
	Release agentReleaseCmd `cmd:"" help:"Put what an agent has back among the conversations that wait."`
}

// Help implements kong.HelpProvider.
func (agentCmd) Help() string {
	return `Agents are the people who answer consumers. Local ones stand in the file that agents.file names, which the gateway reads again when it changes.

Examples:
  lightlock agent token --id ben --name Ben --queue support
  lightlock agent token --id eva --queue support --queue sales
  lightlock agent release --id ben`
}

type agentTokenCmd struct {
	ID    string   `name:"id" required:"" placeholder:"ID" help:"Name by which conversations are assigned, for ever: letters, digits and . _ - @ +."`
	Name  string   `placeholder:"NAME" help:"What other agents see; the id unless set."`
	Queue []string `required:"" sep:"none" placeholder:"NAME" help:"A queue whose conversations the agent may see and take; may be repeated."`
	JSON  bool     `name:"json" help:"One JSON object."`
}

// Help implements kong.HelpProvider.
func (agentTokenCmd) Help() string {
	return `Prints a new token, which is shown this once, and the lines for the agents file, which keep its SHA-256 only: the token has 256 random bits, so that nobody can find it from that. Nothing is written or changed. An agent who gets another token is signed out everywhere.
Exit 0 if it is printed, 2 if the agents file would not take the id, the name or a queue.

Examples:
  lightlock agent token --id ben --name Ben --queue support
  lightlock agent token --id ben@example.com --queue support --queue sales
  lightlock agent token --id ben --queue support --json | jq -r .token`
}

// tokenPrefix tells what a token is to whoever finds one, and to programs that look
// for secrets where there should be none.
const tokenPrefix = "llat_"

// agentToken is what --json prints.
type agentToken struct {
	Token       string   `json:"token"`
	ID          string   `json:"id"`
	Name        string   `json:"name,omitempty"`
	TokenSHA256 string   `json:"token_sha256"`
	Queues      []string `json:"queues"`
	// Entry is what belongs below agents in the agents file.
	Entry string `json:"entry"`
}

// Run makes a token and prints it.
func (c agentTokenCmd) Run(s *session) error {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails, by its documentation
	token := tokenPrefix + base64.RawURLEncoding.EncodeToString(bits[:])
	agent := config.LocalAgent{ID: c.ID, Name: c.Name, TokenSHA256: config.TokenHash(token), Queues: c.Queue}
	entry, err := agent.Entry()
	var problems *config.Problems
	if errors.As(err, &problems) && len(problems.List) > 0 {
		p := problems.List[0]
		return fmt.Errorf("%s\n%s", strings.TrimPrefix(p.What, "agents[0]."), p.Fix)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, agentToken{token, agent.ID, agent.Name, agent.TokenSHA256, agent.Queues, entry})
	}
	fmt.Fprintf(s.err, "The token, for %s alone; it is not shown again:\n", visible(c.ID))
	if _, err := fmt.Fprintln(s.out, token); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "Below agents: in the agents file:")
	_, err = fmt.Fprint(s.out, entry)
	return err
}
