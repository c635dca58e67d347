package twitter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// A webhook belongs to the app, and each account subscribes to it. Both are
// needed before a message arrives.

// webhook is one that the app has on record.
type webhook struct {
	ID    word `json:"id"`
	URL   word `json:"url"`
	Valid bool `json:"valid"`
}

// subscription is one of the X Activity API.
type subscription struct {
	EventType word   `json:"event_type"`
	Filter    filter `json:"filter"`
	WebhookID word   `json:"webhook_id"`
	Tag       word   `json:"tag,omitempty"`
}

type filter struct {
	UserID word `json:"user_id"`
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context, account, url string) (connectors.Registration, error) {
	a, err := wire.Account("twitter: check registration", c.config.Accounts, account)
	if err != nil {
		return connectors.Registration{}, err
	}
	hooks, err := c.webhooks(ctx, a)
	if err != nil {
		return connectors.Registration{}, err
	}
	hook, found := find(hooks, url)
	out := connectors.Registration{URL: wire.Bare(string(hook.URL))}
	switch {
	case !found:
		out.Detail = "the app has no webhook at this address"
		return out, nil
	case !hook.Valid:
		out.Detail = "X has marked the webhook as invalid after a check that failed"
		return out, nil
	}
	if out.OK, err = c.subscribed(ctx, a, hook); err == nil && !out.OK {
		out.Detail = "the account is not subscribed to the webhook"
	}
	return out, err
}

// Register implements connectors.Registrar. X calls url for its check before it
// answers; a webhook that it has given up is checked again. A webhook of the app's
// at another address stays, because somebody else may need it: where the app may
// have only one, X declines, and the operator has to remove it.
// https://docs.x.com/x-api/webhooks/introduction
func (c *Connector) Register(ctx context.Context, account, url string) error {
	a, err := wire.Account("twitter: register webhook", c.config.Accounts, account)
	if err != nil {
		return err
	}
	hooks, err := c.webhooks(ctx, a)
	if err != nil {
		return err
	}
	hook, found := find(hooks, url)
	switch {
	case !found:
		hook, err = c.create(ctx, a, url)
	case !hook.Valid:
		err = c.manage(ctx, c.app(a), wire.Request{Op: "twitter: check webhook again", Method: http.MethodPut, Path: webhooksPath + "/" + string(hook.ID)}, nil)
	}
	if err != nil {
		return err
	}
	if ok, err := c.subscribed(ctx, a, hook); err != nil || ok {
		return err
	}
	return c.subscribe(ctx, a, hook)
}

// app speaks for the app itself. X also lets an account's OAuth 1.0a token
// manage webhooks.
func (c *Connector) app(a Account) authority {
	if !c.config.BearerToken.IsZero() {
		return bearer(c.config.BearerToken.Reveal())
	}
	return c.user(a)
}

// find returns the webhook at url, or any other there is.
func find(hooks []webhook, url string) (hook webhook, found bool) {
	i := slices.IndexFunc(hooks, func(h webhook) bool { return string(h.URL) == url })
	if i < 0 {
		i = slices.IndexFunc(hooks, func(h webhook) bool { return wire.SameAddress(string(h.URL), url) })
	}
	if i >= 0 {
		return hooks[i], true
	}
	if len(hooks) > 0 {
		return hooks[0], false
	}
	return webhook{}, false
}

const (
	webhooksPath = "/2/webhooks"
	activityPath = "/2/activity/subscriptions"
)

// hookID is the form of an id that may become part of an address.
var hookID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// webhooks returns those that the app has.
// https://docs.x.com/x-api/webhooks/introduction
func (c *Connector) webhooks(ctx context.Context, a Account) ([]webhook, error) {
	const op = "twitter: list webhooks"
	var answer struct {
		Data []webhook `json:"data"`
	}
	if err := c.manage(ctx, c.app(a), wire.Request{Op: op, Path: webhooksPath}, &answer); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(answer.Data, func(h webhook) bool { return !hookID.MatchString(string(h.ID)) }) {
		return nil, connectors.Errorf(connectors.Unavailable, op, "answer names a webhook without an id")
	}
	return answer.Data, nil
}

