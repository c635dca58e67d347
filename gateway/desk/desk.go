// Package desk puts together what agents work with: who they are, their API, their
// page, and the archive of what is closed. It has no behaviour of its own.
package desk

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/agent"
	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/console"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/gateway/store"
)

// Options are the parts of the gateway on which a desk stands.
type Options struct {
	Config  config.Config
	Journal *queue.Journal
	Store   *store.Sealed
	// Speaker sends what agents say.
	Speaker agent.Speaker
	Routes  *routes.Table
	Metrics *ops.Metrics
	Log     *slog.Logger
	Now     func() time.Time
}

// Desk is all of it. Mount it on a door, and run it as long as that is open.
type Desk struct {
	options Options
	people  *identity.Registry
	archive *archive.Archive
	api     *agent.API
	holders *agent.Holders // nil where no conversations are kept
}

// Open learns who may call. What is wrong with the agents file is an error.
func Open(ctx context.Context, o Options) (*Desk, error) {
	queues := o.Routes.Queues()
	people, err := identity.Open(ctx, identity.Options{
		Config: o.Config, Queues: queues, Sessions: o.Journal, Seen: o.Journal, Log: o.Log, Now: o.Now,
		Refused: func() { o.Metrics.Trouble("sign-in", "refused") },
	})
	if err != nil {
		return nil, err
	}
	d := &Desk{options: o, people: people}
	d.archive = &archive.Archive{
		Journal: o.Journal, Heads: o.Journal, Open: o.Journal, Documents: o.Store.Documents(), Queues: queues,
		Keep: time.Duration(o.Config.Photos.Keep), Metrics: o.Metrics, Log: o.Log, Now: o.Now,
	}
	d.api = agent.New(agent.Options{
		Journal: o.Journal, Archive: d.archive, Gallery: o.Store, People: people, Speaker: o.Speaker, Routes: o.Routes,
		Log: o.Log, Now: o.Now, Attempts: o.Config.Work.Attempts, Without: !o.Config.Conversations.Enabled,
	})
	if o.Config.Conversations.Enabled {
		d.holders = &agent.Holders{Journal: o.Journal, Roll: people, Queues: queues, Log: o.Log}
	}
	return d, nil
}

// Mount adds its routes. The page asks the API in this process for what it shows
// first; where no conversations are kept, there is none.
func (d *Desk) Mount(e *echo.Echo) error {
	d.people.Mount(e)
	d.api.Mount(e)
	o := d.options
	if !o.Config.Conversations.Enabled {
		return nil
	}
	return console.Mount(e, console.Options{API: e, Keep: time.Duration(o.Config.Photos.Keep), Tries: o.Config.Work.Attempts})
}

// Check is for /readyz.
func (d *Desk) Check(ctx context.Context) []ops.Line { return d.people.Check(ctx) }

// Run sends live updates, looks after who may call, puts back what those have who have
// left, and moves what is closed into the archive, until ctx ends. Streams end then,
// and nothing else needs grace.
func (d *Desk) Run(ctx context.Context, grace time.Duration) {
	parts := []func(context.Context, time.Duration){d.api.Run, d.people.Run, d.archive.Run}
	if d.holders != nil {
		parts = append(parts, d.holders.Run)
	}
	var all sync.WaitGroup
	for _, run := range parts {
		all.Go(func() { run(ctx, grace) })
	}
	all.Wait()
}
