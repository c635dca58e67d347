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
	"net/http"
	"net/url"
	"strings"
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
	// maxAnswer is far more than Apple's gateway answers: one address, or
	// nothing.
	maxAnswer = 64 << 10
	// textLimit is ours, because Apple names none, only that a payload may be
	// too large. Ten thousand is what the most generous of the other platforms
	// take, and far from any size at which a gateway refuses a payload.
	// https://register.apple.com/resources/messages/msp-rest-api/messages-received
	textLimit = 10_000
)

// Channel describes Apple Messages for Business.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "apple",
		Title:      "Apple Messages for Business",
		PhotoLimit: 10 * config.MB,
		BodyLimit:  maxBody,
		// Whether Apple recognises a message that it gets twice is not known.
		Texts:   connectors.Texts{Limit: textLimit},
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
	base   string              // of the API
	hosts  func(*url.URL) bool // which photos are fetched from
	now    func() time.Time
	client *wire.Client
}

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	base, err := wire.Base("apple", c.APIBase, apiBase)
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
		base:   base.String(),
		hosts:  wire.HostList(c.mediaHosts()...),
		now:    env.Now,
		client: wire.NewClient(wire.Options{AllowPrivate: c.AllowPrivateAddresses, Now: env.Now}),
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

// parseMessage translates a message by its type. Apple puts no time into any.
func parseMessage(out connectors.Event, m message) connectors.Event {
	switch {
	case m.Type == "":
		return out.As(connectors.Broken, "message has no readable type")
	case m.Type != "text" && m.Type != "close":
		return out.As(connectors.Ignored, typeReason(m.Type))
	case m.ID == "":
		return out.As(connectors.Broken, "message has no readable id")
	case m.SourceID == "":
		return out.As(connectors.Ignored, "no_consumer")
	case m.Type == "close":
		// The consumer has deleted the conversation, and wants no more of it.
		out.Kind, out.MessageID = connectors.Close, ""
		return out
	}
	return parseText(out, m)
}

// typeReason is the metric's label for a type that we pass over. What is
// attached to an interactive message are its own pictures, and no photos. Types
// that Apple may add one day share a label, so that no stranger can make new
// ones.
func typeReason(kind string) string {
	switch kind {
	case "typing_start", "typing_end", "interactive":
		return kind
	default:
		return "unknown_message_type"
	}
}

// parseText translates a message of a consumer's. A reaction to a message of
// ours is one as well: a sentence in the consumer's language.
func parseText(out connectors.Event, m message) connectors.Event {
	var body string
	if len(m.Body) > 0 && json.Unmarshal(m.Body, &body) != nil {
		return out.As(connectors.Broken, "text message has no readable body")
	}
	list := attachments(m.Attachments)
	if len(list) > maxAttachments {
		return out.As(connectors.Broken, "text message has too many attachments")
	}
	for _, raw := range list {
		if p, ok := newPhoto(out.Account, raw); ok {
			out.Photos = append(out.Photos, p)
		}
	}
	out.Text = caption(body, len(list) > 0)
	switch {
	case out.Text != "" || len(out.Photos) > 0:
		out.Kind = connectors.Message
		return out
	case len(list) > 0:
		return out.As(connectors.Ignored, "attachment") // a voice note, a pass, a film
	}
	return out.As(connectors.Ignored, "no_content")
}

// caption returns what the consumer wrote. The body has one object replacement
// character for each attachment, and blanks around them.
func caption(body string, attached bool) string {
	text := strings.ReplaceAll(body, "\uFFFC", "")
	if attached || text != body {
		text = strings.TrimSpace(text)
	}
	return text
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
	if _, ok := config.FindAccount(c.config.Accounts, p.Account); !ok {
		return nil, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	address, err := c.preDownload(ctx, p.Account, ref)
	if err != nil {
		return nil, err
	}
	// No credentials: whoever has the address may read.
	body, err := c.client.Fetch(ctx, wire.Fetch{Op: op, URL: address, Hosts: c.hosts, MaxRedirects: 3})
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
	req, err := http.NewRequest(http.MethodGet, c.base+"/preDownload", nil) //nolint:noctx // Call adds one
	if err != nil {
		return "", connectors.Errorf(connectors.Misconfigured, op, "address cannot be read")
	}
	if err := c.authorize(op, req, account); err != nil {
		return "", err
	}
	for _, prefix := range []string{"", "MMCS-"} {
		req.Header.Set(prefix+"Url", r.URL)
		req.Header.Set(prefix+"Owner", r.Owner)
		req.Header.Set(prefix+"Signature", r.Signature)
	}
	data, err := c.client.Call(ctx, op, req, maxAnswer)
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
	if o.Text == "" || connectors.Length(o.Text) > textLimit {
		return "", connectors.Errorf(connectors.Refused, op, "text is empty or longer than %d", textLimit)
	}
	if !fits(o.Consumer) || !fits(o.Key) {
		return "", connectors.Errorf(connectors.Refused, op, "not a consumer or a key that a header can hold")
	}
	if _, ok := config.FindAccount(c.config.Accounts, o.Account); !ok {
		return "", connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	req, err := wire.NewJSON(op, c.base+"/message", outgoing{
		V: 1, ID: o.Key, Type: "text", SourceID: o.Account, DestinationID: o.Consumer, Locale: "en_US", Body: o.Text,
	})
	if err != nil {
		return "", err
	}
	if err := c.authorize(op, req, o.Account); err != nil {
		return "", err
	}
	req.Header.Set("Id", o.Key)
	req.Header.Set("Destination-Id", o.Consumer)
	req.Header.Set("Msp-Agent", "Lightlock")
	if o.Automatic {
		req.Header.Set("Auto-Reply", "true")
	}
	if _, err := c.client.Call(ctx, op, req, maxAnswer); err != nil {
		return "", err
	}
	return o.Key, nil
}

// authorize says for whom req speaks: with a fresh token, because Apple says of
// none how long it is good.
func (c *Connector) authorize(op string, req *http.Request, account string) error {
	token, err := c.newToken(op)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Source-Id", account)
	return nil
}
