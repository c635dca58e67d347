package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"syscall"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
)

type serveCmd struct {
	Config    string `placeholder:"FILE" help:"The gateway's file. Default: lightlock.yaml if it is there; without one, every channel is simulated."`
	LogFormat string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Help implements kong.HelpProvider.
func (serveCmd) Help() string {
	return `Runs until SIGINT or SIGTERM, finishes what is in work or puts it back, and exits 0.

Examples:
  lightlock serve
  lightlock serve --config /etc/lightlock/lightlock.yaml
  lightlock serve --log-format json 2> lightlock.log`
}

// defaultConfig is read if it is there. A file that was named must be.
const defaultConfig = "lightlock.yaml"

// Run runs the gateway until it is told to stop.
func (c serveCmd) Run(ctx context.Context, s *session) error {
	log := slog.New(c.handler(s.Stderr))
	queue.RedirectLog(log)
	loaded, err := loadFile(c.Config, s.Program, config.Load)
	var problems *config.Problems
	if errors.As(err, &problems) {
		if err := problems.Write(s.Stderr); err != nil {
			return err
		}
		return failure{exitFailed, errors.New("the configuration is wrong; nothing was started")}
	}
	if err != nil {
		return err
	}
	if loaded == nil {
		return s.serveSimulated(ctx, log)
	}
	gateway, err := s.NewGateway(loaded, log)
	if err != nil {
		return err
	}
	return serve(ctx, gateway, log, func(Addresses) (func(), error) { return func() {}, nil })
}

// serveSimulated runs a gateway that was told nothing: with every platform
// simulated, and two agents who are told how to sign in.
func (s *session) serveSimulated(ctx context.Context, log *slog.Logger) error {
	c := config.Default()
	dir, err := os.MkdirTemp("", "lightlock-agents-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var known []guest
	if c.Agents.File, known, err = guests(dir); err != nil {
		return err
	}
	loaded, platforms, err := s.simulate(c)
	if err != nil {
		return err
	}
	defer closeAll(platforms)
	log.Warn("NO CONFIGURATION: every channel is simulated, and no real platform is reached",
		"next", s.name+" check --config FILE, then "+s.name+" serve --config FILE")
	gateway, err := s.NewGateway(loaded, log)
	if err != nil {
		return err
	}
	return serve(ctx, gateway, log, func(a Addresses) (func(), error) {
		stage, err := openStage(ctx, platforms, newClient(a.Public), "http://"+a.Public+"/", nil)
		if err != nil {
			return nil, err
		}
		// Not to the log, because the links sign in.
		_, err = fmt.Fprint(s.Stdout, places(known, a.Public, stage.Address))
		return stage.close, err
	})
}

// serve runs a gateway from start to stop. beside starts what stands beside it, once
// it is there, and returns how that ends.
func serve(ctx context.Context, gateway Gateway, log *slog.Logger, beside func(Addresses) (func(), error)) error {
	if err := gateway.Start(ctx); err != nil {
		if ctx.Err() != nil {
			log.Info("stopped before it was ready")
			return nil // to be stopped is no failure, whenever it happens
		}
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%w\nIs another gateway running? Other addresses are set by listen and admin_listen", err)
		}
		return err
	}
	a := gateway.Addresses()
	end, err := beside(a)
	if err != nil {
		return errors.Join(err, gateway.Close())
	}
	defer end()
	log.Info("ready", "public", a.Public, "admin", a.Admin)
	var ended error
	select {
	case <-ctx.Done():
		log.Info("stopping: what is in work is finished or put back; Ctrl-C again to leave at once")
	case <-gateway.Journal().Ended():
		ended = gateway.Journal().Err()
	}
	if err := errors.Join(ended, gateway.Close()); err != nil {
		return fmt.Errorf("stopped: %w", err)
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

// loadFile reads the named file, or the default one if it is there, else nothing.
func loadFile(path string, p Program, read func(string, config.Prototypes) (*config.Loaded, error)) (*config.Loaded, error) {
	if path == "" {
		if _, err := os.Stat(defaultConfig); errors.Is(err, fs.ErrNotExist) {
			return nil, nil //nolint:nilnil // no file and no error: the caller simulates
		}
		path = defaultConfig
	}
	return read(path, p.prototypes())
}
