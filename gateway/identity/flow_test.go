package identity_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/identity/issuertest"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// withIssuer starts a gateway that believes an issuer, which runs unless asleep.
func withIssuer(t *testing.T, asleep bool, change func(*config.Config)) (*house, *issuertest.Issuer) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	public := "http://" + server.Listener.Addr().String()
	users := []issuertest.User{{ID: "7", Username: "support", First: "Ada", Last: "L\x1b[31mee\u202e"}, {ID: "8", Username: "eva", First: "Eva"}}
	issuer := issuertest.New(t, users, public+config.OIDCReturn)
	if !asleep {
		issuer.Restart()
	}
	o := identity.Options{Config: configured(t)}
	o.Config.PublicURL, o.Config.Agents.OIDC = public, issuer.Config("support", "sales", "nowhere")
	if change != nil {
		change(&o.Config)
	}
	h := houseAt(t, server, journal(t, queuetest.Redis(t)), o)
	run(t, h)
	if !asleep {
		gatewaytest.Await(t, "the issuer is known", h.issuerAnswers(t))
	}
	return h, issuer
}

func run(t testing.TB, h *house) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); h.Run(ctx, 0) }()
	t.Cleanup(func() { cancel(); <-ended })
}

func (h *house) issuerAnswers(t testing.TB) func() bool {
	return func() bool {
		lines := h.Check(t.Context())
		return lines[len(lines)-1] == ops.Line{Name: "issuer", State: ops.OK}
	}
}

// begin begins a sign-in at the issuer, and returns where the browser is sent to and
// its cookie.
func (h *house) begin(t *testing.T, path string) (to, cookie string) {
	t.Helper()
	a := h.call(t, http.MethodGet, path, "", "Accept", "text/html")
	if a.status != http.StatusFound || a.other == nil {
		t.Fatalf("%s: got %d %s, cookie %v", path, a.status, a.body, a.other)
	}
	if c := a.other; !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 600 {
		t.Errorf("the cookie of the way is %+v", c)
	}
	return a.header.Get("Location"), a.other.Name + "=" + a.other.Value
}

// back lets the browser come back from the issuer.
func (h *house) back(t *testing.T, to, cookie string) answer {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil || "http://"+u.Host != h.server.URL {
		t.Fatalf("the issuer sends browsers to %s, %v", to, err)
	}
	return h.call(t, http.MethodGet, u.RequestURI(), "", "Cookie", cookie)
}

func TestSigningInByTheIssuer(t *testing.T) {
	t.Parallel()
	h, issuer := withIssuer(t, false, nil)
	if a := h.call(t, http.MethodGet, "/v1/session/ways", ""); !strings.Contains(a.body, `"oidc":{"title":"localhost:`) {
		t.Errorf("ways: got %s", a.body)
	}
	to, way := h.begin(t, "/v1/session/oidc?to=/c/support.1%3Fq")
	asked, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := asked.Query()
	_, value, _ := strings.Cut(way, "=")
	secret, _, _ := strings.Cut(value, ".")
	if q.Get("code_challenge_method") != "S256" || len(q.Get("state")) != 43 || len(q.Get("nonce")) != 43 || q.Get("state") == q.Get("nonce") || strings.Contains(to, secret) {
		t.Errorf("the browser is sent to %s", to)
	}
	answered := issuer.SignIn(to, "support")
	a := h.back(t, answered, way)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/c/support.1?q" || a.cookie == nil || a.cookie.SameSite != http.SameSiteStrictMode || a.other == nil || a.other.MaxAge >= 0 {
		t.Fatalf("back: got %d %s, cookies %v, %v", a.status, a.header.Get("Location"), a.cookie, a.other)
	}
	cookie := a.cookie.Name + "=" + a.cookie.Value
	if got := h.me(t, cookie); got.status != 200 || !strings.HasPrefix(got.body, "oidc:") || !strings.HasSuffix(got.body, " Ada L[31mee of sales support") {
		t.Errorf("signed in: got %d %q", got.status, got.body)
	}
	// Neither the code nor the way can be used again.
	if again := h.back(t, answered, way); again.status != http.StatusUnauthorized || again.cookie != nil {
		t.Errorf("once more: got %d, cookie %v", again.status, again.cookie)
	}
	for _, text := range []string{secret, a.cookie.Value, issuertest.ClientSecret, "Ada"} {
		if strings.Contains(h.log.String(), text) {
			t.Errorf("the log has %s: %s", text, h.log)
		}
	}
	issuer.Kill()
	if got := h.me(t, cookie); got.status != 200 {
		t.Errorf("signed in, and the issuer is away: got %d", got.status)
	}
}

