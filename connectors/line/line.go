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
	"encoding/json"
	"io"
	"net/http"
	"net/url"
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
	api    wire.API
	data   wire.API // of photos
}

var _ connectors.Registrar = (*Connector)(nil)

// New makes a connector from a *Config.
func New(s config.Settings, env connectors.Env) (connectors.Connector, error) {
	c := s.(*Config)
	api, err := wire.NewAPI(c.Connector, apiBase, wire.Options{Now: env.Now})
	if err != nil {
		return nil, err
	}
	data, err := wire.NewAPI(c.Connector, dataBase, wire.Options{Now: env.Now})
	if err != nil {
		return nil, err
	}
	return &Connector{config: c, api: api, data: data}, nil
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
	got, err := wire.Base64(op, header, sha256.Size)
	if err != nil {
		return err
	}
	return wire.CheckMAC(op, sha256.New, c.config.ChannelSecret, r.Body, got)
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

// Fetch implements connectors.Connector.
func (c *Connector) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "line: fetch content"
	if address, ok := strings.CutPrefix(p.Ref, externalPrefix); ok {
		// Any consumer can name any host here: no credentials, no trust.
		return c.data.Fetch(ctx, wire.Fetch{Op: "line: fetch external content", URL: address, MaxRedirects: 3})
	}
	id, ok := strings.CutPrefix(p.Ref, messagePrefix)
	if !ok || !contentID.MatchString(id) {
		return nil, connectors.Errorf(connectors.Refused, op, "not a reference of this channel")
	}
	account, err := wire.Account(op, c.config.Accounts, p.Account)
	if err != nil {
		return nil, err
	}
	return c.data.Fetch(ctx, wire.Fetch{
		Op:        op,
		URL:       c.data.Base + "/v2/bot/message/" + id + "/content",
		Hosts:     c.data.Host,
		Authorize: func(*url.URL) (string, bool) { return account.bearer(), true },
	})
}

// Send implements connectors.Connector: by the reply token where there is one,
// because replies are free, else as a push message, which counts against the
// monthly quota. ReplyTo is of no use: LINE quotes by a quoteToken, and that
// stands in the event alone.
func (c *Connector) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	account, err := wire.Sender("line: send", c.config.Accounts, o, maxText)
	if err != nil {
		return "", err
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
// here, and a token works once: of a reply that LINE failed at nobody can tell
// whether it was sent, while a push that is repeated is sent once.
// https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
func (c *Connector) reply(ctx context.Context, a Account, m replyMessage) (string, error) {
	id, err := c.call(ctx, wire.Request{Op: "line: reply", Path: "/v2/bot/message/reply", Authorization: a.bearer(), Body: m})
	if e, answer := wire.Failure(err); answer != nil && answer.Status >= http.StatusInternalServerError {
		e.Unsure = true
	}
	return id, err
}

// push sends a message that answers nothing. LINE knows the retry key again for
// a day, and answers 409 with what it has sent then.
// https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
func (c *Connector) push(ctx context.Context, a Account, key string, m pushMessage) (string, error) {
	id, err := c.call(ctx, wire.Request{
		Op: "line: push", Path: "/v2/bot/message/push", Authorization: a.bearer(),
		Header: map[string]string{"X-Line-Retry-Key": key}, Body: m,
	})
	if _, answer := wire.Failure(err); answer != nil && answer.Status == http.StatusConflict {
		return sentID(answer.Body), nil
	}
	return id, err
}
