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
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

const (
	// apiBase is where Viber takes calls.
	apiBase = "https://chatapi.viber.com"
	// maxText is how long a text may be.
	// https://developers.viber.com/docs/api/rest-bot-api/#text-message
	maxText = 7000
)

// Channel describes Viber.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "viber",
		Title:      "Viber",
		PhotoLimit: 25 * config.MB,
		BodyLimit:  1 << 20,
		// No Window: a day after the user's word Viber begins to charge for what
		// the bot says, and takes it all the same.
		Texts:   connectors.Texts{Limit: maxText},
		Console: "no page of Viber's: its API alone takes the address, from lightlock connect while the gateway runs",
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
	api    wire.API
	hosts  func(u *url.URL) bool // of media; nil for any
	now    func() time.Time
}

var _ connectors.Registrar = (*Connector)(nil)

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	api, err := wire.NewAPI(c.Connector, apiBase, wire.Options{Now: env.Now})
	if err != nil {
		return nil, err
	}
	return &Connector{config: c, api: api, hosts: mediaHosts(c, api), now: env.Now}, nil
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
	got, err := wire.Hex(op, digits)
	if err != nil {
		return err
	}
	return wire.CheckMAC(op, sha256.New, c.config.AuthToken, r.Body, got)
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
	if sig := wire.Parameter(r, "sig"); sig != "" {
		return sig, nil
	}
	return "", connectors.Errorf(connectors.Unauthentic, op, "neither a header %s nor one sig in the address", signatureHeader)
}

// Parse implements connectors.Connector.
func (c *Connector) Parse(r *connectors.Request) ([]connectors.Event, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(r.Body, &fields); err != nil || fields == nil {
		return nil, connectors.Errorf(connectors.Malformed, "viber: parse", "event is not a JSON object")
	}
	out := wire.NewEvent(c.config.bot(), bytes.Clone(r.Body))
	var e event
	// A wrong type of one field leaves the others readable.
	err := json.Unmarshal(r.Body, &e)
	return []connectors.Event{parseEvent(out, e, err)}, nil
}

// Fetch implements connectors.Connector. Nobody is shown any credentials.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "viber: fetch media"
	address, ok := strings.CutPrefix(p.Ref, mediaPrefix)
	if !ok {
		return nil, connectors.Errorf(connectors.Refused, op, "not a reference of this channel")
	}
	if _, err := wire.Account(op, c.config.Accounts, p.Account); err != nil {
		return nil, err
	}
	if end := until(address, time.Time{}); !end.IsZero() && c.now().After(end) {
		return nil, connectors.Errorf(connectors.Gone, op, "address has expired")
	}
	return c.api.Fetch(ctx, wire.Fetch{Op: op, URL: address, Hosts: c.hosts, MaxRedirects: 3})
}

// mediaSuffix is what the names of Viber's own media hosts end with;
// dl-media.viber.com and share.viber.com have been seen.
const mediaSuffix = ".viber.com"

// mediaHosts returns which hosts a photo may come from. Viber itself names a
// stranger's for some photos, so a list would lose real ones, and has to be
// asked for.
func mediaHosts(c *Config, api wire.API) func(*url.URL) bool {
	if c.Media != "strict" {
		return nil
	}
	own := wire.HostList(mediaSuffix)
	return func(u *url.URL) bool { return own(u) || c.APIBase != "" && api.Host(u) }
}

// life is how long Viber's own media hosts give out a photo after the event: the
// addresses seen end an hour after it, or a few seconds later.
const life = time.Hour

// until returns when an address ends. Viber's say it themselves, in the manner of
// CloudFront; one that does not ends as they all do. A stranger's has no known end
// unless it says one.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
func until(address string, sent time.Time) time.Time {
	u, err := url.Parse(address)
	if err != nil {
		return time.Time{} // what is wrong with it is said by the call
	}
	seconds, err := strconv.ParseInt(u.Query().Get("Expires"), 10, 64)
	switch {
	case err == nil && seconds >= firstTime && seconds < lastTime:
		return connectors.UnixMillis(seconds * 1000)
	case wire.HostList(mediaSuffix)(u):
		return connectors.Later(sent, life)
	}
	return time.Time{}
}

// What a number of seconds in a stranger's address must be for a time: a smaller
// one is a span, and a larger one no time that anybody means.
const (
	firstTime = 1_000_000_000
	lastTime  = 100_000_000_000
)

// Send implements connectors.Connector. Viber recognises no repeats.
func (c *Connector) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	const op = "viber: send"
	account, err := wire.Sender(op, c.config.Accounts, o, maxText)
	if err != nil {
		return "", err
	}
	m := outgoing{Receiver: o.Consumer, MinAPIVersion: 1, Type: "text", Text: o.Text}
	m.Sender.Name = c.config.senderName(account)
	a, err := c.call(ctx, op, "/pa/send_message", m)
	if err != nil {
		return "", err
	}
	return string(a.MessageToken), nil
}
