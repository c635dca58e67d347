package connectortest

import (
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
	"github.com/lightlock/lightlock/connectors/sim"
)

// toyPlatform is a platform that has everything that any of the real ones has:
// several accounts in one call, a handshake, repeats that it recognises, reply
// tokens, and an API for where its webhooks go. It is what the suite's checks of
// Send and of a Registrar are tested with.
type toyPlatform struct {
	*sim.Server
	account, token, secret, verify string

	photos sim.Shelf

	mu      sync.Mutex
	webhook string
	// said are the ids of the messages by their keys, tokens tells which reply
	// tokens are fresh, known who has ever written.
	said          map[string]string
	tokens, known map[string]bool
}

func startToy() (*toyPlatform, error) {
	p := &toyPlatform{
		account: "T" + sim.Secret(), token: sim.Secret(), secret: sim.Secret(), verify: sim.Secret(),
		said: map[string]string{}, tokens: map[string]bool{}, known: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /photos/{id}", p.guarded(p.photo))
	mux.HandleFunc("GET /lookup/{id}", p.guarded(p.lookup))
	mux.HandleFunc("POST /messages", p.guarded(p.message))
	mux.HandleFunc("GET /webhook", p.guarded(p.recorded))
	mux.HandleFunc("PUT /webhook", p.guarded(p.register))
	var err error
	p.Server, err = sim.Serve(mux)
	return p, err
}

func (p *toyPlatform) Settings(name, queue string) config.Settings {
	return &toyConfig{
		Connector: config.Connector{Channel: "toy", Name: name, APIBase: p.URL, AllowPrivateAddresses: true},
		Secret:    config.Secrets{config.NewSecret(p.secret)},
		Verify:    config.NewSecret(p.verify),
		Accounts:  []toyAccount{{config.Account{ID: p.account, Queue: queue}, config.NewSecret(p.token)}},
	}
}

func (p *toyPlatform) Adopt(s config.Settings) error {
	c := s.(*toyConfig)
	p.account, p.secret, p.verify, p.token = c.Accounts[0].ID, c.Secret[0].Reveal(), c.Verify.Reveal(), c.Accounts[0].Token.Reveal()
	return p.Move(c.APIBase)
}

// toyEvent is an event as the toy platform writes it.
type toyEvent struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	Account string   `json:"account"`
	From    string   `json:"from"`
	Text    string   `json:"text"`
	Photos  []string `json:"photos"`
	Token   string   `json:"token"`
}

func (p *toyPlatform) Webhook(address string, said ...sim.Said) ([]*connectors.Request, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	events := []toyEvent{}
	for _, s := range said {
		e := toyEvent{
			ID: "E" + sim.Digest(20, s.ID), Type: "message", Account: p.account, From: toyConsumer(s.Consumer), Text: s.Text,
			Photos: []string{}, Token: "R" + sim.Secret(),
		}
		for i, photo := range s.Photos {
			id := sim.Digest(20, s.ID, strconv.Itoa(i))
			p.photos.Put(id, photo)
			e.Photos = append(e.Photos, id)
		}
		e.Token = "R" + sim.Digest(30, s.ID, p.secret)
		p.tokens[e.Token], p.known[e.From] = true, true
		events = append(events, e)
	}
	body, err := json.Marshal(map[string]any{"events": events})
	return []*connectors.Request{p.sign(address, body)}, err
}

func toyConsumer(name string) string { return "C" + sim.Digest(20, name) }

func (p *toyPlatform) sign(address string, body []byte) *connectors.Request {
	mac := hmac.New(sha256.New, []byte(p.secret))
	mac.Write(body)
	header := http.Header{"X-Toy-Signature": {hex.EncodeToString(mac.Sum(nil))}}
	return &connectors.Request{Method: http.MethodPost, URL: address, Header: header, Body: body}
}

// Handshake makes the platform ask for its token, as it does when a webhook is
// registered.
func (p *toyPlatform) Handshake(address string) *connectors.Request {
	separator := "?"
	if strings.Contains(address, separator) {
		separator = "&"
	}
	query := url.Values{"verify": {p.verify}, "challenge": {sim.Decimal(10, address)}}
	return &connectors.Request{Method: http.MethodGet, URL: address + separator + query.Encode()}
}

// guarded lets only those through who show the account's token.
func (p *toyPlatform) guarded(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+p.token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		h(w, r)
	}
}

func (p *toyPlatform) photo(w http.ResponseWriter, r *http.Request) {
	data, ok := p.photos.Get(r.PathValue("id"))
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write(data)
}

// lookup tells where a photo is.
func (p *toyPlatform) lookup(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.photos.Get(r.PathValue("id")); !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"url": p.URL + "/photos/" + r.PathValue("id")})
}

// toyMessage is what the business says.
type toyMessage struct {
	Account string `json:"account"`
	To      string `json:"to"`
	Key     string `json:"key"`
	Text    string `json:"text"`
	Token   string `json:"token,omitempty"`
}

func (p *toyPlatform) message(w http.ResponseWriter, r *http.Request) {
	var m toyMessage
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.Text == "" || len([]rune(m.Text)) > toyLimit || m.Account != p.account {
		toyFail(w, http.StatusBadRequest, "invalid message")
		return
	}
	if m.Token != "" && !p.tokens[m.Token] {
		toyFail(w, http.StatusBadRequest, "invalid token")
		return
	}
	delete(p.tokens, m.Token)
	if !p.known[m.To] {
		toyFail(w, http.StatusNotFound, "no such consumer")
		return
	}
	id, again := p.said[m.Key]
	if m.Key == "" || !again {
		id = "M" + sim.Secret()
		p.said[m.Key] = id
		p.Deliver(sim.Sent{ID: id, Account: m.Account, Consumer: m.To, Text: m.Text})
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"id": id})
}

func (p *toyPlatform) recorded(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(map[string]string{"url": p.webhook})
}

// register calls the webhook before it believes in it.
func (p *toyPlatform) register(w http.ResponseWriter, r *http.Request) {
	var asked struct{ URL string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		toyFail(w, http.StatusBadRequest, "invalid address")
		return
	}
	shake := p.Handshake(asked.URL)
	u, err := url.Parse(shake.URL)
	if err != nil {
		toyFail(w, http.StatusBadRequest, "invalid address")
		return
	}
	status, body := p.Knock(shake)
	if status != http.StatusOK || body != u.Query().Get("challenge") {
		toyFail(w, http.StatusUnprocessableEntity, "webhook does not answer")
		return
	}
	if status, _ := p.Knock(p.sign(asked.URL, []byte(`{"events":[]}`))); status != http.StatusOK {
		toyFail(w, http.StatusUnprocessableEntity, "webhook refuses a call")
		return
	}
	p.webhook = strings.TrimSpace(asked.URL)
}

func toyFail(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": message})
}
