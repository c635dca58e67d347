// Package whatsapp speaks the WhatsApp Business Cloud API.
//
// A webhook is one signed JSON document with up to a thousand messages and
// statuses, for any of an app's numbers. A photo is a message that names a
// medium; its bytes take two calls: Graph tells an address for the id, and the
// address, good for five minutes, wants the same token. WhatsApp keeps a medium
// for seven days and repeats a failed webhook for as long.
package whatsapp

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

// graphBase is where Graph tells the address of a medium, and mediaHost is the
// host of that address.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
const (
	graphBase = "https://graph.facebook.com"
	mediaHost = "lookaside.fbsbx.com"
)

// Channel describes WhatsApp.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "whatsapp",
		Title:      "WhatsApp",
		PhotoLimit: 25 * config.MB,
		BodyLimit:  4 << 20, // Meta sends up to 3 MB
		Texts:      connectors.Texts{Limit: 4096, Window: 24 * time.Hour},
		Withdraws:  true,
		Console:    "the app's dashboard, WhatsApp, Configuration, Webhook: Callback URL and Verify token; subscribe to \"messages\"",
		Settings:   func() config.Settings { return &Config{} },
		New:        New,
	}
}

// Connector is one WhatsApp webhook.
type Connector struct {
	config *Config
	base   string // of the Graph API
	hosts  func(*url.URL) bool
	client *wire.Client
}

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	base := strings.TrimRight(cmp.Or(c.APIBase, graphBase), "/")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, connectors.Errorf(connectors.Misconfigured, "whatsapp: api_base", "not a URL")
	}
	return &Connector{
		config: c,
		base:   base,
		hosts:  tokenHosts(u, c.APIBase != ""),
		client: wire.NewClient(wire.Options{AllowPrivate: c.AllowPrivateAddresses, Now: env.Now}),
	}, nil
}

// tokenHosts returns which addresses may get the token: Graph and the host of
// its media, or nothing but api_base where that replaces them both. Neither
// gets it over http unless api_base itself says so.
func tokenHosts(base *url.URL, replaced bool) func(*url.URL) bool {
	list := wire.HostList(base.Host)
	if !replaced {
		list = wire.HostList(base.Host, mediaHost)
	}
	return func(u *url.URL) bool { return u.Scheme == base.Scheme && list(u) }
}

// Verify implements connectors.Connector: Meta's signature, keyed with the app
// secret.
func (c *Connector) Verify(r *connectors.Request) error {
	return meta.Verify("whatsapp: verify", r, c.config.AppSecret)
}

// Challenge implements connectors.Challenger: Meta calls with GET each time the
// webhook's address or verify token is saved in the app.
func (c *Connector) Challenge(r *connectors.Request) (string, error) {
	return meta.Challenge("whatsapp: challenge", r, c.config.VerifyToken)
}

// Parse implements connectors.Connector.
func (c *Connector) Parse(r *connectors.Request) ([]connectors.Event, error) {
	var e envelope
	if err := json.Unmarshal(r.Body, &e); err != nil || e.Object == "" {
		return nil, connectors.Errorf(connectors.Malformed, "whatsapp: parse", "envelope is not JSON as documented")
	}
	events := []connectors.Event{}
	for _, raw := range e.Entry {
		if e.Object != "whatsapp_business_account" {
			events = append(events, event("", raw).As(connectors.Ignored, "other_object"))
			continue
		}
		events = append(events, parseEntry(raw)...)
	}
	return events, nil
}

// event returns an event without a kind, which has no readable ID so far.
func event(account string, raw json.RawMessage) connectors.Event {
	return connectors.Event{Account: account, ID: connectors.DigestID(raw), Raw: raw}
}

func parseEntry(raw json.RawMessage) []connectors.Event {
	var e entry
	if err := json.Unmarshal(raw, &e); err != nil || e.Changes == nil {
		return []connectors.Event{event("", raw).As(connectors.Broken, "entry does not parse")}
	}
	var events []connectors.Event
	for _, change := range e.Changes {
		events = append(events, parseChange(change)...)
	}
	return events
}

