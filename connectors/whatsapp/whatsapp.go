// Package whatsapp speaks the WhatsApp Business Cloud API.
//
// A webhook is one signed JSON document with up to a thousand messages and
// statuses, for any of an app's numbers. A photo is a message that names a
// medium; its bytes take two calls: Graph tells an address for the id, and the
// address, good for five minutes, wants the same token. WhatsApp keeps a medium
// for seven days and repeats a failed webhook for as long. Answers go through
// Graph within 24 hours of the consumer's last message; statuses tell later what
// became of them, and nothing recognises a repeat.
package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

const (
	// object is what webhooks of this channel are about.
	object = "whatsapp_business_account"

	// maxText is how long a text may be. Meta does not say in which units.
	maxText = 4096

	// mediaHost is the host of the addresses that Graph tells for media.
	// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
	mediaHost = "lookaside.fbsbx.com"
)

// Channel describes WhatsApp.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "whatsapp",
		Title:      "WhatsApp",
		PhotoLimit: 25 * config.MB,
		BodyLimit:  4 << 20, // Meta sends up to 3 MB
		Texts:      connectors.Texts{Limit: maxText, Window: 24 * time.Hour},
		Withdraws:  true,
		Console:    "the app's dashboard, WhatsApp, Configuration, Webhook: Callback URL and Verify token; subscribe to \"messages\"",
		Settings:   func() config.Settings { return &Config{} },
		New:        New,
	}
}

// Connector is one WhatsApp webhook.
type Connector struct {
	config *Config
	graph  meta.Graph
	hosts  func(*url.URL) bool
}

var (
	_ connectors.Challenger = (*Connector)(nil)
	_ connectors.Registrar  = (*Connector)(nil)
)

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	api, err := wire.NewAPI(c.Connector, meta.GraphBase, wire.Options{Now: env.Now})
	if err != nil {
		return nil, err
	}
	return &Connector{
		config: c,
		graph:  meta.NewGraph(api, c.GraphVersion),
		hosts:  tokenHosts(api, c.APIBase != ""),
	}, nil
}

// tokenHosts returns which addresses may get the token: Graph and the host of
// its media, or nothing but api_base where that replaces them both. Neither
// gets it over http unless api_base itself says so.
func tokenHosts(api wire.API, replaced bool) func(*url.URL) bool {
	media := wire.HostList(mediaHost)
	return func(u *url.URL) bool { return api.Host(u) || !replaced && u.Scheme == "https" && media(u) }
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

// ChallengeType implements connectors.Challenger.
func (c *Connector) ChallengeType() string { return meta.ChallengeType }

// Parse implements connectors.Connector.
func (c *Connector) Parse(r *connectors.Request) ([]connectors.Event, error) {
	return meta.Entries("whatsapp: parse", object, r.Body, parseEntry)
}

// Fetch implements connectors.Connector: a fresh address at every call, and a
// second one if the first is denied, because addresses die young.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "whatsapp: fetch media"
	id, ok := strings.CutPrefix(p.Ref, mediaPrefix)
	if !ok || !mediaID.MatchString(id) {
		return nil, connectors.Errorf(connectors.Refused, op, "not a reference of this channel")
	}
	account, err := wire.Account(op, c.config.Accounts, p.Account)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		address, err := c.lookup(ctx, id, account)
		if err != nil {
			return nil, err
		}
		rc, err := c.graph.Fetch(ctx, wire.Fetch{
			Op:        op,
			URL:       address,
			Hosts:     c.hosts,
			Authorize: func(*url.URL) (string, bool) { return "Bearer " + account.AccessToken.Reveal(), true },
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
func (c *Connector) lookup(ctx context.Context, id string, account Account) (string, error) {
	const op = "whatsapp: look up media"
	query := url.Values{"phone_number_id": {account.ID}}
	answer, err := c.graph.Get(ctx, op, account.AccessToken, url.PathEscape(id)+"?"+query.Encode())
	if err != nil {
		return "", err
	}
	var m media
	if err := json.Unmarshal(answer, &m); err != nil || m.URL == "" {
		// A maintenance page of somebody in between, or Graph in trouble.
		return "", connectors.Errorf(connectors.Unavailable, op, "answer holds no address")
	}
	return m.URL, nil
}

// Send implements connectors.Connector. That Graph takes a message does not mean
// that the consumer gets it: the statuses tell.
func (c *Connector) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	const op = "whatsapp: send"
	account, err := wire.Sender(op, c.config.Accounts, o, maxText)
	if err != nil {
		return "", err
	}
	answer, err := c.graph.Post(ctx, op, account.AccessToken, url.PathEscape(account.ID)+"/messages", outgoing(o))
	if err != nil {
		return "", err
	}
	var sent struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	// Of an id that cannot be read, the message beside it still counts.
	_ = json.Unmarshal(answer, &sent)
	if len(sent.Messages) == 0 {
		return "", &connectors.Error{
			Kind: connectors.Unavailable, Unsure: true, Op: op, Err: errors.New("answer names no message"),
		}
	}
	return sent.Messages[0].ID, nil
}
