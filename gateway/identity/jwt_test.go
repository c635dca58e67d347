package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/ops"
)

func TestTokensThatCount(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	h := f.believer(t, nil).knows(t)
	for what, token := range map[string]string{
		"RS256":                  f.right(nil),
		"ES256":                  f.signed(jwt.SigningMethodES256, f.ec, "ec", nil),
		"without the key's name": f.signed(jwt.SigningMethodRS256, f.rsa, "", nil),
		"several audiences":      f.right(map[string]any{"aud": []string{"other", "lightlock"}}),
		"a clock that is behind": f.right(map[string]any{"iat": time.Now().Add(30 * time.Second).Unix(), "nbf": time.Now().Add(30 * time.Second).Unix()}),
		"a clock that is ahead":  f.right(map[string]any{"exp": time.Now().Add(-30 * time.Second).Unix()}),
		"fractions of a second":  f.right(map[string]any{"exp": float64(time.Now().UnixMilli())/1000 + 3600.5}),
	} {
		got, err := h.bearer(t, token)
		if err != nil || got.Agent.Name != "Ada" || !slices.Equal(got.Queues, []string{"support"}) || got.Until.Before(time.Now()) {
			t.Errorf("%s: got %+v, %v", what, got, err)
		}
		if want := "oidc:" + config.TokenHash(f.server.URL + "\nada")[:32]; got.Agent.ID != want {
			t.Errorf("%s: the agent is %s, want %s", what, got.Agent.ID, want)
		}
	}
}

// TestHostileTokens are made by somebody who knows all but the issuer's keys, or who
// has a token that is not for us.
func TestHostileTokens(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	h := f.believer(t, nil).knows(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	otherEC, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&f.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	right, ago := f.right(nil), time.Now().Add(-time.Hour).Unix()
	tokens := map[string]string{
		"no algorithm":            f.signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "rsa", nil),
		"No algorithm":            part(part(right, 0, func(s string) string { return strings.Replace(s, "RS256", "None", 1) }), 2, func(string) string { return "" }),
		"no signature":            right[:strings.LastIndex(right, ".")+1],
		"the public key as HMAC":  f.signed(jwt.SigningMethodHS256, asPEM, "rsa", nil),
		"the DER as HMAC":         f.signed(jwt.SigningMethodHS256, public, "rsa", nil),
		"nothing as HMAC":         f.signed(jwt.SigningMethodHS256, []byte(""), "", nil),
		"an algorithm not asked":  f.signed(jwt.SigningMethodRS512, f.rsa, "rsa", nil),
		"another padding":         f.signed(jwt.SigningMethodPS256, f.rsa, "rsa", nil),
		"another curve":           f.signed(jwt.SigningMethodES384, otherEC, "ec", nil),
		"another's key":           f.signed(jwt.SigningMethodRS256, other, "rsa", nil),
		"another's key, no name":  f.signed(jwt.SigningMethodRS256, other, "", nil),
		"a key of another kind":   f.signed(jwt.SigningMethodES256, f.ec, "rsa", nil),
		"its own key":             withKey(t, f, other),
		"a changed claim":         part(right, 1, func(s string) string { return strings.Replace(s, `"ada"`, `"eva"`, 1) }),
		"a changed algorithm":     part(right, 0, func(s string) string { return strings.Replace(s, "RS256", "RS512", 1) }),
		"an unknown need":         part(right, 0, func(s string) string { return strings.Replace(s, `{`, `{"crit":["x"],"x":1,`, 1) }),
		"another issuer":          f.right(map[string]any{"iss": "https://evil.example.com"}),
		"the issuer with a slash": f.right(map[string]any{"iss": f.server.URL + "/"}),
		"no issuer":               f.right(map[string]any{"iss": nil}),
		"another audience":        f.right(map[string]any{"aud": "lightlock2"}),
		"other audiences":         f.right(map[string]any{"aud": []string{"a", "b"}}),
		"no audience":             f.right(map[string]any{"aud": nil}),
		"an audience of numbers":  f.right(map[string]any{"aud": 7}),
		"expired":                 f.right(map[string]any{"exp": ago}),
		"without an end":          f.right(map[string]any{"exp": nil}),
		"an end in words":         f.right(map[string]any{"exp": "tomorrow"}),
		"an end beyond measure":   f.right(map[string]any{"exp": 1e300}),
		"not yet":                 f.right(map[string]any{"nbf": time.Now().Add(2 * time.Minute).Unix()}),
		"not yet, in words":       f.right(map[string]any{"nbf": "yesterday"}),
		"made in the future":      f.right(map[string]any{"iat": time.Now().Add(2 * time.Minute).Unix()}),
		"news of a signing out":   f.right(map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}),
		"nobody":                  f.right(map[string]any{"sub": nil}),
		"nobody's name":           f.right(map[string]any{"sub": ""}),
		"a number":                f.right(map[string]any{"sub": 7}),
		"huge":                    f.right(map[string]any{"more": strings.Repeat("x", 10_000)}),
		"another form":            `{"payload":"` + strings.Split(right, ".")[1] + `","protected":"` + strings.Split(right, ".")[0] + `","signature":"` + strings.Split(right, ".")[2] + `"}`,
		"encrypted":               "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d",
		"rubbish":                 "ey.ey.ey", "dots": "..", "binary": "ey\x00.\xff.\xff",
	}
	for what, token := range tokens {
		if got, err := h.bearer(t, token); !errors.Is(err, identity.ErrUnauthenticated) {
			t.Errorf("%s: got %+v, %v", what, got, err)
		} else if strings.Contains(err.Error(), "ada") || len(err.Error()) > 100 {
			t.Errorf("%s: the error says too much: %v", what, err)
		}
	}
	if _, err := h.bearer(t, right); err != nil {
		t.Errorf("the right one, after these: %v", err)
	}
	if got := f.count("/keys"); got > 7 {
		t.Errorf("the issuer was asked for its keys %d times", got)
	}
}

