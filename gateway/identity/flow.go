package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/lightlock/lightlock/gateway/problem"
	"github.com/lightlock/lightlock/gateway/queue"
)

// flowTime is how long a sign-in at the issuer may take.
const flowTime = 10 * time.Minute

// flow is a sign-in that is under way at the issuer. It lies in a cookie of the
// browser's, so that only the browser that went there can come back, and nothing of
// it has to be kept here.
type flow struct {
	secret string
	to     string // the page to go to afterwards
}

// Each of these is made of the secret, and tells nothing about it or about another.
func (f flow) state() string    { return f.derived("state") }
func (f flow) nonce() string    { return f.derived("nonce") }
func (f flow) verifier() string { return f.derived("verifier") }

func (f flow) derived(what string) string {
	mac := hmac.New(sha256.New, []byte(f.secret))
	mac.Write([]byte(what))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// flowCookie is the flow's cookie; the zero flow takes it away. Unlike a session's, it
// has to come along when the issuer's page sends the browser back.
func (r *Registry) flowCookie(f flow) *http.Cookie {
	c := r.cookie(f.secret, flowTime) //nolint:gosec // secure where browsers come by https; see cookie
	c.Name += "-oidc"
	c.SameSite = http.SameSiteLaxMode
	if f.secret != "" {
		c.Value += "." + base64.RawURLEncoding.EncodeToString([]byte(f.to))
	}
	return c
}

// flowOf reads the flow's cookie.
func (r *Registry) flowOf(req *http.Request) (flow, bool) {
	value, _ := held(req, r.flowCookie(flow{}).Name)
	secret, page, _ := strings.Cut(value, ".")
	to, err := base64.RawURLEncoding.DecodeString(page)
	return flow{secret, ownPage(string(to))}, secret != "" && err == nil
}

// maxPage is the longest address of a page to come back to, in bytes.
const maxPage = 512

// ownPage returns a path of ours, or that of the console where it is anything else:
// nobody is sent from here to another site.
func ownPage(path string) string {
	u, err := url.Parse(path)
	plain := !strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f })
	if err != nil || !plain || len(path) > maxPage || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "/v1/") {
		return "/"
	}
	return path
}

// getIssuer sends the browser to the issuer. It costs nothing, and is not limited.
func (r *Registry) getIssuer(w http.ResponseWriter, req *http.Request) error {
	if !r.issuer.signsIn() || r.sessions == nil {
		return problem.Of(problem.NotFound, "")
	}
	p := r.issuer.current()
	if p == nil {
		return ErrAway
	}
	f := flow{newSecret(), ownPage(req.URL.Query().Get("to"))}
	http.SetCookie(w, r.flowCookie(f))
	http.Redirect(w, req, p.oauth.AuthCodeURL(f.state(), oidc.Nonce(f.nonce()), oauth2.S256ChallengeOption(f.verifier())), http.StatusFound)
	return nil
}

// getReturn is where the issuer sends the browser back to. Only the issuer can tell
// whether a code is right, and to ask costs it and us something: an address at which too
// many were wrong has to wait.
func (r *Registry) getReturn(w http.ResponseWriter, req *http.Request) error {
	if !r.issuer.signsIn() || r.sessions == nil {
		return problem.Of(problem.NotFound, "")
	}
	f, ok := r.flowOf(req)
	http.SetCookie(w, r.flowCookie(flow{})) // whatever comes of it, it comes of it once
	query := req.URL.Query()
	if !ok || !same(query.Get("state"), f.state()) || query.Get("iss") != "" && query.Get("iss") != r.issuer.config.Issuer {
		r.noteRefusal()
		return ErrUnauthenticated
	}
	if err := r.patient(req); err != nil {
		return err
	}
	caller, err := r.issuer.redeem(req, f, query.Get("code"))
	if err != nil {
		if errors.Is(err, ErrUnauthenticated) {
			r.refused(req)
		}
		return err
	}
	if err := r.begin(w, req, queue.Session{Agent: caller.Agent, Proof: r.issuer.proof(), Queues: caller.Queues}); err != nil {
		return err
	}
	r.visitors.note(req.Context(), caller, r.now())
	http.Redirect(w, req, f.to, http.StatusSeeOther)
	return nil
}

// same compares what must not be found out piece by piece.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// redeem trades the issuer's code for who it is. No code means that the issuer, or
// whoever sits there, has refused.
func (i *issuer) redeem(req *http.Request, f flow, code string) (Caller, error) {
	p := i.current()
	if p == nil {
		return Caller{}, ErrAway
	}
	if code == "" {
		return Caller{}, ErrUnauthenticated
	}
	ctx, cancel := i.context(req.Context())
	defer cancel()
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(f.verifier()))
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < http.StatusInternalServerError {
		return Caller{}, ErrUnauthenticated
	}
	if err != nil {
		return Caller{}, ErrAway // without the error, which may quote the answer
	}
	raw, _ := token.Extra("id_token").(string)
	checked, said, err := i.verify(ctx, p.own, raw)
	switch {
	case err != nil:
		return Caller{}, err
	case !same(checked.Nonce, f.nonce()), checked.AccessTokenHash != "" && checked.VerifyAccessToken(token.AccessToken) != nil:
		return Caller{}, ErrUnauthenticated
	case said.text("azp") != "" && said.text("azp") != i.config.ClientID, said.text("azp") == "" && len(checked.Audience) > 1:
		return Caller{}, ErrUnauthenticated
	}
	if said, err = i.completed(req, p, said, token); err != nil {
		return Caller{}, err
	}
	return i.agent(said)
}

// completed adds what the issuer says only where it is asked: many leave names and
// claims of their own out of the token.
func (i *issuer) completed(req *http.Request, p *provider, said claims, token *oauth2.Token) (claims, error) {
	wanted := []string{"name", i.config.NameClaim, i.config.QueuesClaim}
	missing := false
	for _, name := range wanted {
		missing = missing || name != "" && said[name] == nil
	}
	if !missing || p.about.UserInfo == "" {
		return said, nil
	}
	ctx, cancel := i.context(req.Context())
	defer cancel()
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, ErrAway
	}
	var more claims
	if info.Claims(&more) != nil || more.text("sub") != said.text("sub") {
		return nil, ErrUnauthenticated // it is about somebody else
	}
	for _, name := range append(wanted, "preferred_username") {
		if said[name] == nil && more[name] != nil {
			said[name] = more[name]
		}
	}
	return said, nil
}
