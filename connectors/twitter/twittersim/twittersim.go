// Package twittersim is X's side of the conversation: it signs webhooks as X
// signs them, checks an address before it delivers to it, serves photos to signed
// requests only and takes messages for consumers. It is written from X's
// documentation; its signatures and its judgement of others' are checked against
// published examples and an independent OAuth library.
package twittersim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twitter"
)

// Platform is an X with one app and one account on it.
type Platform struct {
	*sim.Server
	// UserID is the account's user id, AppID the app's.
	UserID, AppID string
	// The app's keys: the two of OAuth 1.0a and its bearer token.
	ConsumerKey, ConsumerSecret, BearerToken string
	// The account's tokens: the two of OAuth 1.0a and one of OAuth 2.0.
	AccessToken, AccessTokenSecret, OAuth2Token string
	// OAuth2 makes Settings use the token of OAuth 2.0 for the account.
	OAuth2 bool
	// TonHost is the host that photos are served at.
	TonHost string
	// Hooks is how many webhooks the app may have. It is one in the plans without a
	// contract, and five or more with one.
	Hooks int
	// Activity makes Webhook deliver by the X Activity API: one message a call.
	// Otherwise the Account Activity API delivers all of them in one.
	Activity bool

	photos sim.Shelf

	mu            sync.Mutex
	nonces        map[string]bool   // used by signed requests
	people        map[string]string // consumers' names by their ids
	hooks         []hook
	subscriptions []sim.Sent // of which Text is the type of event and ID the webhook
	sends         int
}

// Start starts an X on a loopback port.
func Start() (*Platform, error) {
	p := &Platform{
		UserID: sim.Decimal(19, sim.Secret()), AppID: sim.Decimal(8, sim.Secret()),
		ConsumerKey: sim.Secret(), ConsumerSecret: sim.Secret(), BearerToken: "AAAA%2B" + sim.Secret(),
		AccessTokenSecret: sim.Secret(), OAuth2Token: sim.Secret(),
		TonHost: "ton.twitter.com", Hooks: 5, nonces: map[string]bool{}, people: map[string]string{},
	}
	p.AccessToken = p.UserID + "-" + sim.Secret()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /1.1/ton/data/dm/{dm}/{media}/{file}", p.ton)
	mux.HandleFunc("GET /i/ton/data/dm/{dm}/{media}/{file}", p.ton)
	mux.HandleFunc("GET /2/dm_conversations/media/{dm}/{media}/{file}", p.download)
	mux.HandleFunc("POST /2/dm_conversations/with/{id}/messages", p.send)
	p.manage(mux)
	var err error
	p.Server, err = sim.Serve(mux)
	return p, err
}

// Settings implements sim.Platform.
func (p *Platform) Settings(name, queue string) config.Settings {
	account := twitter.Account{Account: config.Account{ID: p.UserID, Queue: queue}}
	if p.OAuth2 {
		account.OAuth2Token = config.NewSecret(p.OAuth2Token)
	} else {
		account.AccessToken = config.NewSecret(p.AccessToken)
		account.AccessTokenSecret = config.NewSecret(p.AccessTokenSecret)
	}
	return &twitter.Config{
		Connector: config.Connector{
			Channel: "twitter", Name: name, APIBase: p.URL, AllowPrivateAddresses: true,
		},
		ConsumerKey:    config.NewSecret(p.ConsumerKey),
		ConsumerSecret: config.Secrets{config.NewSecret(p.ConsumerSecret)},
		BearerToken:    config.NewSecret(p.BearerToken),
		SourceAppID:    p.AppID,
		Accounts:       []twitter.Account{account},
	}
}

// Adopt implements sim.Platform.
func (p *Platform) Adopt(s config.Settings) error {
	c := s.(*twitter.Config)
	a := c.Accounts[0]
	p.UserID, p.AppID, p.OAuth2 = a.ID, c.SourceAppID, !a.OAuth2Token.IsZero()
	p.ConsumerKey, p.ConsumerSecret, p.BearerToken = c.ConsumerKey.Reveal(), c.ConsumerSecret[0].Reveal(), c.BearerToken.Reveal()
	p.AccessToken, p.AccessTokenSecret, p.OAuth2Token = a.AccessToken.Reveal(), a.AccessTokenSecret.Reveal(), a.OAuth2Token.Reveal()
	return p.Move(c.APIBase)
}

// Webhook implements sim.Platform.
func (p *Platform) Webhook(url string, said ...sim.Said) ([]*connectors.Request, error) {
	var messages []Object
	for _, s := range said {
		messages = append(messages, p.Messages(s)...)
	}
	if !p.Activity {
		r, err := p.Call(url, p.Account(messages...))
		return []*connectors.Request{r}, err
	}
	var calls []*connectors.Request
	for _, m := range messages {
		r, err := p.Call(url, p.ActivityOf("dm.received", m))
		if err != nil {
			return nil, err
		}
		calls = append(calls, r)
	}
	return calls, nil
}

// Call makes the call that X would make with this body.
func (p *Platform) Call(url string, body any) (*connectors.Request, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return p.Sign(url, data), nil
}

// Sign makes the call that X would make with these bytes.
func (p *Platform) Sign(url string, body []byte) *connectors.Request {
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("x-twitter-webhooks-signature", "sha256="+p.mac(body))
	return &connectors.Request{Method: http.MethodPost, URL: url, Header: header, Body: body}
}

// mac is what X and the app can make and nobody else.
func (p *Platform) mac(message []byte) string {
	h := hmac.New(sha256.New, []byte(p.ConsumerSecret))
	h.Write(message)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Handshake returns X's challenge-response check of the webhook at url.
func (p *Platform) Handshake(address string) *connectors.Request {
	return p.check(address, base64.StdEncoding.EncodeToString([]byte(sim.Digest(32, address, "crc"))))
}

func (p *Platform) check(address, token string) *connectors.Request {
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return &connectors.Request{
		Method: http.MethodGet, URL: address + mark + url.Values{"crc_token": {token}}.Encode(), Header: http.Header{},
	}
}

// passes makes the check, and tells whether the gateway has answered as the owner
// of the app would.
func (p *Platform) passes(address string) bool {
	token := base64.StdEncoding.EncodeToString([]byte(sim.Secret()))
	status, body := p.Knock(p.check(address, token))
	var answer struct {
		ResponseToken string `json:"response_token"`
	}
	return status == http.StatusOK && json.Unmarshal([]byte(body), &answer) == nil &&
		answer.ResponseToken == "sha256="+p.mac([]byte(token))
}