// withKey is a token that brings the key along that it is signed with.
func withKey(t *testing.T, f *fake, key *rsa.PrivateKey) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, f.rightClaims())
	token.Header["jwk"] = map[string]any{"kty": "RSA", "n": number(key.N), "e": "AQAB"}
	token.Header["jku"] = "https://evil.example.com/keys"
	token.Header["x5u"] = "https://evil.example.com/keys"
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestNamesAndQueues: the issuer's words are somebody else's.
func TestNamesAndQueues(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	h := f.believer(t, func(o *identity.Options) { o.Config.Agents.OIDC.NameClaim = "nick" }).knows(t)
	id := "oidc:" + config.TokenHash(f.server.URL + "\nada")[:32]
	for _, c := range []struct {
		claims map[string]any
		name   string
		queues int
	}{
		{map[string]any{"nick": "  Ada\n\tLovelace\x00\x1b[2J\u202e "}, "Ada Lovelace[2J", 1},
		{map[string]any{"nick": strings.Repeat("ä", 500)}, strings.Repeat("ä", 128), 1},
		{map[string]any{"nick": 7, "preferred_username": "ada"}, "ada", 1},
		{map[string]any{"nick": " \u200b"}, id, 1},
		{map[string]any{"nick": "<b>A</b>", "lightlock_queues": "sales"}, "<b>A</b>", 1},
		{map[string]any{"nick": "A", "lightlock_queues": []any{"sales", 7}}, "A", 0},
		{map[string]any{"nick": "A", "lightlock_queues": []string{"SALES", "sales ", "*", ""}}, "A", 0},
		{map[string]any{"nick": "A", "lightlock_queues": nil}, "A", 0},
		{map[string]any{"nick": "A", "lightlock_queues": map[string]any{"sales": true}}, "A", 0},
		{map[string]any{"nick": "A", "lightlock_queues": []string{"support", "sales", "nowhere"}}, "A", 2},
	} {
		got, err := h.bearer(t, f.right(c.claims))
		if err != nil || got.Agent.Name != c.name || len(got.Queues) != c.queues {
			t.Errorf("%v: got %+v, %v", c.claims, got, err)
		}
	}
}

func TestAnAudienceOfItsOwn(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	h := f.believer(t, func(o *identity.Options) { o.Config.Agents.OIDC.Audience = "api" }).knows(t)
	if _, err := h.bearer(t, f.right(nil)); !errors.Is(err, identity.ErrUnauthenticated) {
		t.Errorf("a token for client_id: got %v", err)
	}
	if _, err := h.bearer(t, f.right(map[string]any{"aud": "api"})); err != nil {
		t.Errorf("a token for audience: got %v", err)
	}
}

