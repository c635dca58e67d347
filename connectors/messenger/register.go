package messenger

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// A webhook takes two subscriptions: the app's, which has the address, and the
// Page's, which has installed the app. A field must be in both.
// https://developers.facebook.com/docs/graph-api/reference/app/subscriptions
// https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps

// needed is the field without which no message comes.
const needed = "messages"

// wanted returns all fields that we read, with those that are subscribed
// already: Meta puts the new list in the place of the old one.
func wanted(already fields) string {
	list := append(already.names(), needed, "messaging_postbacks", "message_edits", "message_deliveries")
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ",")
}

// fields are named by strings, or by objects with a name and a version.
type fields []field

type field string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (f *field) UnmarshalJSON(raw []byte) error {
	var name string
	var object struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(raw, &name) != nil {
		_ = json.Unmarshal(raw, &object)
		name = object.Name
	}
	*f = field(name)
	return nil
}

// names returns the readable ones.
func (f fields) names() []string {
	var list []string
	for _, name := range f {
		if name != "" {
			list = append(list, string(name))
		}
	}
	return list
}

// appHook is the app's subscription to what happens on Pages.
type appHook struct {
	Object      string `json:"object"`
	CallbackURL string `json:"callback_url"`
	Active      bool   `json:"active"`
	Fields      fields `json:"fields"`
}

// missing says what keeps events from address, or nothing.
func (h appHook) missing(address string) string {
	switch {
	case h.CallbackURL == "":
		return "the app has no webhook for Pages"
	case h.CallbackURL != address:
		return "the app's webhook has another address"
	case !h.Active:
		return "the app's webhook is switched off"
	case !slices.Contains(h.Fields, needed):
		return `the app is not subscribed to "` + needed + `"`
	}
	return ""
}

// pageHook is the Page's subscription to an app.
type pageHook struct {
	ID     id     `json:"id"` // of the app
	Fields fields `json:"subscribed_fields"`
}

// missing says what keeps the Page's events from the app, or nothing.
func (h pageHook) missing() string {
	switch {
	case h.ID == "":
		return "the Page has not installed the app"
	case !slices.Contains(h.Fields, needed):
		return `the Page is not subscribed to "` + needed + `"`
	}
	return ""
}

// Registered implements connectors.Registrar. Without an app_id it cannot see
// the address and looks at the Page's subscription alone.
func (c *Connector) Registered(ctx context.Context, account, address string) (connectors.Registration, error) {
	page, ok := config.FindAccount(c.config.Accounts, account)
	if !ok {
		return connectors.Registration{}, connectors.Errorf(connectors.Misconfigured, "messenger: check webhook", "no such account")
	}
	var r connectors.Registration
	if c.config.AppID != "" {
		hook, _, err := c.appHook(ctx)
		if err != nil {
			return r, err
		}
		r.URL, _, _ = strings.Cut(hook.CallbackURL, "?")
		r.Detail = hook.missing(address)
	}
	hook, err := c.pageHook(ctx, page)
	if err != nil {
		return connectors.Registration{}, err
	}
	if r.Detail == "" {
		r.Detail = hook.missing()
	}
	r.OK = r.Detail == ""
	return r, nil
}

// Register implements connectors.Registrar. Meta makes its handshake at address
// before it answers. Without an app_id the address stays what it is, and the
// Page alone is subscribed.
func (c *Connector) Register(ctx context.Context, account, address string) error {
	page, ok := config.FindAccount(c.config.Accounts, account)
	if !ok {
		return connectors.Errorf(connectors.Misconfigured, "messenger: register webhook", "no such account")
	}
	if c.config.AppID != "" {
		if err := c.registerApp(ctx, address); err != nil {
			return err
		}
	}
	const op = "messenger: subscribe page"
	hook, err := c.pageHook(ctx, page)
	if err != nil {
		return err
	}
	return c.post(ctx, op, page.ID+"/subscribed_apps", page.bearer(), url.Values{
		"subscribed_fields": {wanted(hook.Fields)},
	})
}

func (c *Connector) registerApp(ctx context.Context, address string) error {
	hook, bearer, err := c.appHook(ctx)
	if err != nil {
		return err
	}
	return c.post(ctx, "messenger: register webhook", c.config.AppID+"/subscriptions", bearer, url.Values{
		"object":       {"page"},
		"callback_url": {address},
		"verify_token": {c.config.VerifyToken.Reveal()},
		"fields":       {wanted(hook.Fields)},
	})
}

// appHook asks for the app's subscription to Pages; it is empty where there is
// none. The app proves itself by its ID and secret: bearer is the header that
// was right, because while the secret is being replaced only one of the two is.
func (c *Connector) appHook(ctx context.Context) (hook appHook, bearer string, err error) {
	const op = "messenger: check webhook"
	err = connectors.Errorf(connectors.Misconfigured, op, "no app_secret")
	var answer struct {
		Data []appHook `json:"data"`
	}
	for _, secret := range c.config.AppSecret {
		bearer = "Bearer " + c.config.AppID + "|" + secret.Reveal()
		err = c.get(ctx, op, c.config.AppID+"/subscriptions", bearer, &answer)
		if connectors.KindOf(err) != connectors.Misconfigured {
			break
		}
	}
	for _, hook := range answer.Data {
		if hook.Object == "page" {
			return hook, bearer, err
		}
	}
	return appHook{}, bearer, err
}

// pageHook asks for the Page's subscription to the app; it is empty where there
// is none. Without an app_id it is that of the only app which a Page's token
// shows: its own.
func (c *Connector) pageHook(ctx context.Context, page Account) (pageHook, error) {
	var answer struct {
		Data []pageHook `json:"data"`
	}
	err := c.get(ctx, "messenger: check page", page.ID+"/subscribed_apps", page.bearer(), &answer)
	for _, hook := range answer.Data {
		if c.config.AppID == "" || string(hook.ID) == c.config.AppID {
			return hook, err
		}
	}
	return pageHook{}, err
}
