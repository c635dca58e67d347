package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/cli"
	"github.com/lightlock/lightlock/gateway/darkroom"
	"github.com/lightlock/lightlock/gateway/desk"
	"github.com/lightlock/lightlock/gateway/ending"
	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/hosts"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/registration"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/gateway/spool"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/sweep"
	"github.com/lightlock/lightlock/gateway/webhook"
)

// A stop is over within 25 s, whatever hangs, and so before the 30 s that
// orchestrators usually leave. Each part must have ended by a moment of its own.
const (
	// A platform that is being asked about its webhooks is not waited for.
	askingBy = 500 * time.Millisecond
	liveBy   = 2 * time.Second
	doorsBy  = 3 * time.Second
	// grace is for the messages in work; what is not finished then is put back.
	grace      = 14 * time.Second
	workBy     = doorsBy + grace + inbound.LastWord + 250*time.Millisecond
	darkroomBy = workBy + 750*time.Millisecond
	storeBy    = darkroomBy + 500*time.Millisecond
	spoolBy    = storeBy + 500*time.Millisecond
	journalBy  = spoolBy + 750*time.Millisecond
)

// App is the gateway as a value: main and tests alike make, start and stop it.
type App struct {
	config config.Config
	log    *slog.Logger
	routes *routes.Table
	memory budget.Plan

	metrics  *ops.Metrics
	accounts *ops.Accounts
	health   *ops.Health

	backend  *queue.Backend
	spool    *spool.Spool
	store    *store.Sealed
	darkroom *darkroom.Darkroom
	line     *inbound.Line
	out      *outbound.Line
	desk     *desk.Desk
	public   *webhook.Server
	admin    *webhook.Server

	parts ending.Parts
	once  sync.Once
}

// NewApp puts the gateway together; nothing is opened or started yet.
func NewApp(loaded *config.Loaded, log *slog.Logger) (*App, error) {
	routes, err := routes.New(loaded, cli.Known(channels()), connectors.Env{Log: log, Now: failpoint.Now})
	if err != nil {
		return nil, err
	}
	memory, err := budget.Reckon(loaded.Config.Photos.Memory, routes.LargestPhoto(), budget.ContainerLimit("/"))
	if err != nil {
		return nil, err
	}
	return &App{
		config: loaded.Config, log: log, routes: routes, memory: memory,
		metrics: ops.NewMetrics(), accounts: ops.NewAccounts(routes.AccountNames(), failpoint.Now),
	}, nil
}

// Start brings everything up in order, the public door last. If a step fails,
// those before it are taken down again. ctx bounds the start, not the run.
func (a *App) Start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		a.openJournal, a.openSpool, a.openStore, a.openDarkroom, a.startWork, a.openDesk, a.openAdmin, a.openPublic, a.startWatch,
	} {
		if err := step(ctx); err != nil {
			return errors.Join(err, a.Close())
		}
	}
	return nil
}

// Close stops everything in reverse order: first nothing new comes in, then
// what is in work is finished or put back, then the rest goes.
func (a *App) Close() (err error) {
	a.once.Do(func() {
		if a.health != nil {
			a.health.Drain()
		}
		err = a.parts.Stop()
	})
	return err
}

// openJournal opens the journal and refuses a Redis that forgets.
func (a *App) openJournal(ctx context.Context) (err error) {
	queue.RedirectLog(a.log)
	told := ops.Told{Metrics: a.metrics, Log: a.log}
	options := queue.OptionsOf(a.config)
	options.OnBreach, options.OnNewer, options.OnExpired = told.Breach, told.Newer, told.Expired
	a.backend, err = queue.Open(ctx, queue.OpenOptions{
		Redis: a.config.Redis, Data: a.config.Data, Log: a.log, Journal: options,
	})
	if err != nil {
		return err
	}
	a.parts.Add("journal", journalBy, a.backend.Close)
	err = a.backend.Prepare(ctx, a.routes.Queues())
	if a.mayStartAway(err) {
		a.log.Warn("REDIS IS AWAY: webhooks are spooled until it answers", "err", err)
		return nil
	}
	return told.Prepared(a.backend, err)
}

// mayStartAway tells whether Redis only does not answer, and there is a spool.
func (a *App) mayStartAway(err error) bool {
	return a.config.Spool.Enabled && errors.Is(err, queue.ErrAway)
}

// openSpool puts the spool before the journal.
func (a *App) openSpool(context.Context) (err error) {
	told := ops.Told{Metrics: a.metrics, Log: a.log}
	if a.spool, err = spool.Open(spool.Options{
		Folder: a.config.SpoolFolder(), Limit: a.config.Spool.Limit(), Queues: a.routes.Queues(), Journal: a.backend,
		Ready: a.backend.Ready, Log: a.log, OnSpooled: told.Spooled, OnBroken: told.Broken, Now: failpoint.Now,
	}); err == nil {
		a.parts.Add("spool", spoolBy, ending.Close(a.spool.Close))
	}
	return err
}

func (a *App) openStore(context.Context) (err error) {
	if a.store, err = store.New(a.config, a.log); err == nil {
		a.parts.Add("store", storeBy, ending.Close(a.store.Close))
	}
	return err
}

