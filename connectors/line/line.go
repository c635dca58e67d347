// Package line speaks the LINE Messaging API.
//
// A webhook is one signed JSON document with any number of events, none
// included: that is how LINE's console checks an address. A photo is an event
// that names a message; its bytes are fetched from LINE by that id with the
// channel access token, for as long as LINE keeps them. LINE does not repeat a
// failed webhook unless "webhook redelivery" is switched on in its console.
package line

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// dataBase is where LINE serves content; its API host answers 404 for it.
// https://developers.line.biz/en/news/2020/10/30/domain-name/
const dataBase = "https://api-data.line.me"

// Channel describes LINE.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "line",
		Title:      "LINE",
		PhotoLimit: 10 * config.MB,
		BodyLimit:  4 << 20,
		Texts:      connectors.Texts{Limit: 5000, Resend: true, TokenLife: 50 * time.Second},
		Withdraws:  true,
		Console:    "LINE Developers Console, Messaging API, Webhook URL; switch on \"Use webhook\" and \"Webhook redelivery\"",
		Settings:   func() config.Settings { return &Config{} },
		New:        New,
	}
}

// Connector is one LINE webhook.
type Connector struct {
	config *Config
	base   string // of the content API
	hosts  func(*url.URL) bool
	client *wire.Client
}

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	base := strings.TrimRight(cmp.Or(c.APIBase, dataBase), "/")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, connectors.Errorf(connectors.Misconfigured, "line: api_base", "not a URL")
	}
	return &Connector{
		config: c,
		base:   base,
		hosts:  wire.HostList(u.Host),
		client: wire.NewClient(wire.Options{AllowPrivate: c.AllowPrivateAddresses, Now: env.Now}),
	}, nil
}

// Verify implements connectors.Connector: the header holds the Base64 of
// HMAC-SHA256 over the raw body, keyed with the channel secret.
// https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
func (c *Connector) Verify(r *connectors.Request) error {
	const op = "line: verify"
	header, err := wire.Header(r, "X-Line-Signature")
	if err != nil {
		return err
	}
	got, err := base64.StdEncoding.Strict().DecodeString(header)
	// The length too, because the decoder passes over line breaks.
	if err != nil || len(header) != base64.StdEncoding.EncodedLen(sha256.Size) {
		return connectors.Errorf(connectors.Unauthentic, op, "signature is not the Base64 of 32 bytes")
	}
	if !wire.VerifyMAC(sha256.New, c.config.ChannelSecret, r.Body, got) {
		return connectors.Errorf(connectors.Unauthentic, op, "wrong signature")
	}
	return nil
}

// Parse implements connectors.Connector.
func (c *Connector) Parse(r *connectors.Request) ([]connectors.Event, error) {
	var e envelope
	if err := json.Unmarshal(r.Body, &e); err != nil {
		return nil, connectors.Errorf(connectors.Malformed, "line: parse", "envelope is not JSON as documented")
	}
	events := make([]connectors.Event, 0, len(e.Events))
	for _, raw := range e.Events {
		events = append(events, parseEvent(e.Destination, raw))
	}
	return events, nil
}

// parseEvent translates one event. Its type and ID are read on their own first,
// so that a type that we pass over may have any shape, and a broken event that
// is delivered again is known again: its bytes then differ in a flag.
func parseEvent(destination string, raw json.RawMessage) connectors.Event {
	out := connectors.Event{Account: destination, ID: connectors.DigestID(raw), Raw: raw}
	var head struct {
		Type           string `json:"type"`
		WebhookEventID string `json:"webhookEventId"`
	}
	// A wrong type of one field leaves the other readable.
	err := json.Unmarshal(raw, &head)
	if head.WebhookEventID != "" {
		out.ID = head.WebhookEventID
	}
	if err != nil && head.Type == "" {
		return out.As(connectors.Broken, "event has no readable type")
	}
	if head.Type != "message" && head.Type != "unsend" {
		return out.As(connectors.Ignored, eventReason(head.Type))
	}
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return out.As(connectors.Broken, head.Type+" event does not parse")
	}
	return parseKnown(out, e)
}

