package twittersim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/lightlock/lightlock/connectors/sim"
)

// hook is a webhook that the app has registered.
type hook struct {
	ID      string `json:"id"`
	URL     string `json:"url"`
	Valid   bool   `json:"valid"`
	Created string `json:"created_at"`
}

// manage adds the part of the API that is about webhooks.
// https://docs.x.com/x-api/webhooks/introduction
func (p *Platform) manage(mux *http.ServeMux) {
	mux.HandleFunc("GET /2/webhooks", p.app(p.listHooks))
	mux.HandleFunc("POST /2/webhooks", p.app(p.createHook))
	mux.HandleFunc("PUT /2/webhooks/{id}", p.app(p.checkHook))
	mux.HandleFunc("GET /2/activity/subscriptions", p.app(p.listSubscriptions))
	mux.HandleFunc("POST /2/activity/subscriptions", p.user(p.createSubscription))
	mux.HandleFunc("GET /2/account_activity/webhooks/{id}/subscriptions/all", p.user(p.subscribed))
	mux.HandleFunc("POST /2/account_activity/webhooks/{id}/subscriptions/all", p.user(p.subscribeAll))
}

// app lets the app through, and whoever signs with its keys.
func (p *Platform) app(h http.HandlerFunc) http.HandlerFunc {
	return p.only(h, theApp, theUser1)
}

// user lets the account through: what it is about is private.
func (p *Platform) user(h http.HandlerFunc) http.HandlerFunc {
	return p.only(h, theUser1, theUser2)
}

func (p *Platform) only(h http.HandlerFunc, callers ...caller) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who := p.caller(r, apiHost)
		switch {
		case slices.Contains(callers, who):
			h(w, r)
		case who == nobody, who == forged:
			unauthorized(w)
		default:
			fail(w, http.StatusForbidden, "unsupported-authentication", "Unsupported Authentication", "This kind of authentication is forbidden for this endpoint.")
		}
	}
}

// AddHook puts a webhook on record without a check, as one that was registered
// long ago.
func (p *Platform) AddHook(address string, valid bool) (id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id = sim.Decimal(19, address, "hook")
	p.hooks = append(p.hooks, hook{ID: id, URL: address, Valid: valid, Created: "2026-03-01T12:00:00.000Z"})
	return id
}

// Subscriptions returns the types of event to which the account is subscribed, in
// order; "all" is the Account Activity API's.
func (p *Platform) Subscriptions() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var kinds []string
	for _, s := range p.subscriptions {
		kinds = append(kinds, s.Text)
	}
	return kinds
}

func (p *Platform) listHooks(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer(w, http.StatusOK, Object{"data": append([]hook{}, p.hooks...), "meta": Object{"result_count": len(p.hooks)}})
}

// createHook registers a webhook that answers X's check.
func (p *Platform) createHook(w http.ResponseWriter, r *http.Request) {
	var body struct {
		URL string `json:"url"`
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	u, parseErr := url.Parse(body.URL)
	p.mu.Lock()
	taken := slices.ContainsFunc(p.hooks, func(h hook) bool { return h.URL == body.URL })
	full := len(p.hooks) >= p.Hooks
	p.mu.Unlock()
	switch {
	case err != nil, parseErr != nil, u.Scheme != "https", u.Port() != "", u.Host == "", len(body.URL) > 200:
		invalid(w, "UrlValidationFailed")
	case taken:
		invalid(w, "DuplicateUrlFailed")
	case full:
		invalid(w, "WebhookLimitExceeded")
	case !p.passes(body.URL):
		invalid(w, "CrcValidationFailed")
	default:
		p.AddHook(body.URL, true)
		p.mu.Lock()
		defer p.mu.Unlock()
		answer(w, http.StatusOK, Object{"data": p.hooks[len(p.hooks)-1]})
	}
}

// checkHook makes the check again.
func (p *Platform) checkHook(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	i := slices.IndexFunc(p.hooks, func(h hook) bool { return h.ID == r.PathValue("id") })
	address := ""
	if i >= 0 {
		address = p.hooks[i].URL
	}
	p.mu.Unlock()
	switch {
	case i < 0:
		fail(w, http.StatusNotFound, "resource-not-found", "Not Found Error", "Could not find webhook.")
	case !p.passes(address):
		invalid(w, "CrcValidationFailed")
	default:
		p.mu.Lock()
		p.hooks[i].Valid = true
		p.mu.Unlock()
		answer(w, http.StatusOK, Object{"data": Object{"valid": true}})
	}
}

// subscribe notes a subscription; new is false for one that is there.
func (p *Platform) subscribe(kind, hookID string) (isNew, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := sim.Sent{ID: hookID, Account: p.UserID, Text: kind}
	if slices.Contains(p.subscriptions, s) {
		return false, true
	}
	if !slices.ContainsFunc(p.hooks, func(h hook) bool { return h.ID == hookID }) {
		return true, false
	}
	p.subscriptions = append(p.subscriptions, s)
	return true, true
}

func (p *Platform) listSubscriptions(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := []Object{}
	for _, s := range p.subscriptions {
		list = append(list, Object{
			"subscription_id": sim.Decimal(19, s.ID, s.Text), "event_type": s.Text, "filter": Object{"user_id": s.Account},
			"webhook_id": s.ID, "tag": "lightlock", "created_at": "2026-03-01T12:00:00.000Z",
		})
	}
	answer(w, http.StatusOK, Object{"data": list, "meta": Object{"total_subscriptions": len(list)}})
}

// createSubscription subscribes the account to one type of event.
// https://docs.x.com/x-api/activity/quickstart
func (p *Platform) createSubscription(w http.ResponseWriter, r *http.Request) {
	var body struct {
		EventType string            `json:"event_type"`
		Filter    map[string]string `json:"filter"`
		WebhookID string            `json:"webhook_id"`
		Tag       string            `json:"tag"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if d.Decode(&body) != nil || body.Filter["user_id"] != p.UserID || body.EventType == "" {
		invalid(w, "")
		return
	}
	switch isNew, known := p.subscribe(body.EventType, body.WebhookID); {
	case !known:
		invalid(w, "WebhookIdInvalid")
	case !isNew:
		invalid(w, "DuplicateSubscriptionFailed")
	default:
		answer(w, http.StatusOK, Object{"data": Object{"subscription": Object{
			"subscription_id": sim.Decimal(19, body.WebhookID, body.EventType), "event_type": body.EventType,
			"filter": body.Filter, "webhook_id": body.WebhookID, "tag": body.Tag,
		}}})
	}
}

// subscribed tells whether the account is subscribed to the Account Activity API.
func (p *Platform) subscribed(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := slices.Contains(p.subscriptions, sim.Sent{ID: r.PathValue("id"), Account: p.UserID, Text: "all"})
	answer(w, http.StatusOK, Object{"data": Object{"subscribed": is}})
}

// subscribeAll subscribes the account to all that the Account Activity API has.
// https://docs.x.com/x-api/account-activity/quickstart
func (p *Platform) subscribeAll(w http.ResponseWriter, r *http.Request) {
	switch isNew, known := p.subscribe("all", r.PathValue("id")); {
	case !known:
		invalid(w, "WebhookIdInvalid")
	case !isNew:
		invalid(w, "DuplicateSubscriptionFailed")
	default:
		answer(w, http.StatusOK, Object{"data": Object{"subscribed": true}})
	}
}
