package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
)

// Sessions keeps sign-ins. Names are hashes; the cookies themselves are never told
// to it.
type Sessions interface {
	OpenSession(ctx context.Context, name string, s queue.Session) error
	// Session returns queue.ErrNoSession where there is none, or none any more.
	Session(ctx context.Context, name string) (queue.Session, error)
	CloseSession(ctx context.Context, name string) error
	CloseSessions(ctx context.Context, agent string) (int64, error)
}

// Names of the session's cookie. A browser takes the first only over https and for
// this host alone, so that no neighbour's page can set it; plain http has no such
// promise.
const (
	secureCookie = "__Host-lightlock"
	plainCookie  = "lightlock"
)

// secure tells whether browsers reach us by https. It follows from what the
// operator has configured, because a header is anybody's to write.
func (r *Registry) secure() bool {
	return r.config.TLS != nil || strings.HasPrefix(strings.ToLower(r.config.PublicURL), "https:")
}

// cookie is the session's cookie with a value; none takes it away. It is of use to
// nobody but our own pages: another site's calls never carry it, whatever their
// method.
func (r *Registry) cookie(value string, life time.Duration) *http.Cookie {
	c := &http.Cookie{ //nolint:gosec // secure where browsers come by https: over plain http they would drop it
		Name: plainCookie, Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: r.secure(), SameSite: http.SameSiteStrictMode,
	}
	if r.secure() {
		c.Name = secureCookie
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// newSecret is 256 random bits as text.
func newSecret() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails, by its documentation
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// held returns the value of a cookie of ours. Two of one name mean that somebody else
// has set one of them, and none is believed.
func held(req *http.Request, name string) (string, bool) {
	list := req.CookiesNamed(name)
	if len(list) != 1 || list[0].Value == "" {
		return "", false
	}
	return list[0].Value, true
}

// sessionName is by what a session is kept: the hash of the cookie.
func sessionName(cookie string) string { return config.TokenHash(cookie) }

// session returns who is signed in on the browser that makes a call.
func (r *Registry) session(req *http.Request) (Caller, error) {
	cookie, ok := held(req, r.cookie("", 0).Name)
	if !ok || r.sessions == nil {
		return Caller{}, ErrUnauthenticated
	}
	if err := r.sameOrigin(req); err != nil {
		return Caller{}, err
	}
	s, err := r.sessions.Session(req.Context(), sessionName(cookie))
	switch {
	case errors.Is(err, queue.ErrNoSession):
		return Caller{}, ErrUnauthenticated
	case err != nil:
		return Caller{}, away(err)
	case !r.now().Before(s.Until):
		return Caller{}, ErrUnauthenticated
	}
	return r.signedIn(s)
}

// signedIn returns whose session it is, if what it rests on still holds.
func (r *Registry) signedIn(s queue.Session) (Caller, error) {
	if r.issuer != nil && r.issuer.proof() == s.Proof {
		return Caller{Kind: queue.ActorAgent, Agent: s.Agent, Queues: r.issuer.queuesOf(s.Queues), Until: s.Until}, nil
	}
	one, ok := r.local.Load().agents[s.Agent.ID]
	if !ok || one.proof() != s.Proof {
		return Caller{}, ErrUnauthenticated
	}
	caller := one.caller
	caller.Until = s.Until
	return caller, nil
}

// origins knows from which pages a browser's calls may come.
func origins(publicURL string) (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	u, err := url.Parse(publicURL)
	if publicURL == "" || err != nil {
		return p, err
	}
	return p, p.AddTrustedOrigin(u.Scheme + "://" + u.Host)
}

// sameOrigin refuses a call by which another site's page would change something. The
// page may stand under the public address or under the one that is called. A browser
// says whence such a call comes, so that one that says nothing is no browser's, and
// has no business with a cookie.
func (r *Registry) sameOrigin(req *http.Request) error {
	safe := slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, req.Method)
	silent := req.Header.Get("Sec-Fetch-Site") == "" && req.Header.Get("Origin") == ""
	if !safe && silent || r.origins.Check(req) != nil {
		return ErrCrossOrigin
	}
	return nil
}

// SignIn begins a session of a local agent on the browser that makes the call, and
// ends the one that it had. Nothing is checked here: whoever calls this knows who
// sits there. The error is ErrUnauthenticated where there is no such agent.
func (r *Registry) SignIn(w http.ResponseWriter, req *http.Request, agentID string) error {
	one, ok := r.local.Load().agents[agentID]
	if !ok || r.sessions == nil {
		return ErrUnauthenticated
	}
	return r.begin(w, req, queue.Session{Agent: one.caller.Agent, Proof: one.proof()})
}

// begin opens a session and hands its cookie to the browser.
func (r *Registry) begin(w http.ResponseWriter, req *http.Request, s queue.Session) error {
	life := time.Duration(r.config.Agents.Session)
	s.Until = r.now().Add(life)
	secret := newSecret()
	if err := r.sessions.OpenSession(req.Context(), sessionName(secret), s); err != nil {
		return away(err)
	}
	if before, ok := held(req, r.cookie("", 0).Name); ok {
		_ = r.sessions.CloseSession(req.Context(), sessionName(before)) // it ends by itself, too
	}
	http.SetCookie(w, r.cookie(secret, life))
	r.log.Info("agent signed in", "agent", s.Agent.ID)
	return nil
}

// end ends the session of the browser that makes the call, if it has one.
func (r *Registry) end(w http.ResponseWriter, req *http.Request) error {
	if cookie, ok := held(req, r.cookie("", 0).Name); ok && r.sessions != nil {
		if err := r.sameOrigin(req); err != nil {
			return err
		}
		if err := r.sessions.CloseSession(req.Context(), sessionName(cookie)); err != nil {
			return away(err)
		}
	}
	http.SetCookie(w, r.cookie("", 0))
	return nil
}
