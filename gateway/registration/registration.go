// Package registration keeps an eye on where the platforms send their webhooks.
//
// A webhook that a platform has no longer on record is silence: no call fails,
// and nothing tells an operator that customers are not heard. So each platform
// that has an API for it is asked at the start and once an hour. The package
// promises that a missing registration shows in /readyz and in the log, that it
// is repaired where the operator has said so, and that a platform which does not
// answer changes nothing.
package registration

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/routes"
)

const (
	// every is how often the platforms are asked.
	every = time.Hour
	// deadline bounds one question, and one repair.
	deadline = 30 * time.Second
)

// Watch asks the platforms. Its fields are set once and not changed after.
type Watch struct {
	Routes   *routes.Table
	Metrics  *ops.Metrics
	Accounts *ops.Accounts
	Log      *slog.Logger
}

// Run asks at once and then every hour, until ctx ends. A platform that is asked
// at that moment is not waited for, so grace is not used.
func (w *Watch) Run(ctx context.Context, _ time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		w.Look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look asks about every account once: the connectors at the same time, because
// one may not answer, and the accounts of each in turn.
func (w *Watch) Look(ctx context.Context) {
	var asking sync.WaitGroup
	for _, route := range w.Routes.All() {
		registrar, ok := route.Connector.(connectors.Registrar)
		if !ok || route.Registration == "off" {
			continue
		}
		asking.Go(func() {
			for _, account := range route.Accounts {
				if ctx.Err() != nil {
					return
				}
				w.account(ctx, route, registrar, account)
			}
		})
	}
	asking.Wait()
}

// account sees to one account.
func (w *Watch) account(ctx context.Context, route *routes.Route, registrar connectors.Registrar, account routes.Account) {
	found, err := Ask(ctx, registrar, account.ID, route.URL)
	if err == nil && !found.OK && route.Registration == "repair" {
		w.Log.Warn("webhook is not registered; registering it", "account", account.Name, "detail", found.Detail)
		found, err = Ensure(ctx, registrar, account.ID, route.URL)
		w.Metrics.Trouble("registration", repairResult(err, found))
	}
	if ctx.Err() != nil {
		return
	}
	switch {
	case err != nil:
		if connectors.KindOf(err) == connectors.Misconfigured {
			w.Accounts.Unasked(account.Name)
		}
		w.Metrics.Trouble("registration", connectors.KindOf(err).String())
		w.Log.Warn("whether the webhook is registered is not known", "account", account.Name, "err", err)
	case found.OK:
		w.Accounts.Registered(account.Name)
	default:
		w.Accounts.Unregistered(account.Name)
		w.Metrics.Trouble("registration", "missing")
		w.Log.Error("the platform does not send its webhooks here", "account", account.Name, "detail", found.Detail)
	}
}

func repairResult(err error, found connectors.Registration) string {
	if err == nil && found.OK {
		return "repaired"
	}
	return "not_repaired"
}

// Ensure registers a webhook and asks whether it took.
func Ensure(ctx context.Context, r connectors.Registrar, account, url string) (connectors.Registration, error) {
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	if err := r.Register(limited, account, url); err != nil {
		return connectors.Registration{}, err
	}
	return Ask(ctx, r, account, url)
}

// Ask tells where the platform sends an account's webhooks.
func Ask(ctx context.Context, r connectors.Registrar, account, url string) (connectors.Registration, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	return r.Registered(ctx, account, url)
}
