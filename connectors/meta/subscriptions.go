package meta

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// Subscriptions is where an app has its webhooks about one type of object sent.
// It is a setting of the app, so all the app's accounts share it.
// https://developers.facebook.com/docs/graph-api/webhooks/subscriptions-edge
type Subscriptions struct {
	// Op names the step in errors, such as "whatsapp: webhook of the app".
	Op    string
	Graph Graph
	App   App
	// Object is the type, such as "page", and Fields are what we want to hear
	// about it.
	Object string
	Fields []string
}

// subscription is what the app has on record for one type of object.
type subscription struct {
	Object      string            `json:"object"`
	CallbackURL string            `json:"callback_url"`
	Active      *bool             `json:"active"`
	Fields      []json.RawMessage `json:"fields"`
}

// Registered tells whether the app sends its webhooks to address.
func (s Subscriptions) Registered(ctx context.Context, address string) (connectors.Registration, error) {
	now, _, err := s.read(ctx)
	if err != nil {
		return connectors.Registration{}, err
	}
	r := connectors.Registration{URL: wire.Bare(now.CallbackURL), Detail: s.missing(now, address)}
	r.OK = r.Detail == ""
	return r, nil
}

// missing says in half a sentence what keeps events from address.
func (s Subscriptions) missing(now subscription, address string) string {
	switch {
	case now.CallbackURL == "":
		return "the app has no webhook for " + s.Object
	case !wire.SameAddress(now.CallbackURL, address):
		return "the app sends its webhooks to another address"
	case now.Active != nil && !*now.Active:
		return "the app's webhook is switched off"
	}
	for _, field := range s.Fields {
		if !slices.Contains(now.fields(), field) {
			return "the app's webhook is not subscribed to " + field
		}
	}
	return ""
}

// Register makes the app send its webhooks to address. Meta shows the verify token
// there before it answers. Fields that somebody else has subscribed to stay.
func (s Subscriptions) Register(ctx context.Context, address string) error {
	now, token, err := s.read(ctx)
	if err != nil {
		return err
	}
	fields := now.fields()
	for _, field := range s.Fields {
		if !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	return s.Graph.Set(ctx, s.Op, token, s.path(), url.Values{
		"object": {s.Object}, "callback_url": {address}, "verify_token": {s.App.VerifyToken.Reveal()},
		"fields": {strings.Join(fields, ",")}, "include_values": {"true"},
	})
}

func (s Subscriptions) path() string { return s.App.AppID + "/subscriptions" }

// read returns what is on record, which is empty where nothing is, and the token
// that could read it: of two secrets only one is good for calls, and nobody
// told which.
// https://developers.facebook.com/docs/facebook-login/guides/access-tokens#apptokens
func (s Subscriptions) read(ctx context.Context) (now subscription, token config.Secret, err error) {
	var list []subscription
	err = connectors.Errorf(connectors.Misconfigured, s.Op, "no app secret")
	for _, secret := range s.App.AppSecret {
		token = config.NewSecret(s.App.AppID + "|" + secret.Reveal())
		list, err = List[subscription](ctx, s.Graph, s.Op, token, s.path())
		if connectors.KindOf(err) != connectors.Misconfigured {
			break
		}
	}
	for _, found := range list {
		if found.Object == s.Object {
			now = found
		}
	}
	return now, token, err
}

// fields returns the names of what is subscribed to, which stand there on their
// own or with a version beside them.
func (s subscription) fields() []string {
	var names []string
	for _, raw := range s.Fields {
		var field struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(raw, &field.Name) != nil {
			_ = json.Unmarshal(raw, &field)
		}
		if field.Name != "" {
			names = append(names, field.Name)
		}
	}
	return names
}
