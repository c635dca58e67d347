// Package twitter speaks the direct messages of X, which was Twitter.
//
// A webhook is one signed JSON document in either of two shapes: that of the
// Account Activity API, with lists of events, or that of the X Activity API, with
// one. X also calls it with GET, at least once a day, for proof that we hold the
// app's consumer secret, and sends nothing more to one that fails. A photo is an
// attachment with an address at X, which wants a request signed on the receiving
// account's behalf. X repeats a failed webhook a few times or not at all.
//
// What consumers write in X's encrypted chat cannot be read and ends among the
// dead letters. Group conversations are not delivered by either API.
package twitter

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// apiBase is X's API. What it tells of media lies on other hosts; see mediaURL.
const apiBase = "https://api.x.com"

// maxText is the longest message in UTF-16 units. X documents 10,000 characters.
// https://developer.x.com/en/docs/x-api/v1/direct-messages/sending-and-receiving/api-reference/new-event
const maxText = 10_000

// Channel describes X.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "twitter",
		Title:      "Twitter (X)",
		PhotoLimit: 25 * config.MB,
		BodyLimit:  4 << 20,
		Texts:      connectors.Texts{Limit: maxText},
		Console:    "no page of X's: its API alone takes the address, from lightlock connect while the gateway runs",
		Settings:   func() config.Settings { return &Config{} },
		New:        New,
	}
}

// Connector is one X webhook.
type Connector struct {
	config *Config
	api    wire.API
	env    connectors.Env
}

var (
	_ connectors.Challenger = (*Connector)(nil)
	_ connectors.Registrar  = (*Connector)(nil)
)

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	api, err := wire.NewAPI(c.Connector, apiBase, wire.Options{Now: env.Now})
	if err != nil {
		return nil, err
	}
	return &Connector{config: c, api: api, env: env}, nil
}

// prefix stands before every signature of X's, and before our answers.
const prefix = "sha256="

// Verify implements connectors.Connector: the header holds the Base64 of
// HMAC-SHA256 over the raw body, keyed with the app's consumer secret. A body
// that Challenge would have signed for anybody proves nothing.
// https://docs.x.com/x-api/webhooks/quickstart
func (c *Connector) Verify(r *connectors.Request) error {
	const op = "twitter: verify"
	header, err := wire.Header(r, "x-twitter-webhooks-signature")
	if err != nil {
		return err
	}
	text, ok := strings.CutPrefix(header, prefix)
	if !ok {
		return connectors.Errorf(connectors.Unauthentic, op, "signature does not begin with %s", prefix)
	}
	got, err := wire.Base64(op, text, sha256.Size)
	if err != nil {
		return err
	}
	if crcToken.Match(r.Body) {
		return connectors.Errorf(connectors.Unauthentic, op, "body may be a crc_token that we have signed")
	}
	return wire.CheckMAC(op, sha256.New, c.config.ConsumerSecret, r.Body, got)
}

// crcToken is what we sign for anybody who asks. X signs webhooks with the same
// key, so nothing that could be one may pass: plain ASCII without {}[]" and \, and
// of white space only single blanks inside, which is what a + in the query stands
// for. X does not document its tokens' alphabet; those seen are Base64.
var crcToken = regexp.MustCompile(`^[!#-Z^-z|~]+(?: [!#-Z^-z|~]+)*$`)

// maxToken is how long a token may be. X's have about 50 bytes.
const maxToken = 256

// Challenge implements connectors.Challenger: X's challenge-response check, the
// HMAC of a token that it chooses. Without a secret it is no answer at all: a
// wrong one makes X give the webhook up at once.
// https://docs.x.com/x-api/webhooks/quickstart#2-the-crc-check
func (c *Connector) Challenge(r *connectors.Request) (string, error) {
	const op = "twitter: challenge"
	u, err := url.Parse(r.URL)
	if err != nil || r.Method != http.MethodGet {
		return "", connectors.Errorf(connectors.Unauthentic, op, "not a GET of a readable address")
	}
	tokens := u.Query()["crc_token"] // whatever stands beside it
	if len(tokens) != 1 || len(tokens[0]) > maxToken || !crcToken.MatchString(tokens[0]) {
		return "", connectors.Errorf(connectors.Unauthentic, op, "not one short plain crc_token")
	}
	secret := wire.First(c.config.ConsumerSecret)
	if secret.IsZero() {
		return "", connectors.Errorf(connectors.Unauthentic, op, "no consumer secret")
	}
	mac := wire.MAC(sha256.New, []byte(secret.Reveal()), []byte(tokens[0]))
	return `{"response_token":"` + prefix + base64.StdEncoding.EncodeToString(mac) + `"}`, nil
}

