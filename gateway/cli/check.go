package cli

import (
	"errors"
	"fmt"

	"github.com/lightlock/lightlock/config"
)

type checkCmd struct {
	Config string `default:"lightlock.yaml" placeholder:"FILE" help:"The gateway's file; connectors lie in a folder beside it."`
}

// Help implements kong.HelpProvider.
func (checkCmd) Help() string {
	return `Examples:
  lightlock check
  lightlock check --config /etc/lightlock/lightlock.yaml
  lightlock check --config config/lightlock.yaml && echo good`
}

// Run reads the configuration and prints every problem with its place. Exit 1
// if there is any.
func (c checkCmd) Run(p Program) error {
	loaded, err := config.Load(c.Config, p.prototypes())
	var problems *config.Problems
	if errors.As(err, &problems) {
		if err := problems.Write(p.Stdout); err != nil {
			return err
		}
		return failure{code: exitFindings}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "no problems in %s\n", count(loaded.Files, "file"))
	for _, s := range loaded.Connectors {
		fmt.Fprintf(p.Stdout, "  %s: register %s/webhooks/%s\n", s.Common().FullName(), loaded.Config.PublicURL, s.Common().FullName())
	}
	return nil
}
