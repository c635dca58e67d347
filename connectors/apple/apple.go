// Package apple speaks Apple Messages for Business, as the server of a
// messaging service provider (MSP).
//
// A webhook is one message, usually compressed, with a token that proves the
// caller and neither body nor headers. One MSP serves any number of businesses,
// which are our accounts. A photo is a locator, a signature and a key of its
// own: Apple trades locator and signature for an address at every call, the
// address is open to everybody, and what lies there is encrypted.
//
// Apple puts "/message" behind the address that the MSP has registered. It is
// not known to repeat a webhook that failed: the consumer's phone then shows
// "Not Delivered".
package apple

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

const (
	// apiBase is Apple's gateway.
	// https://register.apple.com/resources/messages/msp-rest-api/common-specs
	apiBase = "https://mspgw.push.apple.com/v1"
	// maxBody is how long a webhook may be, compressed or not.
	maxBody = 10 << 20
	// maxText is ours, because Apple names none, only that a payload may be
	// too large. Ten thousand is what the most generous of the other platforms
	// take, and far from any size at which a gateway refuses a payload.
	// https://register.apple.com/resources/messages/msp-rest-api/messages-received
	maxText = 10_000
)

// Channel describes Apple Messages for Business.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "apple",
		Title:      "Apple Messages for Business",
		PhotoLimit: 10 * config.MB,
		BodyLimit:  maxBody,
		// Whether Apple recognises a message that it gets twice is not known.
		Texts:   connectors.Texts{Limit: maxText},
		Suffix:  "/message",
		Console: "Apple Business Register, your Messaging Service Provider: the server's URL, to which Apple itself adds /message",
		Cannot: map[string]string{
			"verify_body_bits":   "Apple signs no body",
			"verify_body_length": "Apple signs no body",
			"parse_batch":        "one message per call",
			"parse_neighbours":   "one message per call",
		},
		Settings: func() config.Settings { return &Config{MaxTokenAge: config.Duration(time.Hour)} },
		New:      New,
	}
}

// Connector is one MSP's webhook.
type Connector struct {
	config *Config
	keys   config.Secrets // the bytes that the secrets stand for
	tokens *jwt.Parser
	api    wire.API
	hosts  func(*url.URL) bool // which photos are fetched from
	now    func() time.Time
}

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	api, err := wire.NewAPI(c.Connector, apiBase, wire.Options{Now: env.Now})
	if err != nil {
		return nil, err
	}
	keys, err := c.keys()
	if err != nil {
		return nil, err
	}
	return &Connector{
		config: c,
		keys:   keys,
		tokens: newParser(c.MSPID, env.Now),
		api:    api,
		hosts:  wire.HostList(c.mediaHosts()...),
		now:    env.Now,
	}, nil
}

// Verify implements connectors.Connector: the token is Apple's, and for us. As
// it proves nothing else, the ids of the headers have to be those of the body:
// a token that somebody got hold of is of no use with half of another message.
// https://register.apple.com/resources/messages/msp-rest-api/common-specs
func (c *Connector) Verify(r *connectors.Request) error {
	const op = "apple: verify"
	header, err := wire.Header(r, "Authorization")
	if err != nil {
		return err
	}
	if err := c.verifyToken(header); err != nil {
		return err
	}
	m, _, err := open(r.Body)
	if err != nil {
		return connectors.Errorf(connectors.Unauthentic, op, "%w", err)
	}
	for _, id := range m.ids() {
		header, err := wire.Header(r, id.header)
		if err != nil {
			return err
		}
		if !id.same(header, id.value) {
			return connectors.Errorf(connectors.Unauthentic, op, "%s is not the body's", id.header)
		}
	}
	return nil
}

