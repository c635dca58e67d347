package whatsappsim

import (
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// records are where Meta has on record that webhooks go.
type records struct {
	mu sync.Mutex
	// app is the app's own subscription.
	app Subscription
	// accounts are the WhatsApp Business Accounts that have subscribed the app,
	// with the address that each has of its own.
	accounts map[string]string
}

// Subscription is what an app has on record for the object
// whatsapp_business_account.
type Subscription struct {
	CallbackURL string
	Fields      []string
	Active      bool
}

// Record puts a subscription of the app's on record, as its dashboard does.
func (p *Platform) Record(s Subscription) {
	p.records.mu.Lock()
	defer p.records.mu.Unlock()
	p.records.app = s
}

// Subscribe lets a WhatsApp Business Account subscribe the app, with an address
// of the account's own or without.
func (p *Platform) Subscribe(waba, override string) {
	p.records.mu.Lock()
	defer p.records.mu.Unlock()
	if p.records.accounts == nil {
		p.records.accounts = map[string]string{}
	}
	p.records.accounts[waba] = override
}

// Recorded returns the app's subscription, and the address that a WhatsApp
// Business Account has of its own.
func (p *Platform) Recorded(waba string) (app Subscription, override string, subscribed bool) {
	p.records.mu.Lock()
	defer p.records.mu.Unlock()
	override, subscribed = p.records.accounts[waba]
	return p.records.app, override, subscribed
}

// subscriptions lists what the app is subscribed to.
// https://developers.facebook.com/docs/graph-api/webhooks/subscriptions-edge
func (p *Platform) subscriptions(w http.ResponseWriter, r *http.Request) {
	if !p.app(w, r) {
		return
	}
	data := []any{Object{
		"object": "user", "callback_url": "https://elsewhere.example/", "active": true,
		"fields": []any{Object{"name": "feed", "version": "v25.0"}},
	}}
	if app, _, _ := p.Recorded(""); app.CallbackURL != "" {
		fields := []any{}
		for _, name := range app.Fields {
			fields = append(fields, Object{"name": name, "version": "v25.0"})
		}
		data = append(data, Object{
			"object": "whatsapp_business_account", "callback_url": app.CallbackURL, "active": app.Active, "fields": fields,
		})
	}
	answer(w, http.StatusOK, Object{"data": data})
}

// subscribe sets the app's address after a handshake there.
func (p *Platform) subscribe(w http.ResponseWriter, r *http.Request) {
	if !p.app(w, r) {
		return
	}
	params, ok := read(w, r)
	if !ok {
		return
	}
	if params["object"] != "whatsapp_business_account" || params["fields"] == "" {
		failParam(w, "The parameters object and fields are required.")
		return
	}
	if !p.shake(w, params["callback_url"], params["verify_token"]) {
		return
	}
	fields := strings.Split(params["fields"], ",")
	slices.Sort(fields)
	p.Record(Subscription{CallbackURL: params["callback_url"], Fields: fields, Active: true})
	answer(w, http.StatusOK, Object{"success": true})
}

// app tells whether the request shows the app's own token, or answers that it
// does not.
// https://developers.facebook.com/docs/facebook-login/guides/access-tokens#apptokens
func (p *Platform) app(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") != "Bearer "+p.AppID+"|"+p.AppSecret {
		failToken(w)
		return false
	}
	if id := r.PathValue("app"); id != p.AppID {
		failMissing(w, r, id)
		return false
	}
	return versioned(w, r)
}

// subscribedApps lists the apps that get an account's webhooks.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
func (p *Platform) subscribedApps(w http.ResponseWriter, r *http.Request) {
	n, ok := p.account(w, r)
	if !ok {
		return
	}
	data := []any{subscribedApp("1", "Another app", "https://another.example/")}
	if _, override, subscribed := p.Recorded(n.WABA); subscribed {
		data = append(data, subscribedApp(p.AppID, "Acme", override))
	}
	answer(w, http.StatusOK, Object{"data": data})
}

func subscribedApp(id, name, override string) any {
	app := Object{"whatsapp_business_api_data": Object{
		"id": id, "name": name, "link": "https://www.facebook.com/games/?app_id=" + id,
	}}
	if override != "" {
		app["override_callback_uri"] = override
	}
	return app
}

// subscribeApp subscribes the app, with or without an address of the account's
// own: without one it loses what it had.
func (p *Platform) subscribeApp(w http.ResponseWriter, r *http.Request) {
	n, ok := p.account(w, r)
	if !ok {
		return
	}
	params, ok := read(w, r)
	if !ok {
		return
	}
	override := params["override_callback_uri"]
	if override != "" && !p.shake(w, override, params["verify_token"]) {
		return
	}
	p.Subscribe(n.WABA, override)
	answer(w, http.StatusOK, Object{"success": true})
}

// account returns the number whose account the request is about, or answers that
// the token is not for it.
func (p *Platform) account(w http.ResponseWriter, r *http.Request) (Number, bool) {
	n, ok := p.caller(w, r)
	if !ok {
		return n, false
	}
	if id := r.PathValue("waba"); id != n.WABA {
		failMissing(w, r, id)
		return n, false
	}
	return n, true
}

// shake calls the address as Meta does before it keeps it, and answers if that
// went wrong.
func (p *Platform) shake(w http.ResponseWriter, address, token string) bool {
	status, body := p.Knock(handshake(address, token))
	if status == http.StatusOK && body == challenge(address) {
		return true
	}
	fail(w, http.StatusBadRequest, graphError{
		Code:    2200,
		Message: "(#2200) Callback verification failed with the following errors: HTTP Status Code = " + strconv.Itoa(status),
	})
	return false
}

// read returns a request's parameters, which come as a form or as JSON.
func read(w http.ResponseWriter, r *http.Request) (map[string]string, bool) {
	params := map[string]string{}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		if err := r.ParseForm(); err != nil {
			failParam(w, "The parameters cannot be read")
			return nil, false
		}
		for name := range r.PostForm {
			params[name] = r.PostForm.Get(name)
		}
		return params, true
	}
	var object map[string]any
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&object); err != nil {
		failParam(w, "The parameters cannot be read")
		return nil, false
	}
	for name, value := range object {
		if text, ok := value.(string); ok {
			params[name] = text
		}
	}
	return params, true
}