// create registers a webhook.
// https://docs.x.com/x-api/webhooks/quickstart
func (c *Connector) create(ctx context.Context, a Account, url string) (webhook, error) {
	const op = "twitter: create webhook"
	var answer struct {
		Data webhook `json:"data"`
	}
	err := c.manage(ctx, c.app(a), wire.Request{Op: op, Method: http.MethodPost, Path: webhooksPath, Body: map[string]string{"url": url}}, &answer)
	if err == nil && !hookID.MatchString(string(answer.Data.ID)) {
		err = connectors.Errorf(connectors.Unavailable, op, "answer names no webhook")
	}
	return answer.Data, err
}

// subscribed tells whether the account's messages go to hook.
func (c *Connector) subscribed(ctx context.Context, a Account, hook webhook) (bool, error) {
	const op = "twitter: check subscription"
	if c.config.API == apiAccountActivity {
		return c.subscribedToAll(ctx, a, hook)
	}
	var answer struct {
		Data []subscription `json:"data"`
	}
	if err := c.manage(ctx, c.app(a), wire.Request{Op: op, Path: activityPath}, &answer); err != nil {
		return false, err
	}
	return slices.ContainsFunc(answer.Data, func(s subscription) bool {
		return s.EventType == received && string(s.Filter.UserID) == a.ID && s.WebhookID == hook.ID
	}), nil
}

// subscribedToAll asks the Account Activity API, which answers for the account
// whose token it is shown.
// https://docs.x.com/x-api/account-activity/quickstart
func (c *Connector) subscribedToAll(ctx context.Context, a Account, hook webhook) (bool, error) {
	var answer struct {
		Data wire.Optional[struct {
			Subscribed bool `json:"subscribed"`
		}] `json:"data"`
	}
	err := c.manage(ctx, c.user(a), wire.Request{Op: "twitter: check subscription", Path: allPath(hook)}, &answer)
	if connectors.KindOf(err) == connectors.Gone {
		return false, nil // the answer of version 1.1
	}
	return answer.Data.Value.Subscribed, err
}

func allPath(hook webhook) string {
	return "/2/account_activity/webhooks/" + string(hook.ID) + "/subscriptions/all"
}

// subscribe makes the account's messages go to hook. Encrypted ones are asked for
// too, so that it shows when consumers use them, but not every app may have them.
// https://docs.x.com/x-api/activity/quickstart
func (c *Connector) subscribe(ctx context.Context, a Account, hook webhook) error {
	const op = "twitter: subscribe account"
	if c.config.API == apiAccountActivity {
		return c.order(ctx, a, wire.Request{Op: op, Method: http.MethodPost, Path: allPath(hook)})
	}
	for _, kind := range []word{received, chatReceived} {
		err := c.order(ctx, a, wire.Request{
			Op: op, Method: http.MethodPost, Path: activityPath,
			Body: subscription{EventType: kind, Filter: filter{word(a.ID)}, WebhookID: hook.ID, Tag: "lightlock"},
		})
		if err != nil && kind == received {
			return err
		}
		if err != nil {
			c.env.Log.Warn("encrypted chats will not be noticed", slog.Any("err", err))
		}
	}
	return nil
}

// order makes a subscription; one that is already there is as good.
func (c *Connector) order(ctx context.Context, a Account, r wire.Request) error {
	err := c.manage(ctx, c.user(a), r, nil)
	if _, answer := wire.Failure(err); answer != nil && bytes.Contains(answer.Body, []byte(duplicate)) {
		return nil
	}
	return err
}

const duplicate = "DuplicateSubscriptionFailed"

// reasons are X's own words for declining. Only these are printed, whatever an
// answer holds.
// https://docs.x.com/x-api/webhooks/quickstart
func reasons() []string {
	return []string{
		"CrcValidationFailed", "UrlValidationFailed", "DuplicateUrlFailed", "WebhookLimitExceeded",
		"WebhookIdInvalid", duplicate, "SubscriptionLimitExceeded",
	}
}

// manage makes a call about webhooks, reads the answer as far as somebody wants
// it, and names the reason if X declines.
func (c *Connector) manage(ctx context.Context, by authority, r wire.Request, answer any) error {
	body, err := c.call(ctx, by, r)
	if e, failure := wire.Failure(err); failure != nil {
		for _, reason := range reasons() {
			if bytes.Contains(failure.Body, []byte(reason)) {
				e.Err = fmt.Errorf("%s: %w", reason, e.Err)
				break
			}
		}
	}
	if err != nil || answer == nil {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return connectors.Errorf(connectors.Unavailable, r.Op, "answer is not JSON as documented")
	}
	return nil
}
