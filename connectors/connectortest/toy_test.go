package connectortest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/wire"
)

// toyLimit is odd, so that no text of pairs alone has it.
const toyLimit = 301

type toyConfig struct {
	config.Connector
	Secret   config.Secrets
	Verify   config.Secret
	Accounts []toyAccount
}

type toyAccount struct {
	config.Account
	Token config.Secret
}

func (c *toyConfig) AccountList() []config.Account { return config.Accounts(c.Accounts) }
func (c *toyConfig) Check() []config.Finding       { return nil }

// toyManners are what platforms differ in.
type toyManners struct {
	resend, tokens bool
	// lookup tells that a fetch has to ask first where the photo is.
	lookup bool
}

func (m toyManners) channel() connectors.Channel {
	texts := connectors.Texts{Limit: toyLimit, Resend: m.resend}
	if m.tokens {
		texts.TokenLife = time.Minute
	}
	return connectors.Channel{
		Name: "toy", Title: "Toy", PhotoLimit: config.MB, BodyLimit: 1 << 20, Texts: texts, Console: "nowhere",
		Settings: func() config.Settings { return &toyConfig{} },
		New: func(s config.Settings, env connectors.Env) (connectors.Connector, error) {
			return newToy(m, s, env)
		},
	}
}

// subject is a toy channel that keeps the whole contract.
func (m toyManners) subject() Subject {
	return Subject{Channel: m.channel(), Start: func() (sim.Platform, error) { return startToy() }}
}

type toy struct {
	toyManners
	config *toyConfig
	env    connectors.Env
	api    wire.API
}

func newToy(m toyManners, s config.Settings, env connectors.Env) (*toy, error) {
	c := s.(*toyConfig)
	api, err := wire.NewAPI(c.Connector, "https://api.toy.example", wire.Options{Now: env.Now})
	if err != nil {
		return nil, err
	}
	return &toy{m, c, env, api}, nil
}

func (c *toy) Verify(r *connectors.Request) error {
	header, err := wire.Header(r, "X-Toy-Signature")
	if err != nil {
		return err
	}
	got, err := hex.DecodeString(header)
	if err != nil || header != strings.ToLower(header) || !wire.VerifyMAC(sha256.New, c.config.Secret, r.Body, got) {
		return connectors.Errorf(connectors.Unauthentic, "toy: verify", "wrong signature")
	}
	return nil
}

func (*toy) ChallengeType() string { return "text/plain" }

func (c *toy) Challenge(r *connectors.Request) (string, error) {
	no := connectors.Errorf(connectors.Unauthentic, "toy: challenge", "not the platform's")
	u, err := url.Parse(r.URL)
	if err != nil {
		return "", no
	}
	token, word := u.Query()["verify"], u.Query()["challenge"]
	if len(token) != 1 || len(word) != 1 || token[0] != c.config.Verify.Reveal() || word[0] == "" || len(word[0]) > 100 {
		return "", no
	}
	return word[0], nil
}

func (c *toy) Parse(r *connectors.Request) ([]connectors.Event, error) {
	var envelope struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := json.Unmarshal(r.Body, &envelope); err != nil {
		return nil, connectors.Errorf(connectors.Malformed, "toy: parse", "not an envelope")
	}
	var events []connectors.Event
	for _, raw := range envelope.Events {
		events = append(events, c.event(raw))
	}
	return events, nil
}

func (c *toy) event(raw json.RawMessage) connectors.Event {
	var e toyEvent
	err := json.Unmarshal(raw, &e)
	out := connectors.Event{
		Kind: connectors.Message, ID: cmp.Or(e.ID, connectors.DigestID(raw)), MessageID: e.ID, Account: e.Account,
		Consumer: connectors.Consumer{ID: e.From}, Text: e.Text, Raw: raw,
	}
	if c.tokens {
		out.ReplyToken = e.Token
	}
	for _, id := range e.Photos {
		out.Photos = append(out.Photos, connectors.Photo{Account: e.Account, Ref: id})
	}
	switch {
	case err != nil || e.ID == "":
		return out.As(connectors.Broken, "event does not parse")
	case e.Type != "message":
		return out.As(connectors.Ignored, "unknown_event_type")
	}
	return out
}

