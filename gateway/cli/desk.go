package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
)

// desk is where an operator looks at what a gateway works on: from a process of
// its own, in the same Redis, whether the gateway runs or not.
type desk struct {
	*queue.Backend
	config config.Config
	routes *routes.Table
	queues []string // that were asked for, or all
}

// deskFlags are common to the commands that look.
type deskFlags struct {
	Config string `placeholder:"FILE" help:"The gateway's file. Default: lightlock.yaml if it is there, else what serve does without one."`
	JSON   bool   `name:"json" help:"One JSON object per line."`
}

// open connects to the Redis of the gateway that the configuration describes.
// Close must be called. The secrets of connectors and services are not needed.
func (f deskFlags) open(ctx context.Context, s *session, only string) (*desk, error) {
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	loaded, err := loadFile(f.Config, s.Program, config.LoadToLook)
	var problems *config.Problems
	switch {
	case errors.As(err, &problems):
		if err := problems.Write(s.Stderr); err != nil {
			return nil, err
		}
		return nil, failure{exitFailed, errors.New("the configuration is wrong; nothing was looked at")}
	case err != nil:
		return nil, err
	}
	simulated := loaded == nil
	if simulated {
		loaded = &config.Loaded{Config: config.Default()}
	}
	d := &desk{config: loaded.Config}
	d.routes, err = routes.New(loaded, Known(s.Channels), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return nil, err
	}
	d.queues = d.routes.Queues()
	switch {
	case only != "":
		d.queues = []string{only}
	case simulated:
		d.queues = []string{simulatedQueue}
	case len(d.queues) == 0:
		return nil, errors.New("no connectors are configured, so no queue is known; name one")
	}
	d.Backend, err = queue.Attach(ctx, queue.OpenOptions{Redis: d.config.Redis, Data: d.config.Data, Journal: queue.OptionsOf(d.config.Work)})
	return d, d.unattached(err)
}

// unattached says what an operator can do where there is nothing to look at.
func (d *desk) unattached(err error) error {
	switch {
	case errors.Is(err, queue.ErrNotRunning):
		return fmt.Errorf("no redis is configured, and no gateway with a redis-server of its own runs on the data folder %s; name the gateway's file with --config, or start the gateway", d.config.Data)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the data folder %s is another user's; run this as the gateway's user", d.config.Data)
	}
	return err
}

// close ends the connections; what was looked at stays.
func (d *desk) close(ctx context.Context) { _ = d.Close(context.WithoutCancel(ctx)) }

// widest is the width of a column that holds any of the known accounts' names,
// so that a list can be printed while it is read.
func (d *desk) widest(head string) int {
	widths := []int{columns(head)}
	for _, name := range d.routes.AccountNames() {
		widths = append(widths, columns(visible(name)))
	}
	return min(slices.Max(widths), widestName)
}

// ageText is a time as people read it: the largest unit alone.
func ageText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d d", d/day)
}