// Parse implements connectors.Connector.
func (c *Connector) Parse(r *connectors.Request) ([]connectors.Event, error) {
	m, raw, err := open(r.Body)
	if err != nil {
		return nil, connectors.Errorf(connectors.Malformed, "apple: parse", "%w", err)
	}
	out := connectors.Event{
		ID: connectors.DigestID(raw), MessageID: m.ID, Account: businessID(m.DestinationID),
		Consumer: connectors.Consumer{ID: m.SourceID}, Language: language(m.Locale), Raw: raw,
	}
	if m.ID != "" {
		out.ID = m.ID
	}
	return []connectors.Event{parseMessage(out, m)}, nil
}

// Fetch implements connectors.Connector. The address of a photo is asked for at
// every call, because nobody knows how long one is good.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "apple: fetch attachment"
	if p.Ref == unreadable {
		return nil, connectors.Errorf(connectors.Malformed, op, "attachment without a usable url, owner, signature or key")
	}
	ref, ok := readRef(p.Ref)
	if !ok {
		return nil, connectors.Errorf(connectors.Refused, op, "not a reference of this channel")
	}
	if _, err := wire.Account(op, c.config.Accounts, p.Account); err != nil {
		return nil, err
	}
	address, err := c.preDownload(ctx, p.Account, ref)
	if err != nil {
		return nil, err
	}
	// No credentials: whoever has the address may read.
	body, err := c.api.Fetch(ctx, wire.Fetch{Op: op, URL: address, Hosts: c.hosts, MaxRedirects: 3})
	if err != nil {
		return nil, err
	}
	return ref.decrypt(op, body, p.ClaimedBytes), nil
}

// preDownload trades an attachment's locator for an address. Apple's samples and
// its newer pages name the headers differently, so it gets both.
// https://register.apple.com/resources/messages/msp-rest-api/type-text
func (c *Connector) preDownload(ctx context.Context, account string, r ref) (string, error) {
	const op = "apple: preDownload"
	header := map[string]string{}
	for _, prefix := range []string{"", "MMCS-"} {
		header[prefix+"Url"] = r.URL
		header[prefix+"Owner"] = r.Owner
		header[prefix+"Signature"] = r.Signature
	}
	data, err := c.call(ctx, account, wire.Request{Op: op, Path: "/preDownload", Header: header})
	if err != nil {
		return "", err
	}
	var answer struct {
		DownloadURL string `json:"download-url"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.DownloadURL == "" {
		return "", connectors.Errorf(connectors.Unavailable, op, "answer names no download-url")
	}
	return answer.DownloadURL, nil
}

// Send implements connectors.Connector. What Apple answers tells all by its status:
// 404 is a consumer who has left, 401 and 403 are our token, 400 the message.
// The id of a message is the one that we give it.
// https://register.apple.com/resources/messages/msp-rest-api/messages-sent
func (c *Connector) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	const op = "apple: send message"
	account, err := wire.Sender(op, c.config.Accounts, o, maxText)
	if err != nil {
		return "", err
	}
	if !fits(o.Consumer) || !fits(o.Key) {
		return "", connectors.Errorf(connectors.Refused, op, "not a consumer or a key that a header can hold")
	}
	header := map[string]string{"Id": o.Key, "Destination-Id": o.Consumer, "Msp-Agent": "Lightlock"}
	if o.Automatic {
		header["Auto-Reply"] = "true"
	}
	_, err = c.call(ctx, account.ID, wire.Request{Op: op, Path: "/message", Header: header, Body: outgoing{
		V: 1, ID: o.Key, Type: "text", SourceID: account.ID, DestinationID: o.Consumer, Locale: "en_US", Body: o.Text,
	}})
	// At greater length than we read, Apple has still said yes.
	if err != nil && connectors.KindOf(err) != connectors.Malformed {
		return "", err
	}
	return o.Key, nil
}

// call makes one call on behalf of a business: with a fresh token, because Apple
// says of none how long it is good.
func (c *Connector) call(ctx context.Context, account string, r wire.Request) ([]byte, error) {
	token, err := c.newToken(r.Op)
	if err != nil {
		return nil, err
	}
	r.Authorization = "Bearer " + token
	r.Header["Source-Id"] = account
	return c.api.Do(ctx, r)
}
