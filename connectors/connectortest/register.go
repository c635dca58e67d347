package connectortest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// otherURL is where another gateway might be.
const otherURL = "https://gateway.example/webhooks/channel/other"

// registerChecks are about where the platform sends its webhooks.
func registerChecks() []check {
	return []check{
		{"register_check", "what Register has done is what Registered finds", registering(checkRegister)},
		{"register_moves", "Register of another address makes events go there", registering(checkRegisterMoves)},
		{"register_unreachable", "a platform that calls the gateway first registers none that does not answer", registering(checkRegisterUnreachable)},
		{"register_account", "an account that is not configured is Misconfigured or Refused, without a call", registering(checkRegisterAccount)},
		{"register_status", "no HTTP status but a success is one, and each has the kind that fits", registering(checkRegisterStatus)},
		{"register_foreign", "credentials go to no other host", registering(checkRegisterForeign)},
		{"register_private", "no private address is called unless the operator allows it", registering(checkRegisterPrivate)},
		{"register_secrets", "no error, log line or Registration holds a secret or a query", registering(checkRegisterSecrets)},
	}
}

// registry is what a check of a Registrar works with.
type registry struct {
	*bench
	registrar connectors.Registrar
	account   string
	// knocks counts the platform's own calls to the gateway.
	knocks *atomic.Int32
}

// registering makes a check of something about a Registrar, whose platform
// reaches the gateway.
func registering(run func(registry) error) func(*bench) error {
	return func(b *bench) error {
		r, ok := b.connector.(connectors.Registrar)
		if !ok {
			return unconcerned("the platform has no API for where it sends its webhooks")
		}
		g := registry{b, r, b.settings.AccountList()[0].ID, new(atomic.Int32)}
		g.platform.Reach(func(r *connectors.Request) (int, string) {
			g.knocks.Add(1)
			return g.open(r)
		})
		return run(g)
	}
}

// open answers the platform as the gateway does.
func (g registry) open(r *connectors.Request) (status int, body string) {
	r.ReceivedAt = time.Now()
	if address, _, _ := strings.Cut(r.URL, "?"); address != webhookURL && address != otherURL {
		return http.StatusNotFound, ""
	}
	if r.Method == http.MethodGet {
		c, ok := g.connector.(connectors.Challenger)
		if !ok {
			return http.StatusMethodNotAllowed, ""
		}
		body, err := c.Challenge(r)
		if err != nil {
			return http.StatusUnauthorized, ""
		}
		return http.StatusOK, body
	}
	if err := g.connector.Verify(r); err != nil {
		return http.StatusUnauthorized, ""
	}
	_, _ = g.connector.Parse(r)
	if c, ok := g.connector.(connectors.Responder); ok {
		_, body = c.Response()
	}
	return http.StatusOK, body
}

func (g registry) register(url string) error {
	if err := g.registrar.Register(g.ctx, g.account, url); err != nil {
		return fmt.Errorf("Register of %s: %w", url, err)
	}
	return nil
}

// finds returns an error unless events go to url or, if not ok, do not.
func (g registry) finds(url string, ok bool) (connectors.Registration, error) {
	got, err := g.registrar.Registered(g.ctx, g.account, url)
	switch {
	case err != nil:
		return got, fmt.Errorf("Registered of %s: %w", url, err)
	case got.OK != ok:
		return got, fmt.Errorf("Registered of %s: got %+v, want OK %v", url, got, ok)
	case ok && got.Detail != "":
		return got, fmt.Errorf("Registered of %s: got %+v, want no Detail, because nothing is missing", url, got)
	case ok && got.URL != url:
		return got, fmt.Errorf("Registered of %s: got %+v, want that URL", url, got)
	}
	return got, nil
}

func checkRegister(g registry) error {
	got, err := g.finds(webhookURL, false)
	if err == nil && got.URL == webhookURL {
		err = fmt.Errorf("got %+v, want no URL", got)
	}
	if err != nil {
		return fmt.Errorf("before Register: %w", err)
	}
	if err := g.register(webhookURL); err != nil {
		return err
	}
	if _, err := g.finds(webhookURL, true); err != nil {
		return err
	}
	other, err := g.finds(otherURL, false)
	if err == nil && other.URL != webhookURL {
		err = fmt.Errorf("Registered of %s: got %+v, want the URL on record, %s", otherURL, other, webhookURL)
	}
	if err != nil {
		return err
	}
	if err := g.register(webhookURL); err != nil {
		return fmt.Errorf("once more: %w", err)
	}
	_, err = g.finds(webhookURL, true)
	return err
}

func checkRegisterMoves(g registry) error {
	for _, url := range []string{webhookURL, otherURL, webhookURL} {
		if err := g.register(url); err != nil {
			return err
		}
		if _, err := g.finds(url, true); err != nil {
			return err
		}
	}
	return nil
}