// parseChange translates what one number has to tell. A field that we pass over
// may have a value of any shape; of one that we read, the readable part counts.
func parseChange(raw json.RawMessage) []connectors.Event {
	var c change
	err := json.Unmarshal(raw, &c)
	account := c.Value.Metadata.PhoneNumberID
	if c.Field != "messages" && c.Field != "" {
		return []connectors.Event{event(account, raw).As(connectors.Ignored, fieldReason(c.Field))}
	}
	var events []connectors.Event
	if err != nil || c.Field == "" {
		events = append(events, event(account, raw).As(connectors.Broken, "change does not parse"))
	}
	people := directory(c.Value.Contacts.Value)
	for _, raw := range c.Value.Messages {
		events = append(events, parseMessage(account, people, raw))
	}
	for _, raw := range c.Value.Statuses {
		events = append(events, parseStatus(account, raw))
	}
	for _, raw := range c.Value.Errors {
		events = append(events, event(account, raw).As(connectors.Ignored, "account_error"))
	}
	if len(events) == 0 {
		events = append(events, event(account, raw).As(connectors.Ignored, "empty_change"))
	}
	return events
}

// fieldReason is the metric's label for a webhook field that we pass over.
// Fields that Meta may add one day share a label, so that no stranger can make
// new ones.
func fieldReason(field string) string {
	switch field {
	case "smb_message_echoes", "smb_app_state_sync", "history", "calls", "account_update",
		"message_template_status_update", "phone_number_quality_update", "user_preferences":
		return field
	default:
		return "unknown_field"
	}
}

// parseMessage translates one message. What can be read of it is read even if
// the rest has another shape, so that a type that we pass over may have any.
func parseMessage(account string, people map[string]contact, raw json.RawMessage) connectors.Event {
	out := event(account, raw)
	m, err := readMessage(raw)
	out.ID, out.MessageID, out.ReplyTo = cmp.Or(m.ID, out.ID), m.ID, m.Context.Value.ID
	out.SentAt, out.Consumer = meta.Time(m.Timestamp), m.consumer(people)
	if m.Type == "" {
		return out.As(connectors.Broken, "message has no readable type")
	}
	if reason := messageReason(m.Type); reason != "" && !m.tooLarge() {
		return out.As(connectors.Ignored, reason)
	}
	if err != nil {
		return out.As(connectors.Broken, "message does not parse")
	}
	if m.ID == "" {
		return out.As(connectors.Broken, "message has no id")
	}
	// A group is several consumers, and a message in it may name none.
	if m.GroupID != nil && m.GroupID != "" {
		return out.As(connectors.Ignored, "group")
	}
	if out.Consumer.ID == "" {
		return out.As(connectors.Ignored, "no_consumer")
	}
	return parseContent(out, m)
}

// messageReason is the metric's label for a message type that we pass over, or
// empty for one that may hold a text or a photo.
func messageReason(kind string) string {
	switch kind {
	case "text", "button", "interactive", "order", "image", "document", "video", "edit", "revoke":
		return ""
	case "audio", "sticker", "location", "contacts", "reaction", "system", "unsupported", "request_welcome":
		return kind
	default:
		return "unknown_message_type"
	}
}

func parseContent(out connectors.Event, m message) connectors.Event {
	out.Kind, out.Text = connectors.Message, m.said()
	switch {
	case m.tooLarge():
		// There is nothing to fetch, and nobody knows whether it was a photo.
		// The claim alone has it rejected as too large, so the sender hears of
		// it like anybody whose photo is.
		out.Photos = []connectors.Photo{{
			Account: out.Account, ClaimedType: m.content.MimeType, ClaimedBytes: int64(maxInbound) + 1,
		}}
	case m.Type == "edit":
		return parseEdit(out, m.content)
	case m.Type == "revoke":
		return parseRevoke(out, m.content)
	case m.Type == "image", m.Type == "document":
		// Originals and HEIC come as documents; only content tells a photo.
		return parsePhoto(out, m.content)
	case out.Text != "":
	case m.Type == "text", m.Type == "button":
		return out.As(connectors.Broken, m.Type+" message has no text")
	default:
		return out.As(connectors.Ignored, m.Type) // no photo, and nothing said
	}
	return out
}

func parseEdit(out connectors.Event, c content) connectors.Event {
	edited, err := readMessage(c.Message)
	if err != nil || c.OriginalMessageID == "" || edited.Type == "" {
		return out.As(connectors.Broken, "edit names no message")
	}
	// Only a caption can be taken away.
	if edited.Type == "text" && edited.said() == "" {
		return out.As(connectors.Broken, "edit has no text")
	}
	out.Kind, out.MessageID, out.Text = connectors.Edit, c.OriginalMessageID, edited.said()
	return out
}

