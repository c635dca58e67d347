package connectortest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// finding twists what Registered returns.
func finding(change func(t *twistedToy, got connectors.Registration, err error) (connectors.Registration, error)) func(*twistedToy) {
	return func(t *twistedToy) {
		t.registered = func(ctx context.Context, account, url string) (connectors.Registration, error) {
			got, err := t.toy.Registered(ctx, account, url)
			return change(t, got, err)
		}
	}
}

// setting twists the errors of Register.
func setting(change func(t *twistedToy, err error) error) func(*twistedToy) {
	return func(t *twistedToy) {
		t.register = func(ctx context.Context, account, url string) error {
			return change(t, t.toy.Register(ctx, account, url))
		}
	}
}

// statusOf returns the status of a failed call, or 0.
func statusOf(err error) int {
	var answer *wire.StatusFailure
	if errors.As(err, &answer) {
		return answer.Status
	}
	return 0
}

func registerMutants() []toyMutant {
	return []toyMutant{
		{"takes any address for ours", "register_check", toyManners{}, finding(func(_ *twistedToy, got connectors.Registration, err error) (connectors.Registration, error) {
			if got.URL != "" {
				got = connectors.Registration{OK: true, URL: got.URL}
			}
			return got, err
		})},
		{"does not say where events go", "register_check", toyManners{}, finding(func(_ *twistedToy, got connectors.Registration, err error) (connectors.Registration, error) {
			if !got.OK {
				got.URL = ""
			}
			return got, err
		})},
		{"leaves events where they go", "register_moves", toyManners{}, func(t *twistedToy) {
			t.register = func(ctx context.Context, account, url string) error {
				got, err := t.toy.Registered(ctx, account, url)
				if err != nil || got.URL == webhookURL {
					return err
				}
				return t.toy.Register(ctx, account, url)
			}
		}},
		{"believes that it was registered", "register_unreachable", toyManners{}, believes},
		{"registers for strangers", "register_account", toyManners{}, func(t *twistedToy) {
			t.register = func(ctx context.Context, account, url string) error {
				return t.toy.Register(ctx, t.known(account), url)
			}
		}},
		{"asks for strangers", "register_account", toyManners{}, func(t *twistedToy) {
			t.registered = func(ctx context.Context, account, url string) (connectors.Registration, error) {
				return t.toy.Registered(ctx, t.known(account), url)
			}
		}},
		{"takes a conflict for done", "register_status", toyManners{}, setting(func(_ *twistedToy, err error) error {
			if statusOf(err) == http.StatusConflict {
				return nil
			}
			return err
		})},
		{"blames the platform for the token", "register_status", toyManners{}, setting(func(_ *twistedToy, err error) error {
			if statusOf(err) == http.StatusUnauthorized {
				return connectors.Errorf(connectors.Unavailable, "test", "no")
			}
			return err
		})},
		{"says OK when it cannot ask", "register_status", toyManners{}, finding(func(_ *twistedToy, got connectors.Registration, err error) (connectors.Registration, error) {
			if statusOf(err) == http.StatusServiceUnavailable {
				return connectors.Registration{OK: true}, nil
			}
			return got, err
		})},
	}
}

// believes remembers what it was asked to register when the webhook did not
// answer, and later says that it is so.
func believes(t *twistedToy) {
	var asked atomic.Value
	t.register = func(ctx context.Context, account, url string) error {
		err := t.toy.Register(ctx, account, url)
		if statusOf(err) == http.StatusUnprocessableEntity {
			asked.Store(url)
			return nil
		}
		return err
	}
	t.registered = func(ctx context.Context, account, url string) (connectors.Registration, error) {
		if asked.Load() == url {
			return connectors.Registration{OK: true, URL: url}, nil
		}
		return t.toy.Registered(ctx, account, url)
	}
}

func registerHostMutants() []toyMutant {
	return []toyMutant{
		{"registers where it is led to", "register_foreign", toyManners{}, func(t *twistedToy) {
			t.register = func(ctx context.Context, account, url string) error {
				err := t.toy.Register(ctx, account, url)
				if location := leadsTo(err); location != "" {
					visit(ctx, location, "Bearer "+t.config.Accounts[0].Token.Reveal())
				}
				return err
			}
		}},
		{"registers at private addresses", "register_private", toyManners{}, func(t *twistedToy) {
			t.register = func(ctx context.Context, account, url string) error { return t.open().Register(ctx, account, url) }
		}},
		{"names the token when it cannot register", "register_secrets", toyManners{}, setting(func(t *twistedToy, err error) error {
			if err != nil {
				err = fmt.Errorf("with %s: %w", t.config.Accounts[0].Token.Reveal(), err)
			}
			return err
		})},
		{"shows the query of what is on record", "register_secrets", toyManners{}, func(t *twistedToy) {
			var last atomic.Value
			t.register = func(ctx context.Context, account, url string) error {
				err := t.toy.Register(ctx, account, url)
				if err == nil {
					last.Store(url)
				}
				return err
			}
			t.registered = func(ctx context.Context, account, url string) (connectors.Registration, error) {
				got, err := t.toy.Registered(ctx, account, url)
				if on, ok := last.Load().(string); ok && err == nil {
					got.URL = on
				}
				return got, err
			}
		}},
	}
}
