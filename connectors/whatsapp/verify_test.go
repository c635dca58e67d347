package whatsapp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// The signatures below were computed with openssl dgst -sha256 -hmac app-secret.
const (
	emptyBody      = `{"object":"whatsapp_business_account","entry":[]}`
	emptySignature = "sha256=d3e4f9da0ce6c71ab3dba55929b8eeeee2455349e534924ead19f98d143e904f"

	escapedBody      = `{"object":"page","entry":[{"id":"1","time":1700000000000,"messaging":[{"sender":{"id":"9"},"recipient":{"id":"1"},"timestamp":1700000000000,"message":{"mid":"m_abc","text":"caf\u00e9 \ud83d\ude00"}}]}]}`
	escapedSignature = "sha256=08f4cb82c2a3b56389b92cfd3b858b4852c07df7f123994ff56b6b05d4f5cfbc"
	// unescapedSignature is that of the same JSON in UTF-8.
	unescapedSignature = "sha256=103aa0dad9fee193d467e4d08ad91a951cfd0eedf4b9e85c4db771640605f0a2"
)

func signed(body, signature string) *connectors.Request {
	header := http.Header{}
	header.Set("X-Hub-Signature-256", signature)
	return &connectors.Request{Method: http.MethodPost, URL: webhookURL, Header: header, Body: []byte(body)}
}

func TestVerify(t *testing.T) {
	utf8Body := strings.Replace(escapedBody, `caf\u00e9 \ud83d\ude00`, "café 😀", 1)
	tests := []struct {
		name            string
		body, signature string
		ok              bool
	}{
		{"empty batch", emptyBody, emptySignature, true},
		{"escaped unicode", escapedBody, escapedSignature, true},
		{"the raw bytes count, whatever they are", utf8Body, unescapedSignature, true},
		{"decoded and signed before", utf8Body, escapedSignature, false},
		{"escaped and signed after", escapedBody, unescapedSignature, false},
		{"one byte more", emptyBody + "\n", emptySignature, false},
		{"no prefix", emptyBody, emptySignature[len("sha256="):], false},
		{"prefix in upper case", emptyBody, "SHA256=" + emptySignature[len("sha256="):], false},
		{"digits in upper case", emptyBody, "sha256=" + strings.ToUpper(emptySignature[len("sha256="):]), false},
		{"prefix alone", emptyBody, "sha256=", false},
		{"two digits short", emptyBody, emptySignature[:len(emptySignature)-2], false},
		{"Base64", emptyBody, "sha256=0+T52gzmxxqz26VZKbju7uJFU0nlNJJOrRn5jRQ+kE8=", false},
		{"SHA-1, as the old header has it", emptyBody, "sha1=9759b9386dc2668da67aebfacb40d33ff46150f0", false},
		{"SHA-1 called SHA-256", emptyBody, "sha256=9759b9386dc2668da67aebfacb40d33ff46150f0", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := connect(t, settings("app-secret")).Verify(signed(test.body, test.signature))
			if test.ok && err != nil {
				t.Errorf("got %v, want no error", err)
			}
			if !test.ok && connectors.KindOf(err) != connectors.Unauthentic {
				t.Errorf("got %v, want kind unauthentic", err)
			}
			if err != nil && strings.Contains(err.Error(), emptySignature[len("sha256="):]) {
				t.Errorf("the error tells the right signature: %v", err)
			}
		})
	}
}

func TestVerifyIgnoresTheOldHeader(t *testing.T) {
	r := signed(emptyBody, emptySignature)
	r.Header.Del("X-Hub-Signature-256")
	r.Header.Set("X-Hub-Signature", "sha1=9759b9386dc2668da67aebfacb40d33ff46150f0")
	if err := connect(t, settings("app-secret")).Verify(r); connectors.KindOf(err) != connectors.Unauthentic {
		t.Errorf("got %v, want kind unauthentic", err)
	}
}

