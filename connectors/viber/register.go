package viber

import (
	"context"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// eventTypes are what the webhook is told besides messages, which it is told
// always.
func eventTypes() []string {
	return []string{"delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"}
}

// Registered implements connectors.Registrar.
// https://developers.viber.com/docs/api/rest-bot-api/#get-account-info
func (c *Connector) Registered(ctx context.Context, account, address string) (connectors.Registration, error) {
	const op = "viber: get account info"
	if _, err := wire.Account(op, c.config.Accounts, account); err != nil {
		return connectors.Registration{}, err
	}
	a, err := c.call(ctx, op, "/pa/get_account_info", struct{}{})
	if err != nil {
		return connectors.Registration{}, err
	}
	if !a.names(account) {
		return connectors.Registration{URL: wire.Bare(a.Webhook.Value), Detail: "auth_token is another bot's than the account's id names"}, nil
	}
	missing := ""
	if a.misses("delivered", "seen", "failed") {
		missing = "what becomes of sent messages is not told"
	}
	return wire.Registration(a.Webhook.Value, address, missing), nil
}

// Register implements connectors.Registrar. Viber calls the webhook before it
// answers.
// https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook
func (c *Connector) Register(ctx context.Context, account, address string) error {
	const op = "viber: set webhook"
	if _, err := wire.Account(op, c.config.Accounts, account); err != nil {
		return err
	}
	a, err := c.call(ctx, op, "/pa/set_webhook", webhook{URL: address, EventTypes: eventTypes(), SendName: true})
	if a.Status != nil && *a.Status == statusInvalidURL {
		return connectors.Errorf(connectors.Misconfigured, op, "Viber called the webhook and got no 200; it must be public, with a certificate that Java trusts")
	}
	return err
}
