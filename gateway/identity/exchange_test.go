package identity_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// handing is a gateway whose issuer hands over what a test wants for a code.
type handing struct {
	*fake
	*house
	turn   sync.Mutex
	claims map[string]any // changes to the right ID token
	user   map[string]any // what is said of the user beside it
	status int            // of the answer to the code, else 200
	form   url.Values     // what was asked with the code
	login  string         // user and password with which it was asked
}

func newHanding(t *testing.T) *handing {
	t.Helper()
	x := &handing{fake: newFake(t)}
	x.says["userinfo_endpoint"] = x.fake.server.URL + "/user"
	x.with("/token", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		_ = r.ParseForm()
		x.turn.Lock()
		defer x.turn.Unlock()
		x.form, x.login = r.PostForm, user+" "+password
		if x.status != 0 {
			w.WriteHeader(x.status)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": x.right(x.claims)})
	})
	x.with("/user", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		x.turn.Lock()
		defer x.turn.Unlock()
		_ = json.NewEncoder(w).Encode(x.user)
	})
	server := httptest.NewUnstartedServer(nil)
	o := identity.Options{Config: configured(t)}
	o.Config.PublicURL = "http://" + server.Listener.Addr().String()
	o.Config.TrustedProxies = []string{"127.0.0.0/8"}
	o.Config.Agents.OIDC = &config.OIDC{Issuer: x.fake.server.URL, ClientID: "lightlock", ClientSecret: config.NewSecret("a-secret"), QueuesClaim: "lightlock_queues"}
	x.house = houseAt(t, server, journal(t, queuetest.Redis(t)), o)
	run(t, x.house)
	x.knows(t)
	return x
}

// try signs in from an address; claims are changes to the right ones, and user is what
// the issuer says beside them.
func (x *handing) try(t *testing.T, from string, claims, user map[string]any) answer {
	t.Helper()
	to, way := x.begin(t, "/v1/session/oidc")
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string]any{"nonce": u.Query().Get("nonce")}
	maps.Copy(changes, claims)
	x.turn.Lock()
	x.claims, x.user = changes, user
	x.turn.Unlock()
	a := x.call(t, http.MethodGet, config.OIDCReturn+"?code=a+code&state="+u.Query().Get("state"), "", "Cookie", way, "X-Forwarded-For", from)
	x.turn.Lock()
	defer x.turn.Unlock()
	challenge := sha256.Sum256([]byte(x.form.Get("code_verifier")))
	if got := base64.RawURLEncoding.EncodeToString(challenge[:]); got != u.Query().Get("code_challenge") || x.form.Get("code") != "a code" || x.login != "lightlock a-secret" {
		t.Errorf("the issuer was asked with %v as %s; its challenge was %s", x.form, x.login, u.Query().Get("code_challenge"))
	}
	return a
}

