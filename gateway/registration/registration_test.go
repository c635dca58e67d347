package registration_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/registration"
	"github.com/lightlock/lightlock/gateway/routes"
)

// watching is a watch over one simulated LINE. mode is the connector's setting,
// and before are the names of other connectors that come first.
func watching(t *testing.T, mode string, before ...string) (*registration.Watch, *linesim.Platform, *strings.Builder) {
	t.Helper()
	p, err := linesim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	loaded := &config.Loaded{Config: config.Default()}
	for _, name := range append(before, "acme") {
		settings := p.Settings(name, "support")
		settings.Common().Registration = mode
		loaded.Connectors = append(loaded.Connectors, settings)
	}
	loaded.Config.PublicURL = "https://gateway.test"
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	table, err := routes.New(loaded, []connectors.Channel{line.Channel()}, connectors.Env{Log: logger, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &registration.Watch{
		Routes: table, Metrics: ops.NewMetrics(), Accounts: ops.NewAccounts(table.AccountNames(), time.Now), Log: logger,
	}, p, &log
}

func note(w *registration.Watch) string { return w.Accounts.Check(context.Background())[0].Note }

const address = "https://gateway.test/webhooks/line/acme"

func TestAMissingRegistrationIsShownUntilItIsThere(t *testing.T) {
	w, p, log := watching(t, "")
	w.Look(t.Context())
	if got := note(w); !strings.Contains(got, "not registered") || !strings.Contains(got, "lightlock connect line/acme") {
		t.Errorf("got %q, want the account without a registration, and the way out", got)
	}
	if !strings.Contains(log.String(), "does not send its webhooks here") {
		t.Errorf("the log does not say so:\n%s", log)
	}
	p.SetEndpoint(linesim.Endpoint{URL: address, Active: true})
	w.Look(t.Context())
	if got := note(w); got != "" {
		t.Errorf("got %q once it is there, want nothing", got)
	}
}

func TestARegistrationIsRepairedOnlyWhereTheOperatorSaysSo(t *testing.T) {
	for mode, repaired := range map[string]bool{"repair": true, "check": false, "": false} {
		w, p, _ := watching(t, mode)
		var calls atomic.Int32
		p.Reach(func(*connectors.Request) (int, string) { calls.Add(1); return 200, "" })
		p.SetEndpoint(linesim.Endpoint{URL: "https://elsewhere.test", Active: true})
		w.Look(t.Context())
		if got := note(w) == ""; got != repaired || (calls.Load() > 0) != repaired {
			t.Errorf("%q: registered %v with %d calls of the platform's, want %v", mode, got, calls.Load(), repaired)
		}
	}
}

func TestARepairThatFailsIsShown(t *testing.T) {
	w, p, log := watching(t, "repair")
	p.SetEndpoint(linesim.Endpoint{URL: "https://elsewhere.test", Active: true})
	w.Look(t.Context()) // LINE finds nobody at the new address
	if !strings.Contains(log.String(), "registered is not known") && !strings.Contains(note(w), "not registered") {
		t.Errorf("neither the log nor /readyz says so:\n%s%s", log, note(w))
	}
}

func TestAPlatformIsNotAskedWhereItIsSwitchedOff(t *testing.T) {
	w, p, _ := watching(t, "off")
	_ = p.Close()
	w.Look(t.Context())
	if got := note(w); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

// What is not known is neither good nor bad.
func TestAPlatformThatDoesNotAnswerChangesNothing(t *testing.T) {
	w, p, log := watching(t, "")
	w.Look(t.Context())
	before := note(w)
	_ = p.Close()
	w.Look(t.Context())
	if got := note(w); got != before || before == "" {
		t.Errorf("got %q, want %q as before", got, before)
	}
	if !strings.Contains(log.String(), "is not known") {
		t.Errorf("the log does not say so:\n%s", log)
	}
}

// A refused token is shown until it is taken again. That it keeps photos from
// being fetched is not said, for nobody has tried that.
func TestARefusedTokenIsShown(t *testing.T) {
	w, p, _ := watching(t, "")
	p.SetEndpoint(linesim.Endpoint{URL: address, Active: true})
	token := p.Token
	p.Token = "another"
	w.Look(t.Context())
	if got := note(w); !strings.Contains(got, "is not known") || strings.Contains(got, "photos") || !strings.Contains(got, "lightlock connect line/acme") {
		t.Errorf("got %q, want that nobody knows, and the way out", got)
	}
	p.Token = token
	w.Look(t.Context())
	if got := note(w); got != "" {
		t.Errorf("got %q with the right token, want nothing", got)
	}
}

// hanging is a platform that never answers.
type hanging struct {
	connectors.Connector
	asked chan struct{}
}

func (h hanging) Registered(ctx context.Context, _, _ string) (connectors.Registration, error) {
	close(h.asked)
	<-ctx.Done()
	return connectors.Registration{}, ctx.Err()
}

func (h hanging) Register(context.Context, string, string) error { return nil }

func TestAPlatformThatHangsHoldsUpNoOther(t *testing.T) {
	w, _, _ := watching(t, "", "slow")
	slow, asked := w.Routes.All()[0], make(chan struct{})
	slow.Connector = hanging{slow.Connector, asked}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Look(ctx)
	}()
	<-asked
	for deadline := time.Now().Add(20 * time.Second); w.Accounts.Check(ctx)[1].Note == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the other is not asked meanwhile")
		}
	}
	stop()
	<-done
}

func TestRunEnds(t *testing.T) {
	w, _, _ := watching(t, "")
	ctx, stop := context.WithCancelCause(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx, 0)
	}()
	for deadline := time.Now().Add(time.Minute); note(w) == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not ask at its start")
		}
	}
	stop(errors.New("enough"))
	<-done
}
