// Package whatsappsim is WhatsApp's side of the conversation: it calls and
// signs webhooks as Meta does, and answers as Graph and the host of its media
// do. It is written from Meta's documentation of the Cloud API; what that does
// not say is marked as assumed.
package whatsappsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/whatsapp"
)

// Platform is a WhatsApp with one business on it, which has one number at
// first.
type Platform struct {
	*sim.Server
	// AppSecret signs the webhooks, VerifyToken is shown in the handshake.
	AppSecret, VerifyToken string
	// AppID is the app's own id.
	AppID string
	// Numbers are the business's; AddNumber makes more of them.
	Numbers []Number

	media   library
	desk    desk
	records records
}

// Number is one of the business's phone numbers.
type Number struct {
	// WABA is the WhatsApp Business Account that the number belongs to.
	WABA string
	// ID is the phone_number_id, Phone the number as people dial it.
	ID, Phone string
	// Token reads the media that were sent to this number, sends from it, and
	// manages its account.
	Token string
}

// Start starts a WhatsApp on a loopback port.
func Start() (*Platform, error) {
	p := &Platform{AppSecret: sim.Secret(), VerifyToken: sim.Secret(), AppID: sim.Decimal(16, "app")}
	p.AddNumber("acme")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{version}/{media}", p.lookup)
	mux.HandleFunc("POST /{version}/{number}/messages", p.send)
	mux.HandleFunc("GET /{version}/{app}/subscriptions", p.subscriptions)
	mux.HandleFunc("POST /{version}/{app}/subscriptions", p.subscribe)
	mux.HandleFunc("GET /{version}/{waba}/subscribed_apps", p.subscribedApps)
	mux.HandleFunc("POST /{version}/{waba}/subscribed_apps", p.subscribeApp)
	mux.HandleFunc("GET /whatsapp_business/attachments/{$}", p.download)
	var err error
	if p.Server, err = sim.Serve(mux); err != nil {
		return nil, err
	}
	p.media.base = p.URL
	return p, nil
}

// AddNumber gives the business another number, in a WhatsApp Business Account
// named for it. It is for the time before the platform is used.
func (p *Platform) AddNumber(name string) Number {
	n := Number{
		WABA: sim.Decimal(15, name, "waba"), ID: sim.Decimal(15, name, "number"),
		Phone: sim.Decimal(11, name, "phone"), Token: "EAA" + sim.Secret(),
	}
	p.Numbers = append(p.Numbers, n)
	return n
}

// Settings implements sim.Platform.
func (p *Platform) Settings(name, queue string) config.Settings {
	c := &whatsapp.Config{
		Connector: config.Connector{
			Channel: "whatsapp", Name: name, APIBase: p.URL, AllowPrivateAddresses: true,
		},
		App: meta.App{
			AppSecret:   config.Secrets{config.NewSecret(p.AppSecret)},
			VerifyToken: config.NewSecret(p.VerifyToken),
			AppID:       p.AppID,
		},
	}
	for i, n := range p.Numbers {
		account := config.Account{ID: n.ID, Queue: queue}
		if i > 0 {
			account.Name = "n" + strconv.Itoa(i+1)
		}
		c.Accounts = append(c.Accounts, whatsapp.Account{
			Account: account, WABAID: n.WABA, AccessToken: config.NewSecret(n.Token),
		})
	}
	return c
}

// Adopt implements sim.Platform.
func (p *Platform) Adopt(s config.Settings) error {
	c := s.(*whatsapp.Config)
	p.AppID, p.AppSecret, p.VerifyToken = c.AppID, c.AppSecret[0].Reveal(), c.VerifyToken.Reveal()
	p.Numbers = nil
	for i, a := range c.Accounts {
		p.Numbers = append(p.Numbers, Number{
			WABA: a.WABAID, ID: a.ID, Phone: sim.Decimal(11, strconv.Itoa(i), "phone"), Token: a.AccessToken.Reveal(),
		})
	}
	err := p.Move(c.APIBase)
	p.media.base = p.URL
	return err
}

// Handshake returns the call by which Meta checks the webhook at address.
func (p *Platform) Handshake(address string) *connectors.Request {
	return handshake(address, p.VerifyToken)
}

func handshake(address, token string) *connectors.Request {
	query := url.Values{
		"hub.mode": {"subscribe"}, "hub.verify_token": {token}, "hub.challenge": {challenge(address)},
	}
	header := http.Header{}
	header.Set("User-Agent", "facebookplatform/1.0 (+http://developers.facebook.com)")
	return &connectors.Request{Method: http.MethodGet, URL: address + "?" + query.Encode(), Header: header}
}

func challenge(address string) string { return sim.Decimal(10, address) }

// Webhook implements sim.Platform: all that was said to the first number goes
// into one change of one call.
func (p *Platform) Webhook(address string, said ...sim.Said) ([]*connectors.Request, error) {
	n := p.Numbers[0]
	var messages []any
	for _, s := range said {
		messages = append(messages, p.Messages(n, s)...)
	}
	r, err := p.Call(address, Entry(n.WABA, n.Change(Object{"contacts": Contacts(said...), "messages": messages})))
	return []*connectors.Request{r}, err
}

// Call makes the call that Meta would make with these entries.
func (p *Platform) Call(address string, entries ...any) (*connectors.Request, error) {
	body, err := json.Marshal(Object{"object": "whatsapp_business_account", "entry": entries})
	if err != nil {
		return nil, err
	}
	return p.Sign(address, body), nil
}

// Sign makes the call that Meta would make with this body: Meta escapes all that
// is not ASCII, and signs what it sends.
func (p *Platform) Sign(address string, body []byte) *connectors.Request {
	body = escape(body)
	mac := hmac.New(sha256.New, []byte(p.AppSecret))
	mac.Write(body)
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "facebookexternalua")
	header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return &connectors.Request{Method: http.MethodPost, URL: address, Header: header, Body: body}
}