func TestWhatTheIssuerHandsOver(t *testing.T) {
	t.Parallel()
	x := newHanding(t)
	half := sha256.Sum256([]byte("access"))
	rightHash := base64.RawURLEncoding.EncodeToString(half[:16])
	ada := map[string]any{"sub": "ada", "name": "Ada of the other page", "lightlock_queues": []string{"sales"}, "exp": 1, "aud": "other"}
	for i, c := range []struct {
		what   string
		claims map[string]any
		user   map[string]any
		want   string
	}{
		{"all is right", nil, nil, "Ada of support"},
		{"the access token is this one", map[string]any{"at_hash": rightHash}, nil, "Ada of support"},
		{"made for us by name", map[string]any{"aud": []string{"lightlock", "other"}, "azp": "lightlock"}, nil, "Ada of support"},
		{"what is missing is asked for", map[string]any{"name": nil}, ada, "Ada of the other page of support"},
		{"queues too", map[string]any{"lightlock_queues": nil}, ada, "Ada of sales"},
		{"no nonce", map[string]any{"nonce": nil}, nil, ""},
		{"another nonce", map[string]any{"nonce": "x"}, nil, ""},
		{"another access token", map[string]any{"at_hash": "x"}, nil, ""},
		{"made for another", map[string]any{"azp": "other"}, nil, ""},
		{"made for several, for nobody by name", map[string]any{"aud": []string{"lightlock", "other"}}, nil, ""},
		{"made for another alone", map[string]any{"aud": "other"}, nil, ""},
		{"too old", map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}, nil, ""},
		{"the user is another", map[string]any{"name": nil}, map[string]any{"sub": "eva", "name": "Eva"}, ""},
		{"the user is nobody", map[string]any{"name": nil}, map[string]any{"name": "Eva"}, ""},
	} {
		a := x.try(t, fmt.Sprintf("203.0.113.%d", i), c.claims, c.user)
		if c.want == "" {
			if a.status != http.StatusUnauthorized || a.cookie != nil {
				t.Errorf("%s: got %d, cookie %v", c.what, a.status, a.cookie)
			}
			continue
		}
		if a.cookie == nil {
			t.Errorf("%s: got %d %s", c.what, a.status, a.body)
			continue
		}
		got := x.me(t, a.cookie.Name+"="+a.cookie.Value).body
		if want := fmt.Sprintf("oidc:%s %s", config.TokenHash(x.fake.server.URL + "\nada")[:32], c.want); got != want {
			t.Errorf("%s: got %q, want %q", c.what, got, want)
		}
	}
}

// TestTheIssuerFails while a browser is on its way: whose fault it is decides what the
// browser is told.
func TestTheIssuerFails(t *testing.T) {
	t.Parallel()
	x := newHanding(t)
	for status, want := range map[int]int{http.StatusBadRequest: 401, http.StatusUnauthorized: 401, http.StatusInternalServerError: 503, http.StatusFound: 401} {
		x.turn.Lock()
		x.status = status
		x.turn.Unlock()
		if a := x.try(t, fmt.Sprintf("203.0.113.%d", status%250), nil, nil); a.status != want || a.cookie != nil {
			t.Errorf("its answer %d: got %d, cookie %v", status, a.status, a.cookie)
		}
	}
	x.turn.Lock()
	x.status = 0
	x.turn.Unlock()
	x.with("/user", endless)
	if a := x.try(t, "203.0.113.251", map[string]any{"name": nil}, nil); a.status != 503 || a.cookie != nil {
		t.Errorf("an answer without end: got %d, cookie %v", a.status, a.cookie)
	}
}

// TestTheIssuerIsNotAskedAllTheTime: an address at which too many codes were wrong
// waits. Whoever only comes back wrongly costs nobody anything, and keeps nobody waiting.
func TestTheIssuerIsNotAskedAllTheTime(t *testing.T) {
	t.Parallel()
	x := newHanding(t)
	const from = "203.0.113.7"
	for range 20 {
		if a := x.call(t, http.MethodGet, config.OIDCReturn+"?code=c&state=made-up", "", "X-Forwarded-For", from); a.status != http.StatusUnauthorized {
			t.Fatalf("made up: got %d", a.status)
		}
	}
	x.turn.Lock()
	x.status = http.StatusBadRequest
	x.turn.Unlock()
	for range 10 {
		if a := x.try(t, from, nil, nil); a.status != http.StatusUnauthorized {
			t.Fatalf("a wrong code: got %d", a.status)
		}
	}
	asked := x.count("/token")
	x.turn.Lock()
	x.status = 0
	x.turn.Unlock()
	to, way := x.begin(t, "/v1/session/oidc")
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	back := config.OIDCReturn + "?code=c&state=" + u.Query().Get("state")
	if a := x.call(t, http.MethodGet, back, "", "Cookie", way, "X-Forwarded-For", from); a.status != http.StatusTooManyRequests || x.count("/token") != asked {
		t.Errorf("one more: got %d, and the issuer was asked %d times after %d", a.status, x.count("/token"), asked)
	}
	if a := x.try(t, "203.0.113.8", nil, nil); a.cookie == nil {
		t.Errorf("from elsewhere: got %d", a.status)
	}
}
