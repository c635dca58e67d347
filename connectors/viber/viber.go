// Package viber speaks the REST API of Viber's bots.
//
// A webhook is one signed JSON document with one event. It does not name the
// bot, so that the account is the configured one. A photo is a message with the
// address of its bytes, which needs no credentials and is good for one hour
// after the event; now and then it leads to another host than Viber's. Viber
// repeats a failed webhook for about two hours.
package viber

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

const (
	// apiBase is where Viber takes calls.
	apiBase = "https://chatapi.viber.com"
	// textLimit is how long a text may be.
	// https://developers.viber.com/docs/api/rest-bot-api/#text-message
	textLimit = 7000
)

// Channel describes Viber.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "viber",
		Title:      "Viber",
		PhotoLimit: 25 * config.MB,
		BodyLimit:  1 << 20,
		Texts:      connectors.Texts{Limit: textLimit, Window: 24 * time.Hour},
		Console:    "Viber has no page for it: run lightlock connect, which tells Viber's API",
		Cannot: map[string]string{
			"parse_batch":      "one event per call",
			"parse_neighbours": "one event per call",
			"parse_account":    "no event names the bot",
			"parse_accounts":   "no event names the bot",
			"send_accounts":    "one bot per token, so one account per connector",
		},
		Settings: func() config.Settings { return &Config{} },
		New:      New,
	}
}

// Connector is one Viber bot's webhook.
type Connector struct {
	config *Config
	base   string                // of the API
	hosts  func(u *url.URL) bool // of media; nil for any
	now    func() time.Time
	client *wire.Client
}

var (
	_ connectors.Connector = (*Connector)(nil)
	_ connectors.Registrar = (*Connector)(nil)
)

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	base, err := wire.Base("viber", c.APIBase, apiBase)
	if err != nil {
		return nil, err
	}
	return &Connector{
		config: c,
		base:   base.String(),
		hosts:  mediaHosts(c, base),
		now:    env.Now,
		client: wire.NewClient(wire.Options{AllowPrivate: c.AllowPrivateAddresses, Now: env.Now}),
	}, nil
}

// Verify implements connectors.Connector: the lower-case hex of HMAC-SHA256
// over the raw body, keyed with the bot's token.
// https://developers.viber.com/docs/api/rest-bot-api/#callbacks
func (c *Connector) Verify(r *connectors.Request) error {
	const op = "viber: verify"
	digits, err := signature(op, r)
	if err != nil {
		return err
	}
	got, err := hex.DecodeString(digits)
	if err != nil || digits != strings.ToLower(digits) {
		return connectors.Errorf(connectors.Unauthentic, op, "signature is not lower-case hex")
	}
	if !wire.VerifyMAC(sha256.New, c.config.AuthToken, r.Body, got) {
		return connectors.Errorf(connectors.Unauthentic, op, "wrong signature")
	}
	return nil
}

const signatureHeader = "X-Viber-Content-Signature"

// signature returns the header, or the parameter "sig" of the address where
// there is no such header at all: Viber sends both, but a header may be lost on
// the way. A wrong header is never made good by the parameter.
func signature(op string, r *connectors.Request) (string, error) {
	for name := range r.Header {
		if strings.EqualFold(name, signatureHeader) {
			return wire.Header(r, signatureHeader)
		}
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return "", connectors.Errorf(connectors.Unauthentic, op, "address cannot be read")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", connectors.Errorf(connectors.Unauthentic, op, "query cannot be read")
	}
	if sig := query["sig"]; len(sig) == 1 && sig[0] != "" {
		return sig[0], nil
	}
	return "", connectors.Errorf(connectors.Unauthentic, op, "neither a header %s nor one sig in the address", signatureHeader)
}

// Parse implements connectors.Connector.
func (c *Connector) Parse(r *connectors.Request) ([]connectors.Event, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(r.Body, &fields); err != nil || fields == nil {
		return nil, connectors.Errorf(connectors.Malformed, "viber: parse", "event is not a JSON object")
	}
	out := connectors.Event{Account: c.config.bot(), ID: connectors.DigestID(r.Body), Raw: bytes.Clone(r.Body)}
	var e event
	// A wrong type of one field leaves the others readable.
	err := json.Unmarshal(r.Body, &e)
	return []connectors.Event{parseEvent(out, e, err)}, nil
}

// parseEvent translates e, of which err says that not all could be read. The
// token alone is no ID: what became of a message is told with the message's
// own, and once for each device.
func parseEvent(out connectors.Event, e event, err error) connectors.Event {
	if e.Event == "" {
		return out.As(connectors.Broken, "event has no readable name")
	}
	if e.Token != "" {
		out.ID = e.Event + ":" + string(e.Token)
	}
	// The event that checks a webhook may have its time and its token the wrong
	// way round, so a time that is none is no reason to doubt an event.
	out.SentAt = connectors.UnixMillis(e.Timestamp.Value)
	switch e.Event {
	case "message":
		return parseMessage(out, e, err)
	case "delivered", "seen", "failed":
		return parseReceipt(out, e)
	case "webhook", "subscribed", "unsubscribed", "conversation_started":
		return out.As(connectors.Ignored, e.Event)
	}
	return out.As(connectors.Ignored, "unknown_event_type")
}

// parseReceipt translates what became of a message. Viber tells it of incoming
// messages as well, so the token may be one that we never sent.
func parseReceipt(out connectors.Event, e event) connectors.Event {
	if e.Token == "" {
		return out.As(connectors.Ignored, "unreadable_receipt")
	}
	out.ID += ":" + e.UserID.Value
	out.MessageID, out.Consumer.ID = string(e.Token), e.UserID.Value
	reason := e.Event
	if reason == "seen" {
		reason = "read"
	}
	return out.As(connectors.Receipt, reason)
}

