package whatsapp

import (
	"context"
	"net/url"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

const opWebhook = "whatsapp: webhook"

// Registered implements connectors.Registrar. Two things must be so: the number's
// WhatsApp Business Account has the app among its subscribers, and the app sends
// its webhooks here, unless the account itself names an address for them.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
func (c *Connector) Registered(ctx context.Context, id, address string) (connectors.Registration, error) {
	account, err := wire.Account(opWebhook, c.config.Accounts, id)
	if err != nil {
		return connectors.Registration{}, err
	}
	if account.WABAID != "" {
		override, subscribed, err := c.subscriber(ctx, account, address)
		switch {
		case err != nil:
			return connectors.Registration{}, err
		case !subscribed:
			return connectors.Registration{Detail: "the WhatsApp Business Account has not subscribed the app"}, nil
		case wire.SameAddress(override, address):
			return connectors.Registration{OK: true, URL: wire.Bare(override)}, nil
		case override != "":
			return connectors.Registration{
				URL: wire.Bare(override), Detail: "the WhatsApp Business Account has its webhooks sent to another address",
			}, nil
		case c.config.AppID == "":
			return connectors.Registration{Detail: "app_id is not set, so the app's own address is not known"}, nil
		}
	}
	if c.config.AppID == "" {
		return connectors.Registration{Detail: "neither app_id nor waba_id is set, so nobody can be asked"}, nil
	}
	return c.app().Registered(ctx, address)
}

// Register implements connectors.Registrar. Without the app's id the WhatsApp
// Business Account gets an address of its own.
func (c *Connector) Register(ctx context.Context, id, address string) error {
	account, err := wire.Account(opWebhook, c.config.Accounts, id)
	if err != nil {
		return err
	}
	if c.config.AppID == "" && account.WABAID == "" {
		return connectors.Errorf(connectors.Misconfigured, opWebhook, "neither app_id nor waba_id is set")
	}
	form := url.Values{} // which takes away an address that the account had
	if c.config.AppID == "" {
		form = url.Values{"override_callback_uri": {address}, "verify_token": {c.config.VerifyToken.Reveal()}}
	} else if err := c.app().Register(ctx, address); err != nil {
		return err
	}
	if account.WABAID == "" {
		return nil
	}
	return c.graph.Set(ctx, opWebhook, account.AccessToken, account.WABAID+"/subscribed_apps", form)
}

// app is the setting that all numbers of the app share.
func (c *Connector) app() meta.Subscriptions {
	return meta.Subscriptions{Op: opWebhook + " of the app", Graph: c.graph, App: c.config.App, Object: object, Fields: []string{"messages"}}
}

// subscriber tells whether the account sends the app anything, and to which
// address if to one of its own. Without the app's id ours is the app that has
// our address, or else may be any.
func (c *Connector) subscriber(ctx context.Context, account Account, address string) (override string, ok bool, err error) {
	list, err := meta.List[subscribedApp](ctx, c.graph, opWebhook, account.AccessToken, account.WABAID+"/subscribed_apps")
	for _, app := range list {
		if app.App.ID == c.config.AppID || c.config.AppID == "" && wire.SameAddress(app.Override, address) {
			return app.Override, true, nil
		}
	}
	return "", c.config.AppID == "" && len(list) > 0, err
}

// subscribedApp is one of the apps that a WhatsApp Business Account sends to.
type subscribedApp struct {
	App struct {
		ID string `json:"id"`
	} `json:"whatsapp_business_api_data"`
	Override string `json:"override_callback_uri"`
}
