package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
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
	// simulated tells that there is no file, so that all is as serve does without.
	simulated bool
}

// deskFlags are common to the commands that look.
type deskFlags struct {
	Config string `placeholder:"FILE" help:"The gateway's file; without it, ./lightlock.yaml; without both, the simulated channels that serve starts."`
	JSON   bool   `name:"json" help:"One JSON object per line."`
}

// changeFlags are common to the commands that change or destroy. These want a
// configuration: on the simulated one nothing would be found, and that would read as
// done.
type changeFlags struct {
	Config string `placeholder:"FILE" help:"The gateway's file; without it, ./lightlock.yaml."`
	JSON   bool   `name:"json" help:"One JSON object per line."`
}

// open connects to the Redis of the gateway that the configuration describes.
// Close must be called. The secrets of connectors and services are not needed.
func (f deskFlags) open(ctx context.Context, s *session, only string) (*desk, error) {
	d, err := f.read(s)
	if err != nil {
		return nil, err
	}
	return d.opened(ctx, only)
}

// open is deskFlags.open where there is a configuration.
func (f changeFlags) open(ctx context.Context, s *session, only string) (*desk, error) {
	d, err := f.read(s)
	if err != nil {
		return nil, err
	}
	return d.opened(ctx, only)
}

// read is deskFlags.read where there is a configuration.
func (f changeFlags) read(s *session) (*desk, error) {
	path := cmp.Or(f.Config, defaultConfig)
	d, err := deskFlags{Config: path}.read(s)
	if f.Config == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w\nName yours with --config", err)
	}
	return d, err
}

// opened attaches a desk that has been read.
func (d *desk) opened(ctx context.Context, only string) (*desk, error) {
	if err := d.attach(ctx); err != nil {
		return nil, err
	}
	if err := d.only(ctx, only); err != nil {
		d.close(ctx)
		return nil, err
	}
	return d, nil
}

// read reads the configuration, for a desk that is not attached yet.
func (f deskFlags) read(s *session) (*desk, error) {
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
	d := &desk{config: loaded.Config, simulated: simulated}
	d.routes, err = routes.New(loaded, Known(s.Channels), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return nil, err
	}
	d.queues = d.routes.Queues()
	if simulated {
		d.queues = []string{simulatedQueue}
	}
	return d, nil
}

// attach connects to Redis.
func (d *desk) attach(ctx context.Context) (err error) {
	d.Backend, err = queue.Attach(ctx, queue.OpenOptions{Redis: d.config.Redis, Data: d.config.Data, Journal: queue.OptionsOf(d.config)})
	return d.unattached(err)
}

// only leaves the queue that was asked for, if one was. A name that is not
// configured is refused, because nothing being there would read as all clear;
// unless something is left there from when it was.
func (d *desk) only(ctx context.Context, name string) error {
	switch {
	case name == "" && len(d.queues) == 0:
		return errors.New("no connectors are configured, so no queue is known; name one")
	case name == "":
		return nil
	case !slices.Contains(d.queues, name):
		if stats, err := d.Stats(ctx, name); err != nil {
			return err
		} else if stats == (queue.Stats{}) {
			return strange("queue", name, d.queues)
		}
	}
	d.queues = []string{name}
	return nil
}

// strange refuses a name that is not configured, and tells those that are.
func strange(noun, name string, known []string) error {
	return fmt.Errorf("no %s %q is configured, and nothing is left of one; there are: %s", noun, name, listing(known))
}

// listing names some of those that there are.
func listing(known []string) string {
	const most = 20
	list := strings.Join(known[:min(len(known), most)], ", ")
	switch {
	case len(known) == 0:
		list = "none"
	case len(known) > most:
		list += fmt.Sprintf(" and %d more", len(known)-most)
	}
	return list
}

// knows tells whether an account, or a connector, is configured.
func (d *desk) knows(account string) bool {
	return slices.Contains(d.routes.AccountNames(), account) ||
		slices.ContainsFunc(d.routes.All(), func(r *routes.Route) bool { return r.Name == account })
}

// unattached says what an operator can do where there is nothing to look at.
func (d *desk) unattached(err error) error {
	switch {
	case errors.Is(err, queue.ErrNotRunning) && d.simulated:
		return fmt.Errorf("no redis is configured, and no gateway with a redis-server of its own runs on the data folder %s; name the gateway's file with --config, or start the gateway", d.config.Data)
	case errors.Is(err, queue.ErrNotRunning):
		return fmt.Errorf("no redis is configured, and the gateway's own redis-server, on the data folder %s, runs only while the gateway does; start the gateway", d.config.Data)
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
