package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity"
)

// fake is an issuer in this process that can be as hostile as a test wants. What it
// signs is made by another library than the one under test.
type fake struct {
	t      testing.TB
	server *httptest.Server

	mu    sync.Mutex
	rsa   *rsa.PrivateKey
	ec    *ecdsa.PrivateKey
	more  []map[string]any // keys besides
	asked map[string]int
	// answer takes the place of an answer, by path.
	answer map[string]http.HandlerFunc
	// says takes the place of what the discovery document says.
	says map[string]any
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{t: t, asked: map[string]int{}, answer: map[string]http.HandlerFunc{}, says: map[string]any{}}
	f.rotate()
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.server.Close)
	return f
}

// rotate gives the issuer new keys.
func (f *fake) rotate() {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	if f.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		f.t.Fatal(err)
	}
	if f.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) with(path string, answer http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer[path] = answer
}

func (f *fake) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[path]
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked[r.URL.Path]++
	instead := f.answer[r.URL.Path]
	document, keys := f.document(), f.keys()
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case instead != nil:
		instead(w, r)
	case r.URL.Path == "/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(document)
	case r.URL.Path == "/keys":
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
	default:
		http.NotFound(w, r)
	}
}

func (f *fake) document() map[string]any {
	base := f.server.URL
	d := map[string]any{
		"issuer": base, "jwks_uri": base + "/keys", "authorization_endpoint": base + "/auth", "token_endpoint": base + "/token",
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
	}
	for key, value := range f.says {
		d[key] = value
	}
	return d
}

func number(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

// coordinate is a number of 256 bits, all of which a JWK has.
func coordinate(n *big.Int) string {
	return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 32)))
}

func (f *fake) keys() []map[string]any {
	list := []map[string]any{
		{"kty": "RSA", "kid": "rsa", "use": "sig", "n": number(f.rsa.N), "e": "AQAB"},
		{"kty": "EC", "kid": "ec", "crv": "P-256", "x": coordinate(f.ec.X), "y": coordinate(f.ec.Y)},
		{"kty": "OKP", "kid": "strange", "crv": "Ed448", "x": "AA"},
	}
	return append(list, f.more...)
}

// rightClaims are those of a token that counts.
func (f *fake) rightClaims() jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": f.server.URL, "aud": "lightlock", "sub": "ada", "name": "Ada", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(),
		"lightlock_queues": []string{"support", "secret", "support"},
	}
}

// signed makes a token. The changes are to the right claims; nil removes one.
func (f *fake) signed(method jwt.SigningMethod, key any, kid string, changes map[string]any) string {
	f.t.Helper()
	said := f.rightClaims()
	for name, value := range changes {
		if said[name] = value; value == nil {
			delete(said, name)
		}
	}
	token := jwt.NewWithClaims(method, said)
	if kid != "" {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

// right is a token that counts, but for the changes.
func (f *fake) right(changes map[string]any) string {
	return f.signed(jwt.SigningMethodRS256, f.rsa, "rsa", changes)
}

// believer is a gateway that believes the issuer.
func (f *fake) believer(t *testing.T, change func(*identity.Options)) *house {
	t.Helper()
	o := identity.Options{Config: configured(t)}
	o.Config.PublicURL = "http://localhost"
	o.Config.Agents.OIDC = &config.OIDC{Issuer: f.server.URL, ClientID: "lightlock", QueuesClaim: "lightlock_queues"}
	if change != nil {
		change(&o)
	}
	h := &house{log: &gatewaytest.Log{}}
	o.Log = h.log.Logger()
	h.Registry = open(t, o)
	run(t, h)
	return h
}

// knows waits until the gateway has found the issuer.
func (h *house) knows(t *testing.T) *house {
	t.Helper()
	gatewaytest.Await(t, "the issuer is known", h.issuerAnswers(t))
	return h
}

// bearer asks whose token it is.
func (h *house) bearer(t *testing.T, token string) (identity.Caller, error) {
	t.Helper()
	return h.Caller(request(t, "Bearer "+token))
}

// part changes one of the three parts of a token.
func part(token string, i int, change func(text string) string) string {
	parts := strings.Split(token, ".")
	text, _ := base64.RawURLEncoding.DecodeString(parts[i])
	parts[i] = base64.RawURLEncoding.EncodeToString([]byte(change(string(text))))
	return strings.Join(parts, ".")
}
