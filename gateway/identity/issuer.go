package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/ops"
)

const (
	// issuerTime is how long one question to the issuer may take.
	issuerTime = 10 * time.Second
	// An issuer that does not answer is asked again after these pauses; one that
	// does is asked now and then whether anything has changed.
	askSoon, askLater, askAgain = time.Second, time.Minute, 10 * time.Minute
)

// issuer is an OpenID provider whose word counts. It need not be there: nothing waits
// for it, and who is signed in already stays so.
type issuer struct {
	config   config.OIDC
	comeback string   // to where it sends browsers back
	queues   []string // all that there are
	wire     *wire
	now      func() time.Time

	mu       sync.Mutex
	provider *provider // nil until it has answered
	trouble  string    // why it has not answered lately, or empty
	since    time.Time
}

// provider is what an issuer says of itself.
type provider struct {
	*oidc.Provider
	about       about
	bearer, own *oidc.IDTokenVerifier // of tokens for the API, and of those that we have asked for
	oauth       oauth2.Config
}

// about is a discovery document, as far as go-oidc does not tell of it.
type about struct {
	JWKS     string   `json:"jwks_uri"`
	UserInfo string   `json:"userinfo_endpoint"`
	Auth     []string `json:"token_endpoint_auth_methods_supported"`
}

func newIssuer(c config.Config, queues []string, now func() time.Time) (*issuer, error) {
	if c.Agents.OIDC == nil {
		return nil, nil //nolint:nilnil // without an issuer all its methods say no
	}
	transport, err := newWire(*c.Agents.OIDC)
	if err != nil {
		return nil, err
	}
	return &issuer{
		config: *c.Agents.OIDC, comeback: strings.TrimRight(c.PublicURL, "/") + config.OIDCReturn,
		queues: queues, wire: transport, now: now, trouble: "it has not been asked yet", since: now(),
	}, nil
}

// AskIssuer asks the configured issuer what it says of itself, and returns why it could
// not be believed. Without one there is nothing wrong.
func AskIssuer(ctx context.Context, c config.Config) error {
	i, err := newIssuer(c, nil, time.Now)
	if err != nil || i == nil {
		return err
	}
	return i.discover(ctx)
}

// context gives a question to the issuer its client and its deadline.
func (i *issuer) context(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, issuerTime)
	return oidc.ClientContext(ctx, i.wire.client()), cancel
}

