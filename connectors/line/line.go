// Package line speaks the LINE Messaging API.
//
// A webhook is one signed JSON document with any number of events, none
// included: that is how LINE's console checks an address. A photo is an event
// that names a message; its bytes are fetched from LINE by that id with the
// channel access token, for as long as LINE keeps them. LINE does not repeat a
// failed webhook unless "webhook redelivery" is switched on in its console.
package line

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// LINE serves content from a host of its own; its API host answers 404 for it.
// https://developers.line.biz/en/news/2020/10/30/domain-name/
const (
	apiBase  = "https://api.line.me"
	dataBase = "https://api-data.line.me"
)

// maxText is how long a text message may be, and tokenLife how long a reply
// token is sure to work: LINE says about a minute.
// https://developers.line.biz/en/reference/messaging-api/#text-message
// https://developers.line.biz/en/reference/messaging-api/#send-reply-message
const (
	maxText   = 5000
	tokenLife = 50 * time.Second
)

// Channel describes LINE.
func Channel() connectors.Channel {
	return connectors.Channel{
		Name:       "line",
		Title:      "LINE",
		PhotoLimit: 10 * config.MB,
		BodyLimit:  4 << 20,
		Texts:      connectors.Texts{Limit: maxText, Resend: true, TokenLife: tokenLife},
		Withdraws:  true,
		Console:    "LINE Developers Console, Messaging API, Webhook URL; switch on \"Use webhook\" and \"Webhook redelivery\"",
		Settings:   func() config.Settings { return &Config{} },
		New:        New,
	}
}

// Connector is one LINE webhook.
type Connector struct {
	config *Config
	api    string // without a slash at its end
	data   string // the same of the content API
	hosts  func(*url.URL) bool
	client *wire.Client
}

