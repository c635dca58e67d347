package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/lightlock/lightlock/config"
)

type serveCmd struct {
	Config    string `placeholder:"FILE" help:"The gateway's file. Default: lightlock.yaml if it is there; without one, every channel is simulated."`
	LogFormat string `enum:"text,json" default:"text" help:"text or json."`
}

// Help implements kong.HelpProvider.
func (serveCmd) Help() string {
	return `Examples:
  lightlock serve
  lightlock serve --config /etc/lightlock/lightlock.yaml
  lightlock serve --log-format json 2> lightlock.log`
}

// defaultConfig is read if it is there. A file that was named must be.
const defaultConfig = "lightlock.yaml"

// Run runs the gateway until it is told to stop.
func (c serveCmd) Run(ctx context.Context, p Program) error {
	log := slog.New(c.handler(p.Stderr))
	loaded, err := c.load(p)
	var problems *config.Problems
	if errors.As(err, &problems) {
		_ = problems.Write(p.Stderr)
		return failure{exitFailed, errors.New("the configuration is wrong; nothing was started")}
	}
	if err != nil {
		return err
	}
	if loaded == nil {
		var platforms []simulated
		if loaded, platforms, err = p.simulate(config.Default()); err != nil {
			return err
		}
		defer closeAll(platforms)
		log.Warn("NO CONFIGURATION: every channel is simulated, and no real platform is reached",
			"next", "lightlock check --config FILE, then lightlock serve --config FILE")
	}
	gateway, err := p.NewGateway(loaded, log)
	if err != nil {
		return err
	}
	if err := gateway.Start(ctx); err != nil {
		return err
	}
	a := gateway.Addresses()
	log.Info("ready", "public", a.Public, "admin", a.Admin, "connectors", len(loaded.Connectors))
	<-ctx.Done()
	log.Info("stopping: what is in work is finished or put back; Ctrl-C again to leave at once")
	if err := gateway.Close(); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	log.Info("stopped")
	return nil
}

func (c serveCmd) handler(w io.Writer) slog.Handler {
	if c.LogFormat == "json" {
		return slog.NewJSONHandler(w, nil)
	}
	return slog.NewTextHandler(w, nil)
}

// load reads the named file, or the default one if it is there, else nothing.
func (c serveCmd) load(p Program) (*config.Loaded, error) {
	path := c.Config
	if path == "" {
		if _, err := os.Stat(defaultConfig); errors.Is(err, fs.ErrNotExist) {
			return nil, nil //nolint:nilnil // no file and no error: the caller simulates
		}
		path = defaultConfig
	}
	return config.Load(path, p.prototypes())
}