func checkRegisterUnreachable(g registry) error {
	if err := g.register(webhookURL); err != nil {
		return err
	}
	if g.knocks.Load() == 0 {
		return nil // it believes what it is told
	}
	gateways := map[string]func(*connectors.Request) (int, string){
		"no way to the gateway":       nil,
		"a gateway that fails":        func(*connectors.Request) (int, string) { return http.StatusInternalServerError, "" },
		"a gateway that says no":      func(*connectors.Request) (int, string) { return http.StatusUnauthorized, "" },
		"a gateway that is not there": func(*connectors.Request) (int, string) { return http.StatusNotFound, "no such page" },
	}
	for what, reach := range gateways {
		other, err := newBench(g.subject)
		if err != nil {
			return err
		}
		err = registering(func(g registry) error { return g.unreachable(reach) })(other)
		other.close()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

// unreachable registers while the gateway cannot be reached, and then again when
// it can.
func (g registry) unreachable(reach func(*connectors.Request) (int, string)) error {
	g.platform.Reach(reach)
	if err := g.register(webhookURL); err == nil {
		if _, err := g.finds(webhookURL, false); err != nil {
			return fmt.Errorf("Register gave no error: %w", err)
		}
	}
	g.platform.Reach(g.open)
	if err := g.register(webhookURL); err != nil {
		return fmt.Errorf("when it can be reached again: %w", err)
	}
	_, err := g.finds(webhookURL, true)
	return err
}

func checkRegisterAccount(g registry) error {
	calls := g.counting()
	for _, account := range []string{"", "nobody", g.account + "0", otherID(g.account)} {
		_, err := g.registrar.Registered(g.ctx, account, webhookURL)
		if err := wantKind(err, connectors.Misconfigured, connectors.Refused); err != nil {
			return fmt.Errorf("Registered of account %q, which is not configured: %w", account, err)
		}
		err = g.registrar.Register(g.ctx, account, webhookURL)
		if err := wantKind(err, connectors.Misconfigured, connectors.Refused); err != nil {
			return fmt.Errorf("Register of account %q, which is not configured: %w", account, err)
		}
	}
	if n := calls(); n != 0 {
		return fmt.Errorf("got %d calls for accounts that are not configured, want none", n)
	}
	return nil
}

// request is one of a Registrar's methods, as the faults see it.
type request struct {
	name string
	act  func() error
	// harmless is asked after act has gone through in spite of a fault.
	harmless func() error
}

// faulty calls each for Registered, when nothing is on record yet, and for a
// Register that moves the webhook, with the steps that it takes.
func (g registry) faulty(each func(r request, steps []step) error) error {
	var asked connectors.Registration
	ask := request{"Registered", func() (err error) {
		asked, err = g.registrar.Registered(g.ctx, g.account, webhookURL)
		return err
	}, func() error {
		if asked.OK {
			return errors.New("got OK, though nothing is on record")
		}
		return nil
	}}
	move := request{"Register", func() error { return g.registrar.Register(g.ctx, g.account, otherURL) }, func() error {
		g.platform.Wrap(nil)
		_, err := g.finds(otherURL, true)
		return errors.Join(err, g.register(webhookURL))
	}}
	for _, r := range []request{ask, move} {
		steps, err := g.steps(r.act)
		if err == nil && r.name == move.name {
			err = g.register(webhookURL)
		}
		if err == nil {
			err = each(r, steps)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		g.platform.Wrap(nil)
		if err := g.register(webhookURL); err != nil {
			return err
		}
	}
	return nil
}

func checkRegisterStatus(g registry) error {
	return g.faulty(func(r request, steps []step) error {
		for k := range steps {
			for status := 300; status < 600; status++ {
				g.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(status) })
				if err := r.judge(status, r.act()); err != nil {
					return fmt.Errorf("HTTP %d at step %d of %d: %w", status, k+1, len(steps), err)
				}
			}
			for _, c := range lostAnswers() {
				g.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { raw(w, c.bytes, c.reset) })
				if err := r.judge(http.StatusBadGateway, r.act()); err != nil {
					return fmt.Errorf("%s at step %d of %d: %w", c.name, k+1, len(steps), err)
				}
			}
		}
		return nil
	})
}

// judge returns an error unless err is right for a status. No error is right
// where the status says no more than that there is nothing yet, or where the
// fault did no harm.
func (r request) judge(status int, err error) error {
	if err == nil {
		return r.harmless()
	}
	switch {
	case status == 401 || status == 407:
		return wantKind(err, connectors.Misconfigured)
	case status == 429:
		return wantKind(err, connectors.Throttled)
	case status >= 500:
		return wantKind(err, connectors.Unavailable, connectors.Throttled)
	}
	return nil
}

func checkRegisterForeign(g registry) error {
	return g.faulty(func(r request, steps []step) error {
		return g.leadsNowhere(steps, secretsOf(g.settings), r.act)
	})
}

func checkRegisterPrivate(g registry) error {
	calls := g.counting()
	c, err := g.publicOnly()
	if err != nil {
		return wantKind(err, connectors.Misconfigured)
	}
	strict, ok := c.(connectors.Registrar)
	if !ok {
		return errors.New("the connector is a Registrar only sometimes")
	}
	_, asked := strict.Registered(g.ctx, g.account, webhookURL)
	done := strict.Register(g.ctx, g.account, webhookURL)
	if n := calls(); n != 0 {
		return fmt.Errorf("got %d calls at a private address, want none", n)
	}
	return errors.Join(wantKind(asked, connectors.Refused), wantKind(done, connectors.Refused))
}

func checkRegisterSecrets(g registry) error {
	secret := append(secretLeaks(g.settings), canary, "canary")
	const curious = webhookURL + "?token=canary"
	err := g.faulty(func(r request, steps []step) error {
		return g.provokeCalls(steps, r.act, func(what string, err error) error { return secret.inError("the error "+what, err) })
	})
	if err != nil {
		return err
	}
	over, cancel := context.WithCancel(g.ctx)
	cancel()
	for _, ctx := range []context.Context{over, g.ctx} {
		err := g.registrar.Register(ctx, g.account, curious)
		got, asked := g.registrar.Registered(ctx, g.account, webhookURL)
		if err := errors.Join(secret.inError("the error of Register", err), secret.inError("the error of Registered", asked)); err != nil {
			return err
		}
		if err := secret.in("a Registration", fmt.Sprintf("%+v", got)); err != nil {
			return err
		}
	}
	return secret.in("the log", g.log.String())
}
