package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/lightlock/lightlock/config"
)

type checkCmd struct {
	Config string `default:"${config}" placeholder:"FILE" help:"The gateway's file, ${config} unless set; connectors lie in a folder beside it."`
	JSON   bool   `name:"json" help:"One JSON object per problem and line."`
}

// Help implements kong.HelpProvider.
func (checkCmd) Help() string {
	return `Also asks the configured Redis whether it keeps what it acknowledges, and puts a small object into the configured bucket and deletes it again.
Exit 0 if nothing is wrong, 1 if something is, 2 if the file cannot be read. Warnings count as nothing wrong.

Examples:
  lightlock check
  lightlock check --config /etc/lightlock/lightlock.yaml
  lightlock check --json | jq -r .fix`
}

// notice is a line of check --json: a problem, or something that may be meant
// so.
type notice struct {
	Severity string `json:"severity"`
	config.Problem
}

// Run reads the configuration and prints every problem with its place. Exit 1
// if there is any.
func (c checkCmd) Run(ctx context.Context, s *session) error {
	loaded, err := config.Load(c.Config, s.prototypes())
	var problems *config.Problems
	switch {
	case errors.As(err, &problems):
		return c.refuse(s, problems)
	case errors.Is(err, fs.ErrNotExist):
		return c.explain(s, err)
	case err != nil:
		return err
	}
	e := s.examine(ctx, loaded)
	if c.JSON {
		for _, p := range e.warnings {
			if err := printJSON(s.out, notice{"warning", p}); err != nil {
				return err
			}
		}
	} else if err := e.print(s.out); err != nil {
		return err
	}
	if len(e.findings) > 0 {
		return c.refuse(s, &config.Problems{List: e.findings, Files: loaded.Files})
	}
	if c.JSON {
		return nil
	}
	_, err = fmt.Fprintf(s.out, "%s in %s\n", e.verdict(), count(loaded.Files, "file"))
	return err
}

// refuse prints what is wrong, and is exit 1.
func (c checkCmd) refuse(s *session, problems *config.Problems) error {
	if !c.JSON {
		if err := problems.Write(s.out); err != nil {
			return err
		}
		return failure{code: exitFindings}
	}
	for _, p := range problems.List {
		if err := printJSON(s.out, notice{"problem", p}); err != nil {
			return err
		}
	}
	return failure{code: exitFindings}
}

// explain adds to a missing file where one is to be had.
func (c checkCmd) explain(s *session, err error) error {
	const example = "config/lightlock.yaml"
	if _, missing := os.Stat(example); missing != nil || c.Config == example {
		return err
	}
	return fmt.Errorf("%w\nAn example lies in the folder config; try: %s check --config %s", err, s.name, example)
}
