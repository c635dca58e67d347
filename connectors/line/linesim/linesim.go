// Package linesim is LINE's side of the conversation: it signs webhooks as LINE
// signs them, serves content as LINE's content API does, and takes replies,
// pushes and webhook addresses as its API does. It is written from
// https://github.com/line/line-openapi and LINE's documentation, and checked
// against LINE's own SDK.
package linesim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/sim"
)

// Platform is a LINE with one bot on it.
type Platform struct {
	*sim.Server
	// BotID is the bot's user id, the webhooks' destination.
	BotID string
	// Secret is the channel secret, Token the channel access token.
	Secret, Token string

	contents sim.Shelf

	mu       sync.Mutex
	desk     desk
	endpoint Endpoint
}

// Start starts a LINE on a loopback port.
func Start() (*Platform, error) {
	p := &Platform{
		BotID: "U" + sim.Secret(), Secret: sim.Secret(), Token: sim.Secret(),
		desk: desk{
			users: map[string]bool{}, tokens: map[string]string{}, spent: map[string]bool{}, accepted: map[string]accepted{},
		},
		endpoint: Endpoint{Active: true},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/bot/message/{id}/content", p.content)
	mux.HandleFunc("POST /v2/bot/message/reply", p.reply)
	mux.HandleFunc("POST /v2/bot/message/push", p.push)
	mux.HandleFunc("GET /v2/bot/channel/webhook/endpoint", p.endpointInformation)
	mux.HandleFunc("PUT /v2/bot/channel/webhook/endpoint", p.setEndpoint)
	mux.HandleFunc("POST /v2/bot/channel/webhook/test", p.testEndpoint)
	var err error
	p.Server, err = sim.Serve(mux)
	return p, err
}

// Settings implements sim.Platform.
func (p *Platform) Settings(name, queue string) config.Settings {
	return &line.Config{
		Connector: config.Connector{
			Channel: "line", Name: name, APIBase: p.URL, AllowPrivateAddresses: true,
		},
		ChannelSecret: config.Secrets{config.NewSecret(p.Secret)},
		Accounts: []line.Account{{
			Account:            config.Account{ID: p.BotID, Queue: queue},
			ChannelAccessToken: config.NewSecret(p.Token),
		}},
	}
}

// Adopt implements sim.Platform.
func (p *Platform) Adopt(s config.Settings) error {
	c := s.(*line.Config)
	p.BotID, p.Secret, p.Token = c.Accounts[0].ID, c.ChannelSecret[0].Reveal(), c.Accounts[0].ChannelAccessToken.Reveal()
	return p.Move(c.APIBase)
}

// Webhook implements sim.Platform: all that was said goes into one call, a text
// and each photo as an event of its own.
func (p *Platform) Webhook(url string, said ...sim.Said) ([]*connectors.Request, error) {
	var events []any
	for _, s := range said {
		events = append(events, p.Events(s)...)
	}
	r, err := p.Call(url, events...)
	return []*connectors.Request{r}, err
}

// Call returns the call that delivers these events, none included: that is what
// the Verify button in LINE's console sends.
func (p *Platform) Call(url string, events ...any) (*connectors.Request, error) {
	if events == nil {
		events = []any{}
	}
	body, err := json.Marshal(Object{"destination": p.BotID, "events": events})
	if err != nil {
		return nil, err
	}
	return p.Sign(url, body), nil
}

// Sign makes the call that LINE would make with this body.
func (p *Platform) Sign(url string, body []byte) *connectors.Request {
	mac := hmac.New(sha256.New, []byte(p.Secret))
	mac.Write(body)
	header := http.Header{}
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("User-Agent", "LineBotWebhook/2.0")
	header.Set("x-line-signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return &connectors.Request{Method: http.MethodPost, URL: url, Header: header, Body: body}
}

// Object is a JSON object.
type Object = map[string]any

// Events returns the events that LINE makes of what was said.
func (p *Platform) Events(s sim.Said) []any {
	var events []any
	if s.Text != "" {
		events = append(events, p.Event(s, "text", Object{
			"type": "text", "id": MessageID(s.ID, "text"), "text": s.Text, "quoteToken": "q" + sim.Digest(20, s.ID),
		}))
	}
	for i, photo := range s.Photos {
		part := "photo" + strconv.Itoa(i)
		id := MessageID(s.ID, part)
		p.Keep(id, photo)
		message := Object{
			"type": "image", "id": id, "quoteToken": "q" + sim.Digest(20, s.ID, part),
			"contentProvider": Object{"type": "line"},
		}
		if len(s.Photos) > 1 {
			message["imageSet"] = Object{"id": sim.Digest(64, s.ID), "index": i + 1, "total": len(s.Photos)}
		}
		events = append(events, p.Event(s, part, message))
	}
	return events
}

// Event returns the event of one message, whose reply token is good from now
// on. Tests change what they like in it.
func (p *Platform) Event(s sim.Said, part string, message Object) Object {
	token := sim.Digest(32, s.ID, part, "reply")
	p.issue(UserID(s.Consumer), token)
	return Object{
		"type": "message", "mode": "active", "timestamp": s.At.UnixMilli(),
		"webhookEventId":  "01K2" + strings.ToUpper(sim.Digest(22, s.ID, part, "event")),
		"deliveryContext": Object{"isRedelivery": false},
		"source":          Object{"type": "user", "userId": UserID(s.Consumer)},
		"replyToken":      token,
		"message":         message,
	}
}

// Unsend implements sim.Unsender.
func (p *Platform) Unsend(url string, s sim.Said) (*connectors.Request, error) {
	part := "text"
	if len(s.Photos) > 0 {
		part = "photo0"
	}
	return p.Call(url, Object{
		"type": "unsend", "mode": "active", "timestamp": s.At.UnixMilli(),
		"webhookEventId":  "01K2" + strings.ToUpper(sim.Digest(22, s.ID, part, "unsend")),
		"deliveryContext": Object{"isRedelivery": false},
		"source":          Object{"type": "user", "userId": UserID(s.Consumer)},
		"unsend":          Object{"messageId": MessageID(s.ID, part)},
	})
}

// UserID is LINE's id of a consumer.
func UserID(consumer string) string { return "U" + sim.Digest(32, "user", consumer) }

// MessageID is LINE's id of one part of what was said: "text", or "photo0" and
// so on.
func MessageID(id, part string) string { return "58" + sim.Decimal(16, id, part) }

// Keep makes the content API serve data as the content of a message.
func (p *Platform) Keep(messageID string, data []byte) { p.contents.Put(messageID, data) }

// content serves an original the way api-data.line.me does.
func (p *Platform) content(w http.ResponseWriter, r *http.Request) {
	if !p.allows(w, r) {
		return
	}
	data, ok := p.contents.Get(r.PathValue("id"))
	if !ok {
		fail(w, http.StatusNotFound, "Not found")
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(data))
	w.Header().Set("X-Line-Request-Id", requestID(sim.Digest(32, r.PathValue("id"))))
	_, _ = w.Write(data) //nolint:gosec // What a consumer sent is served as it is.
}
