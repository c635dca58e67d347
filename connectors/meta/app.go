package meta

import (
	"encoding/json"
	"regexp"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// App is what the connectors' files have in common: one Meta app.
type App struct {
	// AppSecret signs the webhooks. List the old and the new one while it is
	// being replaced.
	AppSecret config.Secrets `yaml:"app_secret" check:"required" why:"no webhook can be verified without app_secret" jsonschema_description:"App secret from the app's dashboard, Settings, Basic; a list of two while it is replaced."`
	// VerifyToken is a text of your own; Meta shows it when it first calls the
	// webhook's address.
	VerifyToken config.Secret `yaml:"verify_token" check:"required" why:"Meta registers no webhook that cannot answer for its verify_token" jsonschema_description:"A text of your own, the same as Verify token beside the webhook's Callback URL in the app's dashboard."`
	AppID       string        `yaml:"app_id" jsonschema_description:"App ID from the app's dashboard. With it the webhook's address is set and checked by the program. Write digits in quotes."`
	// GraphVersion is the version of the Graph API to call; v25.0 if empty.
	GraphVersion string `yaml:"graph_version" jsonschema_description:"Version of the Graph API to call, such as v25.0, which is the default."`
}

// Digits is the form of Meta's ids of apps, Pages, numbers and accounts.
var Digits = regexp.MustCompile(`^[0-9]+$`)

var graphVersion = regexp.MustCompile(`^v[0-9]+\.[0-9]+$`)

// Check returns what is wrong with the settings of the app.
func (a App) Check() []config.Finding {
	var found config.Findings
	found.Unless(a.GraphVersion == "" || graphVersion.MatchString(a.GraphVersion), "graph_version", "not a version of the Graph API",
		"it is part of every address that is called", "write it like "+defaultVersion+", or leave it out")
	found.Unless(a.AppID == "" || Digits.MatchString(a.AppID), "app_id", "not the ID of a Meta app",
		"the webhook is registered with the app of this ID", `copy "App ID" from the app's dashboard: digits, in quotes`)
	return found
}

// Entries translates a webhook entry by entry. One about another object than
// ours is passed over.
func Entries(op, object string, body []byte, parse func(entry json.RawMessage) []connectors.Event) ([]connectors.Event, error) {
	var envelope struct {
		Object string            `json:"object"`
		Entry  []json.RawMessage `json:"entry"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Object == "" {
		return nil, connectors.Errorf(connectors.Malformed, op, "envelope is not JSON as documented")
	}
	events := []connectors.Event{}
	for _, raw := range envelope.Entry {
		if envelope.Object != object {
			events = append(events, wire.NewEvent("", raw).As(connectors.Ignored, "other_object"))
			continue
		}
		events = append(events, parse(raw)...)
	}
	return events, nil
}