var toyID = regexp.MustCompile(`^[0-9A-Za-z]{1,64}$`)

func (c *toy) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	const op = "toy: fetch"
	a, ok := config.FindAccount(c.config.Accounts, p.Account)
	if !ok || !toyID.MatchString(p.Ref) || p.Ref == "null" {
		return nil, connectors.Errorf(connectors.Refused, op, "no such photo")
	}
	address := c.api.Base + "/photos/" + p.Ref
	if c.lookup {
		body, err := c.call(ctx, "toy: look up", http.MethodGet, "/lookup/"+p.Ref, p.Account, nil)
		if err != nil {
			return nil, err
		}
		var told struct{ URL string }
		if err := json.Unmarshal(body, &told); err != nil || told.URL == "" {
			return nil, connectors.Errorf(connectors.Unavailable, op, "answer holds no address")
		}
		address = told.URL
	}
	return c.api.Fetch(ctx, wire.Fetch{
		Op: op, URL: address, Hosts: c.api.Host,
		Authorize: func(*url.URL) (string, bool) { return "Bearer " + a.Token.Reveal(), true },
	})
}

// call makes an API call for an account.
func (c *toy) call(ctx context.Context, op, method, path, account string, v any) ([]byte, error) {
	a, ok := config.FindAccount(c.config.Accounts, account)
	if !ok {
		return nil, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	r := wire.Request{Op: op, Method: method, Path: path, Authorization: "Bearer " + a.Token.Reveal()}
	if method != http.MethodGet {
		r.Body = v
	}
	return c.api.Do(ctx, r)
}

func (c *toy) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	const op = "toy: send"
	if o.Text == "" || connectors.Length(o.Text) > toyLimit {
		return "", connectors.Errorf(connectors.Refused, op, "text of the wrong length")
	}
	m := toyMessage{Account: o.Account, To: o.Consumer, Text: o.Text, Token: o.ReplyToken}
	if c.resend {
		m.Key = o.Key
	}
	answer, err := c.call(ctx, op, http.MethodPost, "/messages", o.Account, m)
	var failed *wire.StatusFailure
	if m.Token != "" && errors.As(err, &failed) && strings.Contains(string(failed.Body), "invalid token") {
		m.Token = ""
		answer, err = c.call(ctx, op, http.MethodPost, "/messages", o.Account, m)
	}
	if err != nil {
		return "", err
	}
	var sent struct{ ID string }
	// Without a readable id it was sent all the same.
	_ = json.Unmarshal(answer, &sent)
	return sent.ID, nil
}

func (c *toy) Registered(ctx context.Context, account, address string) (connectors.Registration, error) {
	const op = "toy: registered"
	body, err := c.call(ctx, op, http.MethodGet, "/webhook", account, nil)
	if err != nil {
		return connectors.Registration{}, err
	}
	var record struct{ URL string }
	if err := json.Unmarshal(body, &record); err != nil {
		return connectors.Registration{}, connectors.Errorf(connectors.Unavailable, op, "answer cannot be read")
	}
	got := connectors.Registration{OK: record.URL == address}
	got.URL, _, _ = strings.Cut(record.URL, "?")
	if !got.OK {
		got.Detail = "events go elsewhere"
	}
	return got, nil
}

func (c *toy) Register(ctx context.Context, account, address string) error {
	_, err := c.call(ctx, "toy: register", http.MethodPut, "/webhook", account, map[string]string{"url": address})
	return err
}

// TestToy runs the suite over toy channels of all manners. None may fail.
func TestToy(t *testing.T) {
	for name, m := range allManners() {
		t.Run(name, func(t *testing.T) { Run(t, m.subject()) })
	}
}

func allManners() map[string]toyManners {
	return map[string]toyManners{
		"plain": {}, "resend": {resend: true}, "tokens": {tokens: true}, "both": {resend: true, tokens: true}, "lookup": {lookup: true},
	}
}
