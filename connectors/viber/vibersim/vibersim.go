// Package vibersim is Viber's side of the conversation: it signs webhooks as
// Viber signs them, calls a webhook that is being set, takes messages and
// serves pictures behind signed addresses that expire. It is written from
// https://developers.viber.com/docs/api/rest-bot-api/ and from captured
// webhooks.
package vibersim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/viber"
)

// Platform is a Viber with one bot on it.
type Platform struct {
	*sim.Server
	// BotID and URI are the bot's two names, Token is its authentication token.
	BotID, URI, Token string

	mediaKey string // signs the addresses of pictures
	pictures sim.Shelf

	mu sync.Mutex
	// users are those who have written, with how many messages they got since.
	users map[string]int
	sent  int
	hook  hook
}

// hook is the registered webhook.
type hook struct {
	url    string
	events []string
}

// Start starts a Viber on a loopback port.
func Start() (*Platform, error) {
	id := sim.Decimal(20, sim.Secret())
	p := &Platform{
		BotID: "pa:" + id, URI: "lightlock" + id[:6], Token: newToken(),
		mediaKey: sim.Secret(), users: map[string]int{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pa/set_webhook", p.api(p.setWebhook))
	mux.HandleFunc("POST /pa/get_account_info", p.api(p.accountInfo))
	mux.HandleFunc("POST /pa/send_message", p.api(p.sendMessage))
	mux.HandleFunc("GET /5/media/2/short/any/sig/image/{size}/{folder}/{name}", p.media)
	var err error
	p.Server, err = sim.Serve(mux)
	return p, err
}

// newToken returns a token of the form that Viber gives: three times 16 hex
// digits.
func newToken() string {
	one, two := sim.Secret(), sim.Secret()
	return one[:16] + "-" + one[16:] + "-" + two[:16]
}

// Settings implements sim.Platform.
func (p *Platform) Settings(name, queue string) config.Settings {
	return &viber.Config{
		Connector: config.Connector{
			Channel: "viber", Name: name, APIBase: p.URL, AllowPrivateAddresses: true,
		},
		AuthToken: config.Secrets{config.NewSecret(p.Token)},
		Accounts:  []viber.Account{{Account: config.Account{ID: p.BotID, Queue: queue}, SenderName: "Acme"}},
	}
}

// Adopt implements sim.Platform. The bot's other name stays as it is.
func (p *Platform) Adopt(s config.Settings) error {
	c := s.(*viber.Config)
	p.BotID, p.Token = c.Accounts[0].ID, c.AuthToken[0].Reveal()
	return p.Move(c.APIBase)
}

// Object is a JSON object.
type Object = map[string]any

// Webhook implements sim.Platform: a call for each text and each picture, of
// which the first bears the text.
func (p *Platform) Webhook(url string, said ...sim.Said) ([]*connectors.Request, error) {
	var calls []*connectors.Request
	for _, s := range said {
		p.subscribe(UserID(s.Consumer))
		for _, e := range p.Events(s) {
			r, err := p.Call(url, e)
			if err != nil {
				return nil, err
			}
			calls = append(calls, r)
		}
	}
	return calls, nil
}

// subscribe notes that a user has written: sending any message subscribes.
func (p *Platform) subscribe(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users[user] = 0
}

// Call returns the call that delivers one event.
func (p *Platform) Call(url string, event Object) (*connectors.Request, error) {
	body, err := encode(event)
	if err != nil {
		return nil, err
	}
	return p.Sign(url, body), nil
}

// Sign makes the call that Viber would make with this body: the signature is in
// the header and behind the address.
func (p *Platform) Sign(url string, body []byte) *connectors.Request {
	mac := hmac.New(sha256.New, []byte(p.Token))
	mac.Write(body)
	signature := hex.EncodeToString(mac.Sum(nil))
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("X-Viber-Content-Signature", signature)
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	url += separator + "sig=" + signature
	return &connectors.Request{Method: http.MethodPost, URL: url, Header: header, Body: body}
}

// encode writes JSON as Viber does, with "&" as it is.
func encode(v any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSpace(body.Bytes()), err
}

// Events returns the events that Viber makes of what was said.
func (p *Platform) Events(s sim.Said) []Object {
	if len(s.Photos) == 0 {
		return []Object{p.Event(s, "text", Object{"type": "text", "text": s.Text, "tracking_data": ""})}
	}
	var events []Object
	for i, photo := range s.Photos {
		part := "photo" + strconv.Itoa(i)
		message := p.Picture(part+s.ID, photo)
		if i == 0 && s.Text != "" {
			message["text"] = s.Text
		}
		events = append(events, p.Event(s, part, message))
	}
	return events
}

// Picture puts data behind a signed address and returns the message that shows
// it. Tests change what they like in it.
func (p *Platform) Picture(id string, data []byte) Object {
	path := mediaPath("0x0", id)
	p.pictures.Put(path, data)
	until := time.Now().Add(time.Hour)
	return Object{
		"type": "picture", "media": p.MediaURL(path, until), "thumbnail": p.MediaURL(mediaPath("400", id), until),
		"file_name": "IMG_0042.jpg", "size": len(data), "tracking_data": "",
	}
}

// Event returns the event of one message. Tests change what they like in it.
func (p *Platform) Event(s sim.Said, part string, message Object) Object {
	return Object{
		"event": "message", "timestamp": s.At.UnixMilli(), "chat_hostname": "SN-CHAT-05_",
		"message_token": json.Number(Token(s.ID, part)),
		"sender": Object{
			"id": UserID(s.Consumer), "name": s.Name, "language": "en", "country": "RS", "api_version": 10,
		},
		"message": message, "silent": false,
	}
}

// Receipt returns the event that tells what became of a message: delivered,
// seen or failed.
func (p *Platform) Receipt(event string, m sim.Sent, at time.Time) Object {
	e := Object{
		"event": event, "timestamp": at.UnixMilli(), "chat_hostname": "SN-CHAT-05_",
		"message_token": json.Number(m.ID), "user_id": m.Consumer,
	}
	if event == "failed" {
		e["desc"] = "failure description"
	}
	return e
}

// UserID is Viber's id of a consumer: 16 bytes in Base64.
func UserID(consumer string) string {
	sum := sha256.Sum256([]byte("user " + consumer))
	return base64.StdEncoding.EncodeToString(sum[:16])
}

// Token is Viber's number of one part of what was said: "text", or "photo0" and
// so on. It is beyond what a float64 holds.
func Token(id, part string) string { return "59" + sim.Decimal(17, id, part) }
