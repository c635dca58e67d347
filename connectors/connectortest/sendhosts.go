package connectortest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// sendHostChecks are about who gets to know what we say.
func sendHostChecks() []check {
	return []check{
		{"send_foreign", "neither credentials nor text nor consumer go to another host", speaking(checkSendForeign)},
		{"send_private", "no private address is called unless the operator allows it", speaking(checkSendPrivate)},
		{"send_secrets", "no error and no log line of Send holds a secret, the text, the consumer, a query or a reply token", speaking(checkSendSecrets)},
	}
}

func checkSendForeign(d dialogue) error {
	steps, err := d.sendSteps()
	if err != nil {
		return err
	}
	secret := append(secretsOf(d.settings), "an answer", url.QueryEscape("an answer"), d.heard.Consumer.ID)
	return d.leadsNowhere(steps, secret, func() error { return d.try(d.ctx, d.connector) })
}

// leadsNowhere redirects each of the steps of act to another host, which must
// not be called, and lets the platform's answers name that host, which must not
// get to know a secret.
func (b *bench) leadsNowhere(steps []step, secret []string, act func() error) error {
	f := newForeigner()
	defer f.server.Close()
	for k := range steps {
		for _, address := range f.addresses() {
			for _, status := range []int{301, 302, 303, 307, 308} {
				b.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
					w.Header().Set("Location", address)
					w.WriteHeader(status)
				})
				_ = act()
				if n := f.calls(); n != 0 {
					return errors.Join(fmt.Errorf("HTTP %d at step %d led to %d calls at another host", status, k+1, n), f.leak(secret))
				}
			}
		}
		b.fault(steps, k, func(w http.ResponseWriter, r *http.Request, h http.Handler) { elsewhere(w, r, h, f) })
		_ = act()
		if err := f.leak(secret); err != nil {
			return fmt.Errorf("%w after an answer that names it at step %d", err, k+1)
		}
	}
	return nil
}

func checkSendPrivate(d dialogue) error {
	calls := d.counting()
	c, err := d.publicOnly()
	if err != nil {
		return wantKind(err, connectors.Misconfigured)
	}
	return errors.Join(refusal(d.try(d.ctx, c), connectors.Refused), d.silence(calls))
}

// publicOnly makes a connector that may not call private addresses, as which the
// simulated platform counts.
func (b *bench) publicOnly() (connectors.Connector, error) {
	s := b.platform.Settings("acme", "support")
	s.Common().AllowPrivateAddresses = false
	return b.build(s, time.Now)
}

func checkSendSecrets(d dialogue) error {
	o := d.answer(canary)
	o.ReplyToken = "canary" + d.heard.ReplyToken
	secret := append(secretLeaks(d.settings), canary, "canary", url.QueryEscape(canary), o.Consumer, url.QueryEscape(o.Consumer))
	if d.heard.ReplyToken != "" {
		secret = append(secret, d.heard.ReplyToken)
	}
	look := func(what string, err error) error { return secret.inError("the error of Send "+what, err) }
	if err := d.provokeSend(o, look); err != nil {
		return err
	}
	return secret.in("the log", d.log.String())
}

// provokeSend makes Send fail in many ways and hands every error to look.
func (d dialogue) provokeSend(o connectors.Outgoing, look func(what string, err error) error) error {
	steps, err := d.sendSteps()
	if err != nil {
		return err
	}
	send := func(ctx context.Context, o connectors.Outgoing) error {
		_, err := d.connector.Send(ctx, o)
		return err
	}
	if err := d.provokeCalls(steps, func() error { return send(d.ctx, o) }, look); err != nil {
		return err
	}
	d.platform.Wrap(nil)
	over, cancel := context.WithCancel(d.ctx)
	cancel()
	long, strange, nobody := o, o, o
	long.Text = strings.Repeat(canary, 10_000)
	strange.Account = canary
	nobody.Consumer += "canary"
	return errors.Join(
		look("cancelled", send(over, o)), look("of a long text", send(d.ctx, long)),
		look("for an unknown account", send(d.ctx, strange)), look("to an unknown consumer", send(d.ctx, nobody)),
	)
}

// provokeCalls lets each of the steps of act be answered with all that was told
// in confidence, under each status.
func (b *bench) provokeCalls(steps []step, act func() error, look func(what string, err error) error) error {
	for k := range steps {
		for _, status := range []int{200, 201, 202, 302, 400, 401, 403, 404, 409, 418, 429, 500, 503, 504, 999, 0} {
			b.fault(steps, k, func(w http.ResponseWriter, r *http.Request, _ http.Handler) { echoes(w, r, status) })
			if err := look(fmt.Sprintf("after HTTP %d at step %d", status, k+1), act()); err != nil {
				return err
			}
		}
	}
	return nil
}