func (a *App) openDarkroom(context.Context) (err error) {
	a.memory.Start(a.log)
	if a.darkroom, err = darkroom.New(darkroom.Options{Memory: a.memory.Children, Log: a.log}); err == nil {
		a.parts.Add("darkroom", darkroomBy, ending.Close(a.darkroom.Close))
	}
	return err
}

// startWork sets both lines to work. They stop after the doors, so that what came
// in last is still forwarded.
func (a *App) startWork(context.Context) error {
	a.line = &inbound.Line{
		Journal: a.backend.Journal, Durable: a.spool, Originals: budget.NewOriginals(a.memory, budget.Patience), Darkroom: a.darkroom, Store: a.store,
		Metrics: a.metrics, Accounts: a.accounts, Log: a.log, Work: a.config.Work, Routes: a.routes, Now: failpoint.Now,
		Hosts: hosts.New(hosts.Options{PerHost: a.config.Work.PerHost, Slots: a.config.Work.Slots, Longest: time.Duration(a.config.Work.RetryMax), Log: a.log}),
	}
	a.out = &outbound.Line{
		Journal: a.backend.Journal, Metrics: a.metrics, Accounts: a.accounts, Log: a.log, Work: a.config.Work, Routes: a.routes, Now: failpoint.Now,
	}
	upkeep := &sweep.Sweeper{
		Journal: a.backend.Journal, Store: a.store, Queues: a.routes.Queues(), Metrics: a.metrics, Log: a.log,
		Lease: time.Duration(a.config.Work.Lease), Keep: time.Duration(a.config.Photos.Keep),
	}
	a.parts.Background("work", workBy, grace, a.out.Run, a.line.Run, a.spool.Run, upkeep.Run)
	return nil
}

// startWatch asks the platforms for their webhooks once these can be answered.
func (a *App) startWatch(context.Context) error {
	a.parts.Background("watch over registrations", askingBy, 0, (&registration.Watch{Routes: a.routes, Metrics: a.metrics, Accounts: a.accounts, Log: a.log}).Run)
	return nil
}

// openDesk puts up what agents work with.
func (a *App) openDesk(ctx context.Context) (err error) {
	a.desk, err = desk.Open(ctx, desk.Options{
		Config: a.config, Journal: a.backend.Journal, Store: a.store, Speaker: a.out, Routes: a.routes, Metrics: a.metrics, Log: a.log, Now: failpoint.Now,
	})
	return err
}

func (a *App) openAdmin(context.Context) (err error) {
	a.metrics.Register(ops.NewQueueCollector(a.backend, a.routes.Queues()), ops.NewSpoolCollector(a.spool),
		ops.NewLanesCollector(a.backend, a.routes.Queues(), inbound.LaneNames(a.routes)),
		ops.NewMemoryCollector(a.line.Originals, a.darkroom), ops.NewChildrenCollector(a.darkroom.Started), ops.NewRedisCollector(a.backend.Condition),
		ops.NewHostsCollector(a.routes.AccountNames(), a.line.Hosts.Troubles))
	a.health = ops.NewHealth(
		ops.DurableCheck(ops.RedisCheck(a.backend, a.backend.Condition), a.spool), ops.StoreCheck(a.store.Check, a.config.Store.TryEvery()),
		ops.PausedCheck(a.config.Work.Paused), ops.QueueCheck(a.backend, a.routes.Queues(), a.config.Conversations.TrimQueue > 0), a.accounts.Check, ops.HostsCheck(a.line.Hosts.Troubles), a.desk.Check,
	)
	a.admin, err = a.listen(a.config.AdminListen, ops.Admin(a.health, a.metrics), nil)
	return err
}

func (a *App) openPublic(context.Context) (err error) {
	e := webhook.NewEcho(a.log)
	(&webhook.Handlers{Line: a.line, Metrics: a.metrics, Log: a.log, Now: failpoint.Now}).Mount(e, a.routes.All())
	e.StaticFS("/schemas", queue.Schemas())
	door, err := webhook.Door(e, a.config)
	if err = errors.Join(err, a.desk.Mount(e)); err != nil {
		return err
	}
	if a.public, err = a.listen(a.config.Listen, door, a.config.TLS); err == nil {
		// Streams end before the listener, which waits for them.
		a.parts.Background("desk", liveBy, 0, a.desk.Run)
	}
	return err
}

func (a *App) listen(address string, h http.Handler, certificate *config.TLS) (*webhook.Server, error) {
	server, err := webhook.Listen(address, h, certificate, a.log)
	if err != nil {
		return nil, err
	}
	go server.Serve()
	a.parts.Add("listeners", doorsBy, server.Shutdown)
	return server, nil
}

// Addresses tells where the gateway listens; valid after Start.
func (a *App) Addresses() cli.Addresses {
	return cli.Addresses{Public: a.public.Address(), Admin: a.admin.Address()}
}

// Journal is what the gateway accepts into, as the commands see it.
func (a *App) Journal() cli.Journal { return a.backend }