func TestComingBackWrongly(t *testing.T) {
	t.Parallel()
	h, issuer := withIssuer(t, false, func(c *config.Config) { c.TrustedProxies = []string{"127.0.0.0/8"} })
	to, way := h.begin(t, "/v1/session/oidc")
	answered := issuer.SignIn(to, "eva")
	_, other := h.begin(t, "/v1/session/oidc")
	u, err := url.Parse(answered)
	if err != nil {
		t.Fatal(err)
	}
	with := func(name, value string) string {
		v := *u
		q := v.Query()
		q.Set(name, value)
		v.RawQuery = q.Encode()
		return v.String()
	}
	for what, c := range map[string][2]string{
		"no cookie":        {answered, ""},
		"another browser":  {answered, other},
		"no state":         {with("state", ""), way},
		"another state":    {with("state", strings.Repeat("x", 43)), way},
		"no code":          {with("code", ""), way},
		"a made-up code":   {with("code", "made-up"), way},
		"another issuer":   {with("iss", "https://evil.example.com"), way},
		"a broken cookie":  {answered, strings.Replace(way, ".", "", 1)},
		"a cookie of ours": {answered, "lightlock-oidc=.Lw"},
	} {
		if a := h.back(t, c[0], c[1]); a.status != http.StatusUnauthorized || a.cookie != nil {
			t.Errorf("%s: got %d %s, cookie %v", what, a.status, a.body, a.cookie)
		}
	}
	refused := h.call(t, http.MethodGet, u.Path+"?error=access_denied&state="+u.Query().Get("state"), "", "Cookie", way, "Accept", "text/html,*/*", "X-Forwarded-For", "203.0.113.9")
	if refused.status != http.StatusSeeOther || refused.header.Get("Location") != "/?sign_in=unauthenticated" || refused.cookie != nil {
		t.Errorf("refused by the issuer, in a browser: got %d %v", refused.status, refused.header)
	}
	// None of these has used up what is right, but for an address that has failed too often.
	if a := h.call(t, http.MethodGet, u.RequestURI(), "", "Cookie", way, "X-Forwarded-For", "203.0.113.9"); a.status != http.StatusSeeOther {
		t.Errorf("at last: got %d %s", a.status, a.body)
	}
}

func TestNobodyIsSentElsewhere(t *testing.T) {
	t.Parallel()
	h, issuer := withIssuer(t, false, nil)
	for _, page := range []string{"", "https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "\\\\evil", "javascript:alert(1)", "/%0d%0aSet-Cookie:x=y\r\n", "mine", "/v1/session/oidc", "/" + strings.Repeat("x", 600)} {
		to, way := h.begin(t, "/v1/session/oidc?to="+url.QueryEscape(page))
		a := h.back(t, issuer.SignIn(to, "eva"), way)
		if a.status != http.StatusSeeOther || a.header.Get("Location") != "/" {
			t.Errorf("%.40q: got %d, sent to %q", page, a.status, a.header.Get("Location"))
		}
	}
}

// TestQueuesByClaim also asks the issuer for what it leaves out of its token.
func TestQueuesByClaim(t *testing.T) {
	t.Parallel()
	h, issuer := withIssuer(t, false, func(c *config.Config) {
		c.Agents.OIDC.Queues, c.Agents.OIDC.QueuesClaim = nil, "preferred_username"
	})
	for user, want := range map[string]string{"support": "Ada L[31mee of support", "eva": "Eva of "} {
		to, way := h.begin(t, "/v1/session/oidc")
		a := h.back(t, issuer.SignIn(to, user), way)
		if a.cookie == nil {
			t.Fatalf("%s: got %d %s", user, a.status, a.body)
		}
		if got := h.me(t, a.cookie.Name+"="+a.cookie.Value); !strings.HasSuffix(got.body, want) {
			t.Errorf("%s: got %q, want %q", user, got.body, want)
		}
	}
}

func TestBearersOfTheIssuer(t *testing.T) {
	t.Parallel()
	h, issuer := withIssuer(t, false, nil)
	ask := func(token string) answer {
		return h.call(t, http.MethodPost, "/v1/me", "", "Authorization", "Bearer "+token)
	}
	first := issuer.Token("eva")
	if a := ask(first); a.status != 200 || !strings.HasPrefix(a.body, "oidc:") || !strings.HasSuffix(a.body, "of sales support") {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	middle := len(first) / 2
	for what, token := range map[string]string{"cut": first[:len(first)-4], "changed": first[:middle] + "A" + first[middle+1:], "in two": first + "." + first} {
		if a := ask(token); a.status != 401 {
			t.Errorf("%s: got %d %s", what, a.status, a.body)
		}
	}
	issuer.Kill()
	if a := ask(first); a.status != 200 {
		t.Errorf("the issuer is away, its key is known: got %d", a.status)
	}
	issuer.Restart()
	if a := ask(issuer.Token("eva")); a.status != 200 {
		t.Errorf("another key: got %d %s", a.status, a.body)
	}
	if a := ask(first); a.status != 401 {
		t.Errorf("the key that the issuer has no more: got %d %s", a.status, a.body)
	}
}

// TestAnIssuerThatComesLater holds nothing up.
func TestAnIssuerThatComesLater(t *testing.T) {
	t.Parallel()
	h, issuer := withIssuer(t, true, nil)
	h.signIn(t, benToken)
	lines := h.Check(t.Context())
	if got := lines[len(lines)-1]; got.Name != "issuer" || got.State != ops.Warn {
		t.Errorf("got %+v", got)
	}
	if a := h.call(t, http.MethodGet, "/v1/session/oidc", ""); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("signing in: got %d", a.status)
	}
	if a := h.call(t, http.MethodGet, "/v1/me", "", "Authorization", "Bearer ey.ey.ey"); a.status != http.StatusServiceUnavailable {
		t.Errorf("a bearer: got %d", a.status)
	}
	issuer.Restart()
	gatewaytest.Await(t, "the issuer is known", h.issuerAnswers(t))
	if a := h.call(t, http.MethodGet, "/v1/me", "", "Authorization", "Bearer "+issuer.Token("eva")); a.status != 200 {
		t.Errorf("a bearer: got %d", a.status)
	}
}