// run asks the issuer what it says of itself, until ctx ends.
func (i *issuer) run(ctx context.Context, tell func(error)) {
	pause := askSoon
	for {
		err := i.discover(ctx)
		if ctx.Err() != nil {
			return
		}
		tell(err)
		wait := askAgain
		if err != nil {
			wait, pause = pause, min(2*pause, askLater)
		} else {
			pause = askSoon
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// discover reads the issuer's discovery document. What was known before stays in
// force if it cannot be read.
func (i *issuer) discover(ctx context.Context) error {
	ctx, cancel := i.context(ctx)
	defer cancel()
	found, err := oidc.NewProvider(ctx, i.config.Issuer)
	var p *provider
	if err == nil {
		p, err = i.describe(ctx, found)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err != nil {
		err = errors.New(short(err))
		if i.trouble == "" {
			i.since = i.now()
		}
		i.trouble = err.Error()
		return err
	}
	i.trouble = ""
	// A new one has no keys yet: it is put in force only where something has changed.
	if before := i.provider; before == nil || before.Endpoint() != p.Endpoint() || before.about.JWKS != p.about.JWKS || before.about.UserInfo != p.about.UserInfo {
		i.wire.keysAt(p.about.JWKS)
		i.provider = p
	}
	return nil
}

// describe makes a provider of what an issuer says, if it is fit to be believed.
func (i *issuer) describe(ctx context.Context, found *oidc.Provider) (*provider, error) {
	p := &provider{Provider: found}
	if err := found.Claims(&p.about); err != nil {
		return nil, fmt.Errorf("its discovery document: %w", err)
	}
	endpoint := found.Endpoint()
	for _, address := range []string{p.about.JWKS, endpoint.AuthURL, endpoint.TokenURL, p.about.UserInfo} {
		if address != "" && !config.SafeAddress(address) {
			return nil, errors.New("its discovery document names an address that is not https")
		}
	}
	if p.about.JWKS == "" || i.signsIn() && (endpoint.AuthURL == "" || endpoint.TokenURL == "") {
		return nil, errors.New("its discovery document does not say where its keys are, or where to sign in")
	}
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(p.about.Auth) > 0 && !slices.Contains(p.about.Auth, "client_secret_basic") && slices.Contains(p.about.Auth, "client_secret_post") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	p.oauth = oauth2.Config{
		ClientID: i.config.ClientID, ClientSecret: i.config.ClientSecret.Reveal(), Endpoint: endpoint, RedirectURL: i.comeback,
		Scopes: i.config.Scopes,
	}
	if len(p.oauth.Scopes) == 0 {
		p.oauth.Scopes = []string{oidc.ScopeOpenID, "profile"}
	}
	keys := keySet{oidc.NewRemoteKeySet(ctx, p.about.JWKS), i.wire}
	p.own = i.verifier(keys, i.config.ClientID)
	p.bearer = p.own
	if i.config.Audience != "" {
		p.bearer = i.verifier(keys, i.config.Audience)
	}
	return p, nil
}

// verifier takes what is signed by one of two algorithms with the issuer's own keys.
// What the issuer says about algorithms does not count, nor what a token says: neither
// "none" nor a secret shared by all is ever a signature. Times are judged by us.
func (i *issuer) verifier(keys oidc.KeySet, audience string) *oidc.IDTokenVerifier {
	return oidc.NewVerifier(i.config.Issuer, keys, &oidc.Config{
		ClientID: audience, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256}, SkipExpiryCheck: true,
	})
}

// current is what the issuer says of itself, or nil if it has not answered yet.
func (i *issuer) current() *provider {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.provider
}

// signsIn tells whether browsers can sign in by the issuer.
func (i *issuer) signsIn() bool { return i != nil && !i.config.ClientSecret.IsZero() }

// title is the issuer's host.
func (i *issuer) title() string {
	u, err := url.Parse(i.config.Issuer)
	if err != nil {
		return ""
	}
	return u.Host
}

// line is /readyz's about the issuer.
func (i *issuer) line() ops.Line {
	i.mu.Lock()
	defer i.mu.Unlock()
	trouble, since := i.trouble, i.since
	if trouble == "" {
		trouble, since = i.wire.trouble()
	}
	if trouble == "" {
		return ops.Line{Name: "issuer", State: ops.OK}
	}
	return ops.Line{Name: "issuer", State: ops.Warn, Note: "nobody new can sign in by it since " + clock(since) + ": " + trouble}
}

// short is the beginning of an error's text, without what a terminal obeys: it may
// hold an answer of the issuer's, or of whoever stands in its place.
func short(err error) string {
	return clean(err.Error(), 200)
}

// newWire makes the transport for all that is asked of an issuer.
func newWire(c config.OIDC) (*wire, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("agents.oidc.ca_file: %w", err)
		}
		if settings.RootCAs, err = x509.SystemCertPool(); err != nil {
			settings.RootCAs = x509.NewCertPool()
		}
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("agents.oidc.ca_file: there is no certificate in it")
		}
	}
	t := &http.Transport{
		TLSClientConfig: settings, TLSHandshakeTimeout: issuerTime / 2, ResponseHeaderTimeout: issuerTime,
		MaxResponseHeaderBytes: 64 << 10, MaxConnsPerHost: 16, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
	}
	if c.Proxy != "" {
		address, err := url.Parse(c.Proxy)
		if err != nil {
			return nil, errors.New("agents.oidc.proxy: not an address")
		}
		t.Proxy = http.ProxyURL(address)
	}
	return &wire{next: t}, nil
}