// parseKnown translates an event of a type that we forward.
func parseKnown(out connectors.Event, e event) connectors.Event {
	if e.WebhookEventID == "" && e.Message.ID != "" {
		out.ID = e.Message.ID
	}
	out.SentAt = connectors.UnixMillis(e.Timestamp)
	out.Consumer.ID = e.Source.UserID
	// A group is several consumers, and a message in it may name none.
	if e.Source.Type == "group" || e.Source.Type == "room" {
		return out.As(connectors.Ignored, "group")
	}
	if e.Source.Type != "user" || e.Source.UserID == "" {
		return out.As(connectors.Ignored, "no_consumer")
	}
	if e.Type == "unsend" {
		return parseUnsend(out, e)
	}
	return parseMessage(out, e.Message)
}

// eventReason is the metric's label for an event type that we pass over. Types
// that LINE may add one day share a label, so that no stranger can make new ones.
func eventReason(kind string) string {
	switch kind {
	case "follow", "unfollow", "join", "leave", "memberJoined", "memberLeft", "postback",
		"videoPlayComplete", "beacon", "accountLink", "membership", "module", "activated",
		"deactivated", "botSuspended", "botResumed", "delivery":
		return kind
	default:
		return "unknown_event_type"
	}
}

func parseUnsend(out connectors.Event, e event) connectors.Event {
	if e.Unsend.MessageID == "" {
		return out.As(connectors.Broken, "unsend event names no message")
	}
	out.Kind, out.MessageID = connectors.Unsend, e.Unsend.MessageID
	return out
}

func parseMessage(out connectors.Event, m message) connectors.Event {
	if m.ID == "" {
		return out.As(connectors.Broken, "message event has no message id")
	}
	out.Kind, out.MessageID, out.ReplyTo = connectors.Message, m.ID, m.QuotedMessageID
	switch m.Type {
	case "text":
		out.Text = m.Text
	case "image":
		ref, ok := imageRef(m)
		if !ok {
			return out.As(connectors.Broken, "image has no usable address")
		}
		out.Photos = []connectors.Photo{{Account: out.Account, Ref: ref}}
	case "file":
		// Originals and HEIC come as files; only content tells a photo.
		out.Photos = []connectors.Photo{{Account: out.Account, Ref: idRef(m.ID), ClaimedBytes: m.FileSize}}
	case "video", "audio", "location", "sticker":
		return out.As(connectors.Ignored, m.Type)
	default:
		return out.As(connectors.Ignored, "unknown_message_type")
	}
	if s := m.ImageSet; s != nil && s.ID != "" {
		out.Album = &connectors.Album{ID: s.ID, Index: max(s.Index, 0), Total: max(s.Total, 0)}
	}
	return out
}

// A reference is the message's id, or the address of an external original.
const (
	messagePrefix  = "message:"
	externalPrefix = "external:"
	// maxURL is how long an image's address may be.
	// https://developers.line.biz/en/reference/messaging-api/#image-message
	maxURL = 2000
)

// contentID is the form of an id that may become part of an address. LINE's
// are decimal digits; it does not promise that.
var contentID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

func idRef(messageID string) string { return messagePrefix + messageID }

func imageRef(m message) (string, bool) {
	if m.ContentProvider.Type != "external" {
		return idRef(m.ID), true
	}
	address := m.ContentProvider.OriginalContentURL
	return externalPrefix + address, address != "" && len(address) <= maxURL
}

// Fetch implements connectors.Connector.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "line: fetch content"
	if address, ok := strings.CutPrefix(p.Ref, externalPrefix); ok {
		// Any consumer can name any host here: no credentials, no trust.
		return c.client.Fetch(ctx, wire.Fetch{Op: "line: fetch external content", URL: address, MaxRedirects: 3})
	}
	id, ok := strings.CutPrefix(p.Ref, messagePrefix)
	if !ok || !contentID.MatchString(id) {
		return nil, connectors.Errorf(connectors.Refused, op, "not a reference of this channel")
	}
	token, ok := c.token(p.Account)
	if !ok {
		return nil, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	return c.client.Fetch(ctx, wire.Fetch{
		Op:        op,
		URL:       c.base + "/v2/bot/message/" + id + "/content",
		Hosts:     c.hosts,
		Authorize: func(*url.URL) (string, bool) { return "Bearer " + token.Reveal(), true },
	})
}

// token returns the credentials of one bot.
func (c *Connector) token(account string) (config.Secret, bool) {
	for _, a := range c.config.Accounts {
		if a.ID == account {
			return a.ChannelAccessToken, true
		}
	}
	return config.Secret{}, false
}