var (
	_ connectors.Registrar = (*Connector)(nil)
)

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	api, err := wire.Base("line", c.APIBase, apiBase)
	if err != nil {
		return nil, err
	}
	data, err := wire.Base("line", c.APIBase, dataBase)
	if err != nil {
		return nil, err
	}
	return &Connector{
		config: c,
		api:    api.String(),
		data:   data.String(),
		hosts:  wire.HostList(data.Host),
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
	if m.ContentProvider.Value.Type != "external" {
		return idRef(m.ID), true
	}
	address := m.ContentProvider.Value.OriginalContentURL
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
	account, ok := config.FindAccount(c.config.Accounts, p.Account)
	if !ok {
		return nil, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	return c.client.Fetch(ctx, wire.Fetch{
		Op:        op,
		URL:       c.data + "/v2/bot/message/" + id + "/content",
		Hosts:     c.hosts,
		Authorize: func(*url.URL) (string, bool) { return account.bearer(), true },
	})
}

// Send implements connectors.Connector: by the reply token where there is one,
// because replies are free, else as a push message, which counts against the
// monthly quota. ReplyTo is of no use: LINE quotes by a quoteToken, and that
// stands in the event alone.
func (c *Connector) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	const op = "line: send"
	if n := connectors.Length(o.Text); n == 0 || n > maxText {
		return "", connectors.Errorf(connectors.Refused, op, "text of %d characters, allowed are 1 to %d", n, maxText)
	}
	account, ok := config.FindAccount(c.config.Accounts, o.Account)
	if !ok {
		return "", connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	messages := []textMessage{{Type: "text", Text: o.Text}}
	if o.ReplyToken != "" {
		id, err := c.reply(ctx, account, replyMessage{ReplyToken: o.ReplyToken, Messages: messages})
		if !isInvalidToken(err) {
			return id, err
		}
	}
	return c.push(ctx, account, o.Key, pushMessage{To: o.Consumer, Messages: messages})
}

// reply makes use of a reply token. It sends no retry key, which LINE refuses
// here, and a token works once: of a reply whose answer is lost nobody can tell
// whether it was sent, nor of one that LINE failed at.
// https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
func (c *Connector) reply(ctx context.Context, a Account, m replyMessage) (string, error) {
	req, err := wire.NewJSON("line: reply", c.api+"/v2/bot/message/reply", m)
	if err != nil {
		return "", err
	}
	id, err := c.send(ctx, "line: reply", a, req)
	if e, f := failureOf(err); f != nil && f.Status >= http.StatusInternalServerError {
		e.Unsure = true
	}
	return id, err
}

// push sends a message that answers nothing. LINE knows the retry key again for
// a day, and answers 409 with what it has sent then, so no failure is unsure.
// https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
func (c *Connector) push(ctx context.Context, a Account, key string, m pushMessage) (string, error) {
	req, err := wire.NewJSON("line: push", c.api+"/v2/bot/message/push", m)
	if err != nil {
		return "", err
	}
	req.Header.Set("X-Line-Retry-Key", key)
	id, err := c.send(ctx, "line: push", a, req)
	e, f := failureOf(err)
	if f != nil && f.Status == http.StatusConflict {
		return sentID(f.Body), nil
	}
	if e != nil {
		e.Unsure = false
	}
	return id, err
}

// send makes one call that sends a message, and returns the message's id.
func (c *Connector) send(ctx context.Context, op string, a Account, req *http.Request) (string, error) {
	req.Header.Set("Authorization", a.bearer())
	body, err := c.client.Call(ctx, op, req, maxAnswer)
	e, f := failureOf(err)
	switch {
	case e == nil:
		return sentID(body), err
	case e.Kind == connectors.Malformed:
		// LINE has said yes, at greater length than we read.
		return "", nil
	case f != nil && f.Status == http.StatusTooManyRequests && strings.Contains(errorMessage(f), "monthly limit"):
		// LINE says so also while another message is on its way to many, so it
		// may pass; if not, somebody has to buy more.
		// https://developers.line.biz/en/faq/
		e.Kind, e.After = connectors.Misconfigured, 0
	case e.Kind == connectors.Gone:
		// LINE answers 400 for a consumer, so it is the address that is wrong.
		e.Kind = connectors.Misconfigured
	}
	if id := requestID(f); id != "" {
		e.Err = fmt.Errorf("%w, x-line-request-id %s", e.Err, id)
	}
	return "", err
}

// Registered implements connectors.Registrar.
// https://developers.line.biz/en/reference/messaging-api/#get-webhook-endpoint-information
func (c *Connector) Registered(ctx context.Context, account, address string) (connectors.Registration, error) {
	var on webhook
	err := c.manage(ctx, account, webhookCall{"line: get webhook", http.MethodGet, "endpoint", nil}, &on)
	if err != nil && connectors.KindOf(err) != connectors.Gone {
		return connectors.Registration{}, err
	}
	r := connectors.Registration{URL: bare(on.Endpoint)}
	switch {
	case on.Endpoint == "":
		r.Detail = "no webhook is set"
	case r.URL != bare(address):
		r.Detail = "webhooks go to another address"
	case !on.Active:
		r.Detail = `"Use webhook" is switched off in the console`
	default:
		r.OK = true
	}
	return r, nil
}

// Register implements connectors.Registrar. LINE stores an address without a
// look at it, so it is asked to try the webhook then. That "Use webhook" is
// switched off can be changed in the console alone.
// https://developers.line.biz/en/reference/messaging-api/#set-webhook-endpoint-url
// https://developers.line.biz/en/reference/messaging-api/#test-webhook-endpoint
func (c *Connector) Register(ctx context.Context, account, address string) error {
	want := webhook{Endpoint: address}
	if err := c.manage(ctx, account, webhookCall{"line: set webhook", http.MethodPut, "endpoint", want}, nil); err != nil {
		return err
	}
	const op = "line: test webhook"
	var test webhookTest
	if err := c.manage(ctx, account, webhookCall{op, http.MethodPost, "test", want}, &test); err != nil {
		return err
	}
	if !test.Success {
		return connectors.Errorf(connectors.Misconfigured, op, "LINE's own call to the webhook failed: %s, HTTP status %d", test.reason(), test.StatusCode)
	}
	return nil
}

// webhookCall is a call about an account's webhook.
type webhookCall struct {
	op, method, path string
	body             any // as JSON; nil for none
}

// manage makes a call about the webhook of an account, and reads the answer as
// far as somebody wants it.
func (c *Connector) manage(ctx context.Context, account string, call webhookCall, answer any) error {
	a, ok := config.FindAccount(c.config.Accounts, account)
	if !ok {
		return connectors.Errorf(connectors.Misconfigured, call.op, "no such account")
	}
	req, err := wire.NewJSON(call.op, c.api+"/v2/bot/channel/webhook/"+call.path, call.body)
	if err != nil {
		return err
	}
	req.Method = call.method
	if call.body == nil {
		req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	}
	req.Header.Set("Authorization", a.bearer())
	body, err := c.client.Call(ctx, call.op, req, maxAnswer)
	if err != nil || answer == nil {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return connectors.Errorf(connectors.Malformed, call.op, "answer is not JSON as documented")
	}
	return nil
}
