// Package messenger speaks Facebook's Messenger Platform, for Pages.
//
// A webhook is one signed JSON document with entries of any of an app's Pages,
// and items in each. A photo is an attachment with a signed address on Meta's
// content network, which wants no credentials and is good for a time that Meta
// does not tell. Meta repeats a failed webhook a few times, and unsubscribes
// the app from the Page after an hour of failures.
package messenger

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

const (
	// object is what webhooks of this channel are about.
	object = "page"

	// maxText is how long a text may be.
	// https://developers.facebook.com/docs/messenger-platform/reference/send-api
	maxText = 2000

	// userAgent begins as browsers do, because Meta's content network has been
	// seen to deny photos to what calls itself a bot.
	userAgent = "Mozilla/5.0 (X11; Linux x86_64) Lightlock"
)

// Channel describes Messenger.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "messenger",
		Title:      "Facebook Messenger",
		PhotoLimit: 25 * config.MB,
		BodyLimit:  4 << 20,
		// https://developers.facebook.com/docs/messenger-platform/policy/policy-overview
		Texts:     connectors.Texts{Limit: maxText, Window: 24 * time.Hour},
		Withdraws: true,
		Console:   "the app's dashboard, Messenger, Webhooks: Callback URL and Verify Token; add each Page and subscribe it to \"messages\", \"messaging_postbacks\", \"message_edits\" and \"message_deliveries\"",
		Settings:  func() config.Settings { return &Config{} },
		New:       New,
	}
}

// Connector is one Messenger webhook.
type Connector struct {
	config *Config
	graph  meta.Graph
	hosts  func(*url.URL) bool // of photos
}

var (
	_ connectors.Challenger = (*Connector)(nil)
	_ connectors.Registrar  = (*Connector)(nil)
)

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	api, err := wire.NewAPI(c.Connector, meta.GraphBase, wire.Options{UserAgent: userAgent, Now: env.Now})
	if err != nil {
		return nil, err
	}
	return &Connector{
		config: c,
		graph:  meta.NewGraph(api, c.GraphVersion),
		hosts:  wire.HostList(c.mediaHosts()...),
	}, nil
}

// Verify implements connectors.Connector: Meta's signature, keyed with the app
// secret.
func (c *Connector) Verify(r *connectors.Request) error {
	return meta.Verify("messenger: verify", r, c.config.AppSecret)
}

// Challenge implements connectors.Challenger: Meta calls with GET each time the
// webhook's address or verify token is saved in the app.
func (c *Connector) Challenge(r *connectors.Request) (string, error) {
	return meta.Challenge("messenger: challenge", r, c.config.VerifyToken)
}

// ChallengeType implements connectors.Challenger.
func (c *Connector) ChallengeType() string { return meta.ChallengeType }

// Parse implements connectors.Connector.
func (c *Connector) Parse(r *connectors.Request) ([]connectors.Event, error) {
	return meta.Entries("messenger: parse", object, r.Body, c.parseEntry)
}

// Fetch implements connectors.Connector: by the address in the webhook, or by
// another one where that is over and Graph tells it.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "messenger: fetch photo"
	var ref reference
	if err := json.Unmarshal([]byte(p.Ref), &ref); err != nil || ref.URL == "" {
		return nil, connectors.Errorf(connectors.Refused, op, "not a reference of this channel")
	}
	page, err := wire.Account(op, c.config.Accounts, p.Account)
	if err != nil {
		return nil, err
	}
	// The address itself is the right to read, so no credentials are shown.
	get := wire.Fetch{Op: op, URL: ref.URL, Hosts: c.hosts, MaxRedirects: 3}
	stream, err := c.graph.Fetch(ctx, get)
	if connectors.KindOf(err) != connectors.Gone {
		return stream, err
	}
	fresh, temporary := c.lookup(ctx, page, ref)
	if temporary != nil {
		return nil, temporary
	}
	if fresh == "" {
		return nil, err
	}
	get.URL = fresh
	return c.graph.Fetch(ctx, get)
}

// lookup asks Graph for an address of a photo, and returns none where Graph
// does not tell: that a Page's token may ask at all is not promised. An error is
// one that will pass.
func (c *Connector) lookup(ctx context.Context, page Account, ref reference) (string, error) {
	const op = "messenger: look up photo"
	if !messageID.MatchString(ref.MID) {
		return "", nil
	}
	body, err := c.graph.Get(ctx, op, page.PageAccessToken, url.PathEscape(ref.MID)+"?fields=attachments")
	if err != nil {
		if next := connectors.KindOf(err).Next(); next.Retry && !next.Alarm {
			return "", err
		}
		return "", nil
	}
	var answer stored
	if json.Unmarshal(body, &answer) != nil {
		// A maintenance page of somebody in between, or Graph in trouble.
		return "", connectors.Errorf(connectors.Unavailable, op, "answer is not JSON as documented")
	}
	return answer.address(ref), nil
}

// Send implements connectors.Connector. Messenger knows no key by which it would
// recognise a repeat, and documents no way to answer one message in particular.
func (c *Connector) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	const op = "messenger: send"
	page, err := wire.Sender(op, c.config.Accounts, o, maxText)
	if err != nil {
		return "", err
	}
	body, err := c.graph.Post(ctx, op, page.PageAccessToken, page.ID+"/messages", outgoing{
		Recipient: recipient{o.Consumer}, MessagingType: "RESPONSE", Message: words{o.Text},
	})
	if err != nil && connectors.KindOf(err) != connectors.Malformed {
		return "", err
	}
	var answer struct {
		MessageID string `json:"message_id"`
	}
	// It is sent, whatever the answer looks like and however long it is.
	_ = json.Unmarshal(body, &answer)
	return answer.MessageID, nil
}
