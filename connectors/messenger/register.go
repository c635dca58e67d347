package messenger

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

const opWebhook = "messenger: webhook"

// wanted are the fields of which we read something.
func wanted() []string {
	return []string{"messages", "messaging_postbacks", "message_edits", "message_deliveries"}
}

// Registered implements connectors.Registrar. Two things must be so: the app
// sends its webhooks about Pages here, and the Page has installed the app; what
// comes is what both have subscribed to. Without an app_id the first cannot be
// seen, and the second alone is looked at.
// https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps
func (c *Connector) Registered(ctx context.Context, account, address string) (connectors.Registration, error) {
	page, err := wire.Account(opWebhook, c.config.Accounts, account)
	if err != nil {
		return connectors.Registration{}, err
	}
	var r connectors.Registration
	if c.config.AppID != "" {
		if r, err = c.app().Registered(ctx, address); err != nil || !r.OK {
			return r, err
		}
	}
	hook, err := c.pageHook(ctx, page)
	if err != nil {
		return connectors.Registration{}, err
	}
	r.Detail = hook.missing()
	r.OK = r.Detail == ""
	return r, nil
}

// Register implements connectors.Registrar. Without an app_id the address stays
// what it is, and the Page alone is subscribed.
func (c *Connector) Register(ctx context.Context, account, address string) error {
	page, err := wire.Account(opWebhook, c.config.Accounts, account)
	if err != nil {
		return err
	}
	if c.config.AppID != "" {
		if err := c.app().Register(ctx, address); err != nil {
			return err
		}
	}
	hook, err := c.pageHook(ctx, page)
	if err != nil {
		return err
	}
	// The new list takes the place of the old one, in which somebody may have
	// chosen more by hand.
	list := append(wanted(), hook.Fields...)
	slices.Sort(list)
	return c.graph.Set(ctx, opWebhook+" of the page", page.PageAccessToken, page.ID+"/subscribed_apps", url.Values{
		"subscribed_fields": {strings.Join(slices.Compact(list), ",")},
	})
}

// app is the setting that all Pages of the app share.
func (c *Connector) app() meta.Subscriptions {
	return meta.Subscriptions{Op: opWebhook + " of the app", Graph: c.graph, App: c.config.App, Object: object, Fields: wanted()}
}

// pageHook is a Page's subscription to an app.
type pageHook struct {
	ID     id       `json:"id"` // of the app
	Fields []string `json:"subscribed_fields"`
}

// missing says what keeps the Page's events from the app, or nothing.
func (h pageHook) missing() string {
	if h.ID == "" {
		return "the Page has not installed the app"
	}
	for _, field := range wanted() {
		if !slices.Contains(h.Fields, field) {
			return "the Page is not subscribed to " + field
		}
	}
	return ""
}

// pageHook asks for the Page's subscription to the app; it is empty where there
// is none. Without an app_id it is that of the only app which a Page's token
// shows: its own.
func (c *Connector) pageHook(ctx context.Context, page Account) (pageHook, error) {
	list, err := meta.List[pageHook](ctx, c.graph, opWebhook+" of the page", page.PageAccessToken, page.ID+"/subscribed_apps")
	for _, hook := range list {
		if c.config.AppID == "" || string(hook.ID) == c.config.AppID {
			return hook, nil
		}
	}
	return pageHook{}, err
}