// ChallengeType returns the media type of what Challenge returns.
func (c *Connector) ChallengeType() string { return "application/json" }

// Parse implements connectors.Connector.
func (c *Connector) Parse(r *connectors.Request) ([]connectors.Event, error) {
	var lists map[string]json.RawMessage
	if err := json.Unmarshal(r.Body, &lists); err != nil || lists == nil {
		return nil, connectors.Errorf(connectors.Malformed, "twitter: parse", "webhook is no JSON object")
	}
	if data, ok := lists["data"]; ok {
		return c.parseActivity(data), nil
	}
	return c.parseLists(r.Body, lists), nil
}

// mediaURL is the address of a photo in a direct message: host, path and nothing
// else. Credentials go to no other. Its last three parts are the ids of the
// message, the medium and the file.
// https://developer.x.com/en/docs/direct-messages/message-attachments/guides/retrieving-media
var mediaURL = regexp.MustCompile(
	`^https://ton\.(?:twitter|x)\.com/(?:1\.1|i)/ton/data/dm/([0-9]{1,20})/([0-9]{1,20})/([0-9A-Za-z_-][0-9A-Za-z._-]{0,63})$`)

// Fetch implements connectors.Connector. The address in the webhook wants OAuth
// 1.0a; with an OAuth 2.0 token the same photo is had from the API.
// https://docs.x.com/x-api/direct-messages/download-dm-media
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "twitter: fetch media"
	ids := mediaURL.FindStringSubmatch(p.Ref)
	if ids == nil {
		return nil, connectors.Errorf(connectors.Refused, op, "not the address of a direct message's photo")
	}
	account, err := wire.Account(op, c.config.Accounts, p.Account)
	if err != nil {
		return nil, err
	}
	address := p.Ref
	if !account.OAuth2Token.IsZero() {
		address = apiBase + "/2/dm_conversations/media/" + strings.Join(ids[1:], "/")
	}
	own, err := url.Parse(address)
	if err != nil {
		return nil, connectors.Errorf(connectors.Refused, op, "address cannot be read")
	}
	hosts := wire.HostList(own.Host)
	if c.config.APIBase != "" {
		address, hosts = c.api.Base+own.Path, c.api.Host
	}
	stream, err := c.api.Fetch(ctx, wire.Fetch{
		Op:        op,
		URL:       address,
		Hosts:     hosts,
		Authorize: func(*url.URL) (string, bool) { return c.user(account)(http.MethodGet, own), true },
	})
	if e, answer := wire.Failure(err); answer != nil && answer.Status/100 == 3 && account.OAuth2Token.IsZero() {
		// The host of the media sends a request that it does not like to a page
		// for logging in.
		// https://github.com/sferik/twitter-ruby/issues/648
		e.Kind, e.After = connectors.Misconfigured, 0
	}
	return stream, c.paused(err)
}

// Send implements connectors.Connector. X has no key for repeats and shows no
// quotes.
// https://docs.x.com/x-api/direct-messages/create-dm-message-by-participant-id
func (c *Connector) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	const op = "twitter: send message"
	account, err := wire.Sender(op, c.config.Accounts, o, maxText)
	if err != nil {
		return "", err
	}
	if !userID.MatchString(o.Consumer) {
		return "", connectors.Errorf(connectors.Refused, op, "not the user id of an X account")
	}
	body, err := c.call(ctx, c.user(account), wire.Request{
		Op: op, Method: http.MethodPost, Path: "/2/dm_conversations/with/" + o.Consumer + "/messages",
		Body: map[string]string{"text": o.Text},
	})
	if err != nil {
		return "", sorted(err)
	}
	return sentID(op, body)
}
