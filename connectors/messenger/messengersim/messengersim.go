// Package messengersim is Messenger's side of the conversation: it calls and
// signs webhooks as Meta does, and answers as Graph and Meta's content network
// do. It is written from Meta's documentation of the Messenger Platform; what
// that does not say is marked as assumed.
package messengersim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/sim"
)

// Platform is a Messenger with one app and one Page on it at first.
type Platform struct {
	*sim.Server
	// AppID is the app; AppSecret signs its webhooks and proves it to Graph,
	// VerifyToken is shown in the handshake.
	AppID, AppSecret, VerifyToken string
	// Pages are those that the business has; AddPage makes more of them.
	Pages []Page

	media library
	mu    sync.Mutex
	// people are the consumers that have written, by their id on a Page; the
	// value is why they cannot be written to.
	people map[string]graphError
	// hook is the app's webhook, installed the fields of each Page.
	hook      hook
	installed map[string][]string
	sends     int
}

// Page is one of the business's Pages.
type Page struct {
	// ID is the Page's, Token its access token.
	ID, Token string
}

// hook is the app's subscription to what happens on Pages.
type hook struct {
	address string
	fields  []string
}

// Start starts a Messenger on a loopback port.
func Start() (*Platform, error) {
	p := &Platform{
		AppID: "1517776481860111", AppSecret: sim.Secret(), VerifyToken: sim.Secret(),
		people: map[string]graphError{}, installed: map[string][]string{},
	}
	p.AddPage("acme")
	var err error
	if p.Server, err = sim.Serve(p.routes()); err != nil {
		return nil, err
	}
	p.media.base, p.media.key = p.URL+cdn, []byte(sim.Secret())
	return p, nil
}

// AddPage gives the business another Page. It is for the time before the
// platform is used.
func (p *Platform) AddPage(name string) Page {
	page := Page{ID: sim.Decimal(15, name, "page"), Token: "EAAB" + sim.Secret()}
	p.Pages = append(p.Pages, page)
	return page
}

// Settings implements sim.Platform.
func (p *Platform) Settings(name, queue string) config.Settings {
	c := &messenger.Config{
		Connector: config.Connector{
			Channel: "messenger", Name: name, APIBase: p.URL, AllowPrivateAddresses: true,
		},
		App: meta.App{
			AppSecret:   config.Secrets{config.NewSecret(p.AppSecret)},
			VerifyToken: config.NewSecret(p.VerifyToken),
			AppID:       p.AppID,
		},
		MediaHosts: []string{strings.TrimPrefix(p.URL, "http://")},
	}
	for i, page := range p.Pages {
		account := config.Account{ID: page.ID, Queue: queue}
		if i > 0 {
			account.Name = "p" + strconv.Itoa(i+1)
		}
		c.Accounts = append(c.Accounts, messenger.Account{Account: account, PageAccessToken: config.NewSecret(page.Token)})
	}
	return c
}

// Adopt implements sim.Platform.
func (p *Platform) Adopt(s config.Settings) error {
	c := s.(*messenger.Config)
	p.AppID, p.AppSecret, p.VerifyToken = c.AppID, c.AppSecret[0].Reveal(), c.VerifyToken.Reveal()
	p.Pages = nil
	for _, a := range c.Accounts {
		p.Pages = append(p.Pages, Page{ID: a.ID, Token: a.PageAccessToken.Reveal()})
	}
	err := p.Move(c.APIBase)
	p.media.base = p.URL + cdn
	return err
}

// Handshake returns the call by which Meta checks the webhook at address.
func (p *Platform) Handshake(address string) *connectors.Request {
	return handshake(address, p.VerifyToken)
}

func handshake(address, token string) *connectors.Request {
	query := url.Values{
		"hub.mode": {"subscribe"}, "hub.verify_token": {token}, "hub.challenge": {sim.Decimal(10, address)},
	}
	header := http.Header{}
	header.Set("User-Agent", "facebookplatform/1.0 (+http://developers.facebook.com)")
	return &connectors.Request{Method: http.MethodGet, URL: address + "?" + query.Encode(), Header: header}
}

// Webhook implements sim.Platform: each item goes into an entry of its own, as
// Meta says, and all of them into one call.
func (p *Platform) Webhook(address string, said ...sim.Said) ([]*connectors.Request, error) {
	var entries []any
	for _, s := range said {
		for _, item := range p.Items(p.Pages[0], s) {
			entries = append(entries, Entry(p.Pages[0], s.At, "messaging", item))
		}
	}
	r, err := p.Call(address, entries...)
	return []*connectors.Request{r}, err
}

// Call makes the call that Meta would make with these entries: Meta escapes all
// that is not ASCII, and signs what it sends.
func (p *Platform) Call(address string, entries ...any) (*connectors.Request, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(Object{"object": "page", "entry": entries}); err != nil {
		return nil, err
	}
	return p.Sign(address, escape(bytes.TrimSpace(body.Bytes()))), nil
}

// Sign makes the call that Meta would make with exactly this body.
func (p *Platform) Sign(address string, body []byte) *connectors.Request {
	mac := hmac.New(sha256.New, []byte(p.AppSecret))
	mac.Write(body)
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "facebookexternalua")
	header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return &connectors.Request{Method: http.MethodPost, URL: address, Header: header, Body: body}
}