// TestNewKeys: keys that an issuer changes are found at once, and nobody can make us
// ask for them all the time.
func TestNewKeys(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	h := f.believer(t, nil).knows(t)
	old := f.right(nil)
	if _, err := h.bearer(t, old); err != nil {
		t.Fatal(err)
	}
	f.rotate()
	if _, err := h.bearer(t, f.right(nil)); err != nil {
		t.Errorf("the new key: %v", err)
	}
	// Whoever asks for new keys has them a moment before the others do.
	gatewaytest.Await(t, "the old key counts no more", func() bool {
		_, err := h.bearer(t, old)
		return errors.Is(err, identity.ErrUnauthenticated)
	})
	for i := range 100 {
		token := f.signed(jwt.SigningMethodRS256, f.rsa, fmt.Sprintf("made-up-%d", i), nil)
		if _, err := h.bearer(t, token); !errors.Is(err, identity.ErrUnauthenticated) {
			t.Fatalf("made up: got %v", err)
		}
	}
	if got := f.count("/keys"); got > 7 {
		t.Errorf("the issuer was asked for its keys %d times", got)
	}
	if _, err := h.bearer(t, f.right(nil)); err != nil {
		t.Errorf("the new key, after these: %v", err)
	}
}

// TestHostileIssuers: nothing that an issuer answers makes it one that is believed, or
// stops the gateway.
func TestHostileIssuers(t *testing.T) {
	t.Parallel()
	const discovery = "/.well-known/openid-configuration"
	for what, change := range map[string]func(f *fake){
		"another's name":   func(f *fake) { f.says["issuer"] = "https://evil.example.com" },
		"keys in the open": func(f *fake) { f.says["jwks_uri"] = "http://192.0.2.1/keys" },
		"keys in a file":   func(f *fake) { f.says["jwks_uri"] = "file:///etc/passwd" },
		"no keys":          func(f *fake) { f.says["jwks_uri"] = "" },
		"token in the open": func(f *fake) {
			f.says["token_endpoint"] = "http://192.0.2.1/token"
		},
		"a script": func(f *fake) { f.says["authorization_endpoint"] = "javascript:alert(1)" },
		"not JSON": func(f *fake) {
			f.with(discovery, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>\x1b[2J") })
		},
		"elsewhere": func(f *fake) {
			f.with(discovery, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/else", http.StatusFound) })
		},
		"an error": func(f *fake) {
			f.with(discovery, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) })
		},
		"without end": func(f *fake) { f.with(discovery, endless) },
	} {
		f := newFake(t)
		change(f)
		h := f.believer(t, nil)
		gatewaytest.Await(t, "it was asked", func() bool { return strings.Contains(h.log.String(), "does not answer") })
		lines := h.Check(t.Context())
		if got := lines[len(lines)-1]; got.State != ops.Warn || len(got.Note) > 400 || strings.Contains(got.Note, "\x1b") {
			t.Errorf("%s: got %+v", what, got)
		}
		if got, err := h.bearer(t, f.right(nil)); !errors.Is(err, identity.ErrAway) {
			t.Errorf("%s: got %+v, %v", what, got, err)
		}
	}
}

// endless never stops to answer.
func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := w.Write([]byte(strings.Repeat(" ", 64<<10))); err != nil {
			return
		}
	}
}

// TestKeysThatCannotBeHad are not the fault of the token.
func TestKeysThatCannotBeHad(t *testing.T) {
	t.Parallel()
	for what, instead := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/keys", http.StatusFound)
		},
		"not JSON":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"without end": endless,
		"silent":      func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		f := newFake(t)
		f.with("/keys", instead)
		h := f.believer(t, nil).knows(t)
		if got, err := h.bearer(t, f.right(nil)); !errors.Is(err, identity.ErrAway) {
			t.Errorf("%s: got %+v, %v", what, got, err)
		}
		f.with("/keys", nil)
		f.server.CloseClientConnections()
		gatewaytest.Await(t, what+" is over", func() bool {
			_, err := h.bearer(t, f.right(nil))
			return err == nil
		})
	}
}
