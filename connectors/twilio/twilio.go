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
// twilio-go's validator is a witness in our tests only: it reads the address
// and writes it anew, which changes some and breaks those with an IPv6 host; it
// knows one value per parameter; and bodySHA256 lets it pass over the form.
package twilio

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // for its size; signature.go says why it will do
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// apiBase is Twilio's API. An account in another region has its own API and
// tokens, and sets api_base.
// https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region
const apiBase = "https://api.twilio.com"

// Channel describes Twilio.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "twilio",
		Title:      "Twilio SMS/MMS",
		PhotoLimit: 10 * config.MB,
		BodyLimit:  1 << 20,
		Texts:      connectors.Texts{Limit: 1600},
		Console:    "Twilio Console, Phone Numbers, your number, Messaging: A message comes in, Webhook, HTTP POST",
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
	base     string              // of the API
	mediaURL *regexp.Regexp      // what a MediaUrl looks like
	api      func(*url.URL) bool // hosts that see the credentials
	hosts    func(*url.URL) bool // hosts that may be called
	client   *wire.Client
}

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	base := strings.TrimRight(cmp.Or(c.APIBase, apiBase), "/")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, connectors.Errorf(connectors.Misconfigured, "twilio: api_base", "not a URL")
	}
	return &Connector{
		config:   c,
		base:     base,
		mediaURL: mediaURL(base, c.AccountSID),
		api:      wire.HostList(u.Host),
		hosts:    wire.HostList(append(c.mediaHosts(), u.Host)...),
		client:   wire.NewClient(wire.Options{AllowPrivate: c.AllowPrivateAddresses, Now: env.Now}),
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
	got, err := base64.StdEncoding.Strict().DecodeString(header)
	// The length too, because the decoder passes over line breaks.
	if err != nil || len(header) != base64.StdEncoding.EncodedLen(sha1.Size) {
		return connectors.Errorf(connectors.Unauthentic, op, "signature is not the Base64 of 20 bytes")
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

// parseEvent translates a form. No form says when the message was sent.
func (c *Connector) parseEvent(out connectors.Event, form url.Values) connectors.Event {
	m, ok := readMessage(form)
	out.ID, out.MessageID = cmp.Or(m.SID, out.ID), m.SID
	out.Account, out.Consumer.ID = m.To, m.From
	if !ok {
		return out.As(connectors.Broken, "form repeats a parameter")
	}
	if reason := otherChannel(m.From, m.To); reason != "" {
		return out.As(connectors.Ignored, reason)
	}
	if status := m.outboundStatus(); status != "" {
		return parseReceipt(out, m, status)
	}
	if m.From == "" {
		return out.As(connectors.Ignored, "no_consumer")
	}
	return c.parseMessage(out, m)
}

// otherChannel is the metric's label for a message that Twilio passes on from
// another platform. Such have addresses like "whatsapp:+14155550123", and other
// rules.
func otherChannel(addresses ...string) string {
	for _, address := range addresses {
		switch prefix, _, found := strings.Cut(address, ":"); {
		case !found:
		case prefix == "whatsapp", prefix == "messenger", prefix == "rcs":
			return prefix
		default:
			return "unknown_channel"
		}
	}
	return ""
}

// parseReceipt translates a status callback, which belongs to another address.
// It is about a message of ours, so From is us, and one message has several.
func parseReceipt(out connectors.Event, m message, status string) connectors.Event {
	out.Account, out.Consumer.ID = m.From, m.To
	if out.MessageID == "" {
		return out.As(connectors.Broken, "status callback has no message id")
	}
	out.Kind, out.ID = connectors.Receipt, m.SID+"/"+status
	return out
}

func (c *Connector) parseMessage(out connectors.Event, m message) connectors.Event {
	if out.MessageID == "" {
		return out.As(connectors.Broken, "message has no message id")
	}
	out.Kind, out.Text, out.Photos = connectors.Message, m.text(), c.photos(m)
	if out.Text != "" || len(out.Photos) > 0 {
		return out
	}
	if m.NumMedia != "" && m.NumMedia != "0" {
		return out.As(connectors.Broken, "message has no readable media")
	}
	return out.As(connectors.Ignored, "empty")
}

// photos returns all media as photos, because only content tells. What carriers
// add to an MMS was not sent by a person, and counts only where there is
// nothing else: no text, and no other medium.
func (c *Connector) photos(m message) []connectors.Photo {
	var photos, added []connectors.Photo
	for _, part := range m.Media {
		photo := connectors.Photo{Account: m.To, Ref: c.ref(m.SID, part.URL), ClaimedType: part.ContentType}
		if part.addedByCarrier(m.Body) {
			added = append(added, photo)
		} else {
			photos = append(photos, photo)
		}
	}
	if len(photos) == 0 && m.Body == "" {
		return added
	}
	return photos
}

// A reference is the ids of message and medium, so that host and account are
// always our own. What lies elsewhere is foreign: never called, and refused
// rather than lost.
const (
	messageForm = `((?:SM|MM)[0-9a-fA-F]{32})`
	mediaForm   = `(ME[0-9a-fA-F]{32})`
	foreign     = "foreign"
)

var mediaRef = regexp.MustCompile(`^` + messageForm + `/` + mediaForm + `$`)

// mediaURL returns the form of a MediaUrl: on the API that we call or any other
// of Twilio's, and below our account.
// https://www.twilio.com/docs/messaging/api/media-resource
func mediaURL(base, accountSID string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:https://api(?:\.[a-z0-9-]+\.[a-z0-9-]+)?\.twilio\.com|` + regexp.QuoteMeta(base) + `)` +
		mediaPath(regexp.QuoteMeta(accountSID), messageForm, mediaForm) + `$`)
}

func mediaPath(account, message, media string) string {
	return "/2010-04-01/Accounts/" + account + "/Messages/" + message + "/Media/" + media
}

func (c *Connector) ref(messageSID, address string) string {
	m := c.mediaURL.FindStringSubmatch(address)
	if m == nil || m[1] != messageSID {
		return foreign
	}
	return m[1] + "/" + m[2]
}

// Fetch implements connectors.Connector: a fresh address at every call. Twilio
// keeps a medium until somebody deletes it there.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "twilio: fetch media"
	m := mediaRef.FindStringSubmatch(p.Ref)
	if m == nil {
		return nil, connectors.Errorf(connectors.Refused, op, "not on Twilio's API")
	}
	if !c.config.has(p.Account) {
		return nil, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	shown := false // whether the last host saw the credentials
	rc, err := c.client.Fetch(ctx, wire.Fetch{
		Op:    op,
		URL:   c.base + mediaPath(c.config.AccountSID, m[1], m[2]),
		Hosts: c.hosts,
		// The address that the API leads to carries its own signature, and S3
		// answers 400 to credentials on top of that.
		Authorize: func(u *url.URL) (string, bool) {
			shown = c.api(u)
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

// Response implements connectors.Responder: TwiML that says nothing. Twilio
// logs an error for most other types, and sends plain text to the consumer.
// https://www.twilio.com/docs/api/errors/12300
func (c *Connector) Response() (contentType, body string) {
	return "text/xml", "<Response></Response>"
}
