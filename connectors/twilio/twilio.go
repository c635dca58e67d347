// Package twilio speaks Twilio Programmable Messaging: SMS and MMS.
//
// A webhook is one signed form, and a form is one message with up to ten media.
// A medium is an address of Twilio's API, which wants credentials and leads on
// to a CDN, which must not see them.
//
// Twilio does not repeat a webhook that failed, so set for each number or its
// messaging service: under "A message comes in" POST to the webhook's address
// followed by "#rc=3&rp=all", which asks for three repeats; and under "Primary
// handler fails" the same again, or another gateway's own public address. What
// arrives twice counts once.
//
// twilio-go makes the calls of the API, by a client of ours. Its validator is a
// witness in our tests only: it reads the address and writes it anew, which
// changes some and breaks those with an IPv6 host; it knows one value per
// parameter; and bodySHA256 lets it pass over the form.
package twilio

import (
	"context"
	"crypto/sha1" //nolint:gosec // for its size; signature.go says why it will do
	"encoding/json"
	"io"
	"net/url"
	"regexp"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// apiBase is Twilio's API. An account in another region has its own API and
// tokens, and sets api_base.
// https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region
const apiBase = "https://api.twilio.com"

// maxText is how long a message's body may be, over which Twilio refuses it.
// https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
const maxText = 1600

// Channel describes Twilio.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "twilio",
		Title:      "Twilio SMS/MMS",
		PhotoLimit: 10 * config.MB,
		BodyLimit:  1 << 20,
		Texts:      connectors.Texts{Limit: maxText},
		Console:    "Twilio Console, Phone Numbers, your number, Messaging: A message comes in, Webhook, HTTP POST, with #rc=3&rp=all behind the address so that Twilio tries again; and a fallback URL, if you have another gateway",
		Cannot: map[string]string{
			"parse_batch":      "one message per call",
			"parse_neighbours": "one message per call",
		},
		Settings: func() config.Settings { return &Config{} },
		New:      New,
	}
}

// Connector is one Twilio webhook.
type Connector struct {
	config   *Config
	api      wire.API
	mediaURL *regexp.Regexp      // what a MediaUrl looks like
	hosts    func(*url.URL) bool // that may be called
}

var _ connectors.Registrar = (*Connector)(nil)

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	api, err := wire.NewAPI(c.Connector, apiBase, wire.Options{Now: env.Now})
	if err != nil {
		return nil, err
	}
	media := wire.HostList(c.mediaHosts()...)
	return &Connector{
		config:   c,
		api:      api,
		mediaURL: mediaURL(api.Base, c.AccountSID),
		hosts:    func(u *url.URL) bool { return api.Host(u) || media(u) },
	}, nil
}

// Verify implements connectors.Connector: the header holds the Base64 of
// HMAC-SHA1 over the address and the form, keyed with the auth token.
// https://www.twilio.com/docs/usage/security#validating-requests
//
// The form is always signed over. That bodySHA256 in the query can stand for
// the body is for JSON webhooks, and no message comes by those.
func (c *Connector) Verify(r *connectors.Request) error {
	const op = "twilio: verify"
	header, err := wire.Header(r, "X-Twilio-Signature")
	if err != nil {
		return err
	}
	got, err := wire.Base64(op, header, sha1.Size)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return connectors.Errorf(connectors.Unauthentic, op, "body is not a form")
	}
	if !authentic(c.config.AuthToken, r.URL, form, got) {
		return connectors.Errorf(connectors.Unauthentic, op, "wrong signature")
	}
	// Every account and subaccount has a token of its own, so another account's
	// form under ours was not made by Twilio. Or account_sid and auth_token do
	// not belong together: then no photo could be fetched, and it is better
	// that Twilio's debugger shows it at the first message.
	if sids := form["AccountSid"]; len(sids) != 1 || sids[0] != c.config.AccountSID {
		return connectors.Errorf(connectors.Unauthentic, op, "AccountSid is not account_sid")
	}
	return nil
}

// Parse implements connectors.Connector.
func (c *Connector) Parse(r *connectors.Request) ([]connectors.Event, error) {
	form, err := url.ParseQuery(string(r.Body))
	if err != nil || !form.Has("AccountSid") {
		return nil, connectors.Errorf(connectors.Malformed, "twilio: parse", "body is not a form as documented")
	}
	raw, _ := json.Marshal(string(r.Body)) // which every string can be
	out := connectors.Event{ID: connectors.DigestID(r.Body), Raw: raw}
	return []connectors.Event{c.parseEvent(out, form)}, nil
}

// Fetch implements connectors.Connector: a fresh address at every call. Twilio
// keeps a medium until somebody deletes it there.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "twilio: fetch media"
	m := mediaRef.FindStringSubmatch(p.Ref)
	if m == nil {
		return nil, connectors.Errorf(connectors.Refused, op, "not on Twilio's API")
	}
	if _, err := wire.Account(op, c.config.Accounts, p.Account); err != nil {
		return nil, err
	}
	shown := false // whether the last host saw the credentials
	rc, err := c.api.Fetch(ctx, wire.Fetch{
		Op:    op,
		URL:   c.api.Base + mediaPath(c.config.AccountSID, m[1], m[2]),
		Hosts: c.hosts,
		// The address that the API leads to carries its own signature, and S3
		// answers 400 to credentials on top of that.
		Authorize: func(u *url.URL) (string, bool) {
			shown = c.api.Host(u)
			return c.config.basicAuth(), shown
		},
		MaxRedirects: 2,
	})
	if !shown && connectors.KindOf(err) == connectors.Gone {
		// The API has just told where it is, so it is not the photo that is gone.
		return nil, connectors.Errorf(connectors.Unavailable, op, "fresh address denied: %w", err)
	}
	return rc, err
}

// Send implements connectors.Connector: by the number that the consumer wrote to,
// with its messaging service if it has one. SMS has no means to show which
// message is answered, and Twilio none to recognise a repeat.
// https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
func (c *Connector) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	const op = "twilio: send"
	account, err := wire.Sender(op, c.config.Accounts, o, maxText)
	if err != nil {
		return "", err
	}
	params := &openapi.CreateMessageParams{To: &o.Consumer, From: &account.ID, Body: &o.Text}
	if account.MessagingServiceSID != "" {
		params.MessagingServiceSid = &account.MessagingServiceSID
	}
	if c.config.StatusCallback != "" {
		params.StatusCallback = &c.config.StatusCallback
	}
	answer, err := c.call(ctx, op).CreateMessage(params)
	switch failed, _ := wire.Failure(err); {
	case failed != nil && failed.Kind != connectors.Malformed:
		return "", err
	case err != nil:
		return "", nil //nolint:nilerr // Twilio has taken the message, in words that cannot be read.
	}
	return deref(answer.Sid), nil
}

// Response implements connectors.Responder: TwiML that says nothing. Twilio
// logs an error for most other types, and sends plain text to the consumer.
// https://www.twilio.com/docs/api/errors/12300
func (c *Connector) Response() (contentType, body string) {
	return "text/xml", "<Response></Response>"
}
