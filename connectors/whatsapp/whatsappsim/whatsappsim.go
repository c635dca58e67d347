// Package whatsappsim is WhatsApp's side of the conversation: it calls and
// signs webhooks as Meta does, and answers as Graph and the host of its media
// do. It is written from Meta's documentation of the Cloud API; what that does
// not say is marked as assumed.
package whatsappsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/whatsapp"
)

// Platform is a WhatsApp with one business on it, which has one number at
// first.
type Platform struct {
	*sim.Server
	// AppSecret signs the webhooks, VerifyToken is shown in the handshake.
	AppSecret, VerifyToken string
	// Numbers are the business's; AddNumber makes more of them.
	Numbers []Number

	media library
}

// Number is one of the business's phone numbers.
type Number struct {
	// WABA is the WhatsApp Business Account that the number belongs to.
	WABA string
	// ID is the phone_number_id, Phone the number as people dial it.
	ID, Phone string
	// Token reads the media that were sent to this number.
	Token string
}

// Start starts a WhatsApp on a loopback port.
func Start() (*Platform, error) {
	p := &Platform{AppSecret: sim.Secret(), VerifyToken: sim.Secret()}
	p.AddNumber("acme")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{version}/{media}", p.lookup)
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
		AppSecret:   config.Secrets{config.NewSecret(p.AppSecret)},
		VerifyToken: config.NewSecret(p.VerifyToken),
	}
	for i, n := range p.Numbers {
		account := config.Account{ID: n.ID, Queue: queue}
		if i > 0 {
			account.Name = "n" + strconv.Itoa(i+1)
		}
		c.Accounts = append(c.Accounts, whatsapp.Account{Account: account, AccessToken: config.NewSecret(n.Token)})
	}
	return c
}

// Handshake returns the call by which Meta checks the webhook at address.
func (p *Platform) Handshake(address string) *connectors.Request {
	query := url.Values{
		"hub.mode": {"subscribe"}, "hub.verify_token": {p.VerifyToken}, "hub.challenge": {sim.Decimal(10, address)},
	}
	header := http.Header{}
	header.Set("User-Agent", "facebookplatform/1.0 (+http://developers.facebook.com)")
	return &connectors.Request{Method: http.MethodGet, URL: address + "?" + query.Encode(), Header: header}
}

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

var version = regexp.MustCompile(`^v[0-9]+\.0$`)

// lookup tells the address of a medium the way graph.facebook.com does.
func (p *Platform) lookup(w http.ResponseWriter, r *http.Request) {
	n, ok := p.bearer(r)
	if !ok {
		fail(w, http.StatusUnauthorized, graphError{Code: 190, Message: "Invalid OAuth access token - Cannot parse access token"})
		return
	}
	if !version.MatchString(r.PathValue("version")) {
		fail(w, http.StatusBadRequest, graphError{Code: 2500, Message: "Unknown path components"})
		return
	}
	id := r.PathValue("media")
	m, ok := p.media.find(id)
	if !ok || m.number != n.ID {
		fail(w, http.StatusBadRequest, graphError{
			Code: 100, Subcode: 33,
			Message: "Unsupported get request. Object with ID '" + id + "' does not exist, cannot be loaded due to missing permissions, or does not support this operation.",
		})
		return
	}
	if asked := r.URL.Query().Get("phone_number_id"); asked != "" && asked != n.ID {
		// Assumed: the documentation says that this fails, but not how.
		fail(w, http.StatusBadRequest, graphError{Code: 100, Message: "(#100) Param phone_number_id does not match"})
		return
	}
	answer(w, http.StatusOK, Object{
		"messaging_product": "whatsapp", "id": id, "url": p.media.address(id), "mime_type": m.mimeType,
		"sha256": hex.EncodeToString(m.sum[:]), "file_size": len(m.data),
	})
}

// download serves an original the way lookaside.fbsbx.com does.
func (p *Platform) download(w http.ResponseWriter, r *http.Request) {
	n, ok := p.bearer(r)
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := r.URL.Query().Get("mid")
	m, ok := p.media.find(id)
	if !ok || m.number != n.ID || !p.media.alive(id, r.URL.Query().Get("hash")) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", m.mimeType)
	w.Header().Set("Content-Length", strconv.Itoa(len(m.data)))
	_, _ = w.Write(m.data)
}

// bearer returns the number whose token the request shows.
func (p *Platform) bearer(r *http.Request) (Number, bool) {
	for _, n := range p.Numbers {
		// Assumed: requests by no program at all are turned away.
		if r.Header.Get("Authorization") == "Bearer "+n.Token && r.UserAgent() != "" {
			return n, true
		}
	}
	return Number{}, false
}

// graphError is Graph's error object.
type graphError struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    int    `json:"code"`
	Subcode int    `json:"error_subcode,omitempty"`
	Trace   string `json:"fbtrace_id"`
}

func fail(w http.ResponseWriter, status int, e graphError) {
	e.Type, e.Trace = "OAuthException", "A"+sim.Digest(20, e.Message)
	if e.Code == 100 {
		e.Type = "GraphMethodException"
	}
	answer(w, status, Object{"error": e})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// sum64 is a digest as the webhooks show it.
func sum64(sum [sha256.Size]byte) string { return base64.StdEncoding.EncodeToString(sum[:]) }