func TestVerifyKeyIsText(t *testing.T) {
	// App secrets look like hex, and are not decoded.
	r := signed(emptyBody, "sha256=0326b2c3328a256e3177bbaf4961f1e558380c4bba677a793e68941d92367a41")
	if err := connect(t, settings("6d6574612d6170702d736563726574")).Verify(r); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

func TestVerifyRotation(t *testing.T) {
	r := signed(emptyBody, emptySignature)
	for _, secrets := range [][]string{{"app-secret", "new"}, {"old", "app-secret"}} {
		if err := connect(t, settings(secrets...)).Verify(r); err != nil {
			t.Errorf("secrets %q: got %v, want no error", secrets, err)
		}
	}
	if err := connect(t, settings("old", "new")).Verify(r); connectors.KindOf(err) != connectors.Unauthentic {
		t.Errorf("two other secrets: got %v, want kind unauthentic", err)
	}
}

func TestChallenge(t *testing.T) {
	const good = "hub.mode=subscribe&hub.verify_token=verify-token&hub.challenge=1158201444"
	tests := []struct {
		name, method, query, want string
	}{
		{"as Meta asks", "GET", good, "1158201444"},
		{"in any order", "GET", "hub.challenge=1158201444&hub.verify_token=verify-token&hub.mode=subscribe", "1158201444"},
		{"other parameters", "GET", good + "&x=y", "1158201444"},
		{"letters", "GET", strings.Replace(good, "1158201444", "aZ09_-", 1), "aZ09_-"},
		{"escaped digit", "GET", strings.Replace(good, "1158201444", "%31", 1), "1"},
		{"of 128 characters", "GET", strings.Replace(good, "1158201444", strings.Repeat("7", 128), 1), strings.Repeat("7", 128)},

		{"POST", "POST", good, ""},
		{"HEAD", "HEAD", good, ""},
		{"nothing", "GET", "", ""},
		{"other mode", "GET", strings.Replace(good, "subscribe", "unsubscribe", 1), ""},
		{"no mode", "GET", strings.Replace(good, "hub.mode=subscribe&", "", 1), ""},
		{"wrong token", "GET", strings.Replace(good, "verify-token", "verify-tokem", 1), ""},
		{"longer token", "GET", strings.Replace(good, "verify-token", "verify-token2", 1), ""},
		{"shorter token", "GET", strings.Replace(good, "verify-token", "verify", 1), ""},
		{"token in another case", "GET", strings.Replace(good, "verify-token", "Verify-Token", 1), ""},
		{"empty token", "GET", strings.Replace(good, "verify-token", "", 1), ""},
		{"token twice", "GET", good + "&hub.verify_token=verify-token", ""},
		{"challenge twice", "GET", good + "&hub.challenge=1158201444", ""},
		{"no challenge", "GET", "hub.mode=subscribe&hub.verify_token=verify-token", ""},
		{"empty challenge", "GET", strings.Replace(good, "1158201444", "", 1), ""},
		{"HTML", "GET", strings.Replace(good, "1158201444", "%3Cscript%3Ealert(1)%3C/script%3E", 1), ""},
		{"line break", "GET", strings.Replace(good, "1158201444", "1%0d%0aSet-Cookie:x", 1), ""},
		{"trailing line break", "GET", good + "%0a", ""},
		{"blank", "GET", good + "+1", ""},
		{"of 129 characters", "GET", strings.Replace(good, "1158201444", strings.Repeat("7", 129), 1), ""},
		{"not UTF-8", "GET", good + "%ff", ""},
		{"broken escape", "GET", good + "&x=%zz", ""},
		{"semicolon", "GET", good + ";x=y", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := connect(t, settings("app-secret")).(connectors.Challenger)
			got, err := c.Challenge(&connectors.Request{Method: test.method, URL: webhookURL + "?" + test.query})
			if test.want == "" && (got != "" || connectors.KindOf(err) != connectors.Unauthentic) {
				t.Errorf("got %q, %v, want nothing and kind unauthentic", got, err)
			}
			if test.want != "" && (got != test.want || err != nil) {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestChallengeOfPlatform(t *testing.T) {
	p, c := start(t)
	got, err := c.(connectors.Challenger).Challenge(p.Handshake(webhookURL))
	if want := sim.Decimal(10, webhookURL); got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	p.VerifyToken = "another business's"
	if got, err := c.(connectors.Challenger).Challenge(p.Handshake(webhookURL)); connectors.KindOf(err) != connectors.Unauthentic {
		t.Errorf("got %q, %v, want kind unauthentic", got, err)
	}
}

func TestChallengeWithoutToken(t *testing.T) {
	s := settings("app-secret")
	s.VerifyToken = config.Secret{}
	r := &connectors.Request{Method: "GET", URL: webhookURL + "?hub.mode=subscribe&hub.verify_token=&hub.challenge=1"}
	if got, err := connect(t, s).(connectors.Challenger).Challenge(r); connectors.KindOf(err) != connectors.Unauthentic {
		t.Errorf("got %q, %v, want kind unauthentic", got, err)
	}
}