// parseMessage translates a message. One that we pass over may have any shape.
func parseMessage(out connectors.Event, e event, err error) connectors.Event {
	out.MessageID, out.Language = string(e.Token), e.Sender.Language.Value
	out.Consumer = connectors.Consumer{ID: e.Sender.ID, Name: e.Sender.Name.Value}
	// A group is several consumers; a bot is in one only as an extension of
	// their chat.
	if e.ChatID != nil && e.ChatID != "" {
		return out.As(connectors.Ignored, "group")
	}
	if e.Message.Type == "" {
		return out.As(connectors.Broken, "message has no readable type")
	}
	if reason := messageReason(e.Message.Type); reason != "" {
		return out.As(connectors.Ignored, reason)
	}
	if err != nil {
		return out.As(connectors.Broken, "message does not parse")
	}
	if e.Token == "" {
		return out.As(connectors.Broken, "message has no token")
	}
	if e.Sender.ID == "" {
		return out.As(connectors.Ignored, "no_consumer")
	}
	return parseContent(out, e.Message)
}

// messageReason is the metric's label for a message type that we pass over, or
// empty for one that may hold a text or a photo. Types that Viber may add one
// day share a label, so that no stranger can make new ones.
func messageReason(kind string) string {
	switch kind {
	case "text", "picture", "file", "video", "url":
		return ""
	case "sticker", "contact", "location":
		return kind
	}
	return "unknown_message_type"
}

func parseContent(out connectors.Event, m message) connectors.Event {
	out.Kind, out.Text = connectors.Message, m.Text.Value
	switch {
	case m.Type == "picture", m.Type == "file":
		// Originals come as files; only content tells a photo.
		return parsePhoto(out, m)
	case out.Text != "":
		return out // what somebody wrote below a video is a text as well
	case m.Type == "text":
		return out.As(connectors.Broken, "text message has no text")
	}
	return out.As(connectors.Ignored, m.Type)
}

func parsePhoto(out connectors.Event, m message) connectors.Event {
	address := m.Media.Value
	if address == "" || len(address) > maxURL {
		return out.As(connectors.Broken, "photo has no usable address")
	}
	out.Photos = []connectors.Photo{{
		Account: out.Account, Ref: mediaPrefix + address, ClaimedBytes: max(m.Size.Value, 0),
	}}
	return out
}

// Fetch implements connectors.Connector. Nobody is shown any credentials.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "viber: fetch media"
	address, ok := strings.CutPrefix(p.Ref, mediaPrefix)
	if !ok {
		return nil, connectors.Errorf(connectors.Refused, op, "not a reference of this channel")
	}
	if _, ok := config.FindAccount(c.config.Accounts, p.Account); !ok {
		return nil, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	if expired(address, c.now()) {
		return nil, connectors.Errorf(connectors.Gone, op, "address has expired")
	}
	return c.client.Fetch(ctx, wire.Fetch{Op: op, URL: address, Hosts: c.hosts, MaxRedirects: 3})
}

// Send implements connectors.Connector. Viber recognises no repeats.
func (c *Connector) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	const op = "viber: send"
	account, ok := config.FindAccount(c.config.Accounts, o.Account)
	switch {
	case !ok:
		return "", connectors.Errorf(connectors.Misconfigured, op, "no such account")
	case o.Text == "":
		return "", connectors.Errorf(connectors.Refused, op, "no text")
	case connectors.Length(o.Text) > textLimit:
		return "", connectors.Errorf(connectors.Refused, op, "text longer than %d characters", textLimit)
	}
	m := outgoing{Receiver: o.Consumer, MinAPIVersion: 1, Type: "text", Text: o.Text}
	m.Sender.Name = c.config.senderName(account)
	a, err := c.call(ctx, op, "/pa/send_message", m)
	if err != nil {
		return "", err
	}
	return string(a.MessageToken), nil
}

// eventTypes are what the webhook is told besides messages, which it is told
// always.
func eventTypes() []string {
	return []string{"delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"}
}

// Registered implements connectors.Registrar.
// https://developers.viber.com/docs/api/rest-bot-api/#get-account-info
func (c *Connector) Registered(ctx context.Context, account, address string) (connectors.Registration, error) {
	const op = "viber: get account info"
	if _, ok := config.FindAccount(c.config.Accounts, account); !ok {
		return connectors.Registration{}, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	a, err := c.call(ctx, op, "/pa/get_account_info", struct{}{})
	if err != nil {
		return connectors.Registration{}, err
	}
	found := connectors.Registration{URL: withoutQuery(a.Webhook.Value)}
	switch {
	case !a.names(account):
		found.Detail = "auth_token is another bot's than the account's id names"
	case found.URL == "":
		found.Detail = "no webhook is set"
	case found.URL != withoutQuery(address):
		found.Detail = "events go to another address"
	case a.misses("delivered", "seen", "failed"):
		found.Detail = "what becomes of sent messages is not told"
	}
	found.OK = found.Detail == ""
	return found, nil
}

func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

// Register implements connectors.Registrar. Viber calls the webhook before it
// answers.
// https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook
func (c *Connector) Register(ctx context.Context, account, address string) error {
	const op = "viber: set webhook"
	if _, ok := config.FindAccount(c.config.Accounts, account); !ok {
		return connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	a, err := c.call(ctx, op, "/pa/set_webhook", webhook{URL: address, EventTypes: eventTypes(), SendName: true})
	if a.Status != nil && *a.Status == statusInvalidURL {
		return connectors.Errorf(connectors.Misconfigured, op, "Viber called the webhook and got no 200; it must be public, with a certificate that Java trusts")
	}
	return err
}