func parseRevoke(out connectors.Event, c content) connectors.Event {
	if c.OriginalMessageID == "" {
		return out.As(connectors.Broken, "revoke names no message")
	}
	out.Kind, out.MessageID = connectors.Unsend, c.OriginalMessageID
	return out
}

// A reference is the medium's id, and never the address beside it in the
// webhook: that dies after five minutes.
const mediaPrefix = "media:"

// mediaID is the form of a medium's id. Those seen are digits; what must not
// be is a dot or a slash, since the id becomes part of an address.
var mediaID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

func parsePhoto(out connectors.Event, c content) connectors.Event {
	if !mediaID.MatchString(c.ID) {
		return out.As(connectors.Broken, "photo has no readable media id")
	}
	out.Photos = []connectors.Photo{{
		Account:       out.Account,
		Ref:           mediaPrefix + c.ID,
		ClaimedType:   c.MimeType,
		ClaimedSHA256: digest(c.SHA256),
	}}
	return out
}

// parseStatus translates what became of a message that we sent. It has no ID
// of its own, and one message goes through several statuses.
func parseStatus(account string, raw json.RawMessage) connectors.Event {
	out := event(account, raw)
	var s status
	if err := json.Unmarshal(raw, &s); err != nil || s.ID == "" || s.Status == "" {
		return out.As(connectors.Ignored, "unreadable_status")
	}
	out.Kind, out.ID, out.MessageID = connectors.Receipt, s.ID+":"+s.Status, s.ID
	out.SentAt = meta.Time(s.Timestamp)
	out.Consumer.ID = cmp.Or(s.RecipientUserID, s.RecipientID)
	return out
}

// Fetch implements connectors.Connector: a fresh address at every call, and a
// second one if the first is denied, because addresses die young.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "whatsapp: fetch media"
	id, ok := strings.CutPrefix(p.Ref, mediaPrefix)
	if !ok || !mediaID.MatchString(id) {
		return nil, connectors.Errorf(connectors.Refused, op, "not a reference of this channel")
	}
	token, ok := c.token(p.Account)
	if !ok {
		return nil, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	bearer := "Bearer " + token.Reveal()
	for try := 1; ; try++ {
		address, err := c.lookup(ctx, id, p.Account, bearer)
		if err != nil {
			return nil, err
		}
		rc, err := c.client.Fetch(ctx, wire.Fetch{
			Op:        op,
			URL:       address,
			Hosts:     c.hosts,
			Authorize: func(*url.URL) (string, bool) { return bearer, true },
		})
		if kind := connectors.KindOf(err); kind != connectors.Gone && kind != connectors.Misconfigured {
			return rc, err
		}
		if try == 2 {
			// Graph has just told where it is, so it is not the photo that is gone.
			return nil, connectors.Errorf(connectors.Misconfigured, op, "fresh address denied, suspect the token: %w", err)
		}
	}
}

// lookup asks Graph where a medium is. With the number in the query, Graph
// refuses media that were sent to another one.
func (c *Connector) lookup(ctx context.Context, id, account, bearer string) (string, error) {
	const op = "whatsapp: look up media"
	query := url.Values{"phone_number_id": {account}}
	address := c.base + "/" + c.config.version() + "/" + url.PathEscape(id) + "?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", connectors.Errorf(connectors.Misconfigured, op, "no address can be made of api_base")
	}
	req.Header.Set("Authorization", bearer)
	body, err := c.client.Call(ctx, op, req, 64<<10)
	if err != nil {
		return "", meta.GraphError(err)
	}
	var m media
	if err := json.Unmarshal(body, &m); err != nil || m.URL == "" {
		// A maintenance page of somebody in between, or Graph in trouble.
		return "", connectors.Errorf(connectors.Unavailable, op, "answer holds no address")
	}
	return m.URL, nil
}

// token returns the credentials of one number.
func (c *Connector) token(account string) (config.Secret, bool) {
	for _, a := range c.config.Accounts {
		if a.ID == account {
			return a.AccessToken, true
		}
	}
	return config.Secret{}, false
}
